//! Two square matrices, one read by rows and the other by columns: the trace of their product.

use std::ops::Range;

use super::row::LoopRow;
use super::workload::{OnFilch, OnFilchPlain, OnRayon, Workload};
use crate::support::args::Scale;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

/// Rows and columns of a tile.
const SIDE: usize = 64;

pub fn row(scale: Scale) -> Row {
    let side = scale.pick(2_000, 1_000, 100);
    let title = format!("the trace of the product of two matrices, {side} by {side} u32");
    LoopRow::new("tiles-2k", title, Unit::MILLISECONDS, scale, Trace { side })
        .note("serial and filch: in tiles of 64 by 64; rayon and \"filch, plain\": row by row.")
        .filch_few()
        .filch_plain()
        .rayon()
        .build()
}

struct Trace {
    side: usize,
}

/// Both matrices, row by row.
struct Matrices {
    a: Vec<u32>,
    b: Vec<u32>,
}

impl Trace {
    /// What the cells in these rows and columns of the first matrix contribute.
    fn part(&self, matrices: &Matrices, rows: Range<usize>, cols: Range<usize>) -> u64 {
        let row_sum = |row: usize| -> u64 {
            let a = &matrices.a[row * self.side..][cols.clone()];
            let product = |(a, col): (&u32, usize)| u64::from(*a) * u64::from(matrices.b[col * self.side + row]);
            a.iter().zip(cols.clone()).map(product).fold(0, u64::wrapping_add)
        };
        rows.map(row_sum).fold(0, u64::wrapping_add)
    }
}

impl Workload for Trace {
    type State = Matrices;
    type Output = u64;

    fn state(&self) -> Matrices {
        let mut rng = Rng::new(11);
        let mut matrix = || (0..self.side * self.side).map(|_| rng.next_u64() as u32).collect();
        Matrices { a: matrix(), b: matrix() }
    }

    fn serial(&self, matrices: &mut Matrices) -> u64 {
        let part = |start: usize| start..self.side.min(start + SIDE);
        let mut trace = 0_u64;
        for row in (0..self.side).step_by(SIDE) {
            for col in (0..self.side).step_by(SIDE) {
                trace = trace.wrapping_add(self.part(matrices, part(row), part(col)));
            }
        }
        trace
    }

    fn print(&self, _matrices: &Matrices, trace: u64) -> u64 {
        trace
    }
}

impl OnFilch for Trace {
    fn filch(&self, matrices: &mut Matrices) -> u64 {
        use filch::prelude::*;
        filch::iter::par_for((0..self.side, 0..self.side))
            .tile(SIDE, SIDE)
            .map(|tile| self.part(matrices, tile.rows, tile.cols))
            .reduce(|| 0, u64::wrapping_add)
    }
}

impl OnFilchPlain for Trace {
    fn filch_plain(&self, matrices: &mut Matrices) -> u64 {
        use filch::prelude::*;
        let row = |row: usize| self.part(matrices, row..row + 1, 0..self.side);
        (0..self.side).into_par_iter().map(row).reduce(|| 0, u64::wrapping_add)
    }
}

impl OnRayon for Trace {
    fn rayon(&self, matrices: &mut Matrices) -> u64 {
        use rayon::prelude::*;
        let row = |row: usize| self.part(matrices, row..row + 1, 0..self.side);
        (0..self.side).into_par_iter().map(row).reduce(|| 0, u64::wrapping_add)
    }
}
