//! The faults of the table, and what is promised for each.

use consign::destination::Commit;
use consign::store::OnExists;

use super::fault::{Fault, Meddling, Rule, Step};
use super::fixture::Server;
use super::proxy::Cut;

use Fault::{After, Answer, Before, Flip, Instead, Lose, Refuse, Reset, Stall, Truncate};
use Promise::{
    Delivered, DeliveredButOneOpen, NoManifest, NoManifestAndTold, Nothing, NothingButOpen, NothingButTold,
    OnlyForeign, Unknown,
};

/// Rows of the large file: those of one request, of two parts, of three, by the schedule of the matrix.
const ONE_REQUEST: u64 = 1;
const TWO_PARTS: u64 = 6 * 64;
const THREE_PARTS: u64 = 11 * 64;

const LARGE: &str = "/t.csv";
const SMALL: &str = "/t_2.csv";
const MANIFEST: &str = "/manifest-run.json";
const JOURNAL: &str = "/manifest-run.json.journal";
/// The objects by which a server's conditions are tried out.
const TRIAL: &str = "/.consign-";

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
    /// The export fails, as it is unknown whether the manifest comes yet, and so the files stay.
    Unknown,
    /// The export fails, and nothing can be seen of it, and no upload is open.
    Nothing,
    /// As before, but the upload that could not be aborted is open.
    NothingButOpen,
    /// The export fails, and what is left of it the error names.
    NothingButTold,
    /// The export fails, and what somebody else has written stands there alone. A store that is only asked for the key may
    /// have replaced it.
    OnlyForeign,
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
    pub(super) journal: Journaled,
}

/// Whether an export has a journal, beside its manifest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Journaled {
    No,
    Yes,
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
                let goes_on = |rule: &Rule| rule.step == Step::Look || matches!(rule.fault, Answer(500.., _) | Stall);
                rules.iter().any(|rule| rule.times == EVER && goes_on(rule))
            }
        }
    }

    /// Whether the client waits for a reply until it gives up.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.means, Means::Network(_, _, Cut::Silence | Cut::HoldReply))
    }

    /// What the table says of a server that cannot notice the fault.
    pub(super) fn is_lost_on(&self, server: Server) -> Option<&'static str> {
        let Means::Requests(rules) = &self.means else { return None };
        let has = |faults: &[Fault]| rules.iter().any(|rule| faults.contains(&rule.fault));
        match server {
            Server::Rclone | Server::Azurite if has(&[Flip]) => Some("not looked at"),
            Server::Azurite if has(&[After(Meddling::Abort)]) => Some("–"),
            _ => None,
        }
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

/// What somebody else does: a rule of the bucket's lifecycle, say, or another exporter.
const ABORTED: InFront = ("upload aborted by another right before", 1, After(Meddling::Abort));
const WRITTEN: InFront = ("key written by another right before", 1, After(Meddling::Write));
const REWRITTEN: InFront = ("key written by another right after, and reply lost", 1, Before(Meddling::Write));

/// What another try gives the same, or what goes on for longer than anybody waits.
const FATAL: [InFront; 3] = [
    ("403", EVER, Answer(403, "AccessDenied")),
    ("503", EVER, Answer(503, "SlowDown")),
    ("no reply, ever", EVER, Stall),
];

/// A request of an export, for rows.
#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    step: Step,
    key: &'static str,
    rows: u64,
    on_exists: OnExists,
    commit: Commit,
    journal: Journaled,
}

impl Place {
    fn new(name: &'static str, step: Step, key: &'static str) -> Self {
        let rows = match step {
            Step::Part(_) => THREE_PARTS,
            Step::Put => ONE_REQUEST,
            _ => TWO_PARTS,
        };
        let (on_exists, commit, journal) = (OnExists::Overwrite, Commit::Group, Journaled::No);
        Self { name, step, key, rows, on_exists, commit, journal }
    }

    fn row(self, fault: &'static str, promise: Promise, means: Means) -> Row {
        let Self { name: place, rows, on_exists, commit, journal, .. } = self;
        Row { place, fault, promise, means, rows, on_exists, commit, journal }
    }

    /// Rows of faults that the request is promised the same for.
    fn requests(self, promise: Promise, faults: &[InFront]) -> Vec<Row> {
        let row = |&(name, times, fault): &InFront| {
            let rule = Rule { step: self.step, key: self.key, times, fault };
            self.row(name, promise, Means::Requests(vec![rule]))
        };
        faults.iter().map(row).collect()
    }

