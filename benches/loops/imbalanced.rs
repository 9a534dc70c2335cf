//! A thousand items whose cost grows with their index, from nothing to some 20 µs: equal parts are not equal work.

use super::pieces::{join_each, threads_each};
use super::row::LoopRow;
use super::workload::{OnJoin, OnOrx, OnParalight, OnThreads, Workload, chain, fingerprint};
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::row::{Row, Unit};

/// Steps that an item takes longer than the one before it.
const GROWTH: u32 = 10;

pub fn row(scale: Scale) -> Row {
    let len = scale.pick(1_000, 1_000, 100);
    let title = format!("for_each of {len} items, each of more work than the one before");
    LoopRow::new("imbalanced", title, Unit::MICROSECONDS, scale, Imbalanced { len }).all().build()
}

struct Imbalanced {
    len: u32,
}

/// A number, and the steps of its chain.
struct Item {
    number: u64,
    steps: u32,
}

impl Item {
    fn work(&mut self) {
        self.number = chain(self.number, self.steps);
    }
}

impl Workload for Imbalanced {
    type State = Vec<Item>;
    type Output = ();

    fn state(&self) -> Vec<Item> {
        (0..self.len).map(|index| Item { number: 0, steps: index * GROWTH }).collect()
    }

    fn reset(&self, items: &mut Vec<Item>) {
        items.iter_mut().zip(1..).for_each(|(item, index)| item.number = index);
    }

    fn serial(&self, items: &mut Vec<Item>) {
        items.iter_mut().for_each(Item::work);
    }

    fn print(&self, items: &Vec<Item>, (): ()) -> u64 {
        fingerprint(items.iter().map(|item| item.number))
    }

    fn is_even(&self) -> bool {
        false
    }
}

same_source! {
    Imbalanced: |self, items| items.par_iter_mut().for_each(Item::work);
}

impl OnOrx for Imbalanced {
    fn orx(&self, items: &mut Vec<Item>) {
        use orx_parallel::*;
        items.par_mut().for_each(Item::work);
    }
}

impl OnParalight for Imbalanced {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, items: &mut Vec<Item>) {
        use paralight::prelude::*;
        items.par_iter_mut().with_thread_pool(pool).for_each(Item::work);
    }
}

impl OnJoin for Imbalanced {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, items: &mut Vec<Item>) {
        join_each::<F, _, _>(handle, items, 1, &|_, items: &mut [Item]| items.iter_mut().for_each(Item::work));
    }
}

impl OnThreads for Imbalanced {
    fn threads(&self, threads: usize, items: &mut Vec<Item>) {
        threads_each(threads, items, &|items: &mut [Item]| items.iter_mut().for_each(Item::work));
    }
}
