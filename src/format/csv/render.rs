//! How values that are no text are spelled, for all columns or for one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::datetime::{DateText, LocalText, Locale, Pattern, PatternError, TimeText, TimestampText, Zone};
use super::text::digits::append_integer;
use super::text::{BinaryText, DecimalText, FloatText, IntervalText};
use super::{DialectError, DialectErrorKind, EncodeError, EncodeErrorKind};
use crate::row::{Value, iso};

/// Spark has no text in CSV for its `CalendarIntervalType`.
const SPARK_INTERVAL: &str =
    "Spark writes no intervals of both months and days: expected months, a length of time, or intervals as ISO 8601";

/// How values that are no text are spelled.
///
/// | values | default | for Spark |
/// |---|---|---|
/// | integers | digits | the same |
/// | floats | [`FloatText::Shortest`] | [`FloatText::Java`] |
/// | decimals | [`DecimalText::Plain`] | [`DecimalText::Java`] |
/// | booleans | `true`, `false` | the same |
/// | binary | [`BinaryText::Base64`] | Spark refuses them |
/// | lists, maps, structs | [`NestedText::Json`] | [`NestedText::Refuse`] |
/// | dates | `yyyy-MM-dd` | the same |
/// | times of day | `HH:mm:ss.SSSSSS` | Spark refuses them |
/// | timestamps | `yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX`, in UTC | `yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]` |
/// | local timestamps | `yyyy-MM-dd'T'HH:mm:ss.SSSSSS` | `yyyy-MM-dd'T'HH:mm:ss[.SSS]` |
/// | lengths of time, intervals | [`IntervalText::Iso8601`] | [`IntervalText::Spark`] |
///
/// ```
/// use consign::format::csv::text::{BinaryText, FloatText};
/// use consign::format::csv::{BooleanText, Dialect, Render};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder()
///     .with_render(Render::new().with_booleans(BooleanText::new("1", "0")))
///     .with_column_render(2, Render::new().with_binary(BinaryText::Hex))
///     .build()?;
/// let record = [Value::Boolean(true), Value::Float64(1e7), Value::Binary(b"\x00\xff")];
/// let mut out = Vec::new();
/// dialect.encoder().record(record, &mut out)?;
/// assert_eq!(out, b"1,10000000.0,00ff\n");
///
/// out.clear();
/// let java = Dialect::builder().with_render(Render::new().with_floats(FloatText::Java)).build()?;
/// java.encoder().record([Value::Float64(1e7)], &mut out)?;
/// assert_eq!(out, b"1.0E7\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    pub(super) floats: FloatText,
    pub(super) decimals: DecimalText,
    pub(super) booleans: BooleanText,
    pub(super) binary: BinaryText,
    pub(super) nested: NestedText,
    pub(super) dates: (Pattern, Locale),
    pub(super) times: (Pattern, Locale),
    pub(super) timestamps: (Pattern, Locale, Zone),
    pub(super) local_timestamps: (Pattern, Locale),
    pub(super) intervals: IntervalText,
}

/// How booleans are spelled. Default: `true` and `false`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct BooleanText {
    pub(super) yes: Cow<'static, str>,
    pub(super) no: Cow<'static, str>,
}

impl BooleanText {
    /// These two texts.
    #[must_use]
    pub fn new(yes: impl Into<String>, no: impl Into<String>) -> Self {
        Self { yes: Cow::Owned(yes.into()), no: Cow::Owned(no.into()) }
    }
}

impl Default for BooleanText {
    fn default() -> Self {
        Self { yes: Cow::Borrowed("true"), no: Cow::Borrowed("false") }
    }
}

