//! The guard: every call into the engine that could meet hostile state is made here.
//!
//! A panic inside yrs unwinds through its transaction, whose destructor commits and may panic
//! again, which aborts the process whatever catches the first one. So a transaction is kept in
//! `ManuallyDrop`, each step is caught by itself, and after a panic both the transaction and the
//! engine's document are leaked: never touched, never dropped. The caller throws this document away
//! and loads it again. (Where panics abort, as in the browser, the catching does nothing.) Must not
//! know what the steps do.

use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use yrs::{ClientID, Doc, OffsetKind, Options, ReadTxn, Transact, Transaction, TransactionMut};

use super::files;
use crate::ids::ReplicaId;

/// The engine failed inside, and the document with it: drop it and load it again from its log.
/// Nothing that this call was given is part of what others may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine failed while {during}; the document must be loaded again")]
pub struct Poisoned {
    /// What the engine was doing.
    pub during: &'static str,
}

/// The engine's document, behind the guard.
pub(super) struct Engine {
    /// `None` after a failure.
    doc: Option<Doc>,
}

impl Engine {
    pub(super) fn new(replica: ReplicaId) -> Engine {
        let doc = Doc::with_options(Options {
            client_id: ClientID::new(replica.get()),
            // Names a document among sub-documents, which we do not have; the default is drawn.
            guid: "".into(),
            collection_id: None,
            // Yjs, JavaScript and CodeMirror count UTF-16 code units.
            offset_kind: OffsetKind::Utf16,
            skip_gc: false,
            auto_load: false,
            should_load: true,
            // Tidying formats would make this replica an author of deletions.
            cleanup_formatting: false,
        });
        Engine { doc: Some(doc) }
    }

    /// Runs `change` in one transaction, commits it, and returns its result with what was new.
    ///
    /// When `change` returns an error, everything is given up as after a panic, because the engine
    /// cannot roll back. Unless `during` says that nothing was changed yet, use it for the
    /// impossible only.
    pub(super) fn write<T>(
        &mut self,
        change: impl FnOnce(&mut TransactionMut<'_>) -> Result<T, Poisoned>,
    ) -> Result<(T, Committed), Poisoned> {
        let mut change = Some(change);
        let mut value = None;
        let committed = self.write_any(&mut |txn| {
            value = change.take().map(|change| change(txn)).transpose()?;
            Ok(())
        })?;
        let value = value.ok_or(Poisoned { during: "applying" })?;
        Ok((value, committed))
    }

    /// Compiled once for all changes: the page pays for each copy.
    fn write_any(&mut self, change: Change<'_>) -> Result<Committed, Poisoned> {
        let doc = self.doc.take().ok_or(Poisoned {
            during: "failed earlier",
        })?;
        let result = guarded_write(&doc, change);
        if result.is_ok() {
            self.doc = Some(doc);
        } else {
            mem::forget(doc);
        }
        result
    }

    /// Runs `read` in a read transaction. A panic in it changes nothing, so the document lives on.
    pub(super) fn read<T>(
        &self,
        during: &'static str,
        read: impl FnOnce(&Transaction<'_>) -> T,
    ) -> Result<T, Poisoned> {
        let doc = self.doc.as_ref().ok_or(Poisoned {
            during: "failed earlier",
        })?;
        catch(during, || read(&doc.transact()))
    }

    /// Gives the document up, as after a failure inside the engine.
    pub(super) fn abandon(&mut self) {
        mem::forget(self.doc.take());
    }

    /// The engine's document for what needs no transaction of ours.
    pub(super) fn doc(&self) -> Option<&Doc> {
        self.doc.as_ref()
    }
}

/// What a transaction did.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Its own encoding of what was new; empty when nothing was.
    pub(super) delta: Bytes,
    /// Whether the list of files or a value of `meta` changed, once somebody
    /// [looks at them](super::files::watch).
    pub(super) described: bool,
}

type Change<'a> = &'a mut dyn FnMut(&mut TransactionMut<'_>) -> Result<(), Poisoned>;

fn guarded_write(doc: &Doc, change: Change<'_>) -> Result<Committed, Poisoned> {
    let mut txn = ManuallyDrop::new(doc.transact_mut());
    catch("applying", || change(&mut txn))??;
    let mut committed = Committed::default();
    if txn.has_changes() {
        catch("committing", || txn.commit())?;
        committed.delta = catch("encoding a delta", || Bytes::from(txn.encode_update_v1()))?;
        committed.described = catch("reading changes", || files::described(&txn))?;
    }
    if txn.has_missing_updates() {
        // The gate lets nothing through that could wait for something.
        return Err(Poisoned {
            during: "integrating all of an update",
        });
    }
    catch("closing a transaction", || {
        drop(ManuallyDrop::into_inner(txn));
    })?;
    Ok(committed)
}

fn catch<T>(during: &'static str, step: impl FnOnce() -> T) -> Result<T, Poisoned> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Poisoned { during })
}
