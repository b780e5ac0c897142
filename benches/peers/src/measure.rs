//! How two ways of writing the same bytes are compared on a machine that does other things too.
//!
//! Ours and the peer's take turns, block after block of the table, for as many passes as the time allows. For each
//! block the shortest time counts, so whatever else ran has to hit the same block in every pass to show; and the clock
//! is that of the thread's own processor time, unless threads are what is measured.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What was written: buffers that a sink takes one after another. They keep their room from turn to turn.
pub type Buffers = Vec<Vec<u8>>;

/// Encodes a block into buffers that are empty.
pub type Encode<'a> = Box<dyn FnMut(usize, &mut Buffers) + 'a>;

/// One row of the table.
pub struct Case<'a> {
    pub front: &'static str,
    pub peer: &'static str,
    pub ours: Encode<'a>,
    pub theirs: Encode<'a>,
    pub blocks: usize,
    pub clock: Clock,
}

/// Of what the shortest time counts.
#[derive(Clone, Copy)]
pub enum Shortest {
    Block,
    /// For figures that stand beside those of a program that is only seen to write the whole table.
    Pass,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Clock {
    /// Processor time of the calling thread.
    Cpu,
    Wall,
}

pub struct Figures {
    pub bytes: usize,
    /// The sum of the shortest times of all blocks, or the shortest pass.
    pub ours: Duration,
    pub theirs: Duration,
    /// Of all turns of all blocks.
    pub median_ratio: f64,
    pub passes: usize,
}

impl Figures {
    pub fn ratio(&self) -> f64 {
        self.theirs.as_secs_f64() / self.ours.as_secs_f64()
    }

    pub fn ours_mb_s(&self) -> f64 {
        self.mb_s(self.ours)
    }

    pub fn theirs_mb_s(&self) -> f64 {
        self.mb_s(self.theirs)
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for readers")]
    fn mb_s(&self, time: Duration) -> f64 {
        self.bytes as f64 / 1e6 / time.as_secs_f64()
    }
}

impl Case<'_> {
    /// Checks that both write the same bytes, and returns how many.
    ///
    /// # Panics
    ///
    /// When they do not: a comparison would mean nothing.
    fn assert_same_bytes(&mut self) -> usize {
        let mut bytes = 0;
        for block in 0..self.blocks {
            let (mut ours, mut theirs) = (Buffers::new(), Buffers::new());
            (self.ours)(block, &mut ours);
            (self.theirs)(block, &mut theirs);
            let (ours, theirs) = (ours.concat(), theirs.concat());
            if let Some(at) = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at)) {
                let around = |out: &[u8]| {
                    out[at.saturating_sub(60).min(out.len())..out.len().min(at + 20)].escape_ascii().to_string()
                };
                panic!(
                    "{} and {} differ at byte {at} of block {block}:\n  {}\n  {}",
                    self.front,
                    self.peer,
                    around(&ours),
                    around(&theirs)
                );
            }
            bytes += ours.len();
        }
        bytes
    }

    pub fn measure(&mut self, time: Duration, shortest: Shortest) -> Figures {
        let bytes = self.assert_same_bytes();
        let mut best = vec![(Duration::MAX, Duration::MAX); self.blocks];
        let mut best_pass = (Duration::MAX, Duration::MAX);
        let (mut ratios, mut out, mut passes) = (Vec::new(), Buffers::new(), 0);
        let began = Instant::now();
        while passes < 3 || began.elapsed() < time {
            let mut pass = (Duration::ZERO, Duration::ZERO);
            for (block, (best_ours, best_theirs)) in best.iter_mut().enumerate() {
                // Whoever comes second may find more of the input in the caches.
                let (ours, theirs) = if (block + passes) % 2 == 0 {
                    let ours = turn(&mut self.ours, self.clock, block, &mut out);
                    (ours, turn(&mut self.theirs, self.clock, block, &mut out))
                } else {
                    let theirs = turn(&mut self.theirs, self.clock, block, &mut out);
                    (turn(&mut self.ours, self.clock, block, &mut out), theirs)
                };
                *best_ours = ours.min(*best_ours);
                *best_theirs = theirs.min(*best_theirs);
                pass = (pass.0 + ours, pass.1 + theirs);
                ratios.push(theirs.as_secs_f64() / ours.as_secs_f64());
            }
            best_pass = (best_pass.0.min(pass.0), best_pass.1.min(pass.1));
            passes += 1;
        }
        let (ours, theirs) = match shortest {
            Shortest::Block => (best.iter().map(|best| best.0).sum(), best.iter().map(|best| best.1).sum()),
            Shortest::Pass => best_pass,
        };
        ratios.sort_by(f64::total_cmp);
        Figures { bytes, ours, theirs, median_ratio: ratios[ratios.len() / 2], passes }
    }
}

fn turn(encode: &mut Encode<'_>, clock: Clock, block: usize, out: &mut Buffers) -> Duration {
    out.iter_mut().for_each(Vec::clear);
    let began = now(clock);
    encode(block, out);
    let time = now(clock).checked_sub(began).expect("the clock does not go back");
    std::hint::black_box(&*out);
    time
}

fn now(clock: Clock) -> Duration {
    let id = match clock {
        Clock::Cpu => ClockId::ThreadCPUTime,
        Clock::Wall => ClockId::Monotonic,
    };
    clock_gettime(id).try_into().expect("no time before the epoch of a clock")
}
