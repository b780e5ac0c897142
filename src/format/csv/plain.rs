//! The short way: fields that are written as they are, and how a batch is looked over for the others.
//!
//! What a field needs is decided in [`fixed`](super::fixed) and [`exact`](super::exact), field by field. A [`Plain`] is
//! what follows from a dialect for fields that need nothing: made once, it says which texts are surely such, and which
//! values come out as digits alone.

use super::dialect::Settings;
use super::scan::Scan;
use super::text::DecimalText;
use super::text::digits::{MOST_FIXED, ROOM};
use super::{Guard, QuoteStyle, Trim};
use crate::row::{RECORD, UNIT};

/// What a dialect's plain fields look like.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) scan: Scan,
    /// What is behind each field, and behind the last one.
    pub(super) ends: (Mark, Mark),
    /// Null, where it is no hazard.
    pub(super) null: Option<Short>,
    pub(super) texts: Enclosed,
    pub(super) numbers: Enclosed,
    /// Integers and decimals hold nothing that needs care.
    pub(super) digits: bool,
    pub(super) floats: bool,
    /// Bytes that a text may not begin with, those up to the edge among them.
    opens: [bool; 256],
    /// The greatest byte that a text may not end with.
    edge: Option<u8>,
    /// What texts are enclosed by that hold delimiters and line ends, and these, where quotes are all that they need.
    quote: Option<u8>,
    quotable: [bool; 256],
    /// The delimiter and the line end, where each is one byte and texts are not enclosed.
    pub(super) marks: Option<(u8, u8)>,
}

/// What stands around every plain field of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Enclosed {
    Bare,
    By(u8),
}

/// A text of a few bytes, and in the last one how many, so that it is put down by one move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Short([u8; Self::MOST + 1]);

/// What stands behind a field, put down by one move of a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    word: u64,
    len: usize,
}

impl Mark {
    /// None for more than eight bytes.
    fn new(text: &str) -> Option<Self> {
        let mut word = [0; 8];
        word.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { word: u64::from_le_bytes(word), len: text.len() })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Writes itself at a place, and says where it ends.
    #[inline]
    pub(super) fn put(self, at: usize, out: &mut [u8]) -> Option<usize> {
        *out.get_mut(at..)?.first_chunk_mut()? = self.word.to_le_bytes();
        Some(at + self.len)
    }
}

/// What the rules of a way say of texts.
pub(super) struct Care {
    /// As it is written.
    pub(super) delimiter: Box<str>,
    /// Bytes that a plain text does not hold.
    pub(super) inside: [bool; 256],
    /// What a plain text does not begin with.
    pub(super) first: Vec<Box<[u8]>>,
    pub(super) null: Option<Box<str>>,
    /// The quote, where any delimiter and line end in a text makes it need quotes, and nothing but quotes.
    pub(super) quote: Option<u8>,
}

impl Short {
    const MOST: usize = 15;

    pub(super) const EMPTY: Self = Self([0; Self::MOST + 1]);

