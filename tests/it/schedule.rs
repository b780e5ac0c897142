//! Schedules: the words, the rules between them, and the runs.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Timelike, Utc};
use consign::destination::schedule::{
    Contents, Due, ExportMode, Frequency, Run, Schedule, ScheduleBuilder, ScheduleError, ScheduleErrorKind, StartTime,
    Trigger, parse_date,
};
use proptest::prelude::*;

use ExportMode::{Full, Incremental};

fn date(text: &str) -> NaiveDate {
    parse_date(text).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn plan(mode: ExportMode, frequency: Frequency, start: &str, hour: &str) -> ScheduleBuilder {
    Schedule::builder(mode, frequency, date(start)).with_start_time(StartTime::parse(hour).unwrap())
}

#[track_caller]
fn check_due(schedule: Schedule, window: (&str, &str), expected: &[&str]) {
    let due: Vec<String> =
        schedule.due(at(window.0), at(window.1)).map(|run| run.at().format("%Y-%m-%dT%H:%M:%SZ").to_string()).collect();
    assert_eq!(due, expected);
}

#[track_caller]
fn check_error<T: std::fmt::Debug>(result: Result<T, ScheduleError>, kind: ScheduleErrorKind, text: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, text));
}

#[test]
fn plans_are_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Schedule>();
    check::<Due>();
    check::<Run>();
    check::<ScheduleError>();
}

#[test]
fn names_are_the_platforms() {
    for mode in ExportMode::ALL {
        assert_eq!(ExportMode::parse(mode.as_str()), Ok(mode));
    }
    for frequency in Frequency::ALL {
        assert_eq!(Frequency::parse(frequency.as_str()), Ok(frequency));
    }
    for trigger in Trigger::ALL {
        assert_eq!(Trigger::parse(trigger.as_str()), Ok(trigger));
    }
    check_error(
        Frequency::parse("CHAINED"),
        ScheduleErrorKind::Frequency,
        "unknown frequency `CHAINED`: expected `ONCE`, `DAILY`, `WEEKLY`, `MONTHLY`, `EVERY_3_HOURS`, `EVERY_6_HOURS`, \
         `EVERY_8_HOURS`, `EVERY_9_HOURS` or `EVERY_12_HOURS`\nCHAINED\n^^^^^^^",
    );
    check_error(
        ExportMode::parse("full"),
        ScheduleErrorKind::Mode,
        "unknown export mode `full`: expected `DAILY_FULL_EXPORT` or `FIRST_FULL_THEN_INCREMENTAL`\nfull\n^^^^",
    );
    check_error(
        Trigger::parse(""),
        ScheduleErrorKind::Trigger,
        "unknown trigger type ``: expected `SCHEDULED` or `AFTER_SEGMENT_EVAL`\n\n^",
    );
}

#[test]
fn start_times_are_full_hours() {
    for hour in 0..24 {
        let text = format!("{hour:02}:00");
        let time = StartTime::parse(&text).unwrap();
        assert_eq!((time.hour(), time.to_string()), (hour, text));
    }
    let kind = ScheduleErrorKind::StartTime;
    check_error(StartTime::parse("07:30"), kind, "invalid start time `07:30`: the minutes must be `00`\n07:30\n   ^^");
    check_error(
        StartTime::parse("24:00"),
        kind,
        "invalid start time `24:00`: the hour must be from `00` to `23`\n24:00\n^^",
    );
    for text in ["", "7:00", "07:00:00", "0a:00", "07-00", "é7:00", "+7:00"] {
        let error = StartTime::parse(text).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid start time `{text}`: expected `HH:00`, 24 hours, UTC"));
        assert_eq!(error.span().map(consign::Span::range), Some(0..text.len()));
    }
}

