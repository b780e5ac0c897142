//! Locales, and the words that dates have in them.
//!
//! The words are those of the Unicode CLDR, release 39, as Java 17 prints them (with its fallbacks), so that the text
//! is that of a Spark which runs on Java 17. `scripts/LocaleText.java` writes both tables.

use std::fmt;
use std::str::FromStr;

use super::error::{LocaleError, LocaleErrorKind};
use super::pattern::{Length, Text, Usage};
use crate::Span;

/// A line for each set of words: the locales that share it, then the words, by pattern letter.
const LOCALES: &str = include_str!("locales.tsv");

/// A line for each set of zones that share their names, a column for each set of locales that share them.
const ZONES: &str = include_str!("zones.tsv");

/// The language and region whose words dates are spelled in. The default is [`Locale::EN_US`], as Spark's is.
///
/// Every locale that Java 17 knows is carried, 1,000 tags in all ([`Locale::carried`]): months, days, quarters, eras
/// and halves of the day. The names of zones (pattern letters `z` and `v`) are carried for the locales that
/// [`Locale::with_zone_names`] lists. Numbers are ASCII digits in every locale.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Locale {
    tag: &'static str,
}

impl Locale {
    /// English as in the United States.
    pub const EN_US: Self = Self { tag: "en-US" };

    /// Parses a language tag of BCP 47, such as `de`, `pt-BR` or `zh-Hant-HK`, whatever its case.
    ///
    /// Of a tag that is not carried, subtags are taken off the end until one is: `de-XX-1996` is `de`. Spark would
    /// print the words of no language, such as `M01` for January, for a tag that is malformed or unknown.
    ///
    /// # Errors
    ///
    /// When the text is no language tag (`en_US`), or nothing is carried for its language.
    ///
    /// ```
    /// use consign::format::csv::datetime::Locale;
    ///
    /// assert_eq!(Locale::parse("pt-br")?.as_str(), "pt-BR");
    /// assert_eq!(Locale::parse("de-DE-1996")?.as_str(), "de-DE");
    /// assert_eq!(Locale::parse("tlh").unwrap_err().to_string(), "no text is carried for the language `tlh`");
    /// assert_eq!(
    ///     Locale::parse("en_US").unwrap_err().to_string(),
    ///     "expected a subtag of one to eight letters or digits, found `en_US` at byte 0",
    /// );
    /// # Ok::<(), consign::format::csv::datetime::LocaleError>(())
    /// ```
    pub fn parse(tag: &str) -> Result<Self, LocaleError> {
        let mut start = 0;
        for subtag in tag.split('-') {
            let span = Span::new(start, start + subtag.len());
            if !(1..=8).contains(&subtag.len()) || !subtag.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(LocaleError::new(LocaleErrorKind::Malformed, span, tag));
            }
            start = span.end() + 1;
        }
        let mut wanted = tag;
        loop {
            if let Some(tag) = Self::carried_tags().find(|carried| carried.eq_ignore_ascii_case(wanted)) {
                return Ok(Self { tag });
            }
            match wanted.rfind('-') {
                Some(end) => wanted = &wanted[..end],
                None => return Err(LocaleError::new(LocaleErrorKind::NotCarried, Span::new(0, wanted.len()), tag)),
            }
        }
    }

    /// The tag, as it is carried.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.tag
    }

    /// All locales whose words are carried, in no particular order.
    ///
    /// ```
    /// use consign::format::csv::datetime::Locale;
    ///
    /// assert!(Locale::carried().any(|locale| locale.as_str() == "sr-Latn-RS"));
    /// ```
    pub fn carried() -> impl Iterator<Item = Self> {
        Self::carried_tags().map(|tag| Self { tag })
    }

    /// The locales whose zone names are carried too: Dutch, English, French, German, Italian, Japanese, Korean,
    /// Portuguese as in Brazil, Chinese in simplified characters, Spanish as in Spain; and their regions that
    /// name the zones alike.
    pub fn with_zone_names() -> impl Iterator<Item = Self> {
        zone_columns().flat_map(|column| column.split(' ')).map(|tag| Self { tag })
    }

    fn carried_tags() -> impl Iterator<Item = &'static str> {
        rows(LOCALES).filter_map(|row| row.split('\t').next()).flat_map(|tags| tags.split(' '))
    }

    /// The words of the locale.
    pub(super) fn words(self) -> Words {
        let row = rows(LOCALES)
            .find(|row| row.split('\t').next().is_some_and(|tags| tags.split(' ').any(|tag| tag == self.tag)))
            .expect("a locale is made from a row of the table");
        Words(row.split('\t').collect())
    }

    /// The names of a region's zone, or none where Java prints the zone's identifier.
    ///
    /// # Errors
    ///
    /// When no zone names are carried for the locale.
    pub(super) fn zone_names(self, id: &str) -> Result<Option<ZoneNames>, NoZoneNames> {
        let column = zone_columns().position(|tags| tags.split(' ').any(|tag| tag == self.tag)).ok_or(NoZoneNames)?;
        let Some(row) =
            rows(ZONES).find(|row| row.split('\t').next().is_some_and(|ids| ids.split(' ').any(|i| i == id)))
        else {
            return Ok(None);
        };
        let mut names = row.split('\t').skip(1);
        let english = names.clone().next().unwrap_or_default();
        if english.is_empty() {
            return Ok(None);
        }
        // A name that is left out is the English one.
        let mut own = names.nth(column).unwrap_or_default().split('|');
        let mut english = english.split('|');
        let mut next = || match (own.next(), english.next()) {
            (None | Some(""), name) => name.unwrap_or_default(),
            (Some(name), _) => name,
        };
        let mut both = || Both { full: next(), short: next() };
        Ok(Some(ZoneNames { standard: both(), daylight: both(), generic: both() }))
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self::EN_US
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag)
    }
}

