//! Sums: of numbers, and of squares, where the inner loop must stay vectorised, and memory sets the pace. With one worker
//! the loop should be as quick as the plain one. (Floats are added in eight lanes, as a programmer who cares for speed
//! writes it: a compiler may not change the order of their additions, so a plain sum is never vectorised.)

use std::ops::Range;

use super::pieces::{join_fold, threads_fold};
use super::row::LoopRow;
use super::workload::{OnJoin, OnOrx, OnParalight, OnThreads, Workload};
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

/// Items of a leaf of joins.
const LEAF: usize = 4096;

pub fn rows(scale: Scale) -> Vec<Row> {
    let sums = [("sum-10k", 10_000), ("sum-1m", 1_000_000), ("sum-10m", 10_000_000)];
    let mut rows: Vec<Row> = sums.into_iter().map(|(id, len)| sum(id, len, scale)).collect();
    rows.push(squares(scale));
    rows
}

fn sum(id: &'static str, len: usize, scale: Scale) -> Row {
    let len = scale.pick(len, len.min(1_000_000), 300);
    LoopRow::new(id, format!("sum of {len} u64"), Unit::MICROSECONDS, scale, Sum { len }).all().filch_alone().build()
}

fn squares(scale: Scale) -> Row {
    let len = scale.pick(1_000_000, 1_000_000, 320);
    let title = format!("sum of {len} squares of f32");
    LoopRow::new("squares-1m", title, Unit::MICROSECONDS, scale, Squares { len: len / LANES })
        .all()
        .filch_alone()
        .build()
}

struct Sum {
    len: usize,
}

impl Workload for Sum {
    type State = Vec<u64>;
    type Output = u64;

    fn state(&self) -> Vec<u64> {
        let mut rng = Rng::new(1);
        // Small enough for the sum not to overflow.
        (0..self.len).map(|_| rng.next_u64() >> 32).collect()
    }

    fn serial(&self, numbers: &mut Vec<u64>) -> u64 {
        numbers.iter().sum()
    }

    fn print(&self, _numbers: &Vec<u64>, sum: u64) -> u64 {
        sum
    }

    fn runs(&self) -> u32 {
        (1_000_000 / self.len as u32).max(1)
    }
}

/// Eight numbers, for eight sums.
type Lanes = [f32; LANES];
const LANES: usize = 8;

fn square(lanes: &Lanes) -> Lanes {
    lanes.map(|n| n * n)
}

fn add(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|i| a[i] + b[i])
}

struct Squares {
    /// How many times eight.
    len: usize,
}

impl Workload for Squares {
    type State = Vec<Lanes>;
    type Output = Lanes;

    /// Small whole numbers, so that the sums are exact in whatever order they are taken.
    fn state(&self) -> Vec<Lanes> {
        let mut rng = Rng::new(2);
        (0..self.len).map(|_| std::array::from_fn(|_| rng.below(4) as f32)).collect()
    }

    fn serial(&self, numbers: &mut Vec<Lanes>) -> Lanes {
        numbers.iter().map(square).fold([0.0; LANES], add)
    }

    fn print(&self, _numbers: &Vec<Lanes>, sums: Lanes) -> u64 {
        sums.iter().sum::<f32>().to_bits().into()
    }
}

same_source! {
    Sum: |self, numbers| numbers.par_iter().sum();
    Squares: |self, numbers| numbers.par_iter().map(square).reduce(|| [0.0; LANES], add);
}

impl OnOrx for Sum {
    fn orx(&self, numbers: &mut Vec<u64>) -> u64 {
        use orx_parallel::*;
        numbers.par().copied().sum()
    }
}

impl OnOrx for Squares {
    fn orx(&self, numbers: &mut Vec<Lanes>) -> Lanes {
        use orx_parallel::*;
        numbers.par().map(square).reduce(add).unwrap_or([0.0; LANES])
    }
}

impl OnParalight for Sum {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, numbers: &mut Vec<u64>) -> u64 {
        use paralight::prelude::*;
        numbers.par_iter().with_thread_pool(pool).sum()
    }
}

impl OnParalight for Squares {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, numbers: &mut Vec<Lanes>) -> Lanes {
        use paralight::prelude::*;
        numbers.par_iter().with_thread_pool(pool).map(square).reduce(|| [0.0; LANES], add)
    }
}

impl OnJoin for Sum {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Vec<u64>) -> u64 {
        let sum = |range: Range<usize>| numbers[range].iter().sum::<u64>();
        join_fold::<F, _, _, _>(handle, 0..self.len, LEAF, &sum, &|a, b| a + b)
    }
}

impl OnJoin for Squares {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Vec<Lanes>) -> Lanes {
        let sum = |range: Range<usize>| numbers[range].iter().map(square).fold([0.0; LANES], add);
        join_fold::<F, _, _, _>(handle, 0..self.len, LEAF / LANES, &sum, &add)
    }
}

impl OnThreads for Sum {
    fn threads(&self, threads: usize, numbers: &mut Vec<u64>) -> u64 {
        threads_fold(threads, self.len, &|range| numbers[range].iter().sum::<u64>()).iter().sum()
    }
}

impl OnThreads for Squares {
    fn threads(&self, threads: usize, numbers: &mut Vec<Lanes>) -> Lanes {
        let sum = |range: Range<usize>| numbers[range].iter().map(square).fold([0.0; LANES], add);
        threads_fold(threads, self.len, &sum).into_iter().fold([0.0; LANES], add)
    }
}
