//! Sums: of numbers, where the inner loop must stay vectorised and memory sets the pace; and of squares.

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
    LoopRow::new(id, format!("sum of {len} u64"), Unit::MICROSECONDS, scale, Sum { len }).all().build()
}

fn squares(scale: Scale) -> Row {
    let len = scale.pick(1_000_000, 1_000_000, 300);
    LoopRow::new("squares-1m", format!("sum of {len} squares of f32"), Unit::MICROSECONDS, scale, Squares { len })
        .all()
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

struct Squares {
    len: usize,
}

impl Workload for Squares {
    type State = Vec<f32>;
    type Output = f32;

    /// Small whole numbers, so that the sum is exact in whatever order it is taken.
    fn state(&self) -> Vec<f32> {
        let mut rng = Rng::new(2);
        (0..self.len).map(|_| rng.below(4) as f32).collect()
    }

    fn serial(&self, numbers: &mut Vec<f32>) -> f32 {
        numbers.iter().map(|n| n * n).sum()
    }

    fn print(&self, _numbers: &Vec<f32>, sum: f32) -> u64 {
        sum.to_bits().into()
    }
}

same_source! {
    Sum: |self, numbers| numbers.par_iter().sum();
    Squares: |self, numbers| numbers.par_iter().map(|n| n * n).sum();
}

impl OnOrx for Sum {
    fn orx(&self, numbers: &mut Vec<u64>) -> u64 {
        use orx_parallel::*;
        numbers.par().copied().sum()
    }
}

impl OnOrx for Squares {
    fn orx(&self, numbers: &mut Vec<f32>) -> f32 {
        use orx_parallel::*;
        numbers.par().map(|n| n * n).sum()
    }
}

impl OnParalight for Sum {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, numbers: &mut Vec<u64>) -> u64 {
        use paralight::prelude::*;
        numbers.par_iter().with_thread_pool(pool).sum()
    }
}

impl OnParalight for Squares {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, numbers: &mut Vec<f32>) -> f32 {
        use paralight::prelude::*;
        numbers.par_iter().with_thread_pool(pool).map(|n| n * n).sum()
    }
}

impl OnJoin for Sum {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Vec<u64>) -> u64 {
        let sum = |range: Range<usize>| numbers[range].iter().sum::<u64>();
        join_fold::<F, _, _, _>(handle, 0..self.len, LEAF, &sum, &|a, b| a + b)
    }
}

impl OnJoin for Squares {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Vec<f32>) -> f32 {
        let sum = |range: Range<usize>| numbers[range].iter().map(|n| n * n).sum::<f32>();
        join_fold::<F, _, _, _>(handle, 0..self.len, LEAF, &sum, &|a, b| a + b)
    }
}

impl OnThreads for Sum {
    fn threads(&self, threads: usize, numbers: &mut Vec<u64>) -> u64 {
        threads_fold(threads, self.len, &|range| numbers[range].iter().sum::<u64>()).iter().sum()
    }
}

impl OnThreads for Squares {
    fn threads(&self, threads: usize, numbers: &mut Vec<f32>) -> f32 {
        threads_fold(threads, self.len, &|range| numbers[range].iter().map(|n| n * n).sum::<f32>()).iter().sum()
    }
}
