//! Rows from Arrow: every type, in the default dialect and in Spark's.

mod blocks;
mod export;
mod law;
mod reference;
mod same;
mod table;

use std::sync::Arc;

use consign::ErrorKind;
use consign::arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
use consign::arrow_array::types::*;
use consign::arrow_array::*;
use consign::arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit, UnionFields};
use consign::format::csv::text::{BinaryText, FloatText};
use consign::format::csv::{Dialect, EncodeErrorKind, NullText, Quote, QuoteStyle, Refused, Render};
use consign::row::Value;

type I256 = <Decimal256Type as ArrowPrimitiveType>::Native;

fn field(name: &str, data_type: &DataType) -> Arc<Field> {
    Arc::new(Field::new(name, data_type.clone(), true))
}

fn column(array: &ArrayRef) -> RecordBatch {
    RecordBatch::try_new(Arc::new(Schema::new(vec![field("a", array.data_type())])), vec![Arc::clone(array)]).unwrap()
}

/// The lines of a column's fields.
#[track_caller]
fn lines(dialect: &Dialect, batch: &RecordBatch) -> Vec<String> {
    let mut out = Vec::new();
    assert_eq!(dialect.encoder().record_batch(batch, &mut out).unwrap(), []);
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// The default's bytes of a column, however it is sliced.
#[track_caller]
fn check(array: impl Array + 'static, expected: &[&str]) -> ArrayRef {
    let array: ArrayRef = Arc::new(array);
    let batch = column(&array);
    for start in 0..expected.len() {
        for end in start..=expected.len() {
            let slice = batch.slice(start, end - start);
            assert_eq!(lines(&Dialect::default(), &slice), expected[start..end], "{start}..{end}");
        }
    }
    array
}

/// The bytes of the default and of Spark, which writes null as nothing.
#[track_caller]
fn check_both(array: impl Array + 'static, default: &[&str], spark: &[&str]) {
    let array = check(array, default);
    let dialect = Dialect::spark().to_builder().with_null(NullText::new("null")).build().unwrap();
    assert_eq!(lines(&dialect, &column(&array)), spark);
}

/// What refuses a column of this type.
#[track_caller]
fn check_refused(dialect: &Dialect, data_type: &DataType, expected: &str) {
    let batch = column(&new_empty_array(data_type));
    let e = dialect.encoder().record_batch(&batch, &mut Vec::new()).unwrap_err();
    assert_eq!((e.row(), e.error().column(), e.to_string().as_str()), (0, 0, expected));
}

#[test]
fn integers_have_all_widths() {
    check(Int8Array::from(vec![Some(i8::MIN), None, Some(0), Some(i8::MAX)]), &["-128", "null", "0", "127"]);
    check(Int16Array::from(vec![i16::MIN, i16::MAX]), &["-32768", "32767"]);
    check(Int32Array::from(vec![i32::MIN, i32::MAX]), &["-2147483648", "2147483647"]);
    check(Int64Array::from(vec![i64::MIN, i64::MAX]), &["-9223372036854775808", "9223372036854775807"]);
    check(UInt8Array::from(vec![0, u8::MAX]), &["0", "255"]);
    check(UInt16Array::from(vec![u16::MAX]), &["65535"]);
    check(UInt32Array::from(vec![u32::MAX]), &["4294967295"]);
    check(UInt64Array::from(vec![Some(u64::MAX), None]), &["18446744073709551615", "null"]);
}

#[test]
fn floats_are_the_shortest_or_javas() {
    let floats = vec![Some(0.1), None, Some(1e7), Some(-0.0), Some(f32::NAN), Some(f32::INFINITY)];
    let default = ["0.1", "null", "10000000.0", "-0.0", "NaN", "Infinity"];
    let spark = ["0.1", "null", "1.0E7", "-0.0", "NaN", "Infinity"];
    check_both(Float32Array::from(floats), &default, &spark);
    check_both(
        Float64Array::from(vec![Some(2e23), None, Some(1e-4)]),
        &["2e23", "null", "0.0001"],
        &["1.9999999999999998E23", "null", "1.0E-4"],
    );
    let half = <Float16Type as ArrowPrimitiveType>::Native::from_f32;
    let halves = [0.1, 65_504.0, 6e-8, f32::NAN, f32::NEG_INFINITY].map(half).to_vec();
    check_both(
        Float16Array::from(halves),
        &["0.1", "65500.0", "6e-8", "NaN", "-Infinity"],
        &["0.1", "65500.0", "6.0E-8", "NaN", "-Infinity"],
    );
}

/// All of them: the text reads back as the same half, and no shorter one does.
#[test]
fn halves_have_their_own_shortest_text() {
    type Half = <Float16Type as ArrowPrimitiveType>::Native;
    let halves: Vec<Half> = (0..=u16::MAX).map(Half::from_bits).collect();
    let texts = lines(&Dialect::default(), &column(&(Arc::new(Float16Array::from(halves.clone())) as ArrayRef)));
    for (half, text) in halves.iter().zip(texts) {
        if half.is_nan() {
            assert_eq!(text, "NaN");
            continue;
        }
        let value: f64 = text.replace("Infinity", "inf").parse().unwrap();
        assert_eq!(Half::from_f64(value), *half, "{text}");
        let digits = text.split('e').next().unwrap().replace(['-', '.'], "");
        let digits = digits.trim_matches('0').len();
        if half.is_finite() && digits > 1 {
            let shorter = format!("{:.*e}", digits - 2, half.to_f64());
            assert_ne!(Half::from_f64(shorter.parse().unwrap()), *half, "{text} or {shorter}");
        }
    }
}

#[test]
fn decimals_have_32_to_256_bits() {
    let decimals = Decimal32Array::from(vec![Some(-12_345), None, Some(0)]).with_precision_and_scale(9, 2).unwrap();
    check_both(decimals, &["-123.45", "null", "0.00"], &["-123.45", "null", "0.00"]);
    let decimals = Decimal64Array::from(vec![1]).with_precision_and_scale(18, 9).unwrap();
    check_both(decimals, &["0.000000001"], &["1E-9"]);
    let decimals = Decimal128Array::from(vec![i128::MAX, -12]).with_precision_and_scale(38, -2).unwrap();
    let large = "17014118346046923173168730371588410572700";
    check_both(decimals, &[large, "-1200"], &["1.70141183460469231731687303715884105727E+40", "-1.2E+3"]);

    let wide = I256::from_i128(i128::MAX) * I256::from_i128(2);
    let decimals = Decimal256Array::from(vec![Some(wide), None, Some(I256::from_i128(-5))]);
    let decimals = decimals.with_precision_and_scale(76, 1).unwrap();
    let text = "34028236692093846346337460743176821145.4";
    check_both(decimals, &[text, "null", "-0.5"], &[text, "null", "-0.5"]);
    let least = Decimal256Array::from(vec![I256::MIN, I256::MAX]);
    let digits = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
    check(least.with_precision_and_scale(76, 0).unwrap(), &[&format!("-{}8", &digits[..76]), digits]);
}

#[test]
fn dates_reach_beyond_chrono() {
    check_both(
        Date32Array::from(vec![Some(19_724), None, Some(-719_529), Some(i32::MAX), Some(i32::MIN)]),
        &["2024-01-02", "null", "-0001-12-31", "+5881580-07-11", "-5877641-06-23"],
        &["2024-01-02", "null", "-0001-12-31", "+5881580-07-11", "-5877641-06-23"],
    );
    check(Date64Array::from(vec![Some(0), None, Some(-86_400_000)]), &["1970-01-01", "null", "1969-12-31"]);
}

#[test]
fn dates_and_times_that_are_none_are_refused() {
    #[track_caller]
    fn refused(array: impl Array + 'static, expected: &str) {
        let batch = column(&(Arc::new(array) as ArrayRef));
        let mut out = b"before".to_vec();
        let e = Dialect::default().encoder().record_batch(&batch, &mut out).unwrap_err();
        assert_eq!((e.row(), e.error().column(), e.error().kind()), (1, 0, EncodeErrorKind::NoText));
        assert_eq!(e.to_string(), expected);
        assert_eq!(out, b"before");

        let skips = Dialect::builder().with_refused(Refused::Skip).build().unwrap();
        let mut encoder = skips.encoder();
        assert_eq!(encoder.record_batch(&batch, &mut out).unwrap(), []);
        assert_eq!((encoder.counts().written(), encoder.counts().skipped()), (1, 1));

        let rejects = Dialect::builder().with_refused(Refused::Reject).build().unwrap();
        let rejected = rejects.encoder().record_batch(&batch, &mut out).unwrap();
        assert_eq!(rejected, [e]);
    }
    refused(Date64Array::from(vec![0, 1]), "the date 1970-01-01 is 1 ms past midnight: expected whole days");
    refused(
        Date64Array::from(vec![0, i64::MIN]),
        "the date -292275055-05-16 is too far from 1970-01-01: expected at most 2147483647 days",
    );
    refused(
        Date64Array::from(vec![0, 86_400_000 * 100_000_000_000]),
        "the date +273792670-09-13 is too far from 1970-01-01: expected at most 2147483647 days",
    );
    let text = |length| format!("the time of day is {length} after midnight: expected less than 24 hours");
    refused(Time32SecondArray::from(vec![0, 86_400]), &text("PT24H"));
    refused(Time32MillisecondArray::from(vec![0, -1]), &text("PT-0.001S"));
    refused(Time64MicrosecondArray::from(vec![0, i64::MAX]), &text("PT2562047788H54.775807S"));
    refused(Time64NanosecondArray::from(vec![0, i64::MIN]), &text("PT-2562047H-47M-16.854775808S"));
}

#[test]
fn times_of_day_have_all_units() {
    check(Time32SecondArray::from(vec![Some(0), None, Some(86_399)]), &["00:00:00.000000", "null", "23:59:59.000000"]);
    check(Time32MillisecondArray::from(vec![86_399_999]), &["23:59:59.999000"]);
    check(Time64MicrosecondArray::from(vec![11_045_000_060]), &["03:04:05.000060"]);
    check(Time64NanosecondArray::from(vec![11_045_000_060_999]), &["03:04:05.000060"]);
}

#[test]
fn timestamps_have_all_units_with_and_without_a_zone() {
    check_both(
        TimestampSecondArray::from(vec![Some(1_704_164_645), None, Some(i64::MIN)]),
        &["2024-01-02T03:04:05.000000", "null", "-292277022657-01-27T08:29:52.000000"],
        &["2024-01-02T03:04:05.000", "null", "-292277022657-01-27T08:29:52.000"],
    );
    check(TimestampMillisecondArray::from(vec![-1]), &["1969-12-31T23:59:59.999000"]);
    check(TimestampMicrosecondArray::from(vec![i64::MAX]), &["+294247-01-10T04:00:54.775807"]);
    check(TimestampNanosecondArray::from(vec![i64::MIN]), &["1677-09-21T00:12:43.145224"]);

    // The zone of the column says that these are instants; the dialect says by which clock they are shown.
    let instants = TimestampMicrosecondArray::from(vec![Some(1_704_164_645_123_456), None]);
    check_both(
        instants.with_timezone("America/Los_Angeles"),
        &["2024-01-02T03:04:05.123456Z", "null"],
        &["2024-01-02T03:04:05.123Z", "null"],
    );
    check(TimestampSecondArray::from(vec![0]).with_timezone("+05:30"), &["1970-01-01T00:00:00.000000Z"]);
    check(TimestampMillisecondArray::from(vec![1]).with_timezone("no zone"), &["1970-01-01T00:00:00.001000Z"]);
    check(TimestampNanosecondArray::from(vec![1_999]).with_timezone("UTC"), &["1970-01-01T00:00:00.000001Z"]);
}

#[test]
fn lengths_of_time_have_all_units() {
    check_both(
        DurationSecondArray::from(vec![Some(93_784), None, Some(i64::MIN)]),
        &["PT26H3M4S", "null", "PT-2562047788015215H-30M-8S"],
        &["INTERVAL '1 02:03:04' DAY TO SECOND", "null", "INTERVAL '-106751991167300 15:30:08' DAY TO SECOND"],
    );
    check(DurationMillisecondArray::from(vec![-1_500]), &["PT-1.5S"]);
    check_both(
        DurationMicrosecondArray::from(vec![0, 1]),
        &["PT0S", "PT0.000001S"],
        &["INTERVAL '0 00:00:00' DAY TO SECOND", "INTERVAL '0 00:00:00.000001' DAY TO SECOND"],
    );
    check(DurationNanosecondArray::from(vec![1]), &["PT0.000000001S"]);
}

#[test]
fn intervals_are_months_or_more() {
    check_both(
        IntervalYearMonthArray::from(vec![Some(14), None, Some(-1)]),
        &["P1Y2M", "null", "P-1M"],
        &["INTERVAL '1-2' YEAR TO MONTH", "null", "INTERVAL '-0-1' YEAR TO MONTH"],
    );
    check(
        IntervalDayTimeArray::from(vec![Some(IntervalDayTime::new(-2, 1_500)), None, Some(IntervalDayTime::MIN)]),
        &["P-2DT1.5S", "null", "P-2147483648DT-596H-31M-23.648S"],
    );
    check(
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, -2, 3), IntervalMonthDayNano::ZERO]),
        &["P1M-2DT0.000000003S", "PT0S"],
    );
    for unit in [IntervalUnit::DayTime, IntervalUnit::MonthDayNano] {
        let text = format!(
            "the column's type is Interval({unit:?}), which the dialect refuses: expected months, a length of time, \
             or intervals as ISO 8601"
        );
        check_refused(&Dialect::spark(), &DataType::Interval(unit), &text);
    }
}

