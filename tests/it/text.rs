//! Floats, decimals, binary values and lengths of time as text.

use consign::format::csv::text::{BinaryText, DecimalText, FloatText, IntervalText};
use proptest::prelude::*;

fn f64_text(style: FloatText, value: f64) -> String {
    let mut out = b"before ".to_vec();
    style.append_f64(value, &mut out);
    String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
}

fn f32_text(style: FloatText, value: f32) -> String {
    let mut out = b"before ".to_vec();
    style.append_f32(value, &mut out);
    String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
}

fn decimal(style: DecimalText, unscaled: i128, scale: i8) -> String {
    let mut out = Vec::new();
    style.append(unscaled, scale, &mut out);
    String::from_utf8(out).unwrap()
}

fn binary(style: BinaryText, bytes: &[u8]) -> String {
    let mut out = b"before ".to_vec();
    style.append(bytes, &mut out);
    String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
}

#[track_caller]
fn check_f64(value: f64, shortest: &str, java: &str) {
    assert_eq!(f64_text(FloatText::Shortest, value), shortest);
    assert_eq!(f64_text(FloatText::Java, value), java);
}

#[track_caller]
fn check_f32(value: f32, shortest: &str, java: &str) {
    assert_eq!(f32_text(FloatText::Shortest, value), shortest);
    assert_eq!(f32_text(FloatText::Java, value), java);
}

#[track_caller]
fn check_decimal(unscaled: i128, scale: i8, plain: &str, java: &str) {
    assert_eq!(decimal(DecimalText::Plain, unscaled, scale), plain);
    assert_eq!(decimal(DecimalText::Java, unscaled, scale), java);
}

#[test]
fn the_public_types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<BinaryText>();
    check::<DecimalText>();
    check::<FloatText>();
    check::<IntervalText>();
}

#[test]
fn floats_have_a_point_or_an_exponent() {
    check_f64(0.0, "0.0", "0.0");
    check_f64(-0.0, "-0.0", "-0.0");
    check_f64(100.0, "100.0", "100.0");
    check_f64(-1.5, "-1.5", "-1.5");
    check_f64(0.001, "0.001", "0.001");
    check_f64(0.000_999, "0.000999", "9.99E-4");
    check_f64(9_999_999.0, "9999999.0", "9999999.0");
    check_f64(1e7, "10000000.0", "1.0E7");
    check_f64(1e16, "1e16", "1.0E16");
    check_f64(1e-6, "1e-6", "1.0E-6");
    check_f64(f64::MAX, "1.7976931348623157e308", "1.7976931348623157E308");
    check_f64(f64::NAN, "NaN", "NaN");
    check_f64(f64::INFINITY, "Infinity", "Infinity");
    check_f64(f64::NEG_INFINITY, "-Infinity", "-Infinity");
    check_f32(16_777_216.0, "16777216.0", "1.6777216E7");
    check_f32(0.1, "0.1", "0.1");
    check_f32(f32::MAX, "3.4028235e38", "3.4028235E38");
    check_f32(f32::NAN, "NaN", "NaN");
    check_f32(f32::NEG_INFINITY, "-Infinity", "-Infinity");
}

/// The texts that JDK-4511638 is about: more digits than are needed, or not the nearest of the shortest.
#[test]
fn java_17_prints_more_digits_than_are_needed() {
    check_f64(2e23, "2e23", "1.9999999999999998E23");
    check_f64(f64::from_bits(1), "5e-324", "4.9E-324");
    check_f64(2.0e-3, "0.002", "0.002");
    check_f64(1.0e23, "1e23", "9.999999999999999E22");
    check_f64(8.41e21, "8.41e21", "8.409999999999999E21");
    check_f64(2_f64.powi(63), "9.223372036854776e18", "9.223372036854776E18");
    check_f32(1.0e10, "10000000000.0", "1.0E10");
    check_f32(f32::from_bits(1), "1e-45", "1.4E-45");
}

/// Answers of `Double.toString` and `Float.toString` of Java 17: hexadecimal bits, then the text.
#[test]
fn floats_agree_with_java_17() {
    let mut count = 0;
    for line in include_str!("../data/java_floats.txt").lines() {
        let (bits, expected) = line.split_once(' ').unwrap();
        let text = if bits.len() == 16 {
            f64_text(FloatText::Java, f64::from_bits(u64::from_str_radix(bits, 16).unwrap()))
        } else {
            f32_text(FloatText::Java, f32::from_bits(u32::from_str_radix(bits, 16).unwrap()))
        };
        assert_eq!(text, expected, "{bits}");
        count += 1;
    }
    assert_eq!(count, 2000);
}

