//! Dialects, and record batches of any types and values, out of bytes: for property tests and the fuzzer alike.

use std::sync::Arc;

use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use consign::arrow_array::types::*;
use consign::arrow_array::*;
use consign::arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode};
use consign::format::csv::datetime::{Locale, Pattern, Zone};
use consign::format::csv::text::{BinaryText, DecimalText, FloatText, IntervalText};
use consign::format::csv::{
    Blank, BooleanText, Charset, Dialect, DialectBuilder, EmptyText, Escape, Guard, Mode, NestedText, NullText, Nulls,
    OnHazard, Quote, QuoteStyle, QuotedNull, Refused, Render, Trim, Unmappable,
};

/// Bytes that decide; zeros where they have ended.
pub(super) struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// An integer of so many bytes, the lowest first: often one at the end of its range.
    fn integer<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let random = match self.byte() % 8 {
            0 => 0,
            1 => return [0xFF; N],
            2 => {
                bytes[N - 1] = 0x80;
                return bytes;
            }
            3 => {
                bytes = [0xFF; N];
                bytes[N - 1] = 0x7F;
                return bytes;
            }
            4 | 5 => 1,
            6 => N.min(4),
            _ => N,
        };
        bytes[..random].iter_mut().for_each(|byte| *byte = self.byte());
        if random > 0 && bytes[random - 1] >= 0x80 {
            bytes[random..].fill(0xFF);
        }
        bytes
    }

    fn text(&mut self) -> String {
        const ATOMS: [&str; 24] = [
            "a",
            "",
            "b,c",
            "\"",
            "'",
            "\\",
            "|",
            ";",
            " ",
            "\t",
            "\n",
            "\r\n",
            "null",
            "NULL",
            "#",
            "=1",
            "-1",
            "\u{feff}",
            "\u{e9}",
            "\u{20ac}",
            "\u{1f600}",
            "\0",
            "more than twelve bytes",
            "\u{1}",
        ];
        (0..self.below(4)).map(|_| self.pick(&ATOMS)).collect()
    }
}

/// A dialect and what of Arrow it refuses.
pub(super) struct Choice {
    pub(super) dialect: Dialect,
    pub(super) refused: Refused,
    pub(super) refuses_nested: bool,
    pub(super) refuses_intervals: bool,
}

/// Any dialect; where the parts clash, which is refused, the default.
pub(super) fn choice(source: &mut Source<'_>) -> Choice {
    let refused = source.pick(&[Refused::Skip, Refused::Reject, Refused::Fail]);
    let nested = source.pick(&[NestedText::Json, NestedText::Json, NestedText::Json, NestedText::Refuse]);
    let intervals = source.pick(&[IntervalText::Iso8601, IntervalText::Iso8601, IntervalText::Spark]);
    let render = render(source).expect("the patterns and zones are good").with_nested(nested).with_intervals(intervals);
    let builder = if source.one_in(4) { exact(source) } else { fixed(source) };
    let usable = builder.filter(|builder| builder.clone().build().is_ok());
    let mut builder = usable.unwrap_or_else(Dialect::builder).with_refused(refused).with_render(render.clone());
    if source.one_in(3) {
        let other = source.pick(&[FloatText::Shortest, FloatText::Java]);
        builder = builder.with_column_render(source.below(3), render.with_floats(other));
    }
    Choice {
        dialect: builder.build().expect("how values are spelled clashes with nothing"),
        refused,
        refuses_nested: nested == NestedText::Refuse,
        refuses_intervals: intervals == IntervalText::Spark,
    }
}

