//! The guard against formulas: spreadsheets run what begins with an equals sign.

use std::collections::BTreeSet;

/// What becomes of texts that a spreadsheet would run as a formula.
///
/// A text is taken for one if its first character past blanks is `=`, `+`, `-`, `@` or a fullwidth form of these, or
/// if it begins with a tab, a carriage return or a line feed (OWASP, "CSV Injection"). It gets a character in front,
/// which spreadsheets hide and other readers keep; the texts are counted ([`Counts::guarded`](super::Counts::guarded)).
/// Texts that spell a number, such as `-1.5e3`, are left alone, and so are values of all types but text.
///
/// Default: [`Guard::OFF`].
///
/// ```
/// use consign::format::csv::{Dialect, Guard};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_guard(Guard::apostrophe().except(1)).build()?;
/// let mut encoder = dialect.encoder();
/// let mut out = Vec::new();
/// let record = [Value::Text("=1+1"), Value::Text("@handle"), Value::Text("-1.5"), Value::Integer(-1)];
/// encoder.record(record, &mut out)?;
/// assert_eq!(out, b"'=1+1,@handle,-1.5,-1\n");
/// assert_eq!(encoder.counts().guarded(), 1);
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Guard {
    prefix: Option<char>,
    except: BTreeSet<usize>,
}

impl Guard {
    /// Texts are written as they are, the default.
    pub const OFF: Self = Self { prefix: None, except: BTreeSet::new() };

    /// Formulas get an apostrophe in front.
    #[must_use]
    pub fn apostrophe() -> Self {
        Self::with_prefix('\'')
    }

    /// Formulas get this character in front.
    #[must_use]
    pub fn with_prefix(prefix: char) -> Self {
        Self { prefix: Some(prefix), except: BTreeSet::new() }
    }

    /// Leaves the column at this zero-based place alone.
    #[must_use]
    pub fn except(mut self, column: usize) -> Self {
        self.except.insert(column);
        self
    }

    /// The character to put in front of this text of a column, if any.
    pub(super) fn prefix(&self, column: usize, text: &str) -> Option<char> {
        self.prefix.filter(|_| is_formula(text) && !self.except.contains(&column))
    }

    /// The first column that is not left alone.
    pub(super) fn first_column(&self) -> usize {
        (0..=self.except.len()).find(|column| !self.except.contains(column)).unwrap_or_default()
    }

    /// The columns that are written as they are.
    pub(super) fn excepted(&self) -> &BTreeSet<usize> {
        &self.except
    }

    /// The character that the guard writes.
    pub(super) fn as_char(&self) -> Option<char> {
        self.prefix
    }
}

fn is_formula(text: &str) -> bool {
    if text.starts_with(['\t', '\r', '\n']) {
        return true;
    }
    let bare = text.trim_start();
    let formula = bare.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    formula && !is_number(bare)
}

/// Whether the text is a sign, digits with a point or comma, and perhaps an exponent or a percent sign.
fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text).trim_end();
    let rest = rest.strip_suffix('%').unwrap_or(rest);
    let (digits, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.contains(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
        && all_digits(exponent)
}
