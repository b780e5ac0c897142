//! The faults of the table, and what is promised for each.

use consign::destination::Commit;
use consign::store::OnExists;

use super::fault::{Fault, Rule, Step};
use super::fixture::Server;
use super::proxy::Cut;

use Fault::{Answer, Flip, Instead, Lose, Refuse, Reset, Stall, Truncate};
use Promise::{Delivered, DeliveredButOneOpen, NoManifest, NoManifestAndTold, Nothing, NothingButOpen};

/// Rows of the large file: those of one request, of two parts, of three, by the schedule of the matrix.
const ONE_REQUEST: u64 = 1;
const TWO_PARTS: u64 = 6 * 64;
const THREE_PARTS: u64 = 11 * 64;

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
    /// Between the connections: a proxy cuts the first request of this kind, for a key that ends so.
    Network(Step, &'static str, Cut),
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

    /// Whether the client waits for a reply until it gives up.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.means, Means::Network(_, _, Cut::Silence | Cut::HoldReply))
    }

    /// Whether a server notices the fault at all.
    pub(super) fn is_for(&self, server: Server) -> bool {
        let flips = matches!(&self.means, Means::Requests(rules) if rules.iter().any(|rule| rule.fault == Flip));
        !flips || server == Server::Seaweedfs
    }

    /// Whether the export is bound to fail before its commit.
    pub(super) fn fails_early(&self) -> bool {
        let Means::Requests(rules) = &self.means else { return false };
        let is_early = |rule: &Rule| matches!(rule.step, Step::Create | Step::Part(_)) && rule.key == LARGE;
        matches!(self.promise, Nothing | NothingButOpen) && rules.iter().any(is_early)
    }
}

/// A fault in front of the connections: its name, how many requests go wrong from the first, and how.
type InFront = (&'static str, usize, Fault);

/// A fault of the network: its name, and how the connection is cut.
type OnTheWay = (&'static str, Cut);

/// What any request is expected to overcome that may be made again at will.
const PASSING: [InFront; 10] = [
    ("500 once", 1, Answer(500, "InternalError")),
    ("503 six times", 6, Answer(503, "SlowDown")),
    ("429 twice", 2, Answer(429, "TooManyRequests")),
    ("408 twice", 2, Answer(408, "RequestTimeout")),
    ("400 RequestTimeout, once", 1, Answer(400, "RequestTimeout")),
    ("403 once", 1, Answer(403, "ExpiredToken")),
    ("connection reset twice", 2, Reset),
    ("no reply, once", 1, Stall),
    ("reply lost, once", 1, Lose),
    ("500 after it took effect", 1, Instead(500, "InternalError")),
];

/// As before, of the network, of which the first is for requests with a body of megabytes.
const CUTS: [OnTheWay; 6] = [
    ("connection reset in its middle", Cut::ResetRequest(2 * 1024 * 1024)),
    ("connection ends for the reply", Cut::EndForReply),
    ("connection reset for the reply", Cut::ResetForReply),
    ("reply ends in its middle", Cut::EndReply(20)),
    ("silence", Cut::Silence),
    ("no reply, and the connection stays", Cut::HoldReply),
];

const FLIPPED: [InFront; 1] = [("a byte flipped, once", 1, Flip)];

/// What another try gives the same, or what goes on for longer than anybody waits.
const FATAL: [InFront; 2] = [("403", EVER, Answer(403, "AccessDenied")), ("503", EVER, Answer(503, "SlowDown"))];

/// A request of an export, for rows.
#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    step: Step,
    key: &'static str,
    rows: u64,
    on_exists: OnExists,
    commit: Commit,
}

impl Place {
    fn new(name: &'static str, step: Step, key: &'static str) -> Self {
        let rows = match step {
            Step::Part(_) => THREE_PARTS,
            Step::Put => ONE_REQUEST,
            _ => TWO_PARTS,
        };
        Self { name, step, key, rows, on_exists: OnExists::Overwrite, commit: Commit::Group }
    }

    fn row(self, fault: &'static str, promise: Promise, means: Means) -> Row {
        let Self { name: place, rows, on_exists, commit, .. } = self;
        Row { place, fault, promise, means, rows, on_exists, commit }
    }

    /// Rows of faults that the request is promised the same for.
    fn requests(self, promise: Promise, faults: &[InFront]) -> Vec<Row> {
        let row = |&(name, times, fault): &InFront| {
            let rule = Rule { step: self.step, key: self.key, times, fault };
            self.row(name, promise, Means::Requests(vec![rule]))
        };
        faults.iter().map(row).collect()
    }

    /// Rows of faults on the network.
    fn network(self, promise: Promise, cuts: &[OnTheWay]) -> Vec<Row> {
        cuts.iter().map(|&(name, cut)| self.row(name, promise, Means::Network(self.step, self.key, cut))).collect()
    }
}

/// The lines of the table, in the order of an export's requests.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = create(Place::new("create", Step::Create, LARGE));
    for (name, number) in [("first part", 1), ("middle part", 2), ("last part", 3)] {
        rows.extend(part(Place::new(name, Step::Part(number), LARGE)));
    }
    rows.extend(complete());
    for (name, key) in [("put of a small file", SMALL), ("put of the manifest", MANIFEST)] {
        rows.extend(put(Place::new(name, Step::Put, key), NoManifest));
    }
    rows.extend(abort());
    rows.extend(replacing_nothing());
    rows.extend(file_by_file());
    rows
}