/// What becomes of lists, maps and structs.
///
/// Default: [`NestedText::Json`].
///
/// ```
/// use consign::format::csv::{Dialect, NestedText, Render};
/// use consign::row::Value;
///
/// let record = [Value::Nested(r#"[1,2]"#)];
/// let mut out = Vec::new();
/// Dialect::default().encoder().record(record, &mut out)?;
/// assert_eq!(out, b"\"[1,2]\"\n");
///
/// let dialect = Dialect::builder().with_render(Render::new().with_nested(NestedText::Refuse)).build()?;
/// let e = dialect.encoder().record(record, &mut out).unwrap_err();
/// assert_eq!(e.to_string(), "the value is a list, map or struct, which the dialect refuses: expected a plain value");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "they are written or are not")]
pub enum NestedText {
    /// They are written as JSON text.
    #[default]
    Json,
    /// They cannot be written.
    Refuse,
}

impl Render {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        let local = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS";
        Self {
            floats: FloatText::default(),
            decimals: DecimalText::default(),
            booleans: BooleanText::default(),
            binary: BinaryText::default(),
            nested: NestedText::default(),
            dates: (pattern("yyyy-MM-dd"), Locale::EN_US),
            times: (pattern("HH:mm:ss.SSSSSS"), Locale::EN_US),
            timestamps: (pattern(&format!("{local}XXX")), Locale::EN_US, Zone::UTC),
            local_timestamps: (pattern(local), Locale::EN_US),
            intervals: IntervalText::default(),
        }
    }

    /// What Spark writes without options.
    #[must_use]
    pub fn spark() -> Self {
        let local = "yyyy-MM-dd'T'HH:mm:ss[.SSS]";
        Self {
            floats: FloatText::Java,
            decimals: DecimalText::Java,
            nested: NestedText::Refuse,
            timestamps: (pattern(&format!("{local}[XXX]")), Locale::EN_US, Zone::UTC),
            local_timestamps: (pattern(local), Locale::EN_US),
            intervals: IntervalText::Spark,
            ..Self::new()
        }
    }

    /// How floats are spelled; see [`FloatText`].
    #[must_use]
    pub fn with_floats(mut self, floats: FloatText) -> Self {
        self.floats = floats;
        self
    }

    /// How decimals are spelled; see [`DecimalText`].
    #[must_use]
    pub fn with_decimals(mut self, decimals: DecimalText) -> Self {
        self.decimals = decimals;
        self
    }

    /// How booleans are spelled; see [`BooleanText`].
    #[must_use]
    pub fn with_booleans(mut self, booleans: BooleanText) -> Self {
        self.booleans = booleans;
        self
    }

    /// How binary values are spelled; see [`BinaryText`].
    #[must_use]
    pub fn with_binary(mut self, binary: BinaryText) -> Self {
        self.binary = binary;
        self
    }

    /// What becomes of lists, maps and structs; see [`NestedText`].
    #[must_use]
    pub fn with_nested(mut self, nested: NestedText) -> Self {
        self.nested = nested;
        self
    }

    /// How dates are spelled.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use consign::chrono;
    /// use consign::format::csv::datetime::{Locale, Pattern};
    /// use consign::format::csv::{Dialect, Render};
    /// use consign::row::Value;
    ///
    /// let render = Render::new().with_dates(Pattern::spark("d MMMM yyyy")?, Locale::parse("fr-FR")?);
    /// let mut out = Vec::new();
    /// let day = NaiveDate::from_ymd_opt(2024, 2, 1).unwrap();
    /// Dialect::builder().with_render(render).build()?.encoder().record([Value::Date(day)], &mut out)?;
    /// assert_eq!(out, "1 février 2024\n".as_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_dates(mut self, pattern: Pattern, locale: Locale) -> Self {
        self.dates = (pattern, locale);
        self
    }

    /// How times of day are spelled.
    ///
    /// ```
    /// use chrono::NaiveTime;
    /// use consign::chrono;
    /// use consign::format::csv::datetime::{Locale, Pattern};
    /// use consign::format::csv::{Dialect, Render};
    /// use consign::row::Value;
    ///
    /// let render = Render::new().with_times(Pattern::spark("H:mm")?, Locale::EN_US);
    /// let mut out = Vec::new();
    /// let time = NaiveTime::from_hms_opt(3, 4, 5).unwrap();
    /// Dialect::builder().with_render(render).build()?.encoder().record([Value::Time(time)], &mut out)?;
    /// assert_eq!(out, b"3:04\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_times(mut self, pattern: Pattern, locale: Locale) -> Self {
        self.times = (pattern, locale);
        self
    }

    /// How lengths of time and intervals are spelled; see [`IntervalText`].
    #[must_use]
    pub fn with_intervals(mut self, intervals: IntervalText) -> Self {
        self.intervals = intervals;
        self
    }

    /// How instants are spelled: by the clock of a zone.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use consign::chrono;
    /// use consign::format::csv::datetime::{Locale, Pattern, Zone};
    /// use consign::format::csv::{Dialect, Render};
    /// use consign::row::Value;
    ///
    /// let pattern = Pattern::spark("yyyy-MM-dd HH:mm:ss XXX")?;
    /// let render = Render::new().with_timestamps(pattern, Locale::EN_US, Zone::parse("Asia/Kolkata")?);
    /// let mut out = Vec::new();
    /// let instant = DateTime::from_timestamp(1_704_164_645, 0).unwrap();
    /// Dialect::builder().with_render(render).build()?.encoder().record([Value::Timestamp(instant)], &mut out)?;
    /// assert_eq!(out, b"2024-01-02 08:34:05 +05:30\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_timestamps(mut self, pattern: Pattern, locale: Locale, zone: Zone) -> Self {
        self.timestamps = (pattern, locale, zone);
        self
    }

    /// How timestamps without a zone are spelled.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use consign::chrono;
    /// use consign::format::csv::datetime::{Locale, Pattern};
    /// use consign::format::csv::{Dialect, Render};
    /// use consign::row::Value;
    ///
    /// let render = Render::new().with_local_timestamps(Pattern::spark("dd/MM/yyyy HH:mm")?, Locale::EN_US);
    /// let mut out = Vec::new();
    /// let time = DateTime::from_timestamp(1_704_164_645, 0).unwrap().naive_utc();
    /// Dialect::builder().with_render(render).build()?.encoder().record([Value::LocalTimestamp(time)], &mut out)?;
    /// assert_eq!(out, b"02/01/2024 03:04\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_local_timestamps(mut self, pattern: Pattern, locale: Locale) -> Self {
        self.local_timestamps = (pattern, locale);
        self
    }
}