    pub(super) fn new(text: &str) -> Option<Self> {
        let Self(mut bytes) = Self::EMPTY;
        bytes[..Self::MOST].get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        bytes[Self::MOST] = u8::try_from(text.len()).ok()?;
        Some(Self(bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0[..self.len()]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0[Self::MOST].into()
    }

    /// Writes itself at the begin of a window, and says how long it is.
    #[inline]
    pub(super) fn write<const N: usize>(&self, window: &mut [u8; N]) -> Option<usize> {
        *window.first_chunk_mut()? = self.0;
        Some(self.len())
    }
}

impl Enclosed {
    /// Writes the quote, if there is one, and says where it ends.
    #[inline]
    fn put(self, at: usize, out: &mut [u8]) -> Option<usize> {
        let Self::By(quote) = self else { return Some(at) };
        *out.get_mut(at)? = quote;
        Some(at + 1)
    }

    /// Lets `write` write a number at a place, enclosed, and says where it ends.
    #[inline]
    pub(super) fn put_number(
        self,
        at: usize,
        out: &mut [u8],
        write: impl FnOnce(&mut [u8; ROOM]) -> Option<usize>,
    ) -> Option<usize> {
        let at = self.put(at, out)?;
        let len = write(out.get_mut(at..)?.first_chunk_mut()?)?;
        self.put(at + len, out)
    }
}

impl Plain {
    /// None where no field is plain, or the dialect is too unusual to be worth it.
    pub(super) fn new(s: &Settings, mut care: Care) -> Option<Self> {
        if s.guard != Guard::OFF {
            // Signs, and what spaces and fullwidth signs begin with in UTF-8.
            care.first.extend(b"=+-@\xc2\xe1\xe2\xe3\xef".map(|b| [b].into()));
        }
        let Care { delimiter, inside, first: openers, null, quote: enclosing } = care;
        let first = openers.iter().filter_map(|text| text.first());
        let first = first.fold([false; 256], |mut first, &b| {
            first[usize::from(b)] = true;
            first
        });
        // The marks of a batch must be told from what needs care.
        if [UNIT, RECORD].iter().any(|&mark| inside[usize::from(mark)]) {
            return None;
        }
        let trims = s.trim != Trim::None || s.mode == super::Mode::Exact || s.guard != Guard::OFF;
        let edge = if trims { b' ' } else { super::scan::LAST_MARK };
        let quote = match s.quote.as_char() {
            None => Some(Enclosed::Bare),
            Some(quote) => u8::try_from(quote).ok().filter(u8::is_ascii).map(Enclosed::By),
        };
        let (texts, numbers) = match s.style {
            QuoteStyle::All if s.mode == super::Mode::Exact => return None,
            QuoteStyle::All | QuoteStyle::AllNonNull => (quote?, quote?),
            QuoteStyle::NonNumeric | QuoteStyle::Strings => (quote?, Enclosed::Bare),
            _ => (Enclosed::Bare, Enclosed::Bare),
        };
        let (delimiter, terminator) = (&*delimiter, s.terminator.as_str());
        let harmless = |alphabet: &[u8]| {
            alphabet
                .iter()
                .all(|&b| !inside[usize::from(b)] && (!first[usize::from(b)] || !b"-0123456789".contains(&b)))
        };
        Some(Self {
            scan: Scan::new(&inside, &first, openers, edge)?,
            ends: (Mark::new(delimiter)?, Mark::new(terminator)?),
            null: null.and_then(|null| Short::new(&null)),
            texts,
            numbers,
            digits: harmless(b"-.0123456789"),
            floats: harmless(b"-.0123456789Ee+"),
            opens: std::array::from_fn(|b| first[b] || b <= edge.into()),
            edge: trims.then_some(edge),
            quote: enclosing,
            quotable: std::array::from_fn(|b| {
                let texts = [delimiter, terminator, "\n\r"];
                inside[b] && texts.iter().any(|text| text.as_bytes().iter().any(|&own| usize::from(own) == b))
            }),
            marks: match (delimiter.as_bytes(), terminator.as_bytes()) {
                ([delimiter], [terminator]) if texts == Enclosed::Bare => Some((*delimiter, *terminator)),
                _ => None,
            },
        })
    }
}

impl Plain {
    /// Whether a text's ends are plain, and it is not empty; what is between them is another question.
    #[inline]
    pub(super) fn ends_hold(&self, text: &[u8]) -> bool {
        let ([first, ..], [.., last]) = (text, text) else { return false };
        !self.opens[usize::from(*first)] && self.edge.is_none_or(|edge| *last > edge)
    }

    /// What a text is enclosed by of which these bytes need care, if it has to be enclosed and left as it is otherwise.
    #[inline]
    pub(super) fn enclosing(&self, mut care: impl Iterator<Item = u8>) -> Option<Enclosed> {
        let quote = self.quote?;
        care.all(|b| self.quotable[usize::from(b)]).then_some(Enclosed::By(quote))
    }
}

/// How many digits are behind the point of decimals of this scale, if they are some of the usual ones.
#[inline]
pub(super) fn fixed_scale(style: DecimalText, scale: i8) -> Option<u8> {
    // Java begins to write exponents behind six places.
    let most = if style == DecimalText::Plain { MOST_FIXED } else { 6 };
    u8::try_from(scale).ok().filter(|&scale| scale <= most)
}