#[test]
fn dates_have_ten_characters() {
    assert_eq!(parse_date("2024-02-29"), Ok(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()));
    let kind = ScheduleErrorKind::Date;
    check_error(
        parse_date("2100-02-29"),
        kind,
        "invalid date `2100-02-29`: the calendar has no such day\n2100-02-29\n^^^^^^^^^^",
    );
    for text in ["", "2024-2-29", "24-02-29", "2024/02/29", "+024-02-29", "2024-02-29 ", "２024-02-9"] {
        let error = parse_date(text).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid date `{text}`: expected `YYYY-MM-DD`"));
    }
}

#[test]
fn modes_allow_their_frequencies() {
    use Frequency::{Daily, Every3Hours, Every6Hours, Every8Hours, Every9Hours, Every12Hours, Monthly, Once, Weekly};
    for (mode, audience, dataset) in [
        (Full, &[Once, Daily, Weekly, Monthly][..], &[Once][..]),
        (
            Incremental,
            &[Daily, Every3Hours, Every6Hours, Every8Hours, Every12Hours],
            &[Daily, Every3Hours, Every6Hours, Every8Hours, Every9Hours, Every12Hours],
        ),
    ] {
        for frequency in Frequency::ALL {
            let of_audience = Schedule::builder(mode, frequency, date("2024-01-04")).build();
            assert_eq!(of_audience.is_ok(), audience.contains(&frequency), "{mode} {frequency}");
            let of_dataset = Schedule::for_dataset(mode, frequency, at("2024-01-04T10:11:12Z"), None);
            assert_eq!(of_dataset.is_ok(), dataset.contains(&frequency), "{mode} {frequency}");
        }
    }
    check_error(
        plan(Full, Every3Hours, "2024-01-04", "00:00").build(),
        ScheduleErrorKind::Frequency,
        "frequency `EVERY_3_HOURS` is not for `DAILY_FULL_EXPORT` of an audience: expected `ONCE`, `DAILY`, `WEEKLY` \
         or `MONTHLY`",
    );
    check_error(
        Schedule::for_dataset(Full, Daily, at("2024-01-04T00:00:00Z"), None),
        ScheduleErrorKind::Frequency,
        "frequency `DAILY` is not for `DAILY_FULL_EXPORT` of a dataset: expected `ONCE`",
    );
}

#[test]
fn rules_between_settings() {
    let daily = plan(Full, Frequency::Daily, "2024-01-04", "10:00");
    check_error(
        daily.with_end_date(date("2024-01-04")).build(),
        ScheduleErrorKind::End,
        "end date `2024-01-04` does not lie after start date `2024-01-04`: the end date is exclusive",
    );
    check_error(
        plan(Full, Frequency::Once, "2024-01-04", "10:00").with_end_date(date("2024-01-05")).build(),
        ScheduleErrorKind::End,
        "end date `2024-01-05` is not for `DAILY_FULL_EXPORT` with frequency `ONCE`",
    );
    check_error(
        daily.with_trigger(Trigger::AfterEvaluation).build(),
        ScheduleErrorKind::StartTime,
        "start time `10:00` is not for trigger type `AFTER_SEGMENT_EVAL`",
    );
    for (mode, frequency) in
        [(Full, Frequency::Weekly), (Full, Frequency::Monthly), (Incremental, Frequency::Every6Hours)]
    {
        check_error(
            Schedule::builder(mode, frequency, date("2024-01-04")).with_trigger(Trigger::AfterEvaluation).build(),
            ScheduleErrorKind::Trigger,
            &format!(
                "trigger type `AFTER_SEGMENT_EVAL` is not for `{mode}` with frequency `{frequency}`: expected \
                 `DAILY_FULL_EXPORT` with `ONCE` or `DAILY`"
            ),
        );
    }
    check_error(
        Schedule::for_dataset(
            Incremental,
            Frequency::Daily,
            at("2024-01-04T00:00:00Z"),
            Some(at("2024-01-04T00:00:00Z")),
        ),
        ScheduleErrorKind::End,
        "end `2024-01-04T00:00:00Z` does not lie after start `2024-01-04T00:00:00Z`: the end is exclusive",
    );
    assert!(daily.with_activation(at("2024-01-04T09:00:00Z")).build().is_ok());
    check_error(
        daily.with_activation(at("2024-01-04T09:00:01Z")).build(),
        ScheduleErrorKind::Activation,
        "first run `2024-01-04T10:00:00Z` comes less than 1 hour after the activation `2024-01-04T09:00:01Z`: it would \
         not be picked up",
    );
    let after = Schedule::builder(Full, Frequency::Daily, date("2024-01-04")).with_trigger(Trigger::AfterEvaluation);
    assert!(after.with_activation(at("2024-01-04T09:00:01Z")).build().is_ok(), "the rule is about fixed times");
}