impl Default for Render {
    fn default() -> Self {
        Self::new()
    }
}

/// A pattern of a default or a preset.
pub(super) fn pattern(text: &str) -> Pattern {
    Pattern::spark(text).expect("the patterns of the defaults and the presets are Spark's, as tests show")
}

/// What a dialect spells values with: patterns meet their locales and zones once.
#[derive(Debug)]
pub(super) struct Renderers {
    all: Renderer,
    columns: BTreeMap<usize, Renderer>,
}

#[derive(Debug)]
struct Renderer {
    floats: FloatText,
    decimals: DecimalText,
    booleans: BooleanText,
    binary: BinaryText,
    nested: NestedText,
    dates: DateText,
    times: TimeText,
    timestamps: TimestampText,
    local_timestamps: LocalText,
    intervals: IntervalText,
}

impl Renderers {
    pub(super) fn new(all: &Render, columns: &BTreeMap<usize, Render>) -> Result<Self, DialectError> {
        let columns = columns.iter().map(|(column, render)| Ok((*column, Renderer::new(render)?)));
        Ok(Self { all: Renderer::new(all)?, columns: columns.collect::<Result<_, DialectError>>()? })
    }

    /// How floats and decimals are spelled, if it is the same way in all columns.
    pub(super) fn numbers(&self) -> Option<(FloatText, DecimalText)> {
        self.columns.is_empty().then_some((self.all.floats, self.all.decimals))
    }

    /// Appends the text of a value that is neither null nor text.
    pub(super) fn append(&self, column: usize, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.of(column).append(column, value, out)
    }

