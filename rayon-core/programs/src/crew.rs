//! Who has been inside of a crate's parallel loop: for crates that run our closures there.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::pool;

/// How long a thread waits for a second one to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The workers that have been seen in a loop.
#[derive(Default)]
pub struct Crew {
    seen: Mutex<BTreeSet<usize>>,
    came: Condvar,
}

impl Crew {
    /// Nobody yet.
    pub fn new() -> Self {
        Crew::default()
    }

    /// Called inside of the loop, anywhere in it and any number of times: checks that this is a worker, by rayon's
    /// word and by filch's, and waits until a second worker has come. So a loop that ends at all was run by two at
    /// least; the others must get a share of it although the first does nothing but stand there.
    ///
    /// # Panics
    /// If this is no worker of the global pool, or nobody else comes.
    pub fn meet(&self) {
        let index = rayon::current_thread_index().expect("on one of rayon's threads");
        assert_eq!(filch::current_thread_index(), Some(index), "filch and rayon agree on who this is");
        assert_eq!(pool::index(), Some(index), "this thread is the global pool's worker of that index");
        assert!(index < rayon::current_num_threads(), "rayon promises that indices are below the number of threads");
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert(index) {
            self.came.notify_all();
        }
        if seen.len() < 2 {
            let alone = |seen: &mut BTreeSet<usize>| seen.len() < 2;
            let waited = self.came.wait_timeout_while(seen, PATIENCE, alone).unwrap_or_else(PoisonError::into_inner);
            assert!(!waited.1.timed_out(), "worker {index} has stayed alone in the loop");
        }
    }

    /// How many workers have been there.
    ///
    /// # Panics
    /// If fewer than two have.
    pub fn size(&self) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).len();
        assert!(seen >= 2, "only {seen} worker has been in the loop");
        seen
    }
}