#[test]
fn errors_become_the_crates() {
    let error = consign::Error::from(Frequency::parse("HOURLY").unwrap_err());
    assert_eq!(error.kind(), consign::ErrorKind::Destination);
    assert_eq!(error.to_string(), "the schedule is wrong");
    assert!(format!("{error:#}").starts_with("the schedule is wrong: unknown frequency `HOURLY`: expected `ONCE`, "));
}

#[test]
fn the_end_date_is_exclusive() {
    let schedule =
        plan(Full, Frequency::Daily, "2024-01-04", "23:00").with_end_date(date("2024-01-11")).build().unwrap();
    check_due(
        schedule,
        ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"),
        &[
            "2024-01-04T23:00:00Z",
            "2024-01-05T23:00:00Z",
            "2024-01-06T23:00:00Z",
            "2024-01-07T23:00:00Z",
            "2024-01-08T23:00:00Z",
            "2024-01-09T23:00:00Z",
            "2024-01-10T23:00:00Z",
        ],
    );
    assert_eq!(schedule.end(), Some(at("2024-01-11T00:00:00Z")));
    assert_eq!(schedule.next_after(at("2024-01-10T22:59:59Z")).map(|run| run.number()), Some(7));
    assert_eq!(schedule.next_after(at("2024-01-10T23:00:00Z")), None);
}

#[test]
fn windows_hold_their_start_and_not_their_end() {
    let schedule = plan(Incremental, Frequency::Every12Hours, "2024-02-28", "06:00").build().unwrap();
    check_due(
        schedule,
        ("2024-02-28T18:00:00Z", "2024-03-01T06:00:00Z"),
        &["2024-02-28T18:00:00Z", "2024-02-29T06:00:00Z", "2024-02-29T18:00:00Z"],
    );
    check_due(
        schedule,
        ("2024-02-28T18:00:00.000000001Z", "2024-02-29T06:00:00.000000001Z"),
        &["2024-02-29T06:00:00Z"],
    );
    check_due(schedule, ("2024-03-01T00:00:00Z", "2024-02-01T00:00:00Z"), &[]);
    check_due(schedule, ("2024-02-28T06:00:00Z", "2024-02-28T06:00:00Z"), &[]);
}

#[test]
fn once_runs_once() {
    let schedule = plan(Full, Frequency::Once, "2024-02-29", "05:00").build().unwrap();
    check_due(schedule, ("1970-01-01T00:00:00Z", "2970-01-01T00:00:00Z"), &["2024-02-29T05:00:00Z"]);
    check_due(schedule, ("2024-02-29T05:00:00.5Z", "2970-01-01T00:00:00Z"), &[]);
    assert_eq!(schedule.next_after(at("2024-02-29T05:00:00Z")), None);
}

#[test]
fn weekly_keeps_the_weekday() {
    let schedule = plan(Full, Frequency::Weekly, "2023-12-28", "00:00").build().unwrap();
    check_due(
        schedule,
        ("2024-02-20T00:00:00Z", "2024-03-10T00:00:00Z"),
        &["2024-02-22T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-07T00:00:00Z"],
    );
}

