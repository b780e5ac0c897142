//! The names of the files of an export: folder, file name, number and extension.
//!
//! The first file has the name that its template gives; the second gets `_2` before its extension, the third `_3`, so
//! that two files of one export never share a key. A template that holds `%FILE_INDEX%` numbers the files itself.
//!
//! With [`OnExists::Suffix`], all names of an export that would meet earlier files get the same number behind what their
//! template gives, with a hyphen, which no index has: `name-2.csv`, `name-2_2.csv`, `manifest-run-2.json`.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use super::{Destination, Plan};
use crate::location::ObjectKey;
use crate::store::OnExists;
use crate::template::Context;
use crate::{Error, ErrorKind, Result};

impl Destination {
    /// The most files of one export: 100,000. It bounds the number in a name, whose room is checked when the export
    /// starts.
    pub const MAX_FILES: NonZeroU64 = NonZeroU64::new(100_000).expect("100,000 is not zero");

    /// The last number that [`OnExists::Suffix`] adds to names: 1,000. The number is found by asking for one after the
    /// other.
    pub const MAX_SUFFIX: NonZeroU32 = NonZeroU32::new(1_000).expect("1,000 is not zero");

    /// The same destination, with a number behind all of its names.
    pub(crate) fn with_number(&self, number: NonZeroU32) -> Self {
        Self(Arc::new(Plan { number, ..Plan::clone(&self.0) }))
    }

    /// The number behind the names; 1 where they have none.
    pub(crate) fn number(&self) -> NonZeroU32 {
        self.0.number
    }

    /// The number behind the names, with its hyphen.
    fn suffix(&self) -> String {
        match self.0.number {
            NonZeroU32::MIN => String::new(),
            number => format!("-{number}"),
        }
    }

    /// The context that names are expanded with: the destination's own name stands in where the context has none.
    fn complete(&self, context: &Context) -> Context {
        match (context.destination(), self.name()) {
            (None, Some(name)) => context.clone().with_destination(name),
            _ => context.clone(),
        }
    }

    /// Checks that every name of an export with this context can be made, from the first file to the last that could
    /// be.
    ///
    /// # Errors
    ///
    /// When the context lacks a value that a template needs, or a name would be too long or hold what a key may not.
    pub fn check_names(&self, context: &Context, run_id: &str) -> Result<()> {
        if self.on_exists() == OnExists::Suffix && self.number() == NonZeroU32::MIN {
            self.with_number(Self::MAX_SUFFIX).check_names(context, run_id)?;
        }
        self.file_key(context, NonZeroU64::MIN)?;
        self.file_key(context, Self::MAX_FILES)?;
        for key in [self.manifest_key(context, run_id)?, self.rejects_key(context, run_id)?] {
            // Hardly ever looked at closely: data ends in `.csv` and what the layers add.
            if key.as_str().ends_with(&self.extension()) {
                self.check_apart(context, &key)?;
            }
        }
        Ok(())
    }

    /// Checks that no file of the export would have the key of another object of its run.
    fn check_apart(&self, context: &Context, key: &ObjectKey) -> Result<()> {
        for index in 1..=Self::MAX_FILES.get() {
            let index = NonZeroU64::new(index).expect("the indices begin with 1");
            if self.file_key(context, index)? == *key {
                let text = format!(
                    "a data file would have the key `{key}`, which belongs to the run: change the file name or its extension"
                );
                return Err(Error::new(ErrorKind::Destination, text));
            }
        }
        Ok(())
    }

    /// The key of the file with this index.
    ///
    /// # Errors
    ///
    /// As [`check_names`](Self::check_names); after that check, none.
    pub fn file_key(&self, context: &Context, index: NonZeroU64) -> Result<ObjectKey> {
        let context = self.complete(context);
        let folder = self.folder().template().expand(&context, index)?;
        let mut name = self.file_name_template().expand(&context, index)? + &self.suffix();
        // No folder has the index: all files of an export share it.
        if index > NonZeroU64::MIN && !self.file_name_template().has_file_index() {
            name.push('_');
            name.push_str(&index.to_string());
        }
        Ok(ObjectKey::join(&folder, &(name + &self.extension()))?)
    }

    /// The key of the manifest: `manifest-<destination id>-<run id>.json`, beside the first file. Where the context
    /// has no id of the destination, it is left out.
    ///
    /// # Errors
    ///
    /// As [`check_names`](Self::check_names).
    pub fn manifest_key(&self, context: &Context, run_id: &str) -> Result<ObjectKey> {
        self.beside(context, run_id, "manifest", ".json")
    }

    /// The key of the file of rejected rows: `rejects-<destination id>-<run id>.jsonl` and what the layers add, beside
    /// the manifest.
    ///
    /// # Errors
    ///
    /// As [`check_names`](Self::check_names).
    pub fn rejects_key(&self, context: &Context, run_id: &str) -> Result<ObjectKey> {
        self.beside(context, run_id, "rejects", &self.layered(".jsonl"))
    }

    /// The key of a file that belongs to the run as a whole.
    fn beside(&self, context: &Context, run_id: &str, what: &str, extension: &str) -> Result<ObjectKey> {
        let context = self.complete(context);
        let folder = self.folder().template().expand(&context, NonZeroU64::MIN)?;
        let id = context.destination_instance_id().map(|id| format!("{id}-")).unwrap_or_default();
        let suffix = self.suffix();
        let name = format!("{what}-{id}{run_id}{suffix}{extension}");
        if name.contains('/') {
            let text = format!("the name `{name}` holds '/': expected ids that can be part of a file name");
            return Err(Error::new(ErrorKind::Context, text));
        }
        Ok(ObjectKey::join(&folder, &name)?)
    }
}
