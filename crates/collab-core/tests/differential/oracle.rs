//! The judge: published yjs in a process of its own. Must not know what is judged.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One oracle, asked one line of JSON at a time.
pub struct Oracle {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    pub fn start() -> Oracle {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../web/tests/interop");
        assert!(
            folder.join("node_modules/yjs/package.json").is_file(),
            "the published packages are missing: run `npm ci` in web/tests/interop \
             (`cargo xtask test` does)"
        );
        let mut process = Command::new("node")
            .arg("oracle.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("Node 20 or newer must be in PATH: {error}"));
        let questions = process.stdin.take().expect("stdin was piped");
        let answers = BufReader::new(process.stdout.take().expect("stdout was piped"));
        Oracle {
            process,
            questions,
            answers,
        }
    }

    /// Panics when the oracle itself fails: then nothing was judged.
    pub fn ask<A: DeserializeOwned>(&mut self, question: &Value) -> A {
        writeln!(self.questions, "{question}").expect("the oracle listens");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("answers are UTF-8");
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("not an answer: {error} in {line:?}"));
        if let Some(error) = answer.get("error") {
            panic!("the oracle failed at {}: {error:#}", question["op"]);
        }
        serde_json::from_value(answer).expect("an answer of the agreed form")
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Bytes as the oracle writes them.
pub fn unhex(text: &str) -> Bytes {
    hex::decode(text).expect("hex from the oracle").into()
}

/// The plain texts of both files.
#[derive(Deserialize)]
pub struct Texts {
    pub main: String,
    pub notes: String,
}

/// A whole history, as a server is offered it.
#[derive(Deserialize)]
pub struct Script {
    pub turns: Vec<ScriptTurn>,
    /// State vectors of replicas as they once were.
    pub probes: Vec<String>,
    /// The whole state of one replica at the end.
    pub whole: String,
    pub texts: Texts,
}

/// The offers of one turn, and the state vector yjs has after it.
#[derive(Deserialize)]
pub struct ScriptTurn {
    pub updates: Vec<String>,
    pub sv: Vec<(u64, u32)>,
}

/// `why` says the first difference, if there is one.
#[derive(Deserialize)]
pub struct Verdict {
    pub why: Option<String>,
    pub sv: Option<Vec<(u64, u32)>>,
    pub texts: Option<Texts>,
}

/// What a yjs replica's provider would send now.
#[derive(Deserialize)]
pub struct Updates {
    pub updates: Vec<String>,
}

/// A yjs replica's state vector, and what somebody else lacks of it.
#[derive(Deserialize)]
pub struct Handshake {
    pub sv: String,
    pub diff: String,
}
