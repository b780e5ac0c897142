//! What a resumed export has in common with the one that died: every setting that decides what is delivered.

use std::num::NonZeroU64;
use std::sync::Arc;

use chrono::{DateTime, TimeZone, Utc};
use consign::destination::{Commit, DestinationBuilder, ManifestFile};
use consign::export::ExportBuilder;
use consign::format::csv::datetime::{Locale, Pattern, Zone};
use consign::format::csv::text::{BinaryText, DecimalText, FloatText, IntervalText};
use consign::format::csv::{
    Blank, Bom, BooleanText, Charset, Comment, Delimiter, Dialect, DialectBuilder, EmptyText, Escape, EscapeSelf,
    Guard, Header, InnerQuotes, Mode, NestedText, NullText, Nulls, OnHazard, Quote, QuoteStyle, QuotedNull, Refused,
    Render, Terminator, Trim, Unmappable,
};
use consign::layer::compress::Compression;
use consign::layer::encrypt::{Encryption, Recipient};
use consign::location::{BucketName, FolderPath};
use consign::row::{Column, Columns, Dots};
use consign::store::{Journal, OnExists, Store};
use consign::template::{Context, Template, ValuePolicy};
use consign::{Destination, ErrorKind, Export, Result};

use super::{Lines, Removal};

fn destination(folder: &str, name: &str) -> DestinationBuilder {
    Destination::builder(
        BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse(folder).unwrap(),
        Template::parse(name).unwrap(),
    )
}

fn context() -> Context {
    Context::new(DateTime::UNIX_EPOCH)
}

/// An export as the tests vary it.
struct Case {
    store: Store,
    destination: DestinationBuilder,
    context: Context,
    columns: [&'static str; 2],
    run_id: &'static str,
}

fn case() -> Case {
    let destination = destination("out", "t").with_on_exists(OnExists::Fail);
    let store = Store::from_url("memory:///").unwrap();
    Case { store, destination, context: context(), columns: ["a", "b"], run_id: "run" }
}

fn builder(case: Case) -> ExportBuilder {
    let destination = case.destination.build().unwrap();
    Export::builder(&destination, &case.store, case.context).with_run_id(case.run_id).with_columns(case.columns)
}

async fn deliver(builder: ExportBuilder) -> Result<()> {
    let mut export = builder.start()?;
    export.write_record(["1", "2"]).await?;
    export.commit().await.map(drop)
}

/// The journal of an export that died right before it removed it.
async fn journal(case: Case) -> String {
    let last = Arc::new(Lines::new("", Removal::Never));
    deliver(builder(case).with_journal(Journal::kept_by(Arc::clone(&last) as _))).await.unwrap();
    last.text()
}

/// Goes on with an export by its journal, in a store that has nothing of it.
async fn resume(journal: &str, case: Case) -> Result<()> {
    let keep = Arc::new(Lines::new(journal, Removal::Never));
    deliver(builder(case).with_journal(Journal::kept_by(keep)).with_resume()).await
}

#[track_caller]
fn check(differs: &str, resumed: &Result<()>) {
    let text = format!(
        "the journal `kept by the caller` is of another export: expected what that one had, found another {differs}"
    );
    let error = resumed.as_ref().expect_err(differs);
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Resume, text));
}

fn receivers(order: [&str; 2]) -> Encryption {
    let recipients = order.map(|name| {
        let path = format!("{}/tests/data/keys/{name}.pub.asc", env!("CARGO_MANIFEST_DIR"));
        Recipient::parse(&std::fs::read(path).unwrap(), Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap()).unwrap()
    });
    Encryption::to(recipients.into_iter().flatten()).unwrap()
}

fn with_dialect(change: impl FnOnce(DialectBuilder) -> DialectBuilder) -> Case {
    let dialect = change(Dialect::builder()).build().unwrap();
    Case { destination: case().destination.with_dialect(dialect), ..case() }
}

fn with_render(change: impl FnOnce(Render) -> Render) -> Case {
    with_dialect(|dialect| dialect.with_render(change(Render::new())))
}

fn with_context(change: impl FnOnce(Context) -> Context) -> Case {
    Case { context: change(context()), ..case() }
}

fn with_destination(change: impl FnOnce(DestinationBuilder) -> DestinationBuilder) -> Case {
    Case { destination: change(case().destination), ..case() }
}