    /// Rows of faults of this request that follow one of another.
    fn requests_after(self, first: Rule, promise: Promise, faults: &[InFront]) -> Vec<Row> {
        let row = |&(name, times, fault): &InFront| {
            let rule = Rule { step: self.step, key: self.key, times, fault };
            self.row(name, promise, Means::Requests(vec![first, rule]))
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
        rows.extend(put(Place::new(name, Step::Put, key), NoManifest, NoManifest));
    }
    rows.extend(abort());
    rows.extend(replacing_nothing());
    rows.extend(tried_out());
    rows.extend(taken_back());
    rows.extend(file_by_file());
    rows.extend(settled());
    rows.extend(journaled());
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
        place.requests(NoManifest, &[ABORTED]),
        place.requests(Delivered, &[WRITTEN]),
        place.requests(NoManifest, &[REWRITTEN]),
    ]
    .concat()
}

fn put(place: Place, failed: Promise, unanswered: Promise) -> Vec<Row> {
    [
        place.requests(Delivered, &PASSING),
        place.requests(Delivered, &FLIPPED),
        place.network(Delivered, &[("connection reset in its middle", Cut::ResetRequest(1))]),
        place.network(Delivered, &CUTS[1..]),
        place.requests(failed, &FATAL[..2]),
        place.requests(unanswered, &FATAL[2..]),
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
    let row = |(fault, times, how, promise)| place.requests_after(refused, promise, &[(fault, times, how)]);
    faults.map(row).concat()
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
    rows.extend(complete.requests(Nothing, &[ABORTED]));
    rows.extend(complete.requests(OnlyForeign, &[WRITTEN, REWRITTEN]));
    // A manifest that may come late would name what was taken back.
    for (name, key, unanswered) in [
        ("put of a small file, replacing nothing", SMALL, Nothing),
        ("put of the manifest, replacing nothing", MANIFEST, Unknown),
    ] {
        let place = Place::new(name, Step::Put, key);
        rows.extend(put(place, Nothing, unanswered));
        rows.extend(place.requests(Delivered, &met));
    }
    rows.extend(
        Place::new("put of a small file, replacing nothing", Step::Put, SMALL)
            .requests(OnlyForeign, &[WRITTEN, REWRITTEN]),
    );
    keeping(rows)
}

fn keeping(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().map(|row| Row { on_exists: OnExists::Fail, ..row }).collect()
}

/// What is made again in any case, or else not at all.
const SOME: [InFront; 3] =
    [("503 twice", 2, Answer(503, "SlowDown")), ("no reply, once", 1, Stall), ("reply lost, once", 1, Lose)];

/// The first file is visible when the second one is refused, and has to go again.
fn taken_back() -> Vec<Row> {
    let refused = Rule { step: Step::Put, key: SMALL, times: EVER, fault: Answer(403, "AccessDenied") };
    let look = Place { rows: ONE_REQUEST, ..Place::new("look for what exists", Step::Look, LARGE) };
    let delete = Place { rows: ONE_REQUEST, ..Place::new("delete, taking back", Step::Delete, LARGE) };
    keeping(
        [
            look.requests(Delivered, &SOME),
            look.requests(Nothing, &FATAL),
            delete.requests_after(refused, Nothing, &SOME),
            delete.requests_after(refused, NothingButTold, &FATAL),
        ]
        .concat(),
    )
}

/// The objects and uploads of our own by which it is found out whether a server keeps what exists.
fn tried_out() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, step) in [
        ("put, trying out the server", Step::Put),
        ("create, trying out the server", Step::Create),
        ("part, trying out the server", Step::Part(1)),
        ("complete, trying out the server", Step::Complete),
        ("abort, trying out the server", Step::Abort),
        ("delete, trying out the server", Step::Delete),
    ] {
        let place = Place { rows: ONE_REQUEST, ..Place::new(name, step, TRIAL) };
        let overcome = if step == Step::Create { DeliveredButOneOpen } else { Delivered };
        rows.extend(place.requests(overcome, &SOME));
        rows.extend(place.requests(NothingButTold, &FATAL));
    }
    keeping(rows)
}

/// The look at what stands there that follows a completion without a clear reply.
fn settled() -> Vec<Row> {
    let place = Place::new("look, after the reply to a complete was lost", Step::Look, LARGE);
    let lost = Rule { step: Step::Complete, key: LARGE, times: 1, fault: Lose };
    [place.requests_after(lost, Delivered, &SOME), place.requests_after(lost, NoManifest, &FATAL)].concat()
}

fn journaled() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, step) in [("look for a journal", Step::Look), ("put of the journal", Step::Put)] {
        let place = Place { rows: TWO_PARTS, ..Place::new(name, step, JOURNAL) };
        rows.extend(place.requests(Delivered, &SOME));
        rows.extend(place.requests(Nothing, &FATAL));
    }
    let delete = Place::new("delete of the journal", Step::Delete, JOURNAL);
    rows.extend(delete.requests(Delivered, &SOME));
    rows.extend(delete.requests(Delivered, &FATAL));
    rows.into_iter().map(|row| Row { journal: Journaled::Yes, ..row }).collect()
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
