//! `dialect`: settings of a CSV dialect that the platform has no option for.

use serde::Deserialize;

use super::leaf::{Choice, Word};
use crate::format::csv::{Blank, Bom, DialectBuilder, Guard, Mode, Nulls, OnHazard, QuoteStyle, Refused, Unmappable};

/// The further options of this crate for CSV.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Further {
    blank: Option<Word<Blank>>,
    bom: Option<Word<Bom>>,
    formula_guard: Option<Word<FormulaGuard>>,
    mode: Option<Word<Mode>>,
    nulls: Option<Word<Nulls>>,
    on_hazard: Option<Word<OnHazard>>,
    quote_style: Option<Word<QuoteStyle>>,
    refused: Option<Word<Refused>>,
    unmappable: Option<Word<Unmappable>>,
}

impl Further {
    /// Changes a dialect by what is given.
    pub(super) fn apply(self, mut builder: DialectBuilder) -> DialectBuilder {
        if let Some(Word(blank)) = self.blank {
            builder = builder.with_blank(blank);
        }
        if let Some(Word(bom)) = self.bom {
            builder = builder.with_bom(bom);
        }
        if let Some(Word(guard)) = self.formula_guard {
            builder = builder.with_guard(match guard {
                FormulaGuard::Apostrophe => Guard::apostrophe(),
                FormulaGuard::Off => Guard::OFF,
            });
        }
        if let Some(Word(mode)) = self.mode {
            builder = builder.with_mode(mode);
        }
        if let Some(Word(nulls)) = self.nulls {
            builder = builder.with_nulls(nulls);
        }
        if let Some(Word(on_hazard)) = self.on_hazard {
            builder = builder.with_on_hazard(on_hazard);
        }
        if let Some(Word(style)) = self.quote_style {
            builder = builder.with_quote_style(style);
        }
        if let Some(Word(refused)) = self.refused {
            builder = builder.with_refused(refused);
        }
        if let Some(Word(unmappable)) = self.unmappable {
            builder = builder.with_unmappable(unmappable);
        }
        builder
    }
}

/// Whether texts that a spreadsheet would run get an apostrophe.
#[derive(Clone, Copy)]
enum FormulaGuard {
    Apostrophe,
    Off,
}

impl Choice for FormulaGuard {
    const ALL: &'static [(&'static str, Self)] = &[("off", Self::Off), ("apostrophe", Self::Apostrophe)];
}

impl Choice for Blank {
    const ALL: &'static [(&'static str, Self)] = &[("quoted", Self::Quoted), ("bare", Self::Bare)];
}

impl Choice for Bom {
    const ALL: &'static [(&'static str, Self)] = &[("omit", Self::Omit), ("write", Self::Write)];
}

impl Choice for Mode {
    const ALL: &'static [(&'static str, Self)] = &[("fixed", Self::Fixed), ("exact", Self::Exact)];
}

impl Choice for Nulls {
    const ALL: &'static [(&'static str, Self)] = &[("marked", Self::Marked), ("as-text", Self::AsText)];
}

impl Choice for OnHazard {
    const ALL: &'static [(&'static str, Self)] = &[("count", Self::Count), ("refuse", Self::Refuse)];
}

impl Choice for QuoteStyle {
    const ALL: &'static [(&'static str, Self)] = &[
        ("minimal", Self::Minimal),
        ("all", Self::All),
        ("all-but-null", Self::AllNonNull),
        ("non-numeric", Self::NonNumeric),
        ("strings", Self::Strings),
        ("never", Self::Never),
    ];
}

impl Choice for Refused {
    const ALL: &'static [(&'static str, Self)] =
        &[("fail", Self::Fail), ("reject", Self::Reject), ("skip", Self::Skip)];
}

impl Choice for Unmappable {
    const ALL: &'static [(&'static str, Self)] =
        &[("error", Self::Error), ("escape", Self::Escape), ("replace", Self::Replace)];
}
