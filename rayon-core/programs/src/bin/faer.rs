//! faer: products of matrices, whose parts meet at barriers while each has a thread of the pool: from the main thread,
//! from two workers at once, and inside of a loop; against plain loops. A task naps beside the last.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use programs::input::Numbers;
use programs::pulse;
use programs::threads::{self, Usage};
use rayon::prelude::*;

const ROWS: usize = 301;
const INNER: usize = 257;
const COLUMNS: usize = 275;

/// Small whole numbers, so that no product is rounded, and sums do not depend on their order.
fn matrix(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let mut numbers = Numbers::new(seed);
    Mat::from_fn(rows, columns, |_, _| numbers.below(2_001) as f64 - 1_000.0)
}

/// On as many threads as the current pool has.
fn product(left: &Mat<f64>, right: &Mat<f64>) -> Mat<f64> {
    let mut product = Mat::zeros(left.nrows(), right.ncols());
    matmul(product.as_mut(), Accum::Replace, left.as_ref(), right.as_ref(), 1.0, Par::rayon(0));
    product
}

fn plain_product(left: &Mat<f64>, right: &Mat<f64>) -> Mat<f64> {
    let cell = |row, column| (0..left.ncols()).map(|inner| left[(row, inner)] * right[(inner, column)]).sum();
    Mat::from_fn(left.nrows(), right.ncols(), cell)
}

fn main() {
    programs::run("faer", || {
        let pairs = [1, 3].map(|seed| (matrix(ROWS, INNER, seed), matrix(INNER, COLUMNS, seed + 1)));
        let expected = pairs.each_ref().map(|(left, right)| plain_product(left, right));
        let check = |at: usize| assert!(product(&pairs[at].0, &pairs[at].1) == expected[at], "another product");
        let (_, workers) = Usage::of_workers(|| check(0));
        for _ in 0..20 {
            rayon::join(|| check(0), || check(1));
            (0..8).into_par_iter().for_each(|at| check(at % 2));
        }
        let quick = pulse::stays_quick(|| check(1));
        format!("products of {ROWS} × {INNER} × {COLUMNS}; {} ms on the workers; {quick}", threads::in_millis(&workers))
    });
}