fn create(place: Place) -> Vec<Row> {
    let is_lost = |fault: &InFront| matches!(fault.2, Lose | Instead(..));
    let (lost, overcome): (Vec<_>, Vec<_>) = PASSING.into_iter().partition(is_lost);
    // The request has no body to speak of.
    let (answered, unanswered): (Vec<_>, Vec<_>) = CUTS[1..].iter().partition(|(_, cut)| *cut != Cut::Silence);
    [
        place.requests(Delivered, &overcome),
        place.requests(Delivered, &[("connection refused twice", 2, Refuse)]),
        place.requests(DeliveredButOneOpen, &lost),
        place.network(DeliveredButOneOpen, &answered),
        place.network(Delivered, &unanswered),
        place.requests(Nothing, &[("404", EVER, Answer(404, "NoSuchBucket"))]),
        place.requests(Nothing, &FATAL),
    ]
    .concat()
}

fn part(place: Place) -> Vec<Row> {
    [
        place.requests(Delivered, &PASSING),
        place.requests(Delivered, &FLIPPED),
        place.network(Delivered, &CUTS),
        place.requests(Nothing, &FATAL),
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
    let place = Place::new("complete", Step::Complete, LARGE);
    [
        place.requests(Delivered, &overcome),
        place.network(Delivered, &cuts),
        place.requests(NoManifest, &[("404", EVER, Answer(404, "NoSuchUpload"))]),
        place.requests(NoManifest, &FATAL),
    ]
    .concat()
}

fn put(place: Place, failed: Promise) -> Vec<Row> {
    [
        place.requests(Delivered, &PASSING),
        place.requests(Delivered, &FLIPPED),
        place.network(Delivered, &[("connection reset in its middle", Cut::ResetRequest(1))]),
        place.network(Delivered, &CUTS[1..]),
        place.requests(failed, &FATAL),
    ]
    .concat()
}

fn abort() -> Vec<Row> {
    let faults = [
        ("500 once", 1, Answer(500, "InternalError"), Nothing),
        ("reply lost, once", 1, Lose, Nothing),
        ("404 after it took effect", 1, Instead(404, "NoSuchUpload"), Nothing),
        ("403", EVER, Answer(403, "AccessDenied"), NothingButOpen),
        ("500", EVER, Answer(500, "InternalError"), NothingButOpen),
    ];
    let place = Place::new("abort, after a part was refused", Step::Abort, LARGE);
    let refused = Rule { step: Step::Part(1), key: LARGE, times: EVER, fault: Answer(403, "AccessDenied") };
    let row = |(fault, times, how, promise)| {
        let abort = Rule { step: Step::Abort, key: LARGE, times, fault: how };
        place.row(fault, promise, Means::Requests(vec![refused, abort]))
    };
    faults.map(row).into()
}

/// Of destinations that keep what exists: what was visible is taken back, and a condition that our own write has met is
/// not taken for another's.
fn replacing_nothing() -> Vec<Row> {
    let met = [
        ("412 after it took effect", 1, Instead(412, "PreconditionFailed")),
        ("409 once", 1, Answer(409, "ConditionalRequestConflict")),
    ];
    let mut rows = create(Place::new("create, replacing nothing", Step::Create, LARGE));
    rows.extend(part(Place::new("middle part, replacing nothing", Step::Part(2), LARGE)));
    let complete = Place::new("complete, replacing nothing", Step::Complete, LARGE);
    rows.extend(complete.requests(Delivered, &PASSING));
    rows.extend(complete.requests(Delivered, &met));
    rows.extend(complete.network(Delivered, &CUTS[1..]));
    rows.extend(complete.requests(Nothing, &FATAL));
    for (name, key) in
        [("put of a small file, replacing nothing", SMALL), ("put of the manifest, replacing nothing", MANIFEST)]
    {
        let place = Place::new(name, Step::Put, key);
        rows.extend(put(place, Nothing));
        rows.extend(place.requests(Delivered, &met));
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
    let mut rows = Vec::new();
    for (name, step, key) in [
        ("complete, file by file", Step::Complete, LARGE),
        ("put of a small file, file by file", Step::Put, SMALL),
        ("put of the manifest, file by file", Step::Put, MANIFEST),
    ] {
        let place = Place::new(name, step, key);
        rows.extend(place.requests(Delivered, &overcome));
        rows.extend(place.requests(NoManifestAndTold, &FATAL));
    }
    rows.into_iter().map(|row| Row { commit: Commit::PerFile, ..row }).collect()
}