fn render(source: &mut Source<'_>) -> Option<Render> {
    let binary = [BinaryText::Base64, BinaryText::Hex, BinaryText::EscapedHex, BinaryText::PrefixedHex];
    let dates = Pattern::spark(source.pick(&["yyyy-MM-dd", "d MMM yyyy", "yy,D"])).ok()?;
    let times = Pattern::spark(source.pick(&["HH:mm:ss.SSSSSS", "h:mm a", "ss.SSSSSSSSS"])).ok()?;
    let local = Pattern::spark(source.pick(&["yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "MM/dd/yyyy HH.mm[XXX]"])).ok()?;
    let instants =
        Pattern::spark(source.pick(&["yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "EEE, HH:mm:ss.SSSSSSSSS VV"])).ok()?;
    let zone = Zone::parse(source.pick(&["UTC", "Asia/Kolkata", "America/Los_Angeles"])).ok()?;
    let booleans = source.pick(&[BooleanText::default(), BooleanText::new("1", "0"), BooleanText::new("y,es", "")]);
    Some(
        Render::new()
            .with_floats(source.pick(&[FloatText::Shortest, FloatText::Java]))
            .with_decimals(source.pick(&[DecimalText::Plain, DecimalText::Java]))
            .with_binary(source.pick(&binary))
            .with_booleans(booleans)
            .with_dates(dates, Locale::EN_US)
            .with_times(times, Locale::EN_US)
            .with_local_timestamps(local, Locale::EN_US)
            .with_timestamps(instants, Locale::EN_US, zone),
    )
}

fn exact(source: &mut Source<'_>) -> Option<DialectBuilder> {
    Some(
        Dialect::spark()
            .to_builder()
            .with_delimiter(source.pick(&[",", "||", "e", "1"]).parse().ok()?)
            .with_terminator(source.pick(&["\n", "\r\n", "|"]).parse().ok()?)
            .with_quote_style(source.pick(&[QuoteStyle::Minimal, QuoteStyle::All]))
            .with_trim(source.pick(&[Trim::Both, Trim::None, Trim::Leading, Trim::Trailing]))
            .with_null(NullText::new(source.pick(&["", "null", "a,b"])))
            .with_charset(source.pick(&[Charset::UTF_8, Charset::UTF_16, Charset::US_ASCII])),
    )
}

fn fixed(source: &mut Source<'_>) -> Option<DialectBuilder> {
    let guards = [Guard::OFF, Guard::OFF, Guard::apostrophe(), Guard::apostrophe().except(0)];
    let quotes = [Quote::from('"'), Quote::from('"'), Quote::from('\''), Quote::OFF];
    let styles = [
        QuoteStyle::Minimal,
        QuoteStyle::Minimal,
        QuoteStyle::All,
        QuoteStyle::AllNonNull,
        QuoteStyle::NonNumeric,
        QuoteStyle::Strings,
        QuoteStyle::Never,
    ];
    let charsets =
        [Charset::UTF_8, Charset::UTF_8, Charset::UTF_8, Charset::UTF_16LE, Charset::US_ASCII, Charset::ISO_8859_1];
    Some(
        Dialect::builder()
            .with_mode(Mode::Fixed)
            .with_delimiter(source.pick(&[",", ",", ";", "|", "\t", "||", "aba", "-", "1"]).parse().ok()?)
            .with_terminator(source.pick(&["\n", "\n", "\r\n", "~~", "T"]).parse().ok()?)
            .with_quote(source.pick(&quotes))
            .with_escape(source.pick(&[Escape::Doubled, Escape::With('\\'), Escape::With('^')]))
            .with_quote_style(source.pick(&styles))
            .with_null(NullText::new(source.pick(&["null", "", "\\N", "0"])))
            .with_nulls(source.pick(&[Nulls::Marked, Nulls::Marked, Nulls::AsText]))
            .with_quoted_null(source.pick(&[QuotedNull::IsNull, QuotedNull::IsText]))
            .with_empty(source.pick(&[EmptyText::NOTHING, EmptyText::NOTHING, EmptyText::QUOTED, EmptyText::new("0")]))
            .with_blank(source.pick(&[Blank::Quoted, Blank::Bare]))
            .with_trim(source.pick(&[Trim::None, Trim::None, Trim::Both, Trim::Trailing]))
            .with_comment(source.pick(&["", "", "#", "1"]).parse().ok()?)
            .with_guard(source.pick(&guards))
            .with_charset(source.pick(&charsets))
            .with_unmappable(source.pick(&[Unmappable::Replace, Unmappable::Escape, Unmappable::Error]))
            .with_on_hazard(source.pick(&[OnHazard::Count, OnHazard::Count, OnHazard::Refuse])),
    )
}

/// A batch whose arrays begin anywhere in their buffers.
pub(super) fn batch(source: &mut Source<'_>) -> RecordBatch {
    let (columns, rows, before) = (source.pick(&[1, 2, 3, 1, 2, 4, 0]), source.below(9), source.below(3));
    let fields: Vec<_> = (0..columns).map(|i| field(&format!("c{i}"), data_type(source, 0))).collect();
    let arrays = fields.iter().map(|field| array(source, field.data_type(), before + rows)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(before + rows));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options);
    batch.expect("the arrays are of the fields' types").slice(before, rows)
}

fn field(name: &str, data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new(name, data_type, true))
}

fn data_type(source: &mut Source<'_>, depth: usize) -> DataType {
    let inner = |source: &mut Source<'_>| data_type(source, depth + 1);
    let item = |source: &mut Source<'_>| field("item", data_type(source, depth + 1));
    match source.below(if depth < 3 { 14 } else { 4 }) {
        0 => DataType::Utf8,
        1..4 => plain_type(source),
        4 => DataType::Dictionary(Box::new(source.pick(&KEYS)), Box::new(inner(source))),
        5 => {
            let ends = source.pick(&[DataType::Int16, DataType::Int32, DataType::Int64]);
            DataType::RunEndEncoded(Arc::new(Field::new("run_ends", ends, false)), field("values", inner(source)))
        }
        6 => DataType::List(item(source)),
        7 => DataType::LargeList(item(source)),
        8 => DataType::ListView(item(source)),
        9 => DataType::LargeListView(item(source)),
        10 => DataType::FixedSizeList(item(source), source.pick(&[2, 0, 1])),
        11 => {
            let key = source.pick(&[DataType::Utf8, DataType::Int32, DataType::Date32, DataType::Float64]);
            let entries = Fields::from(vec![Field::new("keys", key, false), Field::new("values", inner(source), true)]);
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
        }
        12 => {
            let names = ["a", "say \"hi\"", ""];
            let fields = (0..source.below(4)).map(|i| field(names[i], inner(source)));
            DataType::Struct(fields.collect())
        }
        _ => {
            let fields: UnionFields =
                [(5, field("a", inner(source))), (0, field("b", inner(source)))].into_iter().collect();
            DataType::Union(fields, source.pick(&[UnionMode::Dense, UnionMode::Sparse]))
        }
    }
}

const KEYS: [DataType; 8] = [
    DataType::Int8,
    DataType::Int16,
    DataType::Int32,
    DataType::Int64,
    DataType::UInt8,
    DataType::UInt16,
    DataType::UInt32,
    DataType::UInt64,
];

fn plain_type(source: &mut Source<'_>) -> DataType {
    let unit = source.pick(&[TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]);
    let scale = source.pick(&[2, 0, 9, -3]);
    let types = [
        DataType::Null,
        DataType::Boolean,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal32(9, scale),
        DataType::Decimal64(18, scale),
        DataType::Decimal128(38, scale),
        DataType::Decimal256(76, scale),
        DataType::Date32,
        DataType::Date64,
        DataType::Time32(source.pick(&[TimeUnit::Second, TimeUnit::Millisecond])),
        DataType::Time64(source.pick(&[TimeUnit::Microsecond, TimeUnit::Nanosecond])),
        DataType::Timestamp(unit, None),
        DataType::Timestamp(unit, Some(source.pick(&["UTC", "Europe/Paris", "-08:00"]).into())),
        DataType::Duration(unit),
        DataType::Interval(source.pick(&[IntervalUnit::YearMonth, IntervalUnit::DayTime, IntervalUnit::MonthDayNano])),
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        DataType::FixedSizeBinary(source.pick(&[2, 0, 5])),
        DataType::LargeUtf8,
        DataType::Utf8View,
        source.pick(&KEYS),
    ];
    source.pick(&types)
}

/// So many values, each null if the source says so.
fn some<T>(source: &mut Source<'_>, len: usize, mut value: impl FnMut(&mut Source<'_>) -> T) -> Vec<Option<T>> {
    (0..len).map(|_| (!source.one_in(5)).then(|| value(source))).collect()
}

fn primitive<T: ArrowPrimitiveType>(
    source: &mut Source<'_>,
    (data_type, len): (&DataType, usize),
    value: impl FnMut(&mut Source<'_>) -> T::Native,
) -> ArrayRef {
    let values = some(source, len, value);
    Arc::new(PrimitiveArray::<T>::from_iter(values).with_data_type(data_type.clone()))
}

/// An array of integers of this width, whatever they stand for.
macro_rules! integers {
    ($of:ty, $source:expr, $shape:expr) => {
        primitive::<$of>($source, $shape, |source| <$of as ArrowPrimitiveType>::Native::from_le_bytes(source.integer()))
    };
}

/// Times of day, and some that are none.
macro_rules! times {
    ($of:ty, $source:expr, $shape:expr, $day:expr) => {
        primitive::<$of>($source, $shape, |source| {
            let value = <$of as ArrowPrimitiveType>::Native::from_le_bytes(source.integer());
            if source.one_in(9) { value } else { value.rem_euclid($day) }
        })
    };
}

pub(super) fn array(source: &mut Source<'_>, data_type: &DataType, len: usize) -> ArrayRef {
    let shape = (data_type, len);
    match data_type {
        DataType::Null => Arc::new(NullArray::new(len)),
        DataType::Boolean => Arc::new(BooleanArray::from(some(source, len, |source| source.one_in(2)))),
        DataType::Int8 => integers!(Int8Type, source, shape),
        DataType::Int16 => integers!(Int16Type, source, shape),
        DataType::Int32 => integers!(Int32Type, source, shape),
        DataType::Int64 => integers!(Int64Type, source, shape),
        DataType::UInt8 => integers!(UInt8Type, source, shape),
        DataType::UInt16 => integers!(UInt16Type, source, shape),
        DataType::UInt32 => integers!(UInt32Type, source, shape),
        DataType::UInt64 => integers!(UInt64Type, source, shape),
        DataType::Float16 => integers!(Float16Type, source, shape),
        DataType::Float32 => integers!(Float32Type, source, shape),
        DataType::Float64 => integers!(Float64Type, source, shape),
        DataType::Decimal32(..) => integers!(Decimal32Type, source, shape),
        DataType::Decimal64(..) => integers!(Decimal64Type, source, shape),
        DataType::Decimal128(..) => integers!(Decimal128Type, source, shape),
        DataType::Decimal256(..) => integers!(Decimal256Type, source, shape),
        DataType::Date32 => integers!(Date32Type, source, shape),
        DataType::Date64 => primitive::<Date64Type>(source, shape, |source| {
            let value = i64::from_le_bytes(source.integer());
            if source.one_in(9) { value } else { (value >> 32) * 86_400_000 }
        }),
        DataType::Time32(TimeUnit::Second) => times!(Time32SecondType, source, shape, 86_400),
        DataType::Time32(_) => times!(Time32MillisecondType, source, shape, 86_400_000),
        DataType::Time64(TimeUnit::Microsecond) => times!(Time64MicrosecondType, source, shape, 86_400_000_000),
        DataType::Time64(_) => times!(Time64NanosecondType, source, shape, 86_400_000_000_000),
        DataType::Timestamp(TimeUnit::Second, _) => integers!(TimestampSecondType, source, shape),
        DataType::Timestamp(TimeUnit::Millisecond, _) => integers!(TimestampMillisecondType, source, shape),
        DataType::Timestamp(TimeUnit::Microsecond, _) => integers!(TimestampMicrosecondType, source, shape),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => integers!(TimestampNanosecondType, source, shape),
        DataType::Duration(TimeUnit::Second) => integers!(DurationSecondType, source, shape),
        DataType::Duration(TimeUnit::Millisecond) => integers!(DurationMillisecondType, source, shape),
        DataType::Duration(TimeUnit::Microsecond) => integers!(DurationMicrosecondType, source, shape),
        DataType::Duration(TimeUnit::Nanosecond) => integers!(DurationNanosecondType, source, shape),
        DataType::Interval(IntervalUnit::YearMonth) => integers!(IntervalYearMonthType, source, shape),
        DataType::Interval(IntervalUnit::DayTime) => primitive::<IntervalDayTimeType>(source, shape, |source| {
            IntervalDayTime::new(i32::from_le_bytes(source.integer()), i32::from_le_bytes(source.integer()))
        }),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            primitive::<IntervalMonthDayNanoType>(source, shape, |source| {
                let (months, days) = (i32::from_le_bytes(source.integer()), i32::from_le_bytes(source.integer()));
                IntervalMonthDayNano::new(months, days, i64::from_le_bytes(source.integer()))
            })
        }
        DataType::Utf8 => Arc::new(StringArray::from(some(source, len, text))),
        DataType::LargeUtf8 => Arc::new(LargeStringArray::from(some(source, len, text))),
        DataType::Utf8View => Arc::new(some(source, len, text).into_iter().collect::<StringViewArray>()),
        DataType::Binary => Arc::new(some(source, len, bytes).into_iter().collect::<BinaryArray>()),
        DataType::LargeBinary => Arc::new(some(source, len, bytes).into_iter().collect::<LargeBinaryArray>()),
        DataType::BinaryView => Arc::new(some(source, len, bytes).into_iter().collect::<BinaryViewArray>()),
        DataType::FixedSizeBinary(size) => {
            let sized = |source: &mut Source<'_>| (0..*size).map(|_| source.byte()).collect::<Vec<_>>();
            let values = some(source, len, sized).into_iter();
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, *size).expect("all have the size"))
        }
        _ => nested(source, data_type, len),
    }
}

fn text(source: &mut Source<'_>) -> String {
    source.text()
}

fn bytes(source: &mut Source<'_>) -> Vec<u8> {
    source.text().into_bytes()
}

fn nested(source: &mut Source<'_>, data_type: &DataType, len: usize) -> ArrayRef {
    const BUILT: &str = "the parts fit";
    let nulls = |source: &mut Source<'_>| Some((0..len).map(|_| !source.one_in(5)).collect::<Vec<_>>().into());
    match data_type {
        DataType::Dictionary(key, values) => {
            let count = source.below(4);
            let values = array(source, values, count);
            match &**key {
                DataType::Int8 => dictionary::<Int8Type>(source, values, len),
                DataType::Int16 => dictionary::<Int16Type>(source, values, len),
                DataType::Int32 => dictionary::<Int32Type>(source, values, len),
                DataType::Int64 => dictionary::<Int64Type>(source, values, len),
                DataType::UInt8 => dictionary::<UInt8Type>(source, values, len),
                DataType::UInt16 => dictionary::<UInt16Type>(source, values, len),
                DataType::UInt32 => dictionary::<UInt32Type>(source, values, len),
                _ => dictionary::<UInt64Type>(source, values, len),
            }
        }
        DataType::RunEndEncoded(ends, values) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(source, values.data_type(), len),
            DataType::Int32 => runs::<Int32Type>(source, values.data_type(), len),
            _ => runs::<Int64Type>(source, values.data_type(), len),
        },
        DataType::List(item) => {
            let (offsets, values) = list(source, item.data_type(), len, i32::from);
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls(source)).expect(BUILT))
        }
        DataType::LargeList(item) => {
            let (offsets, values) = list(source, item.data_type(), len, i64::from);
            Arc::new(LargeListArray::try_new(Arc::clone(item), offsets, values, nulls(source)).expect(BUILT))
        }
        DataType::ListView(item) => {
            let (starts, sizes, values) = views(source, item.data_type(), len, i32::from);
            let nulls = nulls(source);
            Arc::new(ListViewArray::try_new(Arc::clone(item), starts, sizes, values, nulls).expect(BUILT))
        }
        DataType::LargeListView(item) => {
            let (starts, sizes, values) = views(source, item.data_type(), len, i64::from);
            let nulls = nulls(source);
            Arc::new(LargeListViewArray::try_new(Arc::clone(item), starts, sizes, values, nulls).expect(BUILT))
        }
        DataType::FixedSizeList(item, size) => {
            let values = array(source, item.data_type(), len * usize::try_from(*size).expect("sizes are small"));
            let nulls = nulls(source);
            Arc::new(FixedSizeListArray::try_new_with_length(Arc::clone(item), *size, values, nulls, len).expect(BUILT))
        }
        DataType::Map(entries, ordered) => {
            let DataType::Struct(fields) = entries.data_type() else { unreachable!("{data_type}") };
            let offsets = offsets(source, len, i32::from);
            let count = usize::try_from(offsets[len]).expect(BUILT);
            let keys = present(source, fields[0].data_type(), count);
            let values = array(source, fields[1].data_type(), count);
            let members = StructArray::new(fields.clone(), vec![keys, values], None);
            let nulls = nulls(source);
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, members, nulls, *ordered).expect(BUILT))
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| array(source, field.data_type(), len)).collect();
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls(source), len).expect(BUILT))
        }
        DataType::Union(fields, mode) => union(source, fields, *mode, len),
        _ => unreachable!("{data_type}"),
    }
}

