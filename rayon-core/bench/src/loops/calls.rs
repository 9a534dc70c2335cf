//! Rayon's functions beside its loops, each call over and over: installs, broadcasts, scopes, spawns that nobody waits
//! for, pairs of closures where one is stolen, and loops with lower bounds on their pieces or without any order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use super::row::LoopRow;
use super::teams::cores;
use super::workload::{OnRayon, Workload, chain};
use crate::support::args::Scale;
use crate::support::cpu::spin;
use crate::support::row::{Row, Unit};

/// Items of a loop.
const ITEMS: usize = 10_000;
/// Closures of a scope.
const SPAWNS: usize = 1_000;

pub fn rows(scale: Scale) -> Vec<Row> {
    let each = |(id, title, call): (&'static str, &str, fn() -> u64)| {
        LoopRow::new(id, title.to_string(), Unit::MICROSECONDS, scale, Call(call)).rayon().build()
    };
    let calls: [(&'static str, &str, fn() -> u64); 15] = [
        ("call-join", "join of two empty closures", join),
        ("call-scope", "scope without a spawn", scope),
        ("call-scope-1", "scope with one empty spawn", scope_of_one),
        ("call-scope-1k", "scope of 1000 empty spawns", scope_of_many),
        ("call-fifo-1k", "scope_fifo of 1000 empty spawns", scope_fifo),
        ("call-in-place", "in_place_scope with two empty spawns", in_place),
        ("call-spawn-1k", "1000 spawns that nobody waits for but by yielding", spawns),
        ("call-broadcast", "broadcast of an empty closure", broadcast),
        ("pair-2us", "join of 2 × 2 µs", || pair(2)),
        ("pair-20us", "join of 2 × 20 µs", || pair(20)),
        ("pair-200us", "join of 2 × 200 µs", || pair(200)),
        ("min-len", "sum of 10 000, 1 ns each, pieces of 1000 or more", min_len),
        ("max-len", "sum of 10 000, 1 ns each, pieces of at most 10", max_len),
        ("bridge", "par_bridge of 10 000, 10 ns each", bridge),
        ("find-any", "find_any among 10 000, the last one", find_any),
    ];
    calls.into_iter().map(each).collect()
}

/// A call whose result is always the same.
struct Call(fn() -> u64);

impl Workload for Call {
    type State = ();
    type Output = u64;

    fn state(&self) {}

    /// There is nothing to compare with but the call.
    fn serial(&self, (): &mut ()) -> u64 {
        (self.0)()
    }

    fn print(&self, (): &(), result: u64) -> u64 {
        result
    }

    fn runs(&self) -> u32 {
        1_000
    }
}

impl OnRayon for Call {
    fn rayon(&self, (): &mut ()) -> u64 {
        (self.0)()
    }
}

fn join() -> u64 {
    let (a, b) = rayon::join(|| 1, || 2);
    a + b
}

fn scope() -> u64 {
    rayon::scope(|_| 1)
}

fn scope_of_one() -> u64 {
    let mut done = 0;
    rayon::scope(|scope| scope.spawn(|_| done = 1));
    done
}

fn scope_of_many() -> u64 {
    let mut done = [0_u64; SPAWNS];
    rayon::scope(|scope| done.iter_mut().for_each(|one| scope.spawn(|_| *one = 1)));
    done.iter().sum()
}

fn scope_fifo() -> u64 {
    let mut done = [0_u64; SPAWNS];
    rayon::scope_fifo(|scope| done.iter_mut().for_each(|one| scope.spawn_fifo(|_| *one = 1)));
    done.iter().sum()
}

fn in_place() -> u64 {
    let (mut a, mut b) = (0, 0);
    rayon::in_place_scope(|scope| {
        scope.spawn(|_| a = 1);
        scope.spawn(|_| b = 1);
    });
    a + b
}

/// Who waits lets others run meanwhile: a worker by rayon's yield, another thread by the system's.
fn spawns() -> u64 {
    let left = Arc::new(AtomicUsize::new(SPAWNS));
    for _ in 0..SPAWNS {
        let left = Arc::clone(&left);
        rayon::spawn(move || {
            left.fetch_sub(1, Ordering::Release);
        });
    }
    // Pairs with the Release of the last closure.
    while left.load(Ordering::Acquire) > 0 {
        if rayon::yield_now().is_none() {
            std::thread::yield_now();
        }
    }
    1
}

fn broadcast() -> u64 {
    let indices: Vec<usize> = rayon::broadcast(|context| context.index());
    assert_eq!(indices.len(), cores());
    indices.len() as u64
}

fn pair(microseconds: u64) -> u64 {
    let time = Duration::from_micros(microseconds);
    rayon::join(|| spin(time), || spin(time));
    1
}

fn min_len() -> u64 {
    (0..ITEMS).into_par_iter().with_min_len(1_000).map(|n| chain(n as u64, 1) & 1).sum()
}

fn max_len() -> u64 {
    (0..ITEMS).into_par_iter().with_max_len(10).map(|n| chain(n as u64, 1) & 1).sum()
}

fn bridge() -> u64 {
    (0..ITEMS).par_bridge().map(|n| chain(n as u64, 11) & 1).sum()
}

fn find_any() -> u64 {
    (0..ITEMS).into_par_iter().find_any(|n| *n == ITEMS - 1).expect("it is there") as u64
}