    fn of(&self, column: usize) -> &Renderer {
        if self.columns.is_empty() { &self.all } else { self.columns.get(&column).unwrap_or(&self.all) }
    }
}

impl Renderer {
    fn new(r: &Render) -> Result<Self, DialectError> {
        let format = |what: &str, pattern: &Pattern, error: &PatternError| {
            DialectError::new(DialectErrorKind::Format, format!("the pattern of {what}: {error}"))
                .at(pattern.as_str(), error.span())
        };
        let (pattern, locale) = &r.dates;
        let dates = DateText::new(pattern, *locale).map_err(|e| format("dates", pattern, &e))?;
        let (pattern, locale) = &r.times;
        let times = TimeText::new(pattern, *locale).map_err(|e| format("times", pattern, &e))?;
        let (pattern, locale, zone) = &r.timestamps;
        let timestamps = TimestampText::new(pattern, *locale, zone).map_err(|e| format("timestamps", pattern, &e))?;
        let (pattern, locale) = &r.local_timestamps;
        let local = LocalText::new(pattern, *locale).map_err(|e| format("local timestamps", pattern, &e))?;
        Ok(Self {
            floats: r.floats,
            decimals: r.decimals,
            booleans: r.booleans.clone(),
            binary: r.binary,
            nested: r.nested,
            dates,
            times,
            timestamps,
            local_timestamps: local,
            intervals: r.intervals,
        })
    }

    fn append(&self, column: usize, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match value {
            Value::Null => {}
            Value::Boolean(true) => out.extend_from_slice(self.booleans.yes.as_bytes()),
            Value::Boolean(false) => out.extend_from_slice(self.booleans.no.as_bytes()),
            Value::Integer(v) => append_integer(v, out),
            Value::Float32(v) => self.floats.append_f32(v, out),
            Value::Float64(v) => self.floats.append_f64(v, out),
            Value::Decimal { unscaled, scale } => self.decimals.append(unscaled, scale, out),
            Value::Decimal256 { unscaled, scale } => self.decimals.append_256(unscaled, scale, out),
            Value::Date(v) => self.dates.append(v, out),
            Value::DateAt { days } => self.dates.append_day(days, out),
            Value::Time(v) => self.times.append(v, out),
            Value::Timestamp(v) => self.timestamps.append(v, out),
            Value::TimestampAt { seconds, nanoseconds } => self.timestamps.append_at(seconds, nanoseconds, out),
            Value::LocalTimestamp(v) => self.local_timestamps.append(v, out),
            Value::LocalTimestampAt { seconds, nanoseconds } => {
                self.local_timestamps.append_at(seconds, nanoseconds, out);
            }
            Value::Duration { nanoseconds } => self.intervals.append_duration(nanoseconds, out),
            Value::Months(v) => self.intervals.append_months(v, out),
            Value::Interval { .. } if self.intervals == IntervalText::Spark => {
                return Err(EncodeError::new(column, EncodeErrorKind::NoText, SPARK_INTERVAL));
            }
            Value::Interval { months, days, nanoseconds } => {
                out.extend_from_slice(iso::interval(months, days, nanoseconds).as_bytes());
            }
            Value::Binary(v) => self.binary.append(v, out),
            Value::Nested(_) if self.nested == NestedText::Refuse => {
                let what = "the value is a list, map or struct, which the dialect refuses: expected a plain value";
                return Err(EncodeError::new(column, EncodeErrorKind::Nested, what));
            }
            Value::Nested(v) | Value::Text(v) => out.extend_from_slice(v.as_bytes()),
        }
        Ok(())
    }
}

#[cfg(feature = "arrow")]
impl Renderers {
    /// Whether a column takes no lists, maps and structs.
    pub(super) fn refuses_nested(&self, column: usize) -> bool {
        self.of(column).nested == NestedText::Refuse
    }

    /// Whether a column takes no intervals of both months and days.
    pub(super) fn refuses_intervals(&self, column: usize) -> bool {
        self.of(column).intervals == IntervalText::Spark
    }
}
