//! A disk so small that it can be filled, and emptied again. Must not know what lies on it.
//!
//! A file system in a file (ext4) where it may be mounted, else one in memory (tmpfs). Where
//! nothing may be mounted, a limit on the size of files stands in for both: files can be changed,
//! but none can grow.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Room for a database that has just begun and its write-ahead log.
const MIB: u32 = 24;

/// Bytes written at once while filling; ever smaller ones follow until nothing fits.
const BLOCK: usize = 64 << 10;

/// What gives the server its small disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ext4,
    Tmpfs,
    /// A limit on the size of files.
    FileSize,
}

/// See the module. Unmounted when dropped.
pub struct Volume {
    kind: Kind,
    _outside: TempDir,
    root: PathBuf,
}

impl Volume {
    /// The best that this machine allows.
    pub fn best() -> Volume {
        [Kind::Ext4, Kind::Tmpfs]
            .into_iter()
            .find_map(Volume::of)
            .or_else(|| Volume::of(Kind::FileSize))
            .expect("a folder can be made")
    }

    /// One of this kind, if this machine allows it.
    pub fn of(kind: Kind) -> Option<Volume> {
        let outside = tempfile::tempdir().expect("a temporary folder");
        let root = outside.path().join("volume");
        std::fs::create_dir(&root).expect("a folder of ours");
        let done = match kind {
            Kind::Ext4 => {
                let image = outside.path().join("image");
                let made = std::fs::File::create(&image)
                    .and_then(|file| file.set_len(u64::from(MIB) << 20));
                made.is_ok()
                    && run(Command::new("mkfs.ext4")
                        .args(["-q", "-m", "0"])
                        .arg(&image))
                    && run(Command::new("mount")
                        .args(["-o", "loop"])
                        .arg(&image)
                        .arg(&root))
            }
            Kind::Tmpfs => {
                let size = format!("size={MIB}m");
                let mut mount = Command::new("mount");
                run(mount
                    .args(["-t", "tmpfs", "-o", &size, "torture"])
                    .arg(&root))
            }
            Kind::FileSize => true,
        };
        done.then_some(Volume {
            kind,
            _outside: outside,
            root,
        })
    }

    /// What it is, for people.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Ext4 => "ext4 of 24 MiB",
            Kind::Tmpfs => "tmpfs of 24 MiB",
            Kind::FileSize => "files that cannot grow",
        }
    }

    /// Where the database is to be.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// What the server must run under, if anything: a file at its limit ends whoever does not
    /// ignore the signal for it.
    pub fn under(&self) -> Vec<String> {
        match self.kind {
            Kind::Ext4 | Kind::Tmpfs => Vec::new(),
            Kind::FileSize => ["sh", "-c", r#"trap "" XFSZ; exec "$@""#, "volume"]
                .map(str::to_owned)
                .into(),
        }
    }

    /// No byte more fits, for this process.
    pub fn fill(&self, process: u32) {
        match self.kind {
            Kind::Ext4 | Kind::Tmpfs => self.write_ballast(),
            Kind::FileSize => {
                // The limit is the same for every file: what is shorter than the longest still grows
                // up to it.
                let files = std::fs::read_dir(self.data()).expect("a folder of ours");
                let longest = files
                    .filter_map(|file| file.ok()?.metadata().ok())
                    .map(|it| it.len())
                    .max();
                limit(process, &format!("{}:", longest.unwrap_or(0)));
            }
        }
    }

    /// There is room again.
    pub fn make_room(&self, process: Option<u32>) {
        match (self.kind, process) {
            (Kind::Ext4 | Kind::Tmpfs, _) => {
                std::fs::remove_file(self.ballast()).expect("the ballast is there");
            }
            (Kind::FileSize, Some(process)) => limit(process, "unlimited:"),
            // The next process begins without a limit.
            (Kind::FileSize, None) => {}
        }
    }

    fn ballast(&self) -> PathBuf {
        self.root.join("ballast")
    }

    fn write_ballast(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.ballast()).expect("one more name fits");
        let mut size = BLOCK;
        while size > 0 {
            // Allocation is delayed: only what was forced to the disk has its place for sure.
            let written = file
                .write_all(&vec![0xA5; size])
                .and_then(|()| file.sync_data());
            match written {
                Ok(()) => {}
                Err(error) if is_full(&error) => size /= 2,
                Err(error) => panic!("filling {}: {error}", self.root.display()),
            }
        }
    }
}

fn is_full(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::StorageFull
}

fn limit(process: u32, size: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &process.to_string(), &format!("--fsize={size}")]);
    assert!(run(&mut prlimit), "prlimit comes with util-linux");
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.kind != Kind::FileSize {
            // Lazily, because a server that fails to end must not keep the mount for ever.
            run(Command::new("umount").arg("-l").arg(Path::new(&self.root)));
        }
    }
}
