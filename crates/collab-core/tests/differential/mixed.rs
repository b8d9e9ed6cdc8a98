//! Histories in which our replicas and yjs write the same texts through a document of ours, and
//! yjs everything else beside. Must not know how either merges.

use std::mem;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId, StateVector};
use collab_core::ids::{Offset, ReplicaId};
use serde_json::{Value, json};

use super::oracle::{Handshake, Oracle, Updates, Verdict, unhex};
use super::{Follower, SERVER, SURVIVES, accept, assert_shows, entries, notes};

/// Replicas of ours in one history.
const OURS: usize = 2;
/// Replicas of yjs in one history.
const THEIRS: usize = 2;

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which must not be 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("usize has at most 64 bits");
        usize::try_from(self.next() % end).expect("below a usize")
    }
}

/// A replica of ours, as a browser holds one.
struct Ours {
    document: Document,
    follower: Follower,
    online: bool,
    inbound: Vec<Bytes>,
}

/// A yjs replica; its document is in the oracle.
struct Theirs {
    online: bool,
    inbound: Vec<Bytes>,
}

/// One server, [`OURS`] and [`THEIRS`] around it.
struct Mixed<'a> {
    oracle: &'a mut Oracle,
    genuine: &'a AtomicU64,
    random: Random,
    server: Document,
    ours: Vec<Ours>,
    theirs: Vec<Theirs>,
    offers: Vec<Bytes>,
}

impl Mixed<'_> {
    fn step(&mut self) {
        let (ours, theirs) = (self.random.below(OURS), self.random.below(THEIRS));
        match self.random.below(24) {
            0..6 => self.type_ours(ours),
            6..12 => self.type_theirs(theirs),
            12..14 => self.deliver_ours(ours),
            14..17 => self.deliver_theirs(theirs),
            17 => self.switch_ours(ours),
            18 => self.switch_theirs(theirs),
            _ => self.end_turn(),
        }
    }

    fn end_turn(&mut self) {
        let offers = mem::take(&mut self.offers);
        if offers.is_empty() {
            return;
        }
        let delta = accept(&mut self.server, &offers, self.genuine).delta;
        if delta.is_empty() {
            return;
        }
        let ours = self.ours.iter_mut().map(|o| (o.online, &mut o.inbound));
        let theirs = self.theirs.iter_mut().map(|t| (t.online, &mut t.inbound));
        for (_, inbound) in ours.chain(theirs).filter(|(online, _)| *online) {
            inbound.push(delta.clone());
        }
    }

    fn type_ours(&mut self, who: usize) {
        let Mixed { random, ours, .. } = self;
        let ours = &mut ours[who];
        let file = if random.below(3) == 0 {
            notes()
        } else {
            FileId::main()
        };
        let edits = random_edits(random, &ours.document.text(&file));
        let update = ours
            .document
            .edit(&file, &edits)
            .unwrap_or_else(|error| panic!("{error:?} for {edits:?}"));
        if file == ours.follower.file {
            ours.follower.edit(&edits);
        }
        if ours.online && !update.is_empty() {
            self.offers.push(update);
        }
    }

    fn type_theirs(&mut self, who: usize) {
        let done: Updates = self.oracle.ask(&json!({ "op": "act", "peer": who }));
        self.sent_by_them(who, &done);
    }

    fn sent_by_them(&mut self, who: usize, done: &Updates) {
        if self.theirs[who].online {
            self.offers.extend(done.updates.iter().map(|u| unhex(u)));
        }
    }

    fn deliver_ours(&mut self, who: usize) {
        let ours = &mut self.ours[who];
        let inbound = mem::take(&mut ours.inbound);
        let turn = accept(&mut ours.document, &inbound, self.genuine);
        ours.follower.hear(&turn);
    }

    fn deliver_theirs(&mut self, who: usize) {
        let inbound = mem::take(&mut self.theirs[who].inbound);
        let updates: Vec<String> = inbound.iter().map(hex::encode).collect();
        let done: Updates = self
            .oracle
            .ask(&json!({ "op": "receive", "peer": who, "updates": updates }));
        self.sent_by_them(who, &done);
    }

    /// Goes offline, or comes back with both halves of the handshake.
    fn switch_ours(&mut self, who: usize) {
        self.end_turn();
        let Mixed { ours, server, .. } = self;
        let ours = &mut ours[who];
        ours.online = !ours.online;
        ours.inbound.clear();
        if ours.online {
            let down = server.diff(&ours.document.state_vector());
            let up = ours.document.diff(&server.state_vector());
            ours.inbound.push(down.expect(SURVIVES));
            self.offers.push(up.expect(SURVIVES));
        }
    }

    /// The same for a yjs replica.
    fn switch_theirs(&mut self, who: usize) {
        self.end_turn();
        let theirs = &mut self.theirs[who];
        theirs.online = !theirs.online;
        theirs.inbound.clear();
        if theirs.online {
            let sv = hex::encode(self.server.state_vector().encode());
            let hello: Handshake = self
                .oracle
                .ask(&json!({ "op": "handshake", "peer": who, "sv": sv }));
            let sv = StateVector::decode(&unhex(&hello.sv)).expect("a genuine state vector");
            theirs.inbound.push(self.server.diff(&sv).expect(SURVIVES));
            self.offers.push(unhex(&hello.diff));
        }
    }

    fn settle(&mut self) {
        for who in 0..OURS {
            if !self.ours[who].online {
                self.switch_ours(who);
            }
        }
        for who in 0..THEIRS {
            if !self.theirs[who].online {
                self.switch_theirs(who);
            }
        }
        for round in 0.. {
            assert!(round < 50, "the replicas go on talking for ever");
            self.end_turn();
            (0..OURS).for_each(|who| self.deliver_ours(who));
            (0..THEIRS).for_each(|who| self.deliver_theirs(who));
            if self.offers.is_empty() {
                break;
            }
        }
    }
}