#[tokio::test]
async fn an_export_with_another_dialect_is_another_one() {
    let journal = journal(case()).await;
    resume(&journal, case()).await.unwrap();
    let (pattern, locale) = (|| Pattern::spark("yyyy").unwrap(), Locale::EN_US);
    let hour = || Pattern::spark("HH").unwrap();
    for (differs, case) in vec![
        ("delimiter", with_dialect(|d| d.with_delimiter(Delimiter::SEMICOLON))),
        ("quote", with_dialect(|d| d.with_quote(Quote::SINGLE))),
        ("escape", with_dialect(|d| d.with_escape(Escape::With('!')))),
        ("escapeSelf", with_dialect(|d| d.with_escape_self(EscapeSelf::With('!')))),
        ("quoteStyle", with_dialect(|d| d.with_quote_style(QuoteStyle::All))),
        ("innerQuotes", with_dialect(|d| d.with_inner_quotes(InnerQuotes::Leave))),
        ("null", with_dialect(|d| d.with_null(NullText::NOTHING))),
        ("nulls", with_dialect(|d| d.with_nulls(Nulls::AsText))),
        ("quotedNull", with_dialect(|d| d.with_quoted_null(QuotedNull::IsText))),
        ("empty", with_dialect(|d| d.with_empty(EmptyText::QUOTED))),
        ("blank", with_dialect(|d| d.with_blank(Blank::Bare))),
        ("trim", with_dialect(|d| d.with_trim(Trim::Both))),
        ("comment", with_dialect(|d| d.with_comment(Comment::HASH))),
        ("terminator", with_dialect(|d| d.with_terminator(Terminator::CRLF))),
        ("header", with_dialect(|d| d.with_header(Header::Omit))),
        ("charset", with_dialect(|d| d.with_charset(Charset::ISO_8859_1))),
        ("bom", with_dialect(|d| d.with_bom(Bom::Write))),
        ("unmappable", with_dialect(|d| d.with_unmappable(Unmappable::Replace))),
        ("guard", with_dialect(|d| d.with_guard(Guard::apostrophe()))),
        ("onHazard", with_dialect(|d| d.with_on_hazard(OnHazard::Refuse))),
        ("refused", with_dialect(|d| d.with_refused(Refused::Skip))),
        ("render.1", with_dialect(|d| d.with_column_render(1, Render::new()))),
        ("render", with_render(|r| r.with_floats(FloatText::Java))),
        ("render", with_render(|r| r.with_decimals(DecimalText::Java))),
        ("render", with_render(|r| r.with_booleans(BooleanText::new("yes", "no")))),
        ("render", with_render(|r| r.with_binary(BinaryText::Hex))),
        ("render", with_render(|r| r.with_nested(NestedText::Refuse))),
        ("render", with_render(|r| r.with_dates(pattern(), locale))),
        ("render", with_render(|r| r.with_times(hour(), locale))),
        ("render", with_render(|r| r.with_timestamps(pattern(), locale, Zone::UTC))),
        ("render", with_render(|r| r.with_local_timestamps(pattern(), locale))),
        ("render", with_render(|r| r.with_intervals(IntervalText::Spark))),
    ] {
        check(&format!("`destination.dialect.{differs}`"), &resume(&journal, case).await);
    }
    // What Spark's defects ask for fits no other mode.
    let exact = with_dialect(|d| d.with_mode(Mode::Exact).with_escape_self(EscapeSelf::Bare));
    check("`destination.dialect.escapeSelf`, `destination.dialect.mode`", &resume(&journal, exact).await);
}

#[tokio::test]
async fn an_export_of_another_destination_is_another_one() {
    let journal = journal(case()).await;
    let renamed = || Columns::select([Column::new("b"), Column::new("a").renamed("c")]).unwrap();
    let other = destination("out", "t").with_on_exists(OnExists::Fail);
    let bucket = {
        let bucket = BucketName::parse("acme-imports").unwrap();
        let other = Destination::builder(bucket, FolderPath::parse("out").unwrap(), Template::parse("t").unwrap());
        other.with_on_exists(OnExists::Fail)
    };
    let gzip = with_destination(|d| d.with_extension(".csv").with_compression(Compression::gzip()));
    let encrypted = with_destination(|d| d.with_extension(".csv").with_encryption(receivers(["receiver", "second"])));
    for (differs, case) in [
        ("bucket", Case { destination: bucket, ..case() }),
        ("folder", Case { destination: destination("in", "t").with_on_exists(OnExists::Fail), ..case() }),
        ("fileName", Case { destination: destination("out", "u").with_on_exists(OnExists::Fail), ..case() }),
        ("name", Case { destination: other.with_name("name"), ..case() }),
        ("columns", with_destination(|d| d.with_columns(renamed()))),
        ("columns", with_destination(|d| d.with_columns(Columns::all().with_dots(Dots::Underscore).unwrap()))),
        ("compression", gzip),
        ("encryption", encrypted),
        ("extension", with_destination(|d| d.with_extension(".txt"))),
        ("maxRows", with_destination(|d| d.with_max_rows(NonZeroU64::MIN))),
        ("manifest", with_destination(|d| d.with_manifest(ManifestFile::Omit))),
        ("commit", with_destination(|d| d.with_commit(Commit::PerFile))),
        ("onExists", with_destination(|d| d.with_on_exists(OnExists::Overwrite))),
    ] {
        check(&format!("`destination.{differs}`"), &resume(&journal, case).await);
    }
}