#[test]
fn booleans_and_nulls_are_words() {
    check(BooleanArray::from(vec![Some(true), None, Some(false)]), &["true", "null", "false"]);
    check(NullArray::new(2), &["null", "null"]);
}

#[test]
fn bytes_are_base64_or_hexadecimal() {
    let bytes: Vec<Option<&[u8]>> = vec![Some(b"\x00\xffa"), None, Some(b"")];
    check(BinaryArray::from(bytes.clone()), &["AP9h", "null", "\"\""]);
    check(LargeBinaryArray::from(bytes.clone()), &["AP9h", "null", "\"\""]);
    check(
        BinaryViewArray::from(vec![&b"longer than twelve bytes"[..], b"a"]),
        &["bG9uZ2VyIHRoYW4gdHdlbHZlIGJ5dGVz", "YQ=="],
    );
    let fixed = FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some([1, 2]), None].into_iter(), 2).unwrap();
    let array = check(fixed, &["AQI=", "null"]);

    let hex = Dialect::builder().with_column_render(0, Render::new().with_binary(BinaryText::Hex)).build().unwrap();
    assert_eq!(lines(&hex, &column(&array)), ["0102", "null"]);
}

#[test]
fn texts_are_quoted_by_need() {
    let texts = vec![Some("a"), None, Some("b,c"), Some(""), Some("null"), Some("more than twelve \"bytes\"")];
    let expected = ["a", "null", "\"b,c\"", "", "\"null\"", "\"more than twelve \\\"bytes\\\"\""];
    // A record of nothing is a pair of quotes.
    let expected = expected.map(|field| if field.is_empty() { "\"\"" } else { field });
    check(StringArray::from(texts.clone()), &expected);
    check(LargeStringArray::from(texts.clone()), &expected);
    check(StringViewArray::from(texts), &expected);
}

