//! How long a loop takes to begin: two items of nothing, over and over, and two of 20 µs after the whole program has
//! been idle for a millisecond, where waking a sleeper must pay for itself.

use std::hint::black_box;
use std::time::Duration;

use super::pieces::{join_each, threads_each};
use super::row::LoopRow;
use super::workload::{OnJoin, OnOrx, OnParalight, OnThreads, Pace, Workload};
use crate::support::args::Scale;
use crate::support::cpu::spin;
use crate::support::fork::Fork;
use crate::support::row::{Row, Unit};

const ITEM: Duration = Duration::from_micros(20);
const IDLE: Duration = Duration::from_millis(1);

pub fn rows(scale: Scale) -> Vec<Row> {
    let (nanoseconds, microseconds) = (Unit::nanoseconds_per("ns", 1.0), Unit::MICROSECONDS);
    let cold = Dispatch { item: ITEM, waits: scale.pick(50, 10, 1) };
    vec![
        LoopRow::new("empty", "for_each of 2 items of nothing, hot".to_string(), nanoseconds, scale, Dispatch::EMPTY)
            .all()
            .build(),
        LoopRow::new("cold", "for_each of 2 × 20 µs after 1 ms of idleness".to_string(), microseconds, scale, cold)
            .note("A turn is the median of its waits. The computing time is 40 µs on one thread and 20 µs on two.")
            .all()
            .build(),
    ]
}

struct Dispatch {
    item: Duration,
    /// How often a turn waits; never for a hot loop.
    waits: u32,
}

impl Dispatch {
    const EMPTY: Dispatch = Dispatch { item: Duration::ZERO, waits: 0 };

    fn work(&self, done: &mut bool) {
        if !self.item.is_zero() {
            spin(self.item);
        }
        *done = black_box(true);
    }
}

impl Workload for Dispatch {
    /// Which items are done.
    type State = Vec<bool>;
    type Output = ();

    fn state(&self) -> Vec<bool> {
        vec![false; 2]
    }

    fn reset(&self, items: &mut Vec<bool>) {
        items.fill(false);
    }

    fn serial(&self, items: &mut Vec<bool>) {
        items.iter_mut().for_each(|item| self.work(item));
    }

    fn print(&self, items: &Vec<bool>, (): ()) -> u64 {
        assert_eq!(items[..], [true, true]);
        1
    }

    fn pace(&self) -> Pace {
        if self.waits == 0 { Pace::Hot } else { Pace::Cold { waits: self.waits, idle: IDLE } }
    }

    fn runs(&self) -> u32 {
        if self.waits == 0 { 1_000_000 } else { 1 }
    }
}

same_source! {
    Dispatch: |self, items| items.par_iter_mut().for_each(|item| self.work(item));
}

impl OnOrx for Dispatch {
    fn orx(&self, items: &mut Vec<bool>) {
        use orx_parallel::*;
        items.par_mut().for_each(|item| self.work(item));
    }
}

impl OnParalight for Dispatch {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, items: &mut Vec<bool>) {
        use paralight::prelude::*;
        items.par_iter_mut().with_thread_pool(pool).for_each(|item| self.work(item));
    }
}

impl OnJoin for Dispatch {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, items: &mut Vec<bool>) {
        let each = |_: F::Handle<'_, '_>, items: &mut [bool]| items.iter_mut().for_each(|item| self.work(item));
        join_each::<F, _, _>(handle, items, 1, &each);
    }
}

impl OnThreads for Dispatch {
    fn threads(&self, threads: usize, items: &mut Vec<bool>) {
        threads_each(threads, items, &|items: &mut [bool]| items.iter_mut().for_each(|item| self.work(item)));
    }
}
