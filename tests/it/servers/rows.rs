//! The faults of the table, and what is promised for each.

use consign::destination::Commit;
use consign::store::OnExists;

use super::fault::{Fault, Rule, Step};
use super::proxy::Cut;

use Fault::{Answer, Instead, Lose, Refuse, Reset, Stall, Truncate};
use Promise::{Delivered, DeliveredButOneOpen, NoManifest, NoManifestAndTold, Nothing, NothingButOpen};

/// Rows of the large file: those of one request, of two parts, of three.
const ONE_REQUEST: u64 = 1;
const TWO_PARTS: u64 = 9 * 64;
const THREE_PARTS: u64 = 17 * 64;

const LARGE: &str = "/t.csv";
const SMALL: &str = "/t_2.csv";
const MANIFEST: &str = "/manifest-run.json";

/// What must hold, whatever the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Promise {
    /// The fault is overcome.
    Delivered,
    /// As before, but an upload whose id never arrived may stay open.
    DeliveredButOneOpen,
    /// The export fails; files may stand there, but no manifest says so, and no upload is open.
    NoManifest,
    /// As before, and the error names every file that stands there.
    NoManifestAndTold,
    /// The export fails, and nothing can be seen of it, and no upload is open.
    Nothing,
    /// As before, but the upload that could not be aborted is open.
    NothingButOpen,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) place: &'static str,
    pub(super) fault: &'static str,
    pub(super) promise: Promise,
    pub(super) means: Means,
    /// How many rows the large file has.
    pub(super) rows: u64,
    pub(super) on_exists: OnExists,
    pub(super) commit: Commit,
}

/// How a fault is brought about.
#[derive(Clone, Debug)]
pub(super) enum Means {
    /// Between the connections: a proxy cuts the first request of this kind.
    Network(Step, Cut),
    /// In front of them.
    Requests(Vec<Rule>),
}

const EVER: usize = usize::MAX;

impl Row {
    /// Whether the export goes on trying for as long as its patience lasts.
    pub(super) fn is_long(&self) -> bool {
        match &self.means {
            Means::Network(..) => false,
            Means::Requests(rules) => {
                rules.iter().any(|rule| rule.times == EVER && matches!(rule.fault, Answer(500.., _)))
            }
        }
    }
}

/// The lines of the table, in the order of an export's requests.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = create();
    rows.extend(part("first part", 1));
    rows.extend(part("middle part", 2));
    rows.extend(more_of_a_part());
    rows.extend(part("last part", 3));
    rows.extend(complete());
    rows.extend(put("put of a small file", SMALL));
    rows.extend(put("put of the manifest", MANIFEST));
    rows.extend(more_of_the_manifest());
    rows.extend(abort());
    rows.extend(replacing_nothing());
    rows.extend(file_by_file());
    rows
}