#[test]
fn dictionaries_have_keys_of_all_types() {
    fn keyed<K: ArrowDictionaryKeyType>(key: impl Fn(u8) -> K::Native) {
        let values = Arc::new(StringArray::from(vec![Some("a,b"), None, Some("c")]));
        let keys = PrimitiveArray::<K>::from_iter([Some(key(2)), None, Some(key(1)), Some(key(0)), Some(key(2))]);
        let dictionary = DictionaryArray::<K>::try_new(keys, values).unwrap();
        check(dictionary, &["c", "null", "null", "\"a,b\"", "c"]);
    }
    keyed::<Int8Type>(u8::cast_signed);
    keyed::<Int16Type>(i16::from);
    keyed::<Int32Type>(i32::from);
    keyed::<Int64Type>(i64::from);
    keyed::<UInt8Type>(|n| n);
    keyed::<UInt16Type>(u16::from);
    keyed::<UInt32Type>(u32::from);
    keyed::<UInt64Type>(u64::from);

    let nothing = Arc::new(StringArray::from(Vec::<&str>::new()));
    check(DictionaryArray::<Int8Type>::try_new(Int8Array::from(vec![None, None]), nothing).unwrap(), &["null", "null"]);
}

#[test]
fn runs_have_ends_of_all_types() {
    let values = Float64Array::from(vec![Some(1.0), None, Some(2.5)]);
    let expected = ["1.0", "1.0", "null", "2.5", "2.5", "2.5"];
    check(RunArray::<Int16Type>::try_new(&Int16Array::from(vec![2, 3, 6]), &values).unwrap(), &expected);
    check(RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2, 3, 6]), &values).unwrap(), &expected);
    check(RunArray::<Int64Type>::try_new(&Int64Array::from(vec![2, 3, 6]), &values).unwrap(), &expected);
}

