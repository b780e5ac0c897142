//! One bound for what all exports of a process hold in memory.
//!
//! Whatever holds bytes of an export holds a [`Permit`] for them, out of one of four pools:
//!
//! | pool | holds | who waits for it |
//! |---|---|---|
//! | rows, 1/12 | rows that a caller has not filled a block with, beyond [`FREE_ROWS`] for each export, and buffers for them | nobody: a block ends early instead |
//! | blocks, 2/12 | full blocks: their rows, their encoded bytes, what the layers make of them | the caller that hands one over |
//! | parts, 9/12 | bytes that wait to be a part, and parts on their way to the store | the task that has such bytes |
//! | resting, within parts | bytes that wait to be a part, and files that are held for the commit | nobody: the bytes go to a file instead |
//!
//! # Why nobody waits for ever
//!
//! Only bytes that go on by themselves are waited for. Rows and resting bytes may stay where they are for as long as
//! their caller likes, who may be busy with another export of the same budget: so nobody waits for those. A block ends
//! when its bytes rest or are on their way; it may have to wait for parts, but never for blocks. A part on its way ends
//! when the store has it, or has failed, within the time that retries are given; it waits for nothing here. And a wait
//! for parts ends: resting permits leave [`lane`](MemoryBudget::lane) bytes of the pool free, which is the most that
//! bytes from a file ask for, while bytes in memory ask only once they have a resting permit.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How large the pieces are that parts are gathered in, which are used again.
pub(crate) const CHUNK: usize = 64 * 1024;
/// The least that is worth a buffer of its own.
pub(crate) const LARGE: usize = 8 * CHUNK;
/// What a block takes, about.
const BLOCK: usize = 16 * CHUNK;
/// The rows that each export may gather beside the budget, so that it can always go on.
pub(crate) const FREE_ROWS: usize = 8 * 1024;
/// What one permit of a semaphore stands for; large enough that the largest part is a `u32` of them.
const UNIT: usize = 1024;

/// How much memory exports may hold together: rows, blocks, parts and small files. Cheap to clone; clones are one
/// budget.
///
/// Every export has [the process's budget](Self::process) unless it is given another one. What that bounds, and what
/// it does not, is in the [module's docs](crate::export#memory).
///
/// ```
/// use consign::export::MemoryBudget;
///
/// let budget = MemoryBudget::new(128 << 20).expect("more than the least");
/// assert_eq!(budget.bytes(), 128 << 20);
/// assert_eq!(budget.held(), 0);
/// assert_eq!(MemoryBudget::new(1 << 20).map(|budget| budget.bytes()), None);
/// assert_eq!(MemoryBudget::process().bytes(), MemoryBudget::DEFAULT);
/// ```
#[derive(Clone)]
pub struct MemoryBudget(Arc<Pools>);

struct Pools {
    bytes: usize,
    rows: Pool,
    blocks: Pool,
    parts: Pool,
    resting: Pool,
    /// Held by a part from a file that is larger than the lane.
    large: Pool,
    idle: Mutex<Idle>,
    exports: AtomicUsize,
}

/// What nothing holds at the moment.
#[derive(Default)]
struct Idle {
    chunks: Vec<Vec<u8>>,
    buffers: Vec<Vec<u8>>,
}

#[derive(Clone)]
struct Pool {
    permits: Arc<Semaphore>,
    units: usize,
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let units = bytes / UNIT;
        Self { permits: Arc::new(Semaphore::new(units)), units }
    }

    /// What is asked for more than the whole pool is the whole pool.
    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT).min(self.units)).unwrap_or(u32::MAX)
    }

    async fn wait(self, bytes: usize) -> OwnedSemaphorePermit {
        let units = self.units(bytes);
        self.permits.acquire_many_owned(units).await.expect("the semaphore is never closed")
    }

    fn ask(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        Arc::clone(&self.permits).try_acquire_many_owned(units).ok()
    }

    fn held(&self) -> usize {
        (self.units - self.permits.available_permits()) * UNIT
    }
}

/// The right to hold some bytes, until it is dropped.
#[derive(Debug, Default)]
#[must_use = "what is held without its permit is not counted"]
pub(crate) struct Permit {
    held: Option<OwnedSemaphorePermit>,
    resting: Option<OwnedSemaphorePermit>,
    /// For parts that are larger than the lane.
    _large: Option<OwnedSemaphorePermit>,
}

