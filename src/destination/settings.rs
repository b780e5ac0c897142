//! The settings of a destination by names that stay, by which an export that goes on is known to be the same one.

use serde_json::{Value as Json, json};

use super::{Commit, Destination, ManifestFile, Plan};
use crate::layer::compress::Compression;
use crate::row::{Column, Dots};
use crate::store::OnExists;

impl Destination {
    /// Every setting, but for the number of [`OnExists::Suffix`], which an export finds by itself. A value holds no JSON
    /// object, whose order would depend on how `serde_json` was built.
    pub(crate) fn settings(&self) -> Vec<(String, Json)> {
        let Plan { name, bucket, folder, file_name, extension: _, dialect, columns, compression, .. } = &*self.0;
        let Plan { max_rows, manifest, commit, on_exists, number: _, .. } = &*self.0;
        let column = |column: &Column| json!([column.source(), column.target()]);
        let list = columns.list().map(|list| list.iter().map(column).collect::<Vec<_>>());
        let dots = match columns.dots() {
            Dots::Keep => "keep",
            Dots::Underscore => "underscore",
        };
        let compression = match compression {
            Compression::None => Json::Null,
            #[cfg(feature = "gzip")]
            Compression::Gzip(level) => json!(["gzip", level.get()]),
        };
        let manifest = match manifest {
            ManifestFile::Omit => "omit",
            ManifestFile::Write => "write",
        };
        let commit = match commit {
            Commit::Group => "group",
            Commit::PerFile => "perFile",
        };
        let on_exists = match on_exists {
            OnExists::Fail => "fail",
            OnExists::Overwrite => "overwrite",
            OnExists::Skip => "skip",
            OnExists::Suffix => "suffix",
        };
        let own = [
            ("name", json!(name)),
            ("bucket", json!(bucket.as_str())),
            ("folder", json!(folder.template().as_str())),
            ("fileName", json!(file_name.as_str())),
            ("extension", json!(self.extension())),
            ("columns", json!([list, dots])),
            ("compression", compression),
            ("encryption", self.spelled_encryption()),
            ("maxRows", json!(max_rows)),
            ("manifest", json!(manifest)),
            ("commit", json!(commit)),
            ("onExists", json!(on_exists)),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        own.chain(dialect.settings().into_iter().map(|(name, value)| (format!("dialect.{name}"), value))).collect()
    }

    /// The cipher and the recipients, in whatever order they were given.
    #[cfg(feature = "openpgp")]
    fn spelled_encryption(&self) -> Json {
        use crate::layer::encrypt::{Cipher, Recipient};

        let Some(encryption) = self.encryption() else { return Json::Null };
        let cipher = match encryption.cipher() {
            Cipher::Aes128 => "aes128",
            Cipher::Aes192 => "aes192",
            Cipher::Aes256 => "aes256",
        };
        let mut recipients: Vec<_> = encryption.recipients().iter().map(Recipient::fingerprint).collect();
        recipients.sort_unstable();
        json!([cipher, recipients])
    }

    #[cfg(not(feature = "openpgp"))]
    #[expect(clippy::unused_self, reason = "with the feature, it has recipients")]
    fn spelled_encryption(&self) -> Json {
        Json::Null
    }
}
