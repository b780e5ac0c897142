//! What is taken back by a journal.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::Ledger;
use super::line::{Id, Open};
use crate::Result;
use crate::store::digest::Sum;
use crate::store::journal::Journal;
use crate::store::watch::Nobody;
use crate::store::wire::{Interface, Opened, Owner, Wire};
use crate::store::{Backend, Store, failure, local, reap};

/// What [`Store::reap_journal`] has done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReapedJournal {
    /// The keys of the uploads that were aborted and of the files that were removed, and the path of the folder of
    /// unfinished files. Those of uploads that were completed or aborted right before the export died are among them.
    pub removed: Vec<String>,
    /// The keys of which something may be left: an upload, since the store cannot be asked, or what is open may be another
    /// export's; [`Store::reap`] with an age, or a rule of the bucket's lifecycle, removes it. Or a visible file that may be
    /// another's, by its bytes alone.
    pub unsure: Vec<String>,
}

/// What a reaper of many exports has done with a journal.
pub(in crate::store) struct Cleared {
    pub(in crate::store) taken: ReapedJournal,
    /// The keys of files that stand without their manifest.
    pub(in crate::store) visible: Vec<String>,
}

/// What became of something that was open.
enum Taken {
    Removed(String),
    Nothing,
    Unsure(String),
}

impl Ledger {
    /// Takes back what is open and meant.
    pub(super) async fn take_back(
        &self,
        store: &Store,
        is_meant: impl Fn(u64, &Open) -> bool,
    ) -> Result<ReapedJournal> {
        let (meant, known): (Vec<_>, Vec<_>) = {
            let state = self.state();
            let meant = state.open.iter().filter(|(number, open)| is_meant(**number, open));
            (
                meant.map(|(number, open)| (*number, open.clone())).collect(),
                state.open.values().filter_map(id).collect(),
            )
        };
        let mut reaped = ReapedJournal::default();
        for (number, open) in meant {
            match open.take_back(store, &known).await? {
                Taken::Removed(name) => reaped.removed.push(name),
                Taken::Nothing => {}
                Taken::Unsure(key) => reaped.unsure.push(key),
            }
            self.state().close(number);
        }
        self.settle().await?;
        Ok(reaped)
    }

    /// Takes back all that an export had open that died, and is not gone on with; and of an export that keeps what
    /// exists, what is visible without its manifest, since it would be in the way of the next one.
    pub(crate) async fn abandon(&self, store: &Store) -> Result<ReapedJournal> {
        let open = self.all_open();
        let mut visible = ReapedJournal::default();
        for (key, token) in without_manifest(&open, store).await? {
            let list =
                if retract(store, key, token, &open).await? { &mut visible.removed } else { &mut visible.unsure };
            list.push(key.to_owned());
        }
        let taken = self.take_back(store, |_, _| true).await?;
        visible.removed.extend(taken.removed);
        visible.unsure.extend(taken.unsure);
        Ok(visible)
    }

    /// Takes back all that an export had open of which nobody says that it died, but its age. What is visible without its
    /// manifest stays: the receiver may have taken the manifest away.
    pub(in crate::store) async fn clear(&self, store: &Store) -> Result<Cleared> {
        let open = self.all_open();
        let without = without_manifest(&open, store).await?;
        let visible = without.into_iter().map(|(key, _)| key.to_owned()).collect();
        let ended = ended(&open, store).await?;
        let mut taken = self.take_back(store, |_, _| true).await?;
        taken.removed.retain(|key| !ended.contains(key));
        Ok(Cleared { taken, visible })
    }

    fn all_open(&self) -> Vec<Open> {
        self.state().open.values().cloned().collect()
    }

    /// Ends the journal: it goes, unless something is still open. An upload whose id never came is looked for, and the
    /// folder of an export that died goes if nothing is left to be told by it.
    pub(crate) async fn end(&self, store: &Store) -> Result<()> {
        let (own, is_kept) = {
            let state = self.state();
            (state.own, state.open.values().any(|open| open.kept().is_some()))
        };
        let is_meant = |number, open: &Open| match open {
            Open::Upload { id: None, .. } => store.lists_uploads(),
            Open::Folder { .. } => number < own && !is_kept,
            _ => false,
        };
        self.take_back(store, is_meant).await.map(drop)
    }
}

