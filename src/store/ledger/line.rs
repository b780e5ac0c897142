//! The lines of a journal, and what they come to.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::store::digest::{Sum, sha256};
use crate::{Error, ErrorKind, Result};

/// The settings that make an export the same one, each by its name, with a hash of its value.
pub(crate) type Settings = BTreeMap<String, String>;

/// The setting that is the place that an export delivers to.
pub(crate) const PLACE: &str = "store";
/// How many digits of a hash tell one value from another.
const DIGITS: usize = 16;

/// What a journal has of the value of a setting.
pub(crate) fn setting(value: &Json) -> String {
    let mut hash = sha256(&value.to_string());
    hash.truncate(DIGITS);
    hash
}

/// A line of a journal. Those of one number are about one upload, one file or one folder.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "entry", rename_all = "lowercase")]
pub(super) enum Line {
    /// Which export it is the journal of.
    Export {
        version: u32,
        settings: Settings,
        /// The number behind its names, by which it has found them free.
        names: NonZeroU32,
    },
    /// An upload is about to be opened, at this second since 1970.
    Upload { number: u64, key: String, at: i64 },
    /// A folder of unfinished files is about to be made.
    Folder { number: u64, name: String },
    /// What the store does where something exists is about to be tried out with an object of this key.
    Trial { number: u64, key: String },
    /// The store has opened the upload.
    Opened { number: u64, id: String, token: Option<String> },
    /// All bytes of the file are in the store.
    Finished {
        number: u64,
        #[serde(flatten)]
        file: Finished,
    },
    /// A file that replaces nothing is about to be made visible at once, from memory or a local folder.
    Ready {
        number: u64,
        key: String,
        token: Option<String>,
        /// Whether it is the manifest of files that are taken back without it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        seal: bool,
        #[serde(flatten)]
        file: Finished,
    },
    /// Completed, aborted or removed.
    Closed { number: u64 },
}

/// The version of the lines.
pub(super) const VERSION: u32 = 1;

impl Line {
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers make JSON") + "\n"
    }
}

/// A file of which only the completion is missing.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Finished {
    /// The receipts of its parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) parts: Vec<String>,
    /// How many bytes each of them has; a journal of before that was written does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) sizes: Vec<u64>,
    /// What all bytes hash to up to the end of each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) hashes: Vec<String>,
    pub(crate) rows: u64,
    /// Its bytes before the layers.
    pub(crate) plain: Sum,
    pub(crate) stored: Sum,
}

/// What a journal comes to.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) settings: Option<Settings>,
    /// The number behind the export's names.
    pub(super) names: Option<NonZeroU32>,
    pub(super) next: u64,
    /// Smaller numbers are of an export that died.
    pub(super) own: u64,
    pub(super) open: BTreeMap<u64, Open>,
    /// The files that an export which goes on can take up, by their keys.
    pub(super) kept: BTreeMap<String, u64>,
    pub(super) closed: Vec<u64>,
    /// Whether anything may stand in the journal.
    pub(super) written: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Open {
    Folder { name: String },
    Trial { key: String },
    Upload { key: String, at: i64, id: Option<Id>, finished: Option<Finished> },
    Ready { key: String, token: Option<String>, seal: bool, file: Finished },
}

#[derive(Clone, Debug)]
pub(super) struct Id {
    pub(super) id: String,
    pub(super) token: Option<String>,
}

impl State {
    /// Reads a journal.
    pub(super) fn parse(text: &str, place: &str) -> Result<Self> {
        let mut state = Self { written: !text.is_empty(), ..Self::default() };
        let mut closed = Vec::new();
        for (at, text) in text.lines().enumerate() {
            let wrong = |why: &str| {
                let text = format!("the journal `{place}` cannot be read: line {}: {why}", at + 1);
                Error::new(ErrorKind::Resume, text)
            };
            let line: Line = serde_json::from_str(text).map_err(|e| wrong("expected an entry").with_source(e))?;
            match line {
                Line::Export { version: VERSION, settings, names } => {
                    (state.settings, state.names) = (Some(settings), Some(names));
                }
                Line::Export { version, .. } => {
                    return Err(wrong(&format!("expected version {VERSION}, found {version}")));
                }
                Line::Upload { number, key, at } => {
                    state.put(number, Open::Upload { key, at, id: None, finished: None });
                }
                Line::Folder { number, name } => state.put(number, Open::Folder { name }),
                Line::Trial { number, key } => state.put(number, Open::Trial { key }),
                Line::Ready { number, key, token, seal, file } => {
                    state.put(number, Open::Ready { key, token, seal, file });
                }
                Line::Opened { number, id: opened, token } => {
                    if let Some(Open::Upload { id, .. }) = state.open.get_mut(&number) {
                        *id = Some(Id { id: opened, token });
                    }
                }
                Line::Finished { number, file } => {
                    if let Some(Open::Upload { finished, .. }) = state.open.get_mut(&number) {
                        *finished = Some(file);
                    }
                }
                Line::Closed { number } => closed.push(number),
            }
        }
        for number in closed {
            state.open.remove(&number);
        }
        state.own = state.next;
        let kept = state.open.iter().filter_map(|(number, open)| Some((open.kept()?.0.to_owned(), *number)));
        state.kept = kept.collect();
        Ok(state)
    }

    fn put(&mut self, number: u64, open: Open) {
        self.next = self.next.max(number + 1);
        self.open.insert(number, open);
    }

    /// Adds what is about to be opened, and gives its number.
    pub(super) fn add(&mut self, open: Open) -> u64 {
        let number = self.next;
        self.put(number, open);
        number
    }

    pub(super) fn close(&mut self, number: u64) {
        if self.open.remove(&number).is_some() {
            self.closed.push(number);
        }
    }

    /// The first line of the journal of this export.
    pub(super) fn head(&self) -> String {
        let Some((settings, names)) = self.settings.clone().zip(self.names) else { return String::new() };
        Line::Export { version: VERSION, settings, names }.to_text()
    }
}

impl Open {
    /// The key and the token of what an export that goes on can take up, with what is known of its bytes.
    pub(super) fn kept(&self) -> Option<(&str, Option<&str>, &Finished)> {
        match self {
            Self::Upload { key, id: Some(id), finished: Some(finished), .. } => {
                Some((key, id.token.as_deref(), finished))
            }
            Self::Ready { key, token, file, .. } => Some((key, token.as_deref(), file)),
            Self::Folder { .. } | Self::Trial { .. } | Self::Upload { .. } => None,
        }
    }
}
