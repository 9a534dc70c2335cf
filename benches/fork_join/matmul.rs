//! Recursive matrix multiplication, f32. A matrix is stored as its four quadrants one after the other, and so on down
//! to tiles of 64 × 64, so that every quadrant is a slice and the recursion needs no pointers. `c += a · b` is eight
//! products of quadrants in two phases of four, and the four of a phase write to different quadrants of `c`.

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, Rayon, Serial};
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

/// Side of a tile.
const LEAF: usize = 64;
const TILE: usize = LEAF * LEAF;

pub fn row(scale: Scale) -> Row {
    let side = scale.pick(1024, 256, 128);
    KernelRow::new(
        "matmul",
        format!("matrix product, {side} × {side} f32, leaf {LEAF}"),
        Unit::MILLISECONDS,
        Product { side },
    )
    .serial()
    .library::<Filch>(ONE_AND_TWO)
    .library::<Rayon>(ONE_AND_TWO)
    .library::<Chili>(ONE_AND_TWO)
    .library::<Forte>(ONE_AND_TWO)
    .build()
}

struct Product {
    side: usize,
}

struct Matrices {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    /// A random vector, and the product applied to it: the check of Freivalds (1977).
    probe: Vec<f64>,
    expected: Vec<f64>,
}

impl Kernel for Product {
    type State = Matrices;
    type Output = ();

    fn state(&self) -> Matrices {
        let mut rng = Rng::new(1);
        let mut matrix = || -> Vec<f32> { (0..self.side * self.side).map(|_| rng.unit() as f32 - 0.5).collect() };
        let (a, b) = (matrix(), matrix());
        let probe: Vec<f64> = (0..self.side).map(|_| rng.unit() - 0.5).collect();
        let expected = apply(&a, &apply(&b, &probe));
        Matrices { c: vec![0.0; a.len()], a, b, probe, expected }
    }

    fn reset(&self, matrices: &mut Matrices) {
        matrices.c.fill(0.0);
    }

    fn serial(&self, matrices: &mut Matrices) {
        multiply::<Serial>((), &mut matrices.c, &matrices.a, &matrices.b);
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, matrices: &mut Matrices) {
        multiply::<F>(handle, &mut matrices.c, &matrices.a, &matrices.b);
    }

    fn check(&self, matrices: &Matrices, (): ()) {
        let found = apply(&matrices.c, &matrices.probe);
        for (found, expected) in found.iter().zip(&matrices.expected) {
            assert!((found - expected).abs() < 1e-2, "{found} is not {expected}");
        }
    }
}

/// `c += a · b`.
fn multiply<F: Fork>(mut handle: F::Handle<'_, '_>, c: &mut [f32], a: &[f32], b: &[f32]) {
    if c.len() == TILE {
        return multiply_tiles(c, a, b);
    }
    let [a11, a12, a21, a22] = quadrants(a);
    let [b11, b12, b21, b22] = quadrants(b);
    phase::<F>(F::again(&mut handle), c, [a11, a11, a21, a21], [b11, b12, b11, b12]);
    phase::<F>(handle, c, [a12, a12, a22, a22], [b21, b22, b21, b22]);
}

/// One product added to each quadrant of `c`, all four at once.
fn phase<F: Fork>(handle: F::Handle<'_, '_>, c: &mut [f32], a: [&[f32]; 4], b: [&[f32]; 4]) {
    let (top, bottom) = c.split_at_mut(c.len() / 2);
    let pair = |h: F::Handle<'_, '_>, c: &mut [f32], first: usize| {
        let (left, right) = c.split_at_mut(c.len() / 2);
        F::join(
            h,
            |h| multiply::<F>(h, left, a[first], b[first]),
            |h| multiply::<F>(h, right, a[first + 1], b[first + 1]),
        );
    };
    F::join(handle, |h| pair(h, top, 0), |h| pair(h, bottom, 2));
}

fn quadrants(matrix: &[f32]) -> [&[f32]; 4] {
    let (top, bottom) = matrix.split_at(matrix.len() / 2);
    let ((a, b), (c, d)) = (top.split_at(top.len() / 2), bottom.split_at(bottom.len() / 2));
    [a, b, c, d]
}

/// The product of two tiles, whose elements are in rows; the innermost loop runs along rows of `b` and `c`.
fn multiply_tiles(c: &mut [f32], a: &[f32], b: &[f32]) {
    for (c_row, a_row) in c.chunks_exact_mut(LEAF).zip(a.chunks_exact(LEAF)) {
        for (a, b_row) in a_row.iter().zip(b.chunks_exact(LEAF)) {
            for (c, b) in c_row.iter_mut().zip(b_row) {
                *c += a * b;
            }
        }
    }
}

/// The matrix applied to a vector, in f64.
fn apply(matrix: &[f32], vector: &[f64]) -> Vec<f64> {
    if matrix.len() == TILE {
        let dot = |row: &[f32]| row.iter().zip(vector).map(|(m, v)| f64::from(*m) * v).sum();
        return matrix.chunks_exact(LEAF).map(dot).collect();
    }
    let (left, right) = vector.split_at(vector.len() / 2);
    let [a, b, c, d] = quadrants(matrix);
    let sum = |x: Vec<f64>, y: Vec<f64>| x.into_iter().zip(y).map(|(x, y)| x + y).collect::<Vec<f64>>();
    let mut result = sum(apply(a, left), apply(b, right));
    result.extend(sum(apply(c, left), apply(d, right)));
    result
}