/// What stands of an export that keeps what exists, and whose manifest does not: the keys and the tokens.
async fn without_manifest<'a>(open: &'a [Open], store: &Store) -> Result<Vec<(&'a str, Option<&'a str>)>> {
    let mut found = Vec::new();
    let seal = open.iter().find(|open| matches!(open, Open::Ready { seal: true, .. }));
    if let Some((key, token, file)) = seal.and_then(Open::kept)
        && !stands(store, key, token, &file.stored).await?
    {
        for (key, token, file) in open.iter().filter_map(Open::kept) {
            if stands(store, key, token, &file.stored).await? {
                found.push((key, token));
            }
        }
    }
    Ok(found)
}

/// The keys of uploads that are known to the store no more, or cannot be asked for.
#[cfg(feature = "aws")]
async fn ended(open: &[Open], store: &Store) -> Result<Vec<String>> {
    let mut ended = Vec::new();
    for open in open {
        if let Open::Upload { key, id: Some(Id { id, .. }), .. } = open
            && store.lists_uploads()
        {
            match crate::store::uploads::is_open(store, key, id).await {
                Ok(true) => {}
                Err(e) if e.kind() != crate::ErrorKind::Denied => return Err(e),
                _ => ended.push(key.clone()),
            }
        }
    }
    Ok(ended)
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "with the feature, it asks S3")]
async fn ended(_: &[Open], _: &Store) -> Result<Vec<String>> {
    Ok(Vec::new())
}

/// Whether what stands at a key has the token, or the bytes.
pub(in crate::store) async fn stands(store: &Store, key: &str, token: Option<&str>, stored: &Sum) -> Result<bool> {
    let doing = format!("ask whether `{key}` is there");
    match &store.backend {
        Backend::Folder(root) => {
            let (root, key, stored) = (root.clone(), key.to_owned(), stored.clone());
            let found = spawn_blocking(move || local::has(&root, &key, &stored)).await;
            found.map_err(|e| failure::task("look at a file", e))?.map_err(|e| failure::file(&doing, e))
        }
        Backend::Object(interface) => {
            let wire = Wire::new(store, interface.clone(), Arc::new(Nobody));
            let stands = wire.stands(&store.path(key)?, token, stored).await;
            stands.map_err(|e| failure::object(&doing, e))
        }
    }
}

/// Removes what stands at a key, if it is surely that of the export that has all this open: by the token, or as a link to
/// one of its unfinished files. That its bytes are the same proves nothing.
async fn retract(store: &Store, key: &str, token: Option<&str>, open: &[Open]) -> Result<bool> {
    let doing = format!("remove `{key}`");
    match (&store.backend, token) {
        (Backend::Folder(root), _) => {
            let folders = open.iter().filter_map(|open| match open {
                Open::Folder { name } if reap::is_ours(name) => Some(name.clone()),
                _ => None,
            });
            let (root, key, folders) = (root.clone(), key.to_owned(), folders.collect::<Vec<_>>());
            let removed = spawn_blocking(move || {
                let mut removed = false;
                for folder in folders {
                    removed = removed || local::unlink(&root, &folder, &key)?;
                }
                Ok(removed)
            });
            removed.await.map_err(|e| failure::task("remove a file", e))?.map_err(|e| failure::file(&doing, e))
        }
        (Backend::Object(interface), Some(token)) => {
            let (wire, path) = (Wire::new(store, interface.clone(), Arc::new(Nobody)), store.path(key)?);
            let owner = wire.owner(&path, token).await.map_err(|e| failure::object(&doing, e))?;
            if owner != Owner::We {
                return Ok(false);
            }
            wire.remove(&path).await.map(|()| true).map_err(|e| failure::object(&doing, e))
        }
        (Backend::Object(_), None) => Ok(false),
    }
}

fn id(open: &Open) -> Option<String> {
    match open {
        Open::Upload { id: Some(Id { id, .. }), .. } => Some(id.clone()),
        _ => None,
    }
}