#[test]
fn monthly_takes_the_last_day_of_a_short_month() {
    let schedule = plan(Full, Frequency::Monthly, "2023-12-31", "01:00").build().unwrap();
    check_due(
        schedule,
        ("2024-01-31T01:00:00.1Z", "2024-07-01T00:00:00Z"),
        &[
            "2024-02-29T01:00:00Z",
            "2024-03-31T01:00:00Z",
            "2024-04-30T01:00:00Z",
            "2024-05-31T01:00:00Z",
            "2024-06-30T01:00:00Z",
        ],
    );
    let leap = plan(Full, Frequency::Monthly, "2096-01-29", "00:00").build().unwrap();
    check_due(leap, ("2096-02-01T00:00:00Z", "2096-03-01T00:00:00Z"), &["2096-02-29T00:00:00Z"]);
    check_due(leap, ("2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z"), &["2100-02-28T00:00:00Z"]);
}

#[test]
fn incremental_begins_with_everything() {
    let schedule = plan(Incremental, Frequency::Every8Hours, "2024-02-29", "16:00").build().unwrap();
    let runs: Vec<(u64, Contents)> = schedule
        .due(at("2024-02-29T00:00:00Z"), at("2024-03-01T09:00:00Z"))
        .map(|run| (run.number(), run.contents()))
        .collect();
    assert_eq!(
        runs,
        [
            (1, Contents::Full),
            (2, Contents::Changes { since: at("2024-02-29T16:00:00Z") }),
            (3, Contents::Changes { since: at("2024-03-01T00:00:00Z") }),
        ]
    );
}

#[test]
fn datasets_start_at_any_second_and_end_after_six_months() {
    let start = at("2023-08-31T10:11:12.9Z");
    let schedule = Schedule::for_dataset(Incremental, Frequency::Every9Hours, start, None).unwrap();
    assert_eq!(schedule.start(), at("2023-08-31T10:11:12Z"));
    assert_eq!(schedule.end(), Some(at("2024-02-29T10:11:12Z")));
    check_due(
        schedule,
        ("2023-08-31T00:00:00Z", "2023-09-01T10:00:00Z"),
        &["2023-08-31T10:11:12Z", "2023-08-31T19:11:12Z", "2023-09-01T04:11:12Z"],
    );
    check_due(schedule, ("2024-02-29T02:00:00Z", "2024-03-10T00:00:00Z"), &["2024-02-29T07:11:12Z"]);
    assert_eq!(Schedule::for_dataset(Full, Frequency::Once, start, None).unwrap().end(), None);
}

#[test]
fn after_evaluation_runs_when_an_evaluation_has_finished() {
    let builder = Schedule::builder(Full, Frequency::Daily, date("2024-01-04")).with_trigger(Trigger::AfterEvaluation);
    let schedule = builder.with_end_date(date("2024-01-06")).build().unwrap();
    let run = |schedule: Schedule, finished| {
        schedule.run_after_evaluation(at(finished)).map(|run| (run.at() == at(finished), run.number()))
    };
    assert_eq!(run(schedule, "2024-01-03T23:59:59Z"), None);
    assert_eq!(run(schedule, "2024-01-04T02:03:04Z"), Some((true, 1)));
    assert_eq!(run(schedule, "2024-01-05T23:59:59Z"), Some((true, 2)));
    assert_eq!(run(schedule, "2024-01-06T00:00:00Z"), None);
    check_due(schedule, ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"), &[]);

    let once = Schedule::builder(Full, Frequency::Once, date("2024-01-04")).with_trigger(Trigger::AfterEvaluation);
    let once = once.build().unwrap();
    assert_eq!(run(once, "2024-01-04T02:03:04Z"), Some((true, 1)));
    assert_eq!(run(once, "2024-01-05T02:03:04Z"), None);

    let fixed = plan(Full, Frequency::Daily, "2024-01-04", "02:00").build().unwrap();
    assert_eq!(run(fixed, "2024-01-04T02:00:00Z"), None);
}

#[test]
fn the_end_of_the_calendar_ends_the_runs() {
    for frequency in [Frequency::Weekly, Frequency::Monthly] {
        let schedule = Schedule::builder(Full, frequency, NaiveDate::MAX).build().unwrap();
        assert_eq!(schedule.due(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).count(), 1);
        assert_eq!(schedule.next_after(DateTime::<Utc>::MAX_UTC), None);
    }
    let first = Schedule::builder(Full, Frequency::Monthly, NaiveDate::MIN).build().unwrap();
    let last = first.due(DateTime::<Utc>::MAX_UTC - TimeDelta::days(40), DateTime::<Utc>::MAX_UTC).last().unwrap();
    assert_eq!((last.at().year(), last.at().month(), last.at().day()), (262_142, 12, 1));
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    prop_oneof![of_audience(), of_dataset()]
}

/// Instants from 1999 to 2040, with odd seconds and nanoseconds.
fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    (915_148_800_i64..2_200_000_000, 0_u32..1_000_000_000).prop_map(|(s, ns)| DateTime::from_timestamp(s, ns).unwrap())
}