/// One to three edits of `text`, ascending and disjoint, never inside a surrogate pair.
fn random_edits(random: &mut Random, text: &str) -> Vec<Edit> {
    const INSERTS: [&str; 8] = ["x", "", "fn f() {\n", "😀", "é漢", "\n", "🇩🇪👍🏽", "  "];
    let units: Vec<u16> = text.encode_utf16().collect();
    let whole = |offset: usize| match units.get(offset) {
        Some(0xDC00..=0xDFFF) => offset - 1,
        _ => offset,
    };
    let mut marks: Vec<usize> = (0..2 * (1 + random.below(3)))
        .map(|_| whole(random.below(units.len() + 1)))
        .collect();
    marks.sort_unstable();
    marks
        .chunks_exact(2)
        .map(|span| {
            // Half of the edits only insert, and deletions are short, or texts would never grow.
            let end = match random.below(2) {
                0 => span[0],
                _ => whole(span[1].min(span[0] + 8)),
            };
            Edit {
                at: Offset(u32::try_from(span[0]).expect("texts are short")),
                delete: u32::try_from(end - span[0]).expect("at most 8"),
                insert: INSERTS[random.below(INSERTS.len())].repeat(1 + random.below(3)),
            }
        })
        .collect()
}

/// One history from its seed.
pub fn history(oracle: &mut Oracle, seed: u64, genuine: &AtomicU64) {
    let _: Value = oracle.ask(&json!({ "op": "open", "seed": seed, "peers": THEIRS }));
    let mut random = Random(seed);
    let ours = (0..OURS)
        .map(|_| {
            let id = u32::try_from(random.next() >> 32).expect("32 bits are left");
            let mut document = Document::new(ReplicaId::ours(id));
            let follower = Follower::new(&mut document, FileId::main());
            Ours {
                document,
                follower,
                online: true,
                inbound: Vec::new(),
            }
        })
        .collect();
    let theirs = (0..THEIRS)
        .map(|_| Theirs {
            online: true,
            inbound: Vec::new(),
        })
        .collect();
    let mut world = Mixed {
        oracle,
        genuine,
        random,
        server: Document::new(SERVER),
        ours,
        theirs,
        offers: Vec::new(),
    };
    for _ in 0..20 + world.random.below(60) {
        world.step();
    }
    world.settle();

    let states: Vec<String> = world
        .ours
        .iter_mut()
        .map(|ours| &mut ours.document)
        .chain([&mut world.server])
        .map(|document| hex::encode(document.encode().expect(SURVIVES)))
        .collect();
    let verdict: Verdict = world
        .oracle
        .ask(&json!({ "op": "compare", "states": states }));
    assert_eq!(verdict.why, None);
    let sv = verdict.sv.expect("stands beside `why: null`");
    let texts = verdict.texts.expect("stands beside `why: null`");
    let ours = world.ours.iter().map(|ours| &ours.document);
    for document in ours.chain([&world.server]) {
        assert_eq!(entries(&document.state_vector()), sv);
        assert_shows(document, &texts);
    }
    for ours in &world.ours {
        ours.follower.assert_level_with(&ours.document);
    }
}
