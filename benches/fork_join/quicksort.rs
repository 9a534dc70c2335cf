//! Quicksort of random u64: a branchless partition, and a join of the two sides. Pieces of a few thousand go to the
//! standard library's sort.

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, Rayon, Serial};
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

/// Pieces up to this length are sorted by the standard library.
const LEAF: usize = 4096;

pub fn row(scale: Scale) -> Row {
    let len = scale.pick(10_000_000, 1_000_000, 10_000);
    KernelRow::new("quicksort", format!("quicksort by join, {len} u64"), Unit::MILLISECONDS, Quicksort { len })
        .serial()
        .library::<Filch>(ONE_AND_TWO)
        .library::<Rayon>(ONE_AND_TWO)
        .library::<Chili>(ONE_AND_TWO)
        .library::<Forte>(ONE_AND_TWO)
        .build()
}

struct Quicksort {
    len: usize,
}

struct Numbers {
    source: Vec<u64>,
    sum: u64,
    work: Vec<u64>,
}

impl Kernel for Quicksort {
    type State = Numbers;
    type Output = ();

    fn state(&self) -> Numbers {
        let mut rng = Rng::new(2);
        let source: Vec<u64> = (0..self.len).map(|_| rng.next_u64()).collect();
        Numbers { sum: sum(&source), work: source.clone(), source }
    }

    fn reset(&self, numbers: &mut Numbers) {
        numbers.work.copy_from_slice(&numbers.source);
    }

    fn serial(&self, numbers: &mut Numbers) {
        quicksort::<Serial>((), &mut numbers.work);
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, numbers: &mut Numbers) {
        quicksort::<F>(handle, &mut numbers.work);
    }

    fn check(&self, numbers: &Numbers, (): ()) {
        assert!(numbers.work.is_sorted());
        assert_eq!(sum(&numbers.work), numbers.sum);
    }
}

/// A fingerprint that does not depend on the order.
fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |sum, n| sum.wrapping_add(n.wrapping_mul(*n | 1)))
}

fn quicksort<F: Fork>(handle: F::Handle<'_, '_>, numbers: &mut [u64]) {
    if numbers.len() <= LEAF {
        return numbers.sort_unstable();
    }
    let pivot = partition(numbers);
    let (low, rest) = numbers.split_at_mut(pivot);
    let high = &mut rest[1..];
    F::join(handle, |h| quicksort::<F>(h, low), |h| quicksort::<F>(h, high));
}

/// Moves all that is less than a pivot before it, and returns where the pivot is. The swap is unconditional and only
/// the border depends on the comparison, so there is no branch to predict.
fn partition(numbers: &mut [u64]) -> usize {
    let last = numbers.len() - 1;
    numbers.swap(median_of_three(numbers), last);
    let pivot = numbers[last];
    let mut border = 0;
    for index in 0..last {
        let less = numbers[index] < pivot;
        numbers.swap(index, border);
        border += usize::from(less);
    }
    numbers.swap(border, last);
    border
}

/// The index of the median of the first, the middle and the last number.
fn median_of_three(numbers: &[u64]) -> usize {
    let mut three = [0, numbers.len() / 2, numbers.len() - 1];
    three.sort_by_key(|&index| numbers[index]);
    three[1]
}