#[tokio::test]
async fn an_export_with_another_context_or_place_is_another_one() {
    let journal = journal(case()).await;
    for (differs, case) in [
        ("time", Case { context: Context::new(DateTime::from_timestamp(1, 0).unwrap()), ..case() }),
        ("valuePolicy", with_context(|c| c.with_value_policy(ValuePolicy::Refuse))),
        ("DESTINATION", with_context(|c| c.with_destination("1"))),
        ("DESTINATION_INSTANCE_ID", with_context(|c| c.with_destination_instance_id("1"))),
        ("DESTINATION_INSTANCE_NAME", with_context(|c| c.with_destination_instance_name("1"))),
        ("SEGMENT_ID", with_context(|c| c.with_audience_id("1"))),
        ("SEGMENT_NAME", with_context(|c| c.with_audience_name("1"))),
        ("ORGANIZATION_NAME", with_context(|c| c.with_organization_name("1"))),
        ("SANDBOX_NAME", with_context(|c| c.with_sandbox_name("1"))),
        ("MERGE_POLICY_ID", with_context(|c| c.with_merge_policy_id("1"))),
        ("MERGE_POLICY_NAME", with_context(|c| c.with_merge_policy_name("1"))),
        ("DATASET_ID", with_context(|c| c.with_dataset_id("1"))),
        ("DATASET_NAME", with_context(|c| c.with_dataset_name("1"))),
        ("CUSTOM_TEXT", with_context(|c| c.with_custom_text("1"))),
    ] {
        check(&format!("`context.{differs}`"), &resume(&journal, case).await);
    }
    let prefix = case().store.with_prefix("other").unwrap();
    let bucket = case().store.with_bucket("acme-exports");
    for (differs, case) in [
        ("runId", Case { run_id: "other", ..case() }),
        ("rowColumns", Case { columns: ["b", "a"], ..case() }),
        ("store", Case { store: prefix, ..case() }),
        ("store", Case { store: bucket, ..case() }),
    ] {
        check(&format!("`{differs}`"), &resume(&journal, case).await);
    }
    let all = with_context(|c| {
        let c = c.with_destination("1").with_audience_id("2").with_audience_name("3").with_custom_text("4");
        c.with_dataset_id("5").with_dataset_name("6").with_sandbox_name("7")
    });
    check(
        "`context.CUSTOM_TEXT`, `context.DATASET_ID`, `context.DATASET_NAME`, `context.DESTINATION`, \
         `context.SANDBOX_NAME` and 2 more",
        &resume(&journal, all).await,
    );
}

#[tokio::test]
async fn the_order_in_which_settings_were_given_is_none_of_them() {
    let given = |order: [&str; 2], turned: bool| {
        let dialect = Dialect::builder();
        let dialect = if turned {
            let dialect = dialect.with_column_render(2, Render::new()).with_column_render(1, Render::spark());
            dialect.with_guard(Guard::apostrophe().except(4).except(3)).with_quote_style(QuoteStyle::All)
        } else {
            let dialect = dialect.with_quote_style(QuoteStyle::All).with_guard(Guard::apostrophe().except(3).except(4));
            dialect.with_column_render(1, Render::spark()).with_column_render(2, Render::new())
        };
        let context = if turned {
            context().with_audience_name("name").with_audience_id("id")
        } else {
            context().with_audience_id("id").with_audience_name("name")
        };
        let dialect = dialect.build().unwrap();
        let destination = case().destination.with_encryption(receivers(order)).with_dialect(dialect);
        Case { destination, context, ..case() }
    };
    let journal = journal(given(["receiver", "second"], false)).await;
    resume(&journal, given(["second", "receiver"], true)).await.unwrap();
    check("`destination.encryption`", &resume(&journal, given(["receiver", "receiver"], false)).await);
}

/// Another version of this crate must not spell settings in another way: it could not go on with the exports of this one.
#[tokio::test]
async fn the_journal_begins_with_the_settings_as_it_always_did() {
    let journal = journal(case()).await;
    let (first, _) = journal.split_once('\n').unwrap();
    assert_eq!(first, include_str!("../../data/journal-head.json").trim_end());
}