#[test]
fn lists_are_json() {
    let lists = || vec![Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(-2), Some(3)])];
    let expected = ["\"[1,null]\"", "null", "[]", "\"[-2,3]\""];
    check(ListArray::from_iter_primitive::<Int32Type, _, _>(lists()), &expected);
    check(LargeListArray::from_iter_primitive::<Int32Type, _, _>(lists()), &expected);
    check(ListViewArray::from_iter_primitive::<Int32Type, _, _>(lists()), &expected);
    check(LargeListViewArray::from_iter_primitive::<Int32Type, _, _>(lists()), &expected);
    let pairs = vec![Some(vec![Some(1), None]), None, Some(vec![Some(-2), Some(3)])];
    let pairs = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(pairs, 2);
    check(pairs, &["\"[1,null]\"", "null", "\"[-2,3]\""]);
}

#[test]
fn maps_and_structs_are_json() {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    builder.keys().append_value("say \"hi\"");
    builder.values().append_value(1);
    builder.keys().append_value("b");
    builder.values().append_null();
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    builder.append(true).unwrap();
    check(builder.finish(), &[r#""{\"say \\\"hi\\\"\":1,\"b\":null}""#, "null", "{}"]);

    let mut builder = MapBuilder::new(None, Int32Builder::new(), Int32Builder::new());
    builder.keys().append_value(-7);
    builder.values().append_value(1);
    builder.append(true).unwrap();
    check(builder.finish(), &[r#""{\"-7\":1}""#]);

    let (text, float): (ArrayRef, ArrayRef) = (
        Arc::new(StringArray::from(vec![Some("x\n"), None, Some("y")])),
        Arc::new(Float64Array::from(vec![1.5, f64::NAN, 2e23])),
    );
    let fields = Fields::from(vec![field("t", &DataType::Utf8), field("f", &DataType::Float64)]);
    let structs = StructArray::new(fields, vec![text, float], Some(vec![true, true, false].into()));
    check(structs, &[r#""{\"t\":\"x\\n\",\"f\":1.5}""#, r#""{\"t\":null,\"f\":\"NaN\"}""#, "null"]);
}

/// What every plain type is within JSON.
#[test]
fn json_has_texts_for_what_it_lacks() {
    #[track_caller]
    fn check_json(array: impl Array + 'static, expected: &str) {
        let fields = Fields::from(vec![field("a", array.data_type())]);
        let row = StructArray::new(fields, vec![Arc::new(array)], None);
        let batch = column(&(Arc::new(row) as ArrayRef));
        let bare = Dialect::builder().with_quote(Quote::OFF).with_delimiter("\t".parse().unwrap()).build().unwrap();
        assert_eq!(lines(&bare, &batch), [format!("{{\"a\":{expected}}}")]);
    }
    check_json(BooleanArray::from(vec![false]), "false");
    check_json(UInt64Array::from(vec![u64::MAX]), "18446744073709551615");
    check_json(Float32Array::from(vec![0.1]), "0.1");
    check_json(Float32Array::from(vec![f32::NEG_INFINITY]), "\"-Infinity\"");
    check_json(Float64Array::from(vec![f64::INFINITY]), "\"Infinity\"");
    check_json(Decimal32Array::from(vec![-5]).with_precision_and_scale(9, 2).unwrap(), "-0.05");
    check_json(Decimal64Array::from(vec![123]).with_precision_and_scale(9, 2).unwrap(), "1.23");
    check_json(Decimal128Array::from(vec![12]).with_precision_and_scale(9, -2).unwrap(), "1200");
    check_json(Decimal128Array::from(vec![0]).with_precision_and_scale(9, -2).unwrap(), "0");
    let wide = Decimal256Array::from(vec![I256::MIN]).with_precision_and_scale(76, 76).unwrap();
    check_json(wide, "-5.7896044618658097711785492504343953926634992332820282019728792003956564819968");
    check_json(Date32Array::from(vec![i32::MAX]), "\"+5881580-07-11\"");
    check_json(Date64Array::from(vec![-86_400_000]), "\"1969-12-31\"");
    check_json(Time32SecondArray::from(vec![3_661]), "\"01:01:01\"");
    check_json(Time64NanosecondArray::from(vec![1]), "\"00:00:00.000000001\"");
    check_json(TimestampMicrosecondArray::from(vec![-1]), "\"1969-12-31T23:59:59.999999\"");
    check_json(TimestampSecondArray::from(vec![i64::MIN]), "\"-292277022657-01-27T08:29:52\"");
    check_json(TimestampSecondArray::from(vec![0]).with_timezone("UTC"), "\"1970-01-01T00:00:00Z\"");
    check_json(DurationMillisecondArray::from(vec![1]), "\"PT0.001S\"");
    check_json(IntervalYearMonthArray::from(vec![14]), "\"P1Y2M\"");
    check_json(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3)]), "\"P1M2DT0.000000003S\"");
    check_json(BinaryArray::from(vec![&b"\x00\xff"[..]]), "\"AP8=\"");
    check_json(StringViewArray::from(vec!["\u{1}\u{e9}\""]), "\"\\u0001\u{e9}\\\"\"");
    check_json(NullArray::new(1), "null");
    let runs = RunArray::<Int16Type>::try_new(&Int16Array::from(vec![1]), &Int8Array::from(vec![1])).unwrap();
    check_json(runs, "1");
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
    check_json(list, "[1]");
}

#[test]
fn unions_are_what_stands_in_them() {
    let fields: UnionFields =
        [(3, field("i", &DataType::Int32)), (7, field("t", &DataType::Utf8))].into_iter().collect();
    let ids = vec![7, 3, 3, 7];
    let texts = Arc::new(StringArray::from(vec![Some("a,b"), None]));
    let numbers = Arc::new(Int32Array::from(vec![Some(1), None]));
    let dense =
        UnionArray::try_new(fields.clone(), ids.clone().into(), Some(vec![0, 0, 1, 1].into()), vec![numbers, texts]);
    check(dense.unwrap(), &["\"a,b\"", "1", "null", "null"]);

    let texts = Arc::new(StringArray::from(vec![Some("a,b"), None, None, None]));
    let numbers = Arc::new(Int32Array::from(vec![None, Some(1), None, Some(2)]));
    let sparse = UnionArray::try_new(fields, ids.into(), None, vec![numbers, texts]);
    check(sparse.unwrap(), &["\"a,b\"", "1", "null", "null"]);
}

#[test]
fn what_no_cell_can_hold_is_refused_by_its_type() {
    let list = DataType::new_list(DataType::Utf8, true);
    let nested = |data_type: &DataType| {
        format!("the column's type is {data_type}, which the dialect refuses: expected a type that is not nested")
    };
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(list.clone()));
    check_refused(&Dialect::spark(), &list, &nested(&list));
    check_refused(&Dialect::spark(), &dictionary, &nested(&dictionary));
    let quiet = Dialect::spark().to_builder().with_refused(Refused::Skip).build().unwrap();
    check_refused(&quiet, &list, &nested(&list));

    let entries = Fields::from(vec![Field::new("keys", list.clone(), false), Field::new("values", list, true)]);
    let map = DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false);
    let text = format!("JSON has no text for the column's type {map}: expected keys that are not nested");
    check_refused(&Dialect::default(), &map, &text);

    let deep = (0..65).fold(DataType::Int8, |inner, _| DataType::new_list(inner, true));
    let text = "the column's type is nested more than 64 deep: expected a flatter type";
    check_refused(&Dialect::default(), &deep, text);

    let time = Schema::new(vec![
        Field::new("a", DataType::Int8, true),
        Field::new("b", DataType::Time32(TimeUnit::Nanosecond), true),
    ]);
    let e = Dialect::default().check_schema(&time).unwrap_err();
    assert_eq!(e.column(), 1);
    assert_eq!(e.to_string(), "Arrow has no arrays of the column's type Time32(ns): expected another unit");
}

#[test]
fn a_column_may_be_spelled_its_own_way() {
    let dialect = Dialect::builder()
        .with_quote_style(QuoteStyle::NonNumeric)
        .with_column_render(1, Render::new().with_floats(FloatText::Java))
        .build()
        .unwrap();
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1e7]));
    let names: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let wide: ArrayRef = Arc::new(Decimal256Array::from(vec![I256::MAX]).with_precision_and_scale(76, 0).unwrap());
    let batch = RecordBatch::try_from_iter([("a", Arc::clone(&floats)), ("b", floats), ("c", names), ("d", wide)]);
    let digits = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
    assert_eq!(lines(&dialect, &batch.unwrap()), [format!("10000000.0,1.0E7,\"x\",{digits}")]);
}

