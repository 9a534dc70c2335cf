//! The global pool: made in one of three ways, and it must be one and the same for rayon and for filch in each.
//!
//! `PROGRAMS_POOL` is `rayon` (built by rayon's builder), `filch` (by filch's), or `first`, the default: made by the
//! first who uses it, which is rayon. `PROGRAMS_WORKERS` is the number of workers, 3 if it is not set; with
//! `first`, `RAYON_NUM_THREADS` must say the same.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use filch::Pool;

use crate::threads;

/// Begins the names of the pool's threads where a builder makes it.
const PREFIX: &str = "worker";

/// How long threads of other pools may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The index of each worker of the global pool.
static INDICES: OnceLock<HashMap<ThreadId, usize>> = OnceLock::new();

/// The index of the current thread, if it is a worker of the global pool: by its identity, not by what either crate
/// says now.
pub fn index() -> Option<usize> {
    INDICES.get().expect("the pool has been made").get(&thread::current().id()).copied()
}

/// The number of workers that the pool must have, at least two.
pub fn workers() -> usize {
    let asked = std::env::var("PROGRAMS_WORKERS").map_or(3, |text| text.parse().expect("PROGRAMS_WORKERS is a number"));
    assert!(asked >= 2, "with fewer than two workers there is nothing to see");
    asked
}

fn way() -> String {
    std::env::var("PROGRAMS_POOL").unwrap_or_else(|_| "first".to_owned())
}

/// Makes the global pool, and checks that rayon and filch have the same. Says which way it was made.
///
/// # Panics
/// If they do not, or if there is a pool already, or if one of the variables has a value that means nothing.
pub fn make() -> &'static str {
    let said = match way().as_str() {
        "rayon" => {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(workers());
            builder.thread_name(|index| format!("{PREFIX}-{index}")).build_global().expect("the first pool");
            let again = Pool::builder().workers(1).build_global();
            assert!(matches!(again, Err(filch::BuildError::GlobalExists)), "filch has another global pool");
            "rayon's builder"
        }
        "filch" => {
            Pool::builder().workers(workers()).name(PREFIX).build_global().expect("the first pool");
            let again = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
            assert!(again.is_err(), "rayon has another global pool");
            "filch's builder"
        }
        "first" => {
            assert_eq!(rayon::current_num_threads(), workers(), "RAYON_NUM_THREADS must be PROGRAMS_WORKERS");
            "no builder"
        }
        other => panic!("PROGRAMS_POOL is {other:?}; it must be first, rayon or filch"),
    };
    assert_eq!(rayon::current_num_threads(), workers());
    assert_eq!(filch::current_num_threads(), workers());
    assert_eq!((rayon::current_thread_index(), filch::current_thread_index()), (None, None), "on the main thread");
    let indices = indices();
    assert_eq!(indices.len(), workers(), "each worker is a thread of its own");
    INDICES.set(indices).expect("the pool is made once");
    said
}

/// The threads that a broadcast reaches, which must be the same for rayon and for filch.
fn indices() -> HashMap<ThreadId, usize> {
    let rayons = rayon::broadcast(|context| (thread::current().id(), context.index()));
    let ours = filch::broadcast(|context| (thread::current().id(), context.index()));
    assert_eq!(rayons, ours, "a broadcast of rayon and one of filch reach the same threads");
    ours.into_iter().collect()
}

/// Checks that the workers are those that there were at first, and, where filch's builder has named all of the pool's
/// threads, that the process has no thread without such a name but the main one: so no crate has a pool that is none
/// of ours.
///
/// # Panics
/// If it has others, and keeps them.
pub fn check_after() {
    assert_eq!(INDICES.get(), Some(&indices()), "the workers are the same as at first");
    // Rayon's builder names workers only.
    if way() != "filch" {
        return;
    }
    let began = Instant::now();
    loop {
        let mut strangers = threads::all();
        strangers.retain(|thread| !thread.is_main() && !thread.name.starts_with(PREFIX));
        if strangers.is_empty() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "threads that are not the global pool's: {strangers:?}");
        thread::sleep(Duration::from_millis(10));
    }
}
