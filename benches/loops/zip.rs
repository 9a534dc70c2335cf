//! Two vectors zipped, multiplied and reduced to one number.

use std::ops::Range;

use super::pieces::{join_fold, threads_fold};
use super::row::LoopRow;
use super::workload::{OnJoin, OnOrx, OnParalight, OnThreads, Workload};
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

/// Items of a leaf of joins.
const LEAF: usize = 2048;

pub fn row(scale: Scale) -> Row {
    let len = scale.pick(1_000_000, 1_000_000, 300);
    let title = format!("zip, map, reduce, 2 × {len} u64");
    LoopRow::new("zip-1m", title, Unit::MICROSECONDS, scale, Zip { len })
        .note("orx-parallel has no zip of its own; it is given the iterator of the standard library.")
        .all()
        .build()
}

struct Zip {
    len: usize,
}

type Pair = (Vec<u64>, Vec<u64>);

/// What a part of the pair comes to.
fn part((left, right): &Pair, range: Range<usize>) -> u64 {
    left[range.clone()].iter().zip(&right[range]).map(multiply).fold(0, u64::wrapping_add)
}

fn multiply((left, right): (&u64, &u64)) -> u64 {
    left.wrapping_mul(*right)
}

impl Workload for Zip {
    type State = Pair;
    type Output = u64;

    fn state(&self) -> Pair {
        let mut rng = Rng::new(5);
        let mut random = || (0..self.len).map(|_| rng.next_u64()).collect();
        (random(), random())
    }

    fn serial(&self, pair: &mut Pair) -> u64 {
        part(pair, 0..self.len)
    }

    fn print(&self, _pair: &Pair, product: u64) -> u64 {
        product
    }
}

same_source! {
    Zip: |self, pair| pair.0.par_iter().zip(&pair.1).map(multiply).reduce(|| 0, u64::wrapping_add);
}

impl OnOrx for Zip {
    fn orx(&self, (left, right): &mut Pair) -> u64 {
        use orx_parallel::*;
        left.iter().zip(right.iter()).iter_into_par().map(multiply).reduce(u64::wrapping_add).unwrap_or_default()
    }
}

impl OnParalight for Zip {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, (left, right): &mut Pair) -> u64 {
        use paralight::prelude::*;
        let zipped = (left.par_iter(), right.par_iter()).zip_eq().with_thread_pool(pool);
        zipped.map(multiply).reduce(|| 0, u64::wrapping_add)
    }
}

impl OnJoin for Zip {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, pair: &mut Pair) -> u64 {
        let pair = &*pair;
        join_fold::<F, _, _, _>(handle, 0..self.len, LEAF, &|range| part(pair, range), &u64::wrapping_add)
    }
}

impl OnThreads for Zip {
    fn threads(&self, threads: usize, pair: &mut Pair) -> u64 {
        let parts = threads_fold(threads, self.len, &|range| part(pair, range));
        parts.into_iter().fold(0, u64::wrapping_add)
    }
}
