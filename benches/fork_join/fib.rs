//! Fibonacci numbers by double recursion, a fork at every call and no cutoff: nothing but the cost of a fork.

use std::hint::black_box;

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, FilchWorker, Rayon};
use crate::support::row::{Row, Unit};

/// The usual counts, and many more workers than cores.
const CROWDED: &[usize] = &[1, 2, 64];

pub fn row(scale: Scale) -> Row {
    let n = scale.pick(34, 27, 12);
    // A call for n ≥ 2 joins once; there are fib(n + 1) − 1 of those.
    let joins = iterative(n + 1) - 1;
    let unit = Unit::nanoseconds_per("ns per join", joins as f64);
    KernelRow::new("fib", format!("fib({n}), no cutoff"), unit, Fib { n })
        .note("forte is left out at 64 workers: this release, and later ones, may hang there.")
        .serial()
        .library::<Filch>(CROWDED)
        .library::<FilchWorker>(ONE_AND_TWO)
        .library::<Rayon>(CROWDED)
        .library::<Chili>(CROWDED)
        .library::<Forte>(ONE_AND_TWO)
        .build()
}

struct Fib {
    n: u64,
}

impl Kernel for Fib {
    type State = ();
    type Output = u64;

    fn state(&self) {}

    fn serial(&self, (): &mut ()) -> u64 {
        serial(black_box(self.n))
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, (): &mut ()) -> u64 {
        parallel::<F>(handle, black_box(self.n))
    }

    fn check(&self, (): &(), output: u64) {
        assert_eq!(output, iterative(self.n));
    }
}

/// The plain function.
pub fn serial(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    serial(n - 1) + serial(n - 2)
}

/// The same with a fork for every pair of calls.
pub fn parallel<F: Fork>(handle: F::Handle<'_, '_>, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = F::join(handle, move |h| parallel::<F>(h, n - 1), move |h| parallel::<F>(h, n - 2));
    a + b
}

/// The same number without recursion, to check with.
pub fn iterative(n: u64) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}