impl Open {
    /// Takes it back, if the store knows of it.
    async fn take_back(&self, store: &Store, known: &[String]) -> Result<Taken> {
        match (self, &store.backend) {
            (Self::Folder { name }, Backend::Folder(root)) if reap::is_ours(name) => {
                let folder = root.join(name);
                let removed = spawn_blocking(move || match std::fs::remove_dir_all(&folder) {
                    Ok(()) => Ok(Taken::Removed(folder.display().to_string())),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Taken::Nothing),
                    Err(e) => Err(failure::file(&format!("remove `{}`", folder.display()), e)),
                });
                removed.await.map_err(|e| failure::task("remove unfinished files", e))?
            }
            // Nobody else has its name.
            (Self::Trial { key }, Backend::Object(interface)) => {
                #[cfg(feature = "aws")]
                if store.lists_uploads() {
                    crate::store::uploads::reap_key(store, key).await?;
                }
                let wire = Wire::new(store, interface.clone(), Arc::new(Nobody));
                let removed = wire.remove(&store.path(key)?).await;
                removed.map(|()| Taken::Nothing).map_err(|e| failure::object(&format!("remove `{key}`"), e))
            }
            (Self::Upload { key, .. }, Backend::Object(Interface::Object(_))) => Ok(Taken::Unsure(key.clone())),
            (Self::Upload { key, id: Some(Id { id, token }), .. }, Backend::Object(interface)) => {
                let wire = Wire::new(store, interface.clone(), Arc::new(Nobody));
                let opened = Opened::Parts { id: id.clone(), token: token.clone() };
                let aborted = wire.abort(&store.path(key)?, opened).await;
                aborted.map_err(|e| failure::object(&format!("abort `{key}`"), e))?;
                Ok(Taken::Removed(key.clone()))
            }
            // The reply that held its id may have been lost.
            #[cfg(feature = "aws")]
            (Self::Upload { key, at, id: None, .. }, Backend::Object(_)) if store.lists_uploads() => {
                use crate::store::uploads::{self, Lost};

                Ok(match uploads::reap_lost(store, key, *at, known).await? {
                    Lost::Aborted => Taken::Removed(key.clone()),
                    Lost::Nothing => Taken::Nothing,
                    Lost::Unsure => Taken::Unsure(key.clone()),
                })
            }
            (Self::Upload { key, at, .. }, Backend::Object(_)) => {
                let _ = (known, at);
                Ok(Taken::Unsure(key.clone()))
            }
            // What is visible stays; a name that is not of ours, or of another store, is nobody's to remove.
            _ => Ok(Taken::Nothing),
        }
    }
}

impl Store {
    /// Removes what an export left that died without a word, by its journal: the uploads that it names are aborted, its
    /// folder of unfinished files is removed, and then the journal itself. What it had replaced stays as it is by then; of
    /// an export that keeps what exists ([`OnExists`](crate::store::OnExists)), what is visible of a set whose manifest is not
    /// there is removed, since it would be in the way of the next one.
    ///
    /// Unlike [`reap`](Self::reap), which leaves what is visible, it touches nothing of other exports and needs no age, and a store need not be able to
    /// list uploads. Only where the process died between the request that opens an upload and the journal's note of its id,
    /// the open uploads of that very key are listed, in a store that can list them (S3), and that one is aborted which was
    /// opened within five minutes of the journal's note and has no part: one that lives sends its first part at once. Where
    /// there are several, or none is sure, none is touched, and [`ReapedJournal::unsure`] has the key. The export must be
    /// dead; a journal that is not there is no error.
    ///
    /// ```
    /// # use consign::store::{Journal, Store};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = std::env::temp_dir().join(format!("consign-reap-journal-{}", std::process::id()));
    /// std::fs::create_dir_all(folder.join("out/.consign-0123456789abcdef"))?;
    /// std::fs::write(folder.join("journal"), r#"{"entry":"folder","number":0,"name":".consign-0123456789abcdef"}
    /// "#)?;
    ///
    /// let journal = Journal::file(folder.join("journal"));
    /// let store = Store::folder(folder.join("out"));
    /// assert_eq!(store.reap_journal(&journal).await?.removed.len(), 1);
    /// assert!(!folder.join("journal").exists());
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the journal cannot be read, or something cannot be removed; it then stays in the journal.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, some of what was to be removed may still be there, and the journal too.
    pub async fn reap_journal(&self, journal: &Journal) -> Result<ReapedJournal> {
        Ledger::open(journal, self).await?.abandon(self).await
    }

    /// Whether the store can be asked for the uploads that are open.
    #[cfg_attr(not(feature = "aws"), expect(clippy::unused_self, reason = "with the feature, it knows S3"))]
    pub(in crate::store) fn lists_uploads(&self) -> bool {
        #[cfg(feature = "aws")]
        return self.s3.is_some();
        #[cfg(not(feature = "aws"))]
        false
    }
}