#[test]
fn decimals_keep_their_scale() {
    check_decimal(0, 0, "0", "0");
    check_decimal(0, 3, "0.000", "0.000");
    check_decimal(0, 6, "0.000000", "0.000000");
    check_decimal(0, 7, "0.0000000", "0E-7");
    check_decimal(0, -2, "0", "0E+2");
    check_decimal(5, 1, "0.5", "0.5");
    check_decimal(-5, 1, "-0.5", "-0.5");
    check_decimal(12_345, 2, "123.45", "123.45");
    check_decimal(12_345, 5, "0.12345", "0.12345");
    check_decimal(123, 8, "0.00000123", "0.00000123");
    check_decimal(123, 9, "0.000000123", "1.23E-7");
    check_decimal(-10, 8, "-0.00000010", "-1.0E-7");
    check_decimal(7, -1, "70", "7E+1");
    check_decimal(-123, -4, "-1230000", "-1.23E+6");
    check_decimal(
        i128::MIN,
        38,
        "-1.70141183460469231731687303715884105728",
        "-1.70141183460469231731687303715884105728",
    );
    check_decimal(10_i128.pow(19), 0, "10000000000000000000", "10000000000000000000");
    check_decimal(10_i128.pow(38) + 1, 0, &format!("1{}1", "0".repeat(37)), &format!("1{}1", "0".repeat(37)));
}

#[test]
fn binary_is_base64_or_hexadecimal() {
    for (bytes, base64, hex) in [
        ("", "", ""),
        ("f", "Zg==", "66"),
        ("fo", "Zm8=", "666f"),
        ("foo", "Zm9v", "666f6f"),
        ("foob", "Zm9vYg==", "666f6f62"),
    ] {
        assert_eq!(binary(BinaryText::Base64, bytes.as_bytes()), base64);
        assert_eq!(binary(BinaryText::Hex, bytes.as_bytes()), hex);
    }
    assert_eq!(binary(BinaryText::Base64, &[0xfb, 0xff, 0xfe]), "+//+");
    assert_eq!(binary(BinaryText::Hex, &[0, 0xff, 0x0a]), "00ff0a");
}

/// What the crate `csv` writes, which spells infinities otherwise.
fn by_the_csv_crate(value: f64) -> String {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.serialize(value).unwrap();
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    text.trim_end().replace("inf", "Infinity")
}

