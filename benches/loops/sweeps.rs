//! The same field gone over again and again. It fits into the caches of two cores, but not into that of one.

use filch::iter::Affinity;

use super::row::LoopRow;
use super::workload::{OnFilch, OnFilchPlain, OnRayon, Workload, fingerprint};
use crate::support::args::Scale;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

pub fn row(scale: Scale) -> Row {
    let sweeps = Sweeps { len: scale.pick(200_000, 200_000, 300), times: scale.pick(100, 20, 2) };
    let title = format!("{} sweeps over {} u64", sweeps.times, sweeps.len);
    LoopRow::new("sweeps", title, Unit::MILLISECONDS, scale, sweeps)
        .note("filch: `with_affinity`; all others, \"filch, plain\" among them: without, as rayon has nothing of the kind.")
        .filch_few()
        .filch_plain()
        .rayon()
        .build()
}

struct Sweeps {
    len: usize,
    times: usize,
}

struct Field {
    numbers: Vec<u64>,
    /// filch's memory of who had what.
    affinity: Affinity,
}

fn step(number: &mut u64) {
    *number = (*number ^ (*number >> 29)).wrapping_add(0x9e37_79b9);
}

impl Workload for Sweeps {
    type State = Field;
    type Output = ();

    fn state(&self) -> Field {
        Field { numbers: vec![0; self.len], affinity: Affinity::new() }
    }

    fn reset(&self, field: &mut Field) {
        let mut rng = Rng::new(12);
        field.numbers.fill_with(|| rng.next_u64());
    }

    fn serial(&self, field: &mut Field) {
        (0..self.times).for_each(|_| field.numbers.iter_mut().for_each(step));
    }

    fn print(&self, field: &Field, (): ()) -> u64 {
        fingerprint(field.numbers.iter().copied())
    }
}

impl OnFilch for Sweeps {
    fn filch(&self, field: &mut Field) {
        use filch::prelude::*;
        for _ in 0..self.times {
            field.numbers.par_iter_mut().with_affinity(&mut field.affinity).for_each(step);
        }
    }
}

impl OnFilchPlain for Sweeps {
    fn filch_plain(&self, field: &mut Field) {
        use filch::prelude::*;
        (0..self.times).for_each(|_| field.numbers.par_iter_mut().for_each(step));
    }
}

impl OnRayon for Sweeps {
    fn rayon(&self, field: &mut Field) {
        use rayon::prelude::*;
        (0..self.times).for_each(|_| field.numbers.par_iter_mut().for_each(step));
    }
}