#[test]
fn a_batch_of_nothing_is_no_bytes() {
    let mut out = Vec::new();
    let empty = RecordBatch::new_empty(Arc::new(Schema::new(vec![field("a", &DataType::Utf8)])));
    assert_eq!(Dialect::default().encoder().record_batch(&empty, &mut out).unwrap(), []);
    assert_eq!(out, b"");

    // Rows without columns are records without fields.
    let options = RecordBatchOptions::new().with_row_count(Some(2));
    let rows = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    let mut expected = Vec::new();
    let mut encoder = Dialect::default().encoder();
    for _ in 0..2 {
        let _written = encoder.record([], &mut expected).unwrap();
    }
    let mut encoder = Dialect::default().encoder();
    assert_eq!(encoder.record_batch(&rows, &mut out).unwrap(), []);
    assert_eq!((out, encoder.counts().written()), (expected, 2));
}

#[test]
fn a_row_that_fails_is_named_and_takes_its_batch_with_it() {
    let never = Dialect::builder().with_quote_style(QuoteStyle::Never);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b,c", "d"]));
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let batch = RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap();
    let text = "the text holds the delimiter `,`, and the dialect never quotes: expected a text without it";

    let mut out = b"before".to_vec();
    let e = never.clone().build().unwrap().encoder().record_batch(&batch, &mut out).unwrap_err();
    assert_eq!((e.row(), e.error().column(), e.to_string().as_str()), (1, 1, text));
    assert_eq!(out, b"before");
    let e = consign::Error::from(e);
    assert_eq!(e.kind(), ErrorKind::Row);
    assert_eq!(format!("{e:#}"), format!("could not write row 2 of a batch, field 2: {text}"));

    out.clear();
    let mut encoder = never.with_refused(Refused::Reject).build().unwrap().encoder();
    let rejected = encoder.record_batch(&batch, &mut out).unwrap();
    assert_eq!(out, b"1,a\n3,d\n");
    assert_eq!(rejected.iter().map(|e| (e.row(), e.to_string())).collect::<Vec<_>>(), [(1, text.to_owned())]);
    assert_eq!((encoder.counts().written(), encoder.counts().rejected()), (2, 1));
}

#[test]
fn values_of_rows_and_of_arrow_come_out_alike() {
    let batch = column(&(Arc::new(Int64Array::from(vec![Some(5), None])) as ArrayRef));
    let mut out = Vec::new();
    let mut encoder = Dialect::default().encoder();
    assert_eq!(encoder.record_batch(&batch, &mut out).unwrap(), []);
    for value in [Value::Integer(5), Value::Null] {
        let _written = encoder.record([value], &mut out).unwrap();
    }
    assert_eq!(out, b"5\nnull\n5\nnull\n");
}