impl From<OwnedSemaphorePermit> for Permit {
    fn from(held: OwnedSemaphorePermit) -> Self {
        Self { held: Some(held), ..Self::default() }
    }
}

impl Permit {
    /// Adds the right to more bytes that rest.
    pub(crate) fn merge(&mut self, more: Self) {
        for (all, more) in [(&mut self.held, more.held), (&mut self.resting, more.resting)] {
            match (all.as_mut(), more) {
                (Some(all), Some(more)) => all.merge(more),
                (_, more) => *all = more,
            }
        }
    }

    /// Whether others may wait for these bytes, which then must go on by themselves.
    pub(crate) fn is_awaited(&self) -> bool {
        self.held.is_some() && self.resting.is_none()
    }

    /// Gives back all but this many bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        for permit in [&mut self.held, &mut self.resting].into_iter().flatten() {
            let surplus = permit.num_permits().saturating_sub(bytes.div_ceil(UNIT));
            drop(permit.split(surplus));
        }
    }

    /// The bytes are on their way.
    pub(crate) fn depart(&mut self) {
        self.resting = None;
    }
}

impl MemoryBudget {
    /// 48 MiB. Runtime and connections come on top: processes with 1 to 200 exports to a server grew by 47 to 66 MiB.
    pub const DEFAULT: usize = 48 << 20;
    /// The least that a budget can be: 16 MiB, room for a part and what leads to it.
    pub const LEAST: usize = 16 << 20;

    /// A budget of this many bytes; `None` below [`LEAST`](Self::LEAST).
    #[must_use]
    pub fn new(bytes: usize) -> Option<Self> {
        if bytes < Self::LEAST {
            return None;
        }
        let share = bytes / 12;
        Some(Self(Arc::new(Pools {
            bytes,
            rows: Pool::new(share),
            blocks: Pool::new(2 * share),
            parts: Pool::new(9 * share),
            resting: Pool::new(7 * share),
            large: Pool::new(UNIT),
            idle: Mutex::default(),
            exports: AtomicUsize::new(0),
        })))
    }

    /// The one that exports of this process share unless they are given another: [`DEFAULT`](Self::DEFAULT) bytes.
    #[must_use]
    pub fn process() -> Self {
        static PROCESS: LazyLock<MemoryBudget> =
            LazyLock::new(|| MemoryBudget::new(MemoryBudget::DEFAULT).expect("the default is more than the least"));
        PROCESS.clone()
    }

    /// How large it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// How many bytes of it are held at the moment, by all exports that share it.
    #[must_use]
    pub fn held(&self) -> usize {
        [&self.0.rows, &self.0.blocks, &self.0.parts].map(Pool::held).iter().sum()
    }

    /// Counts an export until the guard is dropped; the last one takes what is idle with it.
    pub(crate) fn enter(&self) -> Entered {
        self.0.exports.fetch_add(1, Ordering::Relaxed);
        Entered(self.clone())
    }

    /// Room for rows that wait for their block to be full, if there is any.
    pub(crate) fn ask_rows(&self, bytes: usize) -> Option<Permit> {
        self.0.rows.ask(bytes).map(Permit::from)
    }

    /// Room for rows that have not come yet, where there are so few exports that the others can have as much.
    pub(crate) fn ask_spare(&self, bytes: usize) -> Option<Permit> {
        if self.may_spare(bytes) { self.ask_rows(bytes) } else { None }
    }

    /// Whether there are so few exports that each may keep this much for later.
    pub(crate) fn may_spare(&self, bytes: usize) -> bool {
        2 * self.0.exports.load(Ordering::Relaxed) * bytes <= self.0.rows.units * UNIT
    }

    /// The most that all blocks take together.
    #[cfg(feature = "arrow")]
    pub(crate) fn blocks(&self) -> usize {
        self.0.blocks.units * UNIT
    }

    /// Waits for room for a block.
    pub(crate) fn block(&self, bytes: usize) -> impl Future<Output = Permit> + Send + Sync + use<> {
        let pool = self.0.blocks.clone();
        async move { pool.wait(bytes).await.into() }
    }

