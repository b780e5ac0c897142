//! Byte spans into a parsed text, and the caret line that every parse error shares.

use std::fmt;

/// A range of bytes in the text that a parser was given: zero-based, `end` exclusive, both on character boundaries.
///
/// ```
/// use consign::Span;
///
/// let span = Span::new(5, 9);
/// assert_eq!(&"acme/%ID%"[span.range()], "%ID%");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// The bytes from `start` up to and without `end`; a span whose end lies before its start is empty.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end: if end < start { start } else { end } }
    }

    /// The first byte.
    #[must_use]
    pub const fn start(self) -> usize {
        self.start
    }

    /// The byte after the last one.
    #[must_use]
    pub const fn end(self) -> usize {
        self.end
    }

    /// The span as a range, to index the text with.
    #[must_use]
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start..self.end
    }
}

/// Draws the text and a line of carets under the span: `{}` of this is two lines without a final line end.
///
/// Control characters are drawn escaped, and of a long text only the surroundings of the span are drawn, so that the
/// carets stand under what they mean in any terminal.
pub(crate) struct Caret<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

/// How many characters are drawn on each side of the span, and of the span itself.
const WINDOW: usize = 60;

impl fmt::Display for Caret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.get(..self.span.start).unwrap_or(self.text);
        let marked = self.text.get(self.span.range()).unwrap_or("");
        let after = self.text.get(self.span.end..).unwrap_or("");

        let skipped = before.chars().count().saturating_sub(WINDOW);
        let mut line = String::new();
        if skipped > 0 {
            line.push_str("...");
        }
        let mut indent = line.len();
        indent += draw(&mut line, before.chars().skip(skipped));
        let carets = draw(&mut line, marked.chars().take(WINDOW));
        if marked.chars().nth(WINDOW).is_some() {
            line.push_str("...");
        } else {
            draw(&mut line, after.chars().take(WINDOW));
            if after.chars().nth(WINDOW).is_some() {
                line.push_str("...");
            }
        }
        writeln!(f, "{line}")?;
        write!(f, "{:indent$}{:^<width$}", "", "", width = carets.max(1))
    }
}

/// Appends the characters, control characters escaped, and returns how many columns they take.
fn draw(line: &mut String, chars: impl Iterator<Item = char>) -> usize {
    let mut columns = 0;
    for c in chars {
        if c.is_control() {
            let escaped = c.escape_default();
            columns += escaped.len();
            line.extend(escaped);
        } else {
            columns += 1;
            line.push(c);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, span: (usize, usize), expected: &str) {
        assert_eq!(Caret { text, span: Span::new(span.0, span.1) }.to_string(), expected);
    }

    #[test]
    fn carets_stand_under_the_span() {
        check("acme/%ID%", (5, 9), "acme/%ID%\n     ^^^^");
        check("ab", (2, 2), "ab\n  ^");
        check("", (0, 0), "\n^");
        check("a\nb c", (3, 4), "a\\nb c\n    ^");
        check("é x", (3, 4), "é x\n  ^");
    }

    #[test]
    fn long_texts_are_cut_around_the_span() {
        let text = format!("{}!{}", "a".repeat(100), "b".repeat(100));
        check(&text, (100, 101), &format!("...{}!{}...\n{}^", "a".repeat(60), "b".repeat(60), " ".repeat(63)));
    }
}