proptest! {
    #[test]
    fn floats_read_back_as_they_were(bits in any::<u64>(), narrow in any::<u32>()) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        for style in [FloatText::Shortest, FloatText::Java] {
            prop_assert_eq!(f64_text(style, value).parse::<f64>().unwrap().to_bits(), bits);
        }
        prop_assert_eq!(f64_text(FloatText::Shortest, value), by_the_csv_crate(value));
        let value = f32::from_bits(narrow);
        prop_assume!(!value.is_nan());
        for style in [FloatText::Shortest, FloatText::Java] {
            prop_assert_eq!(f32_text(style, value).parse::<f32>().unwrap().to_bits(), narrow);
        }
    }

    #[test]
    fn prices_read_back_as_they_were(cents in any::<i32>(), exponent in -6..6) {
        let value = f64::from(cents) * 10_f64.powi(exponent);
        for style in [FloatText::Shortest, FloatText::Java] {
            prop_assert_eq!(f64_text(style, value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
        prop_assert_eq!(f64_text(FloatText::Shortest, value), by_the_csv_crate(value));
    }

    #[test]
    fn both_decimals_mean_the_same_number(unscaled in any::<i128>(), shift in 0_u32..127, scale in -128_i8..=127) {
        let unscaled = unscaled >> shift;
        let plain = decimal(DecimalText::Plain, unscaled, scale);
        let java = decimal(DecimalText::Java, unscaled, scale);
        prop_assert!(!plain.contains('E'));
        prop_assert_eq!(normal(&plain), normal(&java));
        prop_assert_eq!(normal(&plain), normal(&format!("{unscaled}E{}", -i32::from(scale))));
    }

    #[test]
    fn integers_are_those_of_the_standard_library(n in any::<i128>(), shift in 0_u32..127) {
        let n = n >> shift;
        prop_assert_eq!(decimal(DecimalText::Plain, n, 0), n.to_string());
    }
}

/// A decimal's sign, digits without zeros around them, and the power of ten of the last of these.
fn normal(text: &str) -> (bool, String, i32) {
    let (number, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let moved = i32::try_from(digits.len() - kept.len()).unwrap() - i32::try_from(fraction.len()).unwrap();
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() {
        return (false, String::new(), 0);
    }
    (negative, kept.to_owned(), exponent.parse::<i32>().unwrap() + moved)
}

/// The 32 bytes of an integer.
fn wide(n: i128) -> [u8; 32] {
    let mut bytes = [if n < 0 { 0xFF } else { 0 }; 32];
    bytes[..16].copy_from_slice(&n.to_le_bytes());
    bytes
}

fn decimal_256(style: DecimalText, unscaled: &[u8; 32], scale: i8) -> String {
    let mut out = Vec::new();
    style.append_256(unscaled, scale, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn decimals_of_256_bits_have_up_to_77_digits() {
    #[track_caller]
    fn check(unscaled: [u8; 32], scale: i8, expected: &str) {
        assert_eq!(decimal_256(DecimalText::Plain, &unscaled, scale), expected);
    }
    let mut most = [0xFF; 32];
    most[31] = 0x7F;
    let mut least = [0; 32];
    least[31] = 0x80;
    let mut limb = [0; 32];
    limb[16] = 1;
    check(most, 0, "57896044618658097711785492504343953926634992332820282019728792003956564819967");
    check(least, 0, "-57896044618658097711785492504343953926634992332820282019728792003956564819968");
    check(limb, 0, "340282366920938463463374607431768211456");
    check(limb, 38, "3.40282366920938463463374607431768211456");
    check(limb, -2, "34028236692093846346337460743176821145600");
    assert_eq!(decimal_256(DecimalText::Java, &limb, -2), "3.40282366920938463463374607431768211456E+40");
    check([0; 32], 2, "0.00");
}

proptest! {
    #[test]
    fn decimals_are_spelled_alike_in_128_and_256_bits(unscaled: i128, scale: i8) {
        for style in [DecimalText::Plain, DecimalText::Java] {
            prop_assert_eq!(decimal_256(style, &wide(unscaled), scale), decimal(style, unscaled, scale));
        }
    }
}

#[track_caller]
fn check_duration(nanoseconds: i128, iso: &str, spark: &str) {
    for (style, expected) in [(IntervalText::Iso8601, iso), (IntervalText::Spark, spark)] {
        let mut out = Vec::new();
        style.append_duration(nanoseconds, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

/// Spark's texts are those of `IntervalUtils.toDayTimeIntervalString`.
#[test]
fn lengths_of_time_are_exact() {
    check_duration(0, "PT0S", "INTERVAL '0 00:00:00' DAY TO SECOND");
    check_duration(1, "PT0.000000001S", "INTERVAL '0 00:00:00.000000001' DAY TO SECOND");
    check_duration(-1_500_000_000, "PT-1.5S", "INTERVAL '-0 00:00:01.5' DAY TO SECOND");
    check_duration(-500_000_000, "PT-0.5S", "INTERVAL '-0 00:00:00.5' DAY TO SECOND");
    check_duration(60_000_000_000, "PT1M", "INTERVAL '0 00:01:00' DAY TO SECOND");
    check_duration(-90_061_000_000_000, "PT-25H-1M-1S", "INTERVAL '-1 01:01:01' DAY TO SECOND");
    check_duration(10_000_000_000, "PT10S", "INTERVAL '0 00:00:10' DAY TO SECOND");
    let least = i128::from(i64::MIN) * 1_000;
    check_duration(least, "PT-2562047788H-54.775808S", "INTERVAL '-106751991 04:00:54.775808000' DAY TO SECOND");
    check_duration(
        i128::from(i64::MAX) * 1_000_000_000,
        "PT2562047788015215H30M7S",
        "INTERVAL '106751991167300 15:30:07' DAY TO SECOND",
    );
}

#[test]
fn months_are_years_and_months() {
    #[track_caller]
    fn check(months: i32, iso: &str, spark: &str) {
        for (style, expected) in [(IntervalText::Iso8601, iso), (IntervalText::Spark, spark)] {
            let mut out = Vec::new();
            style.append_months(months, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
    check(0, "PT0S", "INTERVAL '0-0' YEAR TO MONTH");
    check(14, "P1Y2M", "INTERVAL '1-2' YEAR TO MONTH");
    check(-1, "P-1M", "INTERVAL '-0-1' YEAR TO MONTH");
    check(i32::MIN, "P-178956970Y-8M", "INTERVAL '-178956970-8' YEAR TO MONTH");
}
