//! Collecting into a new vector: the results of a map, whose places are known beforehand, and what a filter lets
//! through, half of the numbers at random, where nobody knows a place in advance.

use std::ops::Range;

use super::pieces::{join_fill, join_fold, threads_fill, threads_fold};
use super::row::LoopRow;
use super::workload::{OnJoin, OnOrx, OnParalight, OnThreads, Workload, fingerprint};
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::rng::{Rng, mix};
use crate::support::row::{Row, Unit};

/// Items of a leaf of joins that fill places.
const FILL: usize = 1024;
/// Items of a leaf of joins whose vectors are appended to each other, which costs more for smaller ones.
const APPEND: usize = 16_384;

pub fn rows(scale: Scale) -> Vec<Row> {
    let len = scale.pick(1_000_000, 1_000_000, 300);
    let (collect, filter) = (format!("map {len} u64 into a new Vec"), format!("half of {len} u64 into a new Vec"));
    vec![
        LoopRow::new("collect-1m", collect, Unit::MICROSECONDS, scale, Collect { len }).all().build(),
        LoopRow::new("filter-1m", filter, Unit::MICROSECONDS, scale, Filter { len })
            .note("paralight is left out: it cannot collect in order what a filter has let through.")
            .filch()
            .rayon()
            .orx()
            .joins()
            .threads()
            .build(),
    ]
}

fn random(len: usize) -> Vec<u64> {
    let mut rng = Rng::new(3);
    (0..len).map(|_| rng.next_u64()).collect()
}

struct Collect {
    len: usize,
}

impl Workload for Collect {
    type State = Vec<u64>;
    type Output = Vec<u64>;

    fn state(&self) -> Vec<u64> {
        random(self.len)
    }

    fn serial(&self, numbers: &mut Vec<u64>) -> Vec<u64> {
        numbers.iter().map(|n| mix(*n)).collect()
    }

    fn print(&self, _numbers: &Vec<u64>, mixed: Vec<u64>) -> u64 {
        fingerprint(mixed)
    }
}

struct Filter {
    len: usize,
}

impl Workload for Filter {
    type State = Vec<u64>;
    type Output = Vec<u64>;

    fn state(&self) -> Vec<u64> {
        random(self.len)
    }

    fn serial(&self, numbers: &mut Vec<u64>) -> Vec<u64> {
        numbers.iter().copied().filter(|n| n % 2 == 0).collect()
    }

    fn print(&self, _numbers: &Vec<u64>, even: Vec<u64>) -> u64 {
        fingerprint(even)
    }
}

same_source! {
    Collect: |self, numbers| numbers.par_iter().map(|n| mix(*n)).collect();
    Filter: |self, numbers| numbers.par_iter().copied().filter(|n| n % 2 == 0).collect();
}

impl OnOrx for Collect {
    fn orx(&self, numbers: &mut Vec<u64>) -> Vec<u64> {
        use orx_parallel::*;
        numbers.par().map(|n| mix(*n)).collect()
    }
}

impl OnOrx for Filter {
    fn orx(&self, numbers: &mut Vec<u64>) -> Vec<u64> {
        use orx_parallel::*;
        numbers.par().copied().filter(|n| n % 2 == 0).collect()
    }
}

impl OnParalight for Collect {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, numbers: &mut Vec<u64>) -> Vec<u64> {
        use paralight::prelude::*;
        numbers.par_iter().map(|n| mix(*n)).with_thread_pool(pool).collect()
    }
}

impl OnJoin for Collect {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Vec<u64>) -> Vec<u64> {
        let mut mixed = vec![0; self.len];
        join_fill::<F, _, _>(handle, &mut mixed, 0, FILL, &|index| mix(numbers[index]));
        mixed
    }
}

/// The even ones of some numbers.
fn even(numbers: &[u64], range: Range<usize>) -> Vec<u64> {
    numbers[range].iter().copied().filter(|n| n % 2 == 0).collect()
}

fn append(mut left: Vec<u64>, right: Vec<u64>) -> Vec<u64> {
    left.extend(right);
    left
}

impl OnJoin for Filter {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Vec<u64>) -> Vec<u64> {
        join_fold::<F, _, _, _>(handle, 0..self.len, APPEND, &|range| even(numbers, range), &append)
    }
}

impl OnThreads for Collect {
    fn threads(&self, threads: usize, numbers: &mut Vec<u64>) -> Vec<u64> {
        let mut mixed = vec![0; self.len];
        threads_fill(threads, &mut mixed, &|index| mix(numbers[index]));
        mixed
    }
}

impl OnThreads for Filter {
    fn threads(&self, threads: usize, numbers: &mut Vec<u64>) -> Vec<u64> {
        let parts = threads_fold(threads, self.len, &|range| even(numbers, range));
        parts.into_iter().reduce(append).unwrap_or_default()
    }
}