fn dictionary<K: ArrowDictionaryKeyType>(source: &mut Source<'_>, values: ArrayRef, len: usize) -> ArrayRef
where
    K::Native: TryFrom<usize>,
{
    let count = values.len();
    let key = |source: &mut Source<'_>| match count {
        0 => None,
        _ => source.below(count).try_into().ok(),
    };
    let keys = some(source, len, key).into_iter().map(Option::flatten);
    let keys: PrimitiveArray<K> = keys.collect();
    Arc::new(DictionaryArray::<K>::try_new(keys, values).expect("the keys are below the number of values"))
}

fn runs<R: RunEndIndexType>(source: &mut Source<'_>, data_type: &DataType, len: usize) -> ArrayRef
where
    R::Native: From<u8>,
{
    let mut ends: Vec<u8> = (1..=len).map(|end| u8::try_from(end).expect("tables are small")).collect();
    ends.retain(|&end| usize::from(end) == len || source.one_in(2));
    let values = array(source, data_type, ends.len());
    let ends = PrimitiveArray::<R>::from_iter_values(ends.into_iter().map(R::Native::from));
    Arc::new(RunArray::<R>::try_new(&ends, &values).expect("the ends rise"))
}

/// Where lists end, and the first begins.
fn offsets<O: OffsetSizeTrait>(source: &mut Source<'_>, len: usize, from: impl Fn(u8) -> O) -> OffsetBuffer<O> {
    let mut end = 0;
    let offsets: Vec<O> = (0..=len)
        .map(|_| {
            end += source.pick(&[1, 0, 2]);
            from(end)
        })
        .collect();
    OffsetBuffer::new(offsets.into())
}

fn list<O: OffsetSizeTrait>(
    source: &mut Source<'_>,
    data_type: &DataType,
    len: usize,
    from: impl Fn(u8) -> O,
) -> (OffsetBuffer<O>, ArrayRef) {
    let offsets = offsets(source, len, from);
    let count = offsets[len].as_usize();
    // A value more than is asked for.
    let values = array(source, data_type, count + 1);
    (offsets, values)
}

fn views<O: OffsetSizeTrait>(
    source: &mut Source<'_>,
    data_type: &DataType,
    len: usize,
    from: impl Fn(u8) -> O,
) -> (ScalarBuffer<O>, ScalarBuffer<O>, ArrayRef) {
    let starts: Vec<O> = (0..len).map(|_| from(source.pick(&[0, 3, 1, 2]))).collect();
    let sizes: Vec<O> = (0..len).map(|_| from(source.pick(&[1, 0, 2]))).collect();
    (starts.into(), sizes.into(), array(source, data_type, 5))
}

/// An array without nulls.
fn present(source: &mut Source<'_>, data_type: &DataType, len: usize) -> ArrayRef {
    match data_type {
        DataType::Utf8 => Arc::new((0..len).map(|_| Some(source.text())).collect::<StringArray>()),
        DataType::Int32 => {
            let values = (0..len).map(|_| i32::from_le_bytes(source.integer()));
            Arc::new(Int32Array::from_iter_values(values))
        }
        DataType::Date32 => {
            let values = (0..len).map(|_| i32::from_le_bytes(source.integer()));
            Arc::new(Date32Array::from_iter_values(values))
        }
        _ => {
            let values = (0..len).map(|_| f64::from_le_bytes(source.integer()));
            Arc::new(Float64Array::from_iter_values(values))
        }
    }
}

fn union(source: &mut Source<'_>, fields: &UnionFields, mode: UnionMode, len: usize) -> ArrayRef {
    let types: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
    let ids: Vec<i8> = (0..len).map(|_| source.pick(&types)).collect();
    let count = if mode == UnionMode::Dense { 3 } else { len };
    let offsets = (mode == UnionMode::Dense).then(|| (0..len).map(|_| source.pick(&[0_i32, 1, 2])).collect::<Vec<_>>());
    // Dense unions count up in each of their types.
    let offsets = offsets.map(|mut offsets| {
        for id in &types {
            let mut least = 0;
            for (offset, _) in offsets.iter_mut().zip(&ids).filter(|(_, of)| *of == id) {
                least = least.max(*offset);
                *offset = least;
            }
        }
        offsets.into()
    });
    let children = fields.iter().map(|(_, field)| array(source, field.data_type(), count)).collect();
    Arc::new(UnionArray::try_new(fields.clone(), ids.into(), offsets, children).expect("ids and offsets are in range"))
}