    /// Room for bytes that wait to be a part, if as many may rest; waits until the parts on their way have left it.
    pub(crate) async fn rest(&self, bytes: usize) -> Option<Permit> {
        let resting = self.0.resting.ask(bytes)?;
        let held = self.0.parts.clone().wait(bytes).await;
        Some(Permit { held: Some(held), resting: Some(resting), _large: None })
    }

    /// Waits for room for a part that comes from a file and goes to the store at once.
    pub(crate) async fn part(&self, bytes: usize) -> Permit {
        let lane = self.lane();
        let large = if bytes > lane { Some(self.0.large.clone().wait(UNIT).await) } else { None };
        let held = self.0.parts.clone().wait(bytes.min(lane)).await;
        Permit { held: Some(held), resting: None, _large: large }
    }

    /// What resting bytes leave free of the pool for parts.
    pub(crate) fn lane(&self) -> usize {
        (self.0.parts.units - self.0.resting.units) * UNIT
    }

    /// An empty buffer of [`CHUNK`] bytes.
    pub(crate) fn chunk(&self) -> Chunk {
        let buffer = self.idle().chunks.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
        Chunk { buffer, budget: self.clone() }
    }

    /// A buffer for this many bytes, and not for many more; those of an earlier use may still be in it.
    pub(crate) fn buffer(&self, bytes: usize) -> Vec<u8> {
        let fits = |buffer: &Vec<u8>| (bytes..=bytes.saturating_add(bytes / 8)).contains(&buffer.capacity());
        let mut idle = self.idle();
        let found = idle.buffers.iter().position(fits).map(|at| idle.buffers.swap_remove(at));
        drop(idle);
        found.unwrap_or_else(|| Vec::with_capacity(bytes))
    }

    /// Whether a block of this size may go to the store in its own buffer: with many exports, such buffers would be given
    /// back in any order, and leave gaps that nobody fills; chunks do not.
    pub(crate) fn sends_whole(&self, bytes: usize) -> bool {
        bytes >= LARGE && self.may_spare(bytes.min(BLOCK))
    }

    /// Keeps a buffer for the next that asks for one; as many as an eighth of the budget, since what is idle is not
    /// counted.
    pub(crate) fn recycle(&self, buffer: Vec<u8>) {
        if buffer.capacity() < CHUNK || self.0.exports.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut idle = self.idle();
        idle.buffers.push(buffer);
        while idle.buffers.iter().map(Vec::capacity).sum::<usize>() > self.0.bytes / 8 {
            // The one that nobody has asked for the longest.
            idle.buffers.remove(0);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBudget").field("bytes", &self.bytes()).field("held", &self.held()).finish_non_exhaustive()
    }
}

/// An export that is counted.
#[derive(Debug)]
pub(crate) struct Entered(MemoryBudget);

impl Drop for Entered {
    fn drop(&mut self) {
        if self.0.0.exports.fetch_sub(1, Ordering::Relaxed) == 1 {
            *self.0.idle() = Idle::default();
        }
    }
}

/// A buffer that is used again once nothing holds it any more.
#[derive(Debug)]
pub(crate) struct Chunk {
    buffer: Vec<u8>,
    budget: MemoryBudget,
}

impl Chunk {
    /// Takes as many bytes as there is room for, and gives the others back.
    pub(crate) fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (head, rest) = bytes.split_at(bytes.len().min(CHUNK - self.buffer.len()));
        self.buffer.extend_from_slice(head);
        rest
    }

    /// Takes the next bytes of a reader, which has `left` more; tells how many there were.
    pub(crate) fn read(&mut self, reader: &mut impl Read, left: usize) -> io::Result<usize> {
        self.buffer.resize(left.min(CHUNK), 0);
        reader.read_exact(&mut self.buffer)?;
        Ok(self.buffer.len())
    }

    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if self.budget.0.exports.load(Ordering::Relaxed) > 0 {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            self.budget.idle().chunks.push(buffer);
        }
    }
}

/// The bytes of a block, in a buffer that is used again once nothing holds it any more.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    budget: MemoryBudget,
}

impl Buffer {
    pub(crate) fn new(bytes: Vec<u8>, budget: &MemoryBudget) -> Self {
        Self { bytes, budget: budget.clone() }
    }

    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.budget.recycle(std::mem::take(&mut self.bytes));
    }
}