fn of_dataset() -> impl Strategy<Value = Schedule> {
    let kinds: Vec<(ExportMode, Frequency)> = ExportMode::ALL
        .into_iter()
        .flat_map(|mode| Frequency::ALL.map(|frequency| (mode, frequency)))
        .filter(|&(mode, frequency)| Schedule::for_dataset(mode, frequency, at("2024-01-01T00:00:00Z"), None).is_ok())
        .collect();
    (proptest::sample::select(kinds), any_instant(), proptest::option::of(1_i64..40_000_000)).prop_map(
        |((mode, frequency), start, seconds)| {
            let end = seconds.map(|seconds| start + TimeDelta::seconds(seconds));
            Schedule::for_dataset(mode, frequency, start, end).unwrap()
        },
    )
}

fn of_audience() -> impl Strategy<Value = Schedule> {
    let kinds: Vec<(ExportMode, Frequency)> = ExportMode::ALL
        .into_iter()
        .flat_map(|mode| Frequency::ALL.map(|frequency| (mode, frequency)))
        .filter(|&(mode, frequency)| Schedule::builder(mode, frequency, date("2024-01-01")).build().is_ok())
        .collect();
    (proptest::sample::select(kinds), 0_u64..15_000, 0_u8..24, proptest::option::of(1_u64..400)).prop_map(
        |((mode, frequency), day, hour, days)| {
            let start = date("1999-01-01") + Days::new(day);
            let time = StartTime::parse(&format!("{hour:02}:00")).unwrap();
            let builder = Schedule::builder(mode, frequency, start).with_start_time(time);
            match days {
                Some(days) if (mode, frequency) != (Full, Frequency::Once) => {
                    builder.with_end_date(start + Days::new(days)).build().unwrap()
                }
                _ => builder.build().unwrap(),
            }
        },
    )
}

/// Three instants in order around the schedule, with odd nanoseconds.
fn any_window() -> impl Strategy<Value = [TimeDelta; 3]> {
    proptest::array::uniform3((-40_000_000_i64..40_000_000, prop_oneof![Just(0_i64), 0_i64..1_000_000_000])).prop_map(
        |mut times| {
            times.sort_unstable();
            times.map(|(s, ns)| TimeDelta::seconds(s / 3600 * 3600) + TimeDelta::nanoseconds(ns))
        },
    )
}

/// The runs by the slowest way: one after another from the start.
fn slow(schedule: &Schedule, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let start = schedule.start();
    let mut runs = Vec::new();
    for n in 0.. {
        let next = match (schedule.frequency(), schedule.frequency().hours()) {
            (Frequency::Once, _) if n > 0 => break,
            (Frequency::Once, _) => start,
            (Frequency::Monthly, _) => {
                let month = start.date_naive().with_day(1).unwrap() + Months::new(n);
                let days = (month + Months::new(1) - Days::new(1)).day();
                let day = month.with_day(start.day().min(days)).unwrap();
                day.and_time(start.time()).and_utc()
            }
            (Frequency::Weekly, _) => start + TimeDelta::days(7 * i64::from(n)),
            (_, Some(hours)) => start + TimeDelta::hours(i64::from(hours) * i64::from(n)),
            (_, None) => start + TimeDelta::days(i64::from(n)),
        };
        if next >= to || schedule.end().is_some_and(|end| next >= end) {
            break;
        }
        runs.push(next);
    }
    runs
}

