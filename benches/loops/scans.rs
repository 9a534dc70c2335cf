//! Running totals in place: of numbers, where the memory is the limit, and of small matrices, where the operation is.

use filch::prelude::*;

use super::row::LoopRow;
use super::workload::{OnFilch, Workload, fingerprint};
use crate::support::args::Scale;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

pub fn rows(scale: Scale) -> Vec<Row> {
    let len = scale.pick(10_000_000, 1_000_000, 3_000);
    let numbers = move |id, kind: &str, inclusive| {
        let title = format!("{kind} scan of {len} u64, in place");
        row(LoopRow::new(id, title, Unit::MILLISECONDS, scale, Numbers { len, inclusive }))
    };
    let matrices = scale.pick(100_000, 100_000, 300);
    let title = format!("inclusive scan of {matrices} matrices, 4 by 4, in place");
    vec![
        numbers("scan-inclusive-10m", "inclusive", true),
        numbers("scan-exclusive-10m", "exclusive", false),
        row(LoopRow::new("scan-matrices-100k", title, Unit::MILLISECONDS, scale, Matrices { len: matrices })),
    ]
}

fn row<W: OnFilch>(row: LoopRow<W>) -> Row {
    row.note("rayon has no scan.").filch_few().build()
}

struct Numbers {
    len: usize,
    inclusive: bool,
}

fn add(a: &u64, b: &u64) -> u64 {
    a.wrapping_add(*b)
}

impl Workload for Numbers {
    type State = Vec<u64>;
    type Output = ();

    fn state(&self) -> Vec<u64> {
        vec![0; self.len]
    }

    fn reset(&self, numbers: &mut Vec<u64>) {
        let mut rng = Rng::new(8);
        numbers.fill_with(|| rng.next_u64());
    }

    fn serial(&self, numbers: &mut Vec<u64>) {
        let mut total = 0;
        for number in numbers {
            let next = add(&total, number);
            *number = if self.inclusive { next } else { total };
            total = next;
        }
    }

    fn print(&self, numbers: &Vec<u64>, (): ()) -> u64 {
        fingerprint(numbers.iter().copied())
    }
}

impl OnFilch for Numbers {
    fn filch(&self, numbers: &mut Vec<u64>) {
        if self.inclusive {
            numbers.par_inclusive_scan(add);
        } else {
            numbers.par_exclusive_scan(0, add);
        }
    }
}

type Matrix = [[u64; 4]; 4];

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let cell =
        |row: usize, col: usize| (0..4).fold(0_u64, |sum, k| sum.wrapping_add(a[row][k].wrapping_mul(b[k][col])));
    std::array::from_fn(|row| std::array::from_fn(|col| cell(row, col)))
}

struct Matrices {
    len: usize,
}

impl Workload for Matrices {
    type State = Vec<Matrix>;
    type Output = ();

    fn state(&self) -> Vec<Matrix> {
        vec![Matrix::default(); self.len]
    }

    fn reset(&self, matrices: &mut Vec<Matrix>) {
        let mut rng = Rng::new(9);
        // Odd numbers on the diagonal, even ones elsewhere: products are never all zeros.
        let mut cell = |row: usize, col: usize| rng.next_u64() & !1 | u64::from(row == col);
        matrices.fill_with(|| std::array::from_fn(|row| std::array::from_fn(|col| cell(row, col))));
    }

    fn serial(&self, matrices: &mut Vec<Matrix>) {
        for index in 1..matrices.len() {
            matrices[index] = product(&matrices[index - 1], &matrices[index]);
        }
    }

    fn print(&self, matrices: &Vec<Matrix>, (): ()) -> u64 {
        fingerprint(matrices.iter().flatten().flatten().copied())
    }
}

impl OnFilch for Matrices {
    fn filch(&self, matrices: &mut Vec<Matrix>) {
        matrices.par_inclusive_scan(product);
    }
}
