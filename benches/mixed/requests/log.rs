//! When each request was due, and when it was answered.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// Times are nanoseconds since the first request was waited for.
pub struct Log {
    begin: OnceLock<Instant>,
    due: Vec<u64>,
    /// 0 for those that have not been answered.
    answered: Vec<AtomicU64>,
    answers: AtomicUsize,
    refusals: AtomicUsize,
}

/// An answer.
pub struct Answer {
    /// When.
    pub at: u64,
    /// How long after the request was due.
    pub late: u64,
}

impl Log {
    pub fn new(due: Vec<u64>) -> Self {
        let answered = due.iter().map(|_| AtomicU64::new(0)).collect();
        let zero = || AtomicUsize::new(0);
        Log { begin: OnceLock::new(), due, answered, answers: zero(), refusals: zero() }
    }

    /// Begins to count the time.
    pub fn begin(&self) -> Instant {
        *self.begin.get_or_init(Instant::now)
    }

    pub fn due(&self) -> &[u64] {
        &self.due
    }

    pub fn len(&self) -> usize {
        self.due.len()
    }

    pub fn answered(&self, number: usize) {
        let now = self.begin().elapsed().as_nanos() as u64;
        assert_eq!(self.answered[number].swap(now, Ordering::Relaxed), 0, "an answer is given once");
        // Release pairs with the Acquire in `all_done`, for the time.
        self.answers.fetch_add(1, Ordering::Release);
    }

    pub fn refuse(&self) {
        self.refusals.fetch_add(1, Ordering::Release);
    }

    /// Whether every request has been answered or refused.
    pub fn all_done(&self) -> bool {
        self.answers.load(Ordering::Acquire) + self.refused() >= self.len()
    }

    pub fn refused(&self) -> usize {
        self.refusals.load(Ordering::Acquire)
    }

    /// Those that have been answered, in the order of the requests.
    pub fn answers(&self) -> Vec<Answer> {
        let answer = |(answered, due): (&AtomicU64, &u64)| {
            let at = answered.load(Ordering::Relaxed);
            (at != 0).then(|| Answer { at, late: at.saturating_sub(*due) })
        };
        self.answered.iter().zip(&self.due).filter_map(answer).collect()
    }

    /// How late the answers were but for the first few, sorted.
    pub fn sorted_latencies(&self, but: usize) -> Vec<u64> {
        let mut late: Vec<u64> = self.answers().iter().skip(but).map(|answer| answer.late).collect();
        late.sort_unstable();
        late
    }
}