/// A fault in front of the connections: its name, how many requests go wrong from the first, and how.
type InFront = (&'static str, usize, Fault);

/// Rows of faults that a request is promised the same for.
fn requests<const N: usize>(
    place: &'static str,
    step: Step,
    key: &'static str,
    promise: Promise,
    faults: [InFront; N],
) -> Vec<Row> {
    let rows = match step {
        Step::Part(_) => THREE_PARTS,
        Step::Put => ONE_REQUEST,
        _ => TWO_PARTS,
    };
    let row = |(fault, times, how)| {
        let means = Means::Requests(vec![Rule { step, key, times, fault: how }]);
        Row { place, fault, promise, means, rows, on_exists: OnExists::Overwrite, commit: Commit::Group }
    };
    faults.map(row).into()
}

/// Rows of faults on the network.
fn network<const N: usize>(
    place: &'static str,
    step: Step,
    promise: Promise,
    cuts: [(&'static str, Cut); N],
) -> Vec<Row> {
    let rows = if step == Step::Create { TWO_PARTS } else { THREE_PARTS };
    let row = |(fault, cut)| {
        let means = Means::Network(step, cut);
        Row { place, fault, promise, means, rows, on_exists: OnExists::Overwrite, commit: Commit::Group }
    };
    cuts.map(row).into()
}

fn create() -> Vec<Row> {
    let overcome = [
        ("503 twice", 2, Answer(503, "SlowDown")),
        ("connection refused twice", 2, Refuse),
        ("no reply, once", 1, Stall),
    ];
    let fatal = [
        ("403", EVER, Answer(403, "AccessDenied")),
        ("404", EVER, Answer(404, "NoSuchBucket")),
        ("503", EVER, Answer(503, "SlowDown")),
    ];
    let place = "create";
    [
        requests(place, Step::Create, LARGE, Delivered, overcome),
        requests(place, Step::Create, LARGE, DeliveredButOneOpen, [("reply lost, once", 1, Lose)]),
        network(place, Step::Create, DeliveredButOneOpen, [("connection ends for the reply", Cut::EndForReply)]),
        requests(place, Step::Create, LARGE, Nothing, fatal),
    ]
    .concat()
}

fn part(place: &'static str, number: u32) -> Vec<Row> {
    let overcome = [
        ("500 once", 1, Answer(500, "InternalError")),
        ("503 six times", 6, Answer(503, "SlowDown")),
        ("connection reset twice", 2, Reset),
        ("reply lost, once", 1, Lose),
    ];
    let step = Step::Part(number);
    [
        requests(place, step, LARGE, Delivered, overcome),
        requests(place, step, LARGE, Nothing, [("403", EVER, Answer(403, "AccessDenied"))]),
    ]
    .concat()
}

fn more_of_a_part() -> Vec<Row> {
    let overcome = [
        ("429 twice", 2, Answer(429, "TooManyRequests")),
        ("408 twice", 2, Answer(408, "RequestTimeout")),
        ("400 RequestTimeout, once", 1, Answer(400, "RequestTimeout")),
        ("403 once", 1, Answer(403, "ExpiredToken")),
        ("no reply, once", 1, Stall),
        ("500 after it took effect", 1, Instead(500, "InternalError")),
    ];
    let cuts = [
        ("connection reset in its middle", Cut::ResetRequest(4 * 1024 * 1024)),
        ("connection ends for the reply", Cut::EndForReply),
        ("connection reset for the reply", Cut::ResetForReply),
        ("reply ends in its middle", Cut::EndReply(20)),
        ("silence", Cut::Silence),
    ];
    let (place, step) = ("middle part", Step::Part(2));
    [
        requests(place, step, LARGE, Delivered, overcome),
        network(place, step, Delivered, cuts),
        requests(place, step, LARGE, Nothing, [("503", EVER, Answer(503, "SlowDown"))]),
    ]
    .concat()
}

fn complete() -> Vec<Row> {
    let overcome = [
        ("503 six times", 6, Answer(503, "SlowDown")),
        ("403 once", 1, Answer(403, "ExpiredToken")),
        ("200 with an error in it", 1, Answer(200, "InternalError")),
        ("no reply, once", 1, Stall),
        ("reply lost, once", 1, Lose),
        ("half a reply", 1, Truncate),
        ("500 after it took effect", 1, Instead(500, "InternalError")),
        ("200 with an error in it, after it took effect", 1, Instead(200, "InternalError")),
        ("403 after it took effect", 1, Instead(403, "AccessDenied")),
        ("404 after it took effect", 1, Instead(404, "NoSuchUpload")),
    ];
    let cuts = [
        ("connection ends for the reply", Cut::EndForReply),
        ("connection reset for the reply", Cut::ResetForReply),
        ("reply ends in its head", Cut::EndReply(20)),
        ("reply ends in its body", Cut::EndReply(400)),
        ("silence", Cut::Silence),
    ];
    let fatal = [
        ("403", EVER, Answer(403, "AccessDenied")),
        ("404", EVER, Answer(404, "NoSuchUpload")),
        ("503", EVER, Answer(503, "SlowDown")),
    ];
    let place = "complete";
    [
        requests(place, Step::Complete, LARGE, Delivered, overcome),
        network(place, Step::Complete, Delivered, cuts),
        requests(place, Step::Complete, LARGE, NoManifest, fatal),
    ]
    .concat()
}

fn put(place: &'static str, key: &'static str) -> Vec<Row> {
    let overcome = [
        ("503 twice", 2, Answer(503, "SlowDown")),
        ("connection reset twice", 2, Reset),
        ("no reply, once", 1, Stall),
        ("reply lost, once", 1, Lose),
        ("500 after it took effect", 1, Instead(500, "InternalError")),
    ];
    let fatal = [("403", EVER, Answer(403, "AccessDenied")), ("503", EVER, Answer(503, "SlowDown"))];
    [requests(place, Step::Put, key, Delivered, overcome), requests(place, Step::Put, key, NoManifest, fatal)].concat()
}

fn more_of_the_manifest() -> Vec<Row> {
    let overcome = [("503 six times", 6, Answer(503, "SlowDown")), ("403 once", 1, Answer(403, "ExpiredToken"))];
    requests("put of the manifest", Step::Put, MANIFEST, Delivered, overcome)
}

fn abort() -> Vec<Row> {
    let faults = [
        ("500 once", 1, Answer(500, "InternalError"), Nothing),
        ("reply lost, once", 1, Lose, Nothing),
        ("404 after it took effect", 1, Instead(404, "NoSuchUpload"), Nothing),
        ("403", EVER, Answer(403, "AccessDenied"), NothingButOpen),
        ("500", EVER, Answer(500, "InternalError"), NothingButOpen),
    ];
    let refused = Rule { step: Step::Part(1), key: LARGE, times: EVER, fault: Answer(403, "AccessDenied") };
    let row = |(fault, times, how, promise)| {
        let abort = Rule { step: Step::Abort, key: LARGE, times, fault: how };
        let means = Means::Requests(vec![refused, abort]);
        Row {
            place: "abort, after a part was refused",
            fault,
            promise,
            means,
            rows: TWO_PARTS,
            on_exists: OnExists::Overwrite,
            commit: Commit::Group,
        }
    };
    faults.map(row).into()
}

/// Of destinations that keep what exists: what was visible is taken back, and a condition that our own write has met is
/// not taken for another's.
fn replacing_nothing() -> Vec<Row> {
    let overcome = [
        ("no reply, once", 1, Stall),
        ("reply lost, once", 1, Lose),
        ("500 after it took effect", 1, Instead(500, "InternalError")),
        ("412 after it took effect", 1, Instead(412, "PreconditionFailed")),
        ("409 once", 1, Answer(409, "ConditionalRequestConflict")),
    ];
    let fatal = [("403", EVER, Answer(403, "AccessDenied"))];
    let mut rows = Vec::new();
    for (place, step, key) in [
        ("complete, replacing nothing", Step::Complete, LARGE),
        ("put of a small file, replacing nothing", Step::Put, SMALL),
        ("put of the manifest, replacing nothing", Step::Put, MANIFEST),
    ] {
        rows.extend(requests(place, step, key, Delivered, overcome));
        rows.extend(requests(place, step, key, Nothing, fatal));
    }
    rows.into_iter().map(|row| Row { on_exists: OnExists::Fail, ..row }).collect()
}

/// Of destinations that show each file as soon as it is done: what stands there after a failure is named.
fn file_by_file() -> Vec<Row> {
    let overcome = [
        ("503 twice", 2, Answer(503, "SlowDown")),
        ("reply lost, once", 1, Lose),
        ("500 after it took effect", 1, Instead(500, "InternalError")),
    ];
    let fatal = [("403", EVER, Answer(403, "AccessDenied")), ("503", EVER, Answer(503, "SlowDown"))];
    let mut rows = Vec::new();
    for (place, step, key) in [
        ("complete, file by file", Step::Complete, LARGE),
        ("put of a small file, file by file", Step::Put, SMALL),
        ("put of the manifest, file by file", Step::Put, MANIFEST),
    ] {
        rows.extend(requests(place, step, key, Delivered, overcome));
        rows.extend(requests(place, step, key, NoManifestAndTold, fatal));
    }
    rows.into_iter().map(|row| Row { commit: Commit::PerFile, ..row }).collect()
}
