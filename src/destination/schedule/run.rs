//! The runs of a schedule.

use std::iter::FusedIterator;

use chrono::{DateTime, Utc};

use super::Schedule;

/// One run of a [`Schedule`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Run {
    at: DateTime<Utc>,
    index: u64,
    contents: Contents,
}

impl Run {
    pub(super) fn new(at: DateTime<Utc>, index: u64, contents: Contents) -> Self {
        Self { at, index, contents }
    }

    /// When it is due.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Which run of the schedule it is; the first is 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.index.saturating_add(1)
    }

    /// What it exports.
    #[must_use]
    pub fn contents(&self) -> Contents {
        self.contents
    }
}

/// What a [`Run`] exports. There are no other kinds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Contents {
    /// Every row.
    Full,
    /// The rows that have changed.
    Changes {
        /// When the run before was due.
        since: DateTime<Utc>,
    },
}

/// The runs of a window, in order: see [`Schedule::due`].
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct Due {
    schedule: Schedule,
    index: u64,
    to: DateTime<Utc>,
}

impl Due {
    pub(super) fn new(schedule: Schedule, index: u64, to: DateTime<Utc>) -> Self {
        Self { schedule, index, to }
    }
}

impl Iterator for Due {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let run = self.schedule.run(self.index).filter(|run| run.at() < self.to)?;
        self.index += 1;
        Some(run)
    }
}

impl FusedIterator for Due {}