impl FromStr for Locale {
    type Err = LocaleError;

    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        Self::parse(tag)
    }
}

/// The columns of a locale's row.
#[derive(Debug)]
pub(super) struct Words(Vec<&'static str>);

impl Words {
    /// The forms of a text field, in the order of its values.
    pub(super) fn of(&self, text: Text) -> impl Iterator<Item = &'static str> {
        let column = match text {
            Text::Month(Length::Short, Usage::Format) => 1,
            Text::Month(Length::Full, Usage::Format) => 2,
            Text::Month(Length::Short, Usage::Standalone) => 3,
            Text::Month(Length::Full, Usage::Standalone) => 4,
            Text::Weekday(Length::Short) => 5,
            Text::Weekday(Length::Full) => 6,
            Text::Quarter(Length::Short, Usage::Format) => 7,
            Text::Quarter(Length::Full, Usage::Format) => 8,
            Text::Quarter(Length::Short, Usage::Standalone) => 9,
            Text::Quarter(Length::Full, Usage::Standalone) => 10,
            Text::Era(Length::Short) => 11,
            Text::Era(Length::Full) => 12,
            Text::HalfDay | Text::LowercaseHalfDay => 13,
        };
        self.0[column].split('|')
    }

    /// What `O` prints for an offset of zero, and before the sign of another.
    pub(super) fn gmt(&self) -> &'static str {
        self.0[14]
    }
}

/// The zone names of a locale are not carried.
#[derive(Debug)]
pub(super) struct NoZoneNames;

/// What a region's zone is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct ZoneNames {
    pub(super) standard: Both,
    pub(super) daylight: Both,
    pub(super) generic: Both,
}

/// A name in its two lengths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Both {
    full: &'static str,
    short: &'static str,
}

impl Both {
    pub(super) fn of(self, length: Length) -> &'static str {
        match length {
            Length::Short => self.short,
            Length::Full => self.full,
        }
    }
}

/// The lines after the heading.
fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().skip(1)
}

/// The sets of locales in the heading of the zones' table.
fn zone_columns() -> impl Iterator<Item = &'static str> {
    ZONES.lines().take(1).flat_map(|heading| heading.split('\t').skip(1))
}
