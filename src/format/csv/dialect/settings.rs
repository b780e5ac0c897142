//! The settings of a dialect by their names, by which an export that goes on is known to be the same one. The spelling is
//! of its own: it stays when a type gets another name.

use serde_json::{Value as Json, json};

use super::Settings;
use crate::format::csv::text::{BinaryText, DecimalText, FloatText, IntervalText};
use crate::format::csv::token::{Empty, EscapeSelf};
use crate::format::csv::{
    Blank, Bom, BooleanText, Dialect, Escape, Header, InnerQuotes, Mode, NestedText, Nulls, OnHazard, QuoteStyle,
    QuotedNull, Refused, Render, Trim, Unmappable,
};

/// The name of a variant.
macro_rules! name {
    ($value:expr, $($variant:path: $name:literal),+) => {
        match $value { $($variant => $name),+ }
    };
}

impl Dialect {
    /// Every setting. A value holds no JSON object, whose order would depend on how `serde_json` was built.
    pub(crate) fn settings(&self) -> Vec<(String, Json)> {
        let Settings {
            mode,
            delimiter,
            quote,
            escape,
            escape_self,
            style,
            inner_quotes,
            null,
            nulls,
            quoted_null,
            empty,
            blank,
            trim,
            comment,
            terminator,
            header,
            charset,
            bom,
            unmappable,
            guard,
            render,
            column_renders,
            on_hazard,
            refused,
        } = &self.0.settings;
        let escape = match escape {
            Escape::Doubled => json!("doubled"),
            Escape::With(c) => json!([c]),
        };
        let escape_self = match escape_self {
            EscapeSelf::Auto => json!("auto"),
            EscapeSelf::Bare => json!("bare"),
            EscapeSelf::With(c) => json!([c]),
        };
        let empty = match &empty.0 {
            Empty::Quoted => json!("quoted"),
            Empty::Text(text) => json!([text]),
        };
        let style = name!(style, QuoteStyle::All: "all", QuoteStyle::AllNonNull: "allNonNull",
            QuoteStyle::Minimal: "minimal", QuoteStyle::Never: "never", QuoteStyle::NonNumeric: "nonNumeric",
            QuoteStyle::Strings: "strings");
        let trim = name!(trim, Trim::Both: "both", Trim::Leading: "leading", Trim::None: "none",
            Trim::Trailing: "trailing");
        let unmappable = name!(unmappable, Unmappable::Error: "error", Unmappable::Escape: "escape",
            Unmappable::Replace: "replace");
        let own = [
            ("mode", json!(name!(mode, Mode::Exact: "exact", Mode::Fixed: "fixed"))),
            ("delimiter", json!(delimiter.as_str())),
            ("quote", json!(quote.as_char())),
            ("escape", escape),
            ("escapeSelf", escape_self),
            ("quoteStyle", json!(style)),
            ("innerQuotes", json!(name!(inner_quotes, InnerQuotes::Enclose: "enclose", InnerQuotes::Leave: "leave"))),
            ("null", json!(null.as_str())),
            ("nulls", json!(name!(nulls, Nulls::AsText: "asText", Nulls::Marked: "marked"))),
            ("quotedNull", json!(name!(quoted_null, QuotedNull::IsNull: "isNull", QuotedNull::IsText: "isText"))),
            ("empty", empty),
            ("blank", json!(name!(blank, Blank::Bare: "bare", Blank::Quoted: "quoted"))),
            ("trim", json!(trim)),
            ("comment", json!(comment.as_char())),
            ("terminator", json!(terminator.as_str())),
            ("header", json!(name!(header, Header::Omit: "omit", Header::Write: "write"))),
            ("charset", json!(charset.name())),
            ("bom", json!(name!(bom, Bom::Omit: "omit", Bom::Write: "write"))),
            ("unmappable", json!(unmappable)),
            ("guard", json!([guard.as_char(), guard.excepted()])),
            ("onHazard", json!(name!(on_hazard, OnHazard::Count: "count", OnHazard::Refuse: "refuse"))),
            ("refused", json!(name!(refused, Refused::Fail: "fail", Refused::Reject: "reject", Refused::Skip: "skip"))),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let renders = std::iter::once(("render".to_owned(), render))
            .chain(column_renders.iter().map(|(column, render)| (format!("render.{column}"), render)));
        own.chain(renders.map(|(name, render)| (name, spelled(render)))).collect()
    }
}

fn spelled(render: &Render) -> Json {
    let Render { floats, decimals, booleans, binary, nested, dates, times, timestamps, local_timestamps, intervals } =
        render;
    let BooleanText { yes, no } = booleans;
    let binary = name!(binary, BinaryText::Base64: "base64", BinaryText::EscapedHex: "escapedHex",
        BinaryText::Hex: "hex", BinaryText::PrefixedHex: "prefixedHex");
    json!([
        name!(floats, FloatText::Java: "java", FloatText::Shortest: "shortest"),
        name!(decimals, DecimalText::Java: "java", DecimalText::Plain: "plain"),
        [yes, no],
        binary,
        name!(nested, NestedText::Json: "json", NestedText::Refuse: "refuse"),
        [dates.0.as_str(), dates.1.as_str()],
        [times.0.as_str(), times.1.as_str()],
        [timestamps.0.as_str(), timestamps.1.as_str(), timestamps.2.as_str()],
        [local_timestamps.0.as_str(), local_timestamps.1.as_str()],
        name!(intervals, IntervalText::Iso8601: "iso8601", IntervalText::Spark: "spark"),
    ])
}
