//! The product of two square matrices, each way on the same pool: by equal shares, by halving, and by a parallel loop.
//!
//! ```text
//! cargo run --release --example matmul -- [--size N] [--workers N]
//! ```
//!
//! [`broadcast`](filch::broadcast) runs one closure on every worker, and each finds its share by its index, as on
//! machines with many processes and one memory. [`join`](filch::join) halves the product again and again. The loop runs
//! over the rows. Every element is added up in the same order in all of them, so the results are equal to the last bit.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use filch::prelude::*;

const USAGE: &str = "\
Usage: matmul [--size N] [--workers N]

  --size N       Multiply matrices of N rows and columns [default: 768]
  --workers N    Use N workers [default or 0: what the pool chooses]
";

/// Halves are multiplied in place when no side of theirs is longer.
const CUTOFF: usize = 64;

/// A square matrix, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    size: usize,
    elements: Vec<f64>,
}

impl Matrix {
    pub fn zero(size: usize) -> Self {
        Matrix { size, elements: vec![0.0; size * size] }
    }

    /// Elements between -0.5 and 0.5 without any order, the same for the same seed.
    pub fn random(size: usize, seed: u64) -> Self {
        let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        let states = std::iter::successors(next(&seed), next);
        let elements = states.map(|state| (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5);
        Matrix { size, elements: elements.take(size * size).collect() }
    }

    pub fn row(&self, index: usize) -> &[f64] {
        &self.elements[index * self.size..][..self.size]
    }
}

/// A part of a product: rows of the left matrix, and columns of the right one.
#[derive(Clone)]
struct Part<'m> {
    left: &'m Matrix,
    right: &'m Matrix,
    rows: Range<usize>,
    columns: Range<usize>,
    /// The columns of the left matrix, and rows of the right one, over which is added up.
    inner: Range<usize>,
}

impl<'m> Part<'m> {
    /// All columns of some rows.
    fn rows(left: &'m Matrix, right: &'m Matrix, rows: Range<usize>) -> Self {
        Part { left, right, rows, columns: 0..right.size, inner: 0..left.size }
    }

    /// Adds the part to `to`, which holds the same rows and columns of the result.
    fn add<'r>(&self, to: impl IntoIterator<Item = &'r mut [f64]>) {
        for (row, to) in self.rows.clone().zip(to) {
            for inner in self.inner.clone() {
                let factor = self.left.row(row)[inner];
                // Along the rows of both matrices, which the processor does for several elements at once.
                let others = &self.right.row(inner)[self.columns.clone()];
                to.iter_mut().zip(others).for_each(|(to, other)| *to += factor * other);
            }
        }
    }

    /// The same as [`add`](Self::add): halves the longest side until all are short.
    fn add_recursively(self, mut to: Vec<&mut [f64]>) {
        let (rows, columns, inner) = (self.rows.len(), self.columns.len(), self.inner.len());
        let longest = rows.max(columns).max(inner);
        if longest <= CUTOFF {
            self.add(to);
        } else if longest == rows {
            let (first, second) = halves(&self.rows);
            let to_second = to.split_off(first.len());
            let (first, second) = (Part { rows: first, ..self.clone() }, Part { rows: second, ..self });
            filch::join(|| first.add_recursively(to), || second.add_recursively(to_second));
        } else if longest == columns {
            let (first, second) = halves(&self.columns);
            let (to_first, to_second) = to.into_iter().map(|row| row.split_at_mut(first.len())).unzip();
            let (first, second) = (Part { columns: first, ..self.clone() }, Part { columns: second, ..self });
            filch::join(|| first.add_recursively(to_first), || second.add_recursively(to_second));
        } else {
            // Both halves are added to the same elements, so one after the other.
            let (first, second) = halves(&self.inner);
            let again = to.iter_mut().map(|row| &mut **row).collect();
            Part { inner: first, ..self.clone() }.add_recursively(again);
            Part { inner: second, ..self }.add_recursively(to);
        }
    }
}

fn halves(range: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = range.start + range.len() / 2;
    (range.start..middle, middle..range.end)
}

pub fn serial(left: &Matrix, right: &Matrix) -> Matrix {
    let mut product = Matrix::zero(left.size);
    let size = left.size;
    Part::rows(left, right, 0..size).add(product.elements.chunks_exact_mut(size));
    product
}

/// A share of the rows for each worker, none for the last ones if there are fewer rows than workers.
pub fn by_shares(left: &Matrix, right: &Matrix) -> Matrix {
    let mut product = Matrix::zero(left.size);
    let size = left.size;
    let rows = size.div_ceil(filch::current_num_threads());
    // Each lock is taken once, by the worker whose share is behind it.
    let shares: Vec<Mutex<&mut [f64]>> = product.elements.chunks_mut(rows * size).map(Mutex::new).collect();
    filch::broadcast(|context| {
        let Some(share) = shares.get(context.index()) else { return };
        let mut share = share.lock().expect("nobody else has this share");
        let first = context.index() * rows;
        Part::rows(left, right, first..first + share.len() / size).add(share.chunks_exact_mut(size));
    });
    product
}

pub fn by_halves(left: &Matrix, right: &Matrix) -> Matrix {
    let mut product = Matrix::zero(left.size);
    let size = left.size;
    Part::rows(left, right, 0..size).add_recursively(product.elements.chunks_exact_mut(size).collect());
    product
}

pub fn by_loop(left: &Matrix, right: &Matrix) -> Matrix {
    let mut product = Matrix::zero(left.size);
    product
        .elements
        .par_chunks_mut(left.size)
        .enumerate()
        .for_each(|(row, to)| Part::rows(left, right, row..row + 1).add([to]));
    product
}

pub type Way = fn(&Matrix, &Matrix) -> Matrix;

pub const WAYS: [(&str, Way); 4] = [
    ("one row after the other", serial),
    ("a share for each worker", by_shares),
    ("by halves, with join", by_halves),
    ("a parallel loop over rows", by_loop),
];

/// The result, and the time of the quickest of three times.
fn timed(work: impl Fn() -> Matrix) -> (Matrix, Duration) {
    let timed = |_| {
        let begin = Instant::now();
        (work(), begin.elapsed())
    };
    (0..3).map(timed).min_by_key(|(_, took)| *took).expect("three is more than none")
}

/// Size and workers. None if help was asked for.
fn options(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<(usize, usize)>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut size, mut workers) = (768, 0);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("size") => size = parser.value()?.parse::<NonZeroUsize>()?.get(),
            Long("workers") => workers = parser.value()?.parse()?,
            Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some((size, workers)))
}

fn main() -> Result<(), lexopt::Error> {
    let Some((size, workers)) = options(std::env::args_os().skip(1))? else {
        print!("{USAGE}");
        return Ok(());
    };
    let pool = filch::Pool::builder().workers(workers).build().expect("the system has threads for us");
    let (left, right) = (Matrix::random(size, 1), Matrix::random(size, 2));
    println!("{size} x {size} numbers; workers: {}; best of three", pool.num_workers());
    let expected = serial(&left, &right);
    let mut alone = None;
    for (name, way) in WAYS {
        let (product, took) = timed(|| pool.install(|| way(&left, &right)));
        assert!(product == expected, "{name}: another result");
        let speed_up = alone.get_or_insert(took).div_duration_f64(took);
        println!("  {name:<26} {:>9.2} ms  {speed_up:>5.2} times as fast", took.as_secs_f64() * 1e3);
    }
    Ok(())
}