proptest! {
    #[test]
    fn due_runs_are_those_of_the_slow_way(schedule in any_schedule(), window in any_window()) {
        let [from, _, to] = window.map(|delta| schedule.start() + delta);
        let due: Vec<_> = schedule.due(from, to).map(|run| run.at()).collect();
        let mut expected = slow(&schedule, to);
        expected.retain(|&run| run >= from);
        prop_assert_eq!(due, expected);
    }

    #[test]
    fn runs_rise_and_lie_in_the_window(schedule in any_schedule(), window in any_window()) {
        let [from, _, to] = window.map(|delta| schedule.start() + delta);
        let runs: Vec<Run> = schedule.due(from, to).collect();
        for run in &runs {
            prop_assert!(from <= run.at() && run.at() < to);
            prop_assert!(schedule.start() <= run.at() && schedule.end().is_none_or(|end| run.at() < end));
            let start = schedule.start();
            prop_assert_eq!((run.at().minute(), run.at().second()), (start.minute(), start.second()));
            prop_assert_eq!(run.at().nanosecond(), 0);
        }
        for pair in runs.windows(2) {
            prop_assert!(pair[0].at() < pair[1].at());
            prop_assert_eq!(pair[0].number() + 1, pair[1].number());
            prop_assert_eq!(schedule.next_after(pair[0].at()), Some(pair[1]));
            if schedule.mode() == Incremental {
                prop_assert_eq!(pair[1].contents(), Contents::Changes { since: pair[0].at() });
            }
        }
    }

    #[test]
    fn split_windows_give_each_run_once(schedule in any_schedule(), window in any_window()) {
        let [from, middle, to] = window.map(|delta| schedule.start() + delta);
        let parts: Vec<Run> = schedule.due(from, middle).chain(schedule.due(middle, to)).collect();
        prop_assert_eq!(parts, schedule.due(from, to).collect::<Vec<Run>>());
    }

    #[test]
    fn monthly_runs_keep_their_day_or_take_the_last(day in 0_u64..15_000, n in 0_usize..600) {
        let start = date("1999-01-01") + Days::new(day);
        let schedule = Schedule::builder(Full, Frequency::Monthly, start).build().unwrap();
        let run = schedule.due(schedule.start(), DateTime::<Utc>::MAX_UTC).nth(n).unwrap().at();
        let is_last_day = (run + Days::new(1)).day() == 1;
        prop_assert!(run.day() == start.day() || (run.day() < start.day() && is_last_day));
    }

    #[test]
    fn datasets_without_an_end_end_after_six_months(start in any_instant()) {
        let schedule = Schedule::for_dataset(Incremental, Frequency::Every9Hours, start, None).unwrap();
        let month = start.date_naive().with_day(1).unwrap() + Months::new(6);
        let days = (month + Months::new(1) - Days::new(1)).day();
        let day = month.with_day(start.day().min(days)).unwrap();
        let end = day.and_time(start.time().with_nanosecond(0).unwrap()).and_utc();
        prop_assert_eq!(schedule.end(), Some(end));
        let last = schedule.due(start, DateTime::<Utc>::MAX_UTC).last().unwrap().at();
        prop_assert!(last < end && end <= last + TimeDelta::hours(9));
    }

    #[test]
    fn words_never_panic(text in ".{0,12}") {
        let _ = (parse_date(&text), StartTime::parse(&text), Frequency::parse(&text));
    }
}
