//! The sum of floating-point numbers with the same bits every time, beside plain sums.

use filch::prelude::*;

use super::row::LoopRow;
use super::workload::{OnFilch, OnFilchPlain, OnRayon, Workload};
use crate::support::args::Scale;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

pub fn row(scale: Scale) -> Row {
    let len = scale.pick(1_000_000, 1_000_000, 3000);
    let title = format!("sum of {len} f64");
    LoopRow::new("sum-deterministic-1m", title, Unit::MICROSECONDS, scale, Deterministic { len })
        .note(
            "filch: `sum_deterministic`; all others, \"filch, plain\" among them: `sum`, which rounds differently every time.",
        )
        .filch()
        .filch_plain()
        .rayon()
        .build()
}

struct Deterministic {
    len: usize,
}

impl Workload for Deterministic {
    type State = Vec<f64>;
    type Output = f64;

    /// Small whole numbers, so that everybody's sum is the same.
    fn state(&self) -> Vec<f64> {
        let mut rng = Rng::new(3);
        (0..self.len).map(|_| rng.below(1000) as f64).collect()
    }

    fn serial(&self, numbers: &mut Vec<f64>) -> f64 {
        numbers.iter().sum()
    }

    fn print(&self, _numbers: &Vec<f64>, sum: f64) -> u64 {
        sum.to_bits()
    }
}

impl OnFilch for Deterministic {
    fn filch(&self, numbers: &mut Vec<f64>) -> f64 {
        numbers.par_iter().sum_deterministic()
    }
}

impl OnFilchPlain for Deterministic {
    fn filch_plain(&self, numbers: &mut Vec<f64>) -> f64 {
        numbers.par_iter().sum()
    }
}

impl OnRayon for Deterministic {
    fn rayon(&self, numbers: &mut Vec<f64>) -> f64 {
        rayon::iter::ParallelIterator::sum(rayon::iter::IntoParallelRefIterator::par_iter(numbers.as_slice()))
    }
}
