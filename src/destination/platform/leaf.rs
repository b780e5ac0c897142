//! Single values of JSON, read by the parsers of this crate and written in their canonical spelling.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::error::PRIVATE_KEY;
use crate::format::csv::{Charset, Comment, Delimiter, DialectError, Escape, EscapeSelf, Quote, Terminator};
use crate::layer::compress::{Compression, CompressionError};

/// A value that stands in JSON as a string.
pub(super) trait Leaf: Sized {
    /// Reads it; the error says what would be right, and repeats the text as [`shown`] where it is no secret.
    fn read(text: &str) -> Result<Self, String>;

    /// The canonical spelling.
    fn write(&self) -> Cow<'_, str>;
}

/// A [`Leaf`] in a structure that serde reads and writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: Leaf> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<T: Leaf> Visitor<'_> for Read<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<T>, E> {
                T::read(text).map(Text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Read(PhantomData))
    }
}

impl<T: Leaf> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.write())
    }
}

/// One of a list of words, which is only read.
pub(super) trait Choice: Copy + 'static {
    const ALL: &'static [(&'static str, Self)];
}

/// A [`Choice`] in a structure that serde reads.
pub(super) struct Word<T>(pub(super) T);

impl<'de, T: Choice> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = T::ALL.iter().find(|(word, _)| *word == text);
        let words = || T::ALL.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        found.map(|(_, choice)| Self(*choice)).ok_or_else(|| de::Error::custom(not_one_of(&text, &words())))
    }
}

/// A structure that is read from an object. Left to itself, serde would also read it from a list of its fields' values.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Read(PhantomData))
    }
}

impl<T: Serialize> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The text as JSON spells it, cut where it is long; of a private key, nothing.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 80;

    if text.contains(PRIVATE_KEY) {
        return "a private key".to_owned();
    }

    let cut: Cow<'_, str> = match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    };
    serde_json::Value::from(cut.as_ref()).to_string()
}

/// A text that is none of a list.
pub(super) fn not_one_of(text: &str, expected: &[&str]) -> String {
    format!("expected {}, found {}", one_of(expected), shown(text))
}

/// `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| shown(word)).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A flag: `true` or `false`, which one sample of the platform puts in quotes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Flag, E> {
                match text {
                    "true" => Ok(Flag(true)),
                    "false" => Ok(Flag(false)),
                    _ => Err(E::custom(not_one_of(text, &["true", "false"]))),
                }
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(self.0)
    }
}

/// A text that may be anything but empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Filled(pub(super) String);

impl Leaf for Filled {
    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err(format!("expected a text, found {}", shown(text)));
        }
        Ok(Self(text.to_owned()))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl Leaf for Delimiter {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: DialectError| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Leaf for Quote {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: DialectError| format!("{error}, in {}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_char().map_or_else(String::new, String::from).into()
    }
}

impl Leaf for Escape {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: DialectError| format!("{error}, in {}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        match self {
            Self::With(c) => c.to_string().into(),
            Self::Doubled => "".into(),
        }
    }
}

impl Leaf for EscapeSelf {
    fn read(text: &str) -> Result<Self, String> {
        match one_char(text)? {
            Some(c) => Ok(Self::With(c)),
            None => Ok(Self::Auto),
        }
    }

    fn write(&self) -> Cow<'_, str> {
        match self {
            Self::With(c) => c.to_string().into(),
            Self::Auto | Self::Bare => "".into(),
        }
    }
}

/// One character; an empty text and U+0000 both mean none.
fn one_char(text: &str) -> Result<Option<char>, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (first, None) => Ok(first.filter(|&c| c != '\0')),
        (_, Some(_)) => Err(format!("expected one character or none, found {}", shown(text))),
    }
}

impl Leaf for Charset {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: DialectError| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.name().into()
    }
}

impl Leaf for Comment {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: DialectError| format!("{error}, in {}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_char().map_or_else(String::new, String::from).into()
    }
}

impl Leaf for Terminator {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: DialectError| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Leaf for Compression {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: CompressionError| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}
