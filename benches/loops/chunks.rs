//! The sums of chunks of a thousand numbers each, into a new vector.

use super::pieces::{join_fill, threads_fill};
use super::row::LoopRow;
use super::workload::{OnJoin, OnOrx, OnParalight, OnThreads, Workload, fingerprint};
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

const CHUNK: usize = 1_000;
/// Chunks of a leaf of joins.
const LEAF: usize = 4;

pub fn row(scale: Scale) -> Row {
    let len = scale.pick(1_000_000, 1_000_000, 5_500);
    let title = format!("sums of chunks of {CHUNK}, {len} u64");
    LoopRow::new("chunks-1m", title, Unit::MICROSECONDS, scale, Chunks { len })
        .note("paralight has no chunks; it maps their numbers. orx-parallel is given the iterator of the standard library.")
        .all()
        .build()
}

struct Chunks {
    len: usize,
}

impl Chunks {
    fn count(&self) -> usize {
        self.len.div_ceil(CHUNK)
    }

    fn sum_of(&self, numbers: &[u64], chunk: usize) -> u64 {
        sum(&numbers[chunk * CHUNK..self.len.min((chunk + 1) * CHUNK)])
    }
}

fn sum(chunk: &[u64]) -> u64 {
    chunk.iter().sum()
}

impl Workload for Chunks {
    type State = Vec<u64>;
    type Output = Vec<u64>;

    fn state(&self) -> Vec<u64> {
        let mut rng = Rng::new(4);
        (0..self.len).map(|_| rng.next_u64() >> 32).collect()
    }

    fn serial(&self, numbers: &mut Vec<u64>) -> Vec<u64> {
        numbers.chunks(CHUNK).map(sum).collect()
    }

    fn print(&self, _numbers: &Vec<u64>, sums: Vec<u64>) -> u64 {
        fingerprint(sums)
    }
}

same_source! {
    Chunks: |self, numbers| numbers.par_chunks(CHUNK).map(sum).collect();
}

impl OnOrx for Chunks {
    fn orx(&self, numbers: &mut Vec<u64>) -> Vec<u64> {
        use orx_parallel::*;
        numbers.chunks(CHUNK).iter_into_par().map(sum).collect()
    }
}

impl OnParalight for Chunks {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, numbers: &mut Vec<u64>) -> Vec<u64> {
        use paralight::prelude::*;
        (0..self.count()).into_par_iter().map(|chunk| self.sum_of(numbers, chunk)).with_thread_pool(pool).collect()
    }
}

impl OnJoin for Chunks {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Vec<u64>) -> Vec<u64> {
        let mut sums = vec![0; self.count()];
        join_fill::<F, _, _>(handle, &mut sums, 0, LEAF, &|chunk| self.sum_of(numbers, chunk));
        sums
    }
}

impl OnThreads for Chunks {
    fn threads(&self, threads: usize, numbers: &mut Vec<u64>) -> Vec<u64> {
        let mut sums = vec![0; self.count()];
        threads_fill(threads, &mut sums, &|chunk| self.sum_of(numbers, chunk));
        sums
    }
}
