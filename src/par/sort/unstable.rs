//! The unstable sort: quicksort, whose parts are sorted in parallel.

use crate::ground::rng::Rng;
use crate::par::sort::grain::{Grain, SMALL, inside, weigh};
use crate::par::sort::order::Order;
use crate::par::sort::partition::partition;
use crate::par::sort::runs::finish_run;
use crate::par::sort::select::{Middle, between};
use crate::work::join::join_inside;

/// The pivot is the median of so many elements, if that is no large part of them.
const SAMPLE: usize = if cfg!(debug_assertions) { 31 } else { 255 };

/// With so many workers for one part, it is not partitioned by one of them while the others wait.
const MANY: usize = if cfg!(debug_assertions) { 3 } else { 4 };

/// Sorts in place.
pub(crate) fn sort_unstable<T: Send, O: Order<T>>(v: &mut [T], order: &O) {
    let weight = weigh(v, order);
    if v.len().saturating_mul(weight) <= SMALL || size_of::<T>() == 0 {
        return order.sort_unstable(v);
    }
    inside(|| {
        let grain = Grain::of(v.len(), weight);
        if grain.workers == 1 {
            return order.sort_unstable(v);
        }
        if !finish_run(v, grain, order) {
            // Twice as deep as halves would go.
            let depth = 2 * (v.len() / grain.part).ilog2() + 4;
            quicksort(v, grain, depth, order);
        }
    });
}

/// Sorts `v` with about `grain.workers` threads.
fn quicksort<T: Send, O: Order<T>>(v: &mut [T], grain: Grain, depth: u32, order: &O) {
    if v.len() <= grain.part || depth == 0 {
        return order.sort_unstable(v);
    }
    let wide = if grain.workers >= MANY { between(v, v.len() / 2, grain, order) } else { None };
    let middle = wide.unwrap_or_else(|| partition_by_sample(v, order));
    let (rest, right) = v.split_at_mut(middle.end);
    let left = &mut rest[..middle.start];
    let grain = Grain { workers: grain.workers.div_ceil(2), ..grain };
    join_inside(|| quicksort(left, grain, depth - 1, order), || quicksort(right, grain, depth - 1, order));
}

/// Partitions around the median of a sample; gives where the elements lie that need not be looked at again.
fn partition_by_sample<T, O: Order<T>>(v: &mut [T], order: &O) -> Middle {
    let len = sample(v, SAMPLE.min(v.len().div_ceil(8)), order);
    let half = len / 2;
    // Are there others like the pivot in the sample? Then it is worth a pass to have done with all of them.
    let often = !order.less(&v[half - len / 8], &v[half]) || !order.less(&v[half], &v[half + len / 8]);
    v.swap(0, half);
    let (pivot, rest) = v.split_at_mut(1);
    let pivot = &pivot[0];
    let count = partition(rest, |x| order.less(x, pivot));
    let equal = if often { partition(&mut rest[count..], |x| !order.less(pivot, x)) } else { 0 };
    v.swap(0, count);
    count..count + 1 + equal
}

/// Brings a sorted sample to the front; gives its length.
pub(crate) fn sample<T, O: Order<T>>(v: &mut [T], most: usize, order: &O) -> usize {
    let len = most.min(v.len());
    let rng = Rng::new(v.len() as u64);
    let stride = v.len() / len;
    // From the back, so that no element is taken twice.
    for i in (0..len).rev() {
        v.swap(i, i * stride + rng.below(stride));
    }
    order.sort_unstable(&mut v[..len]);
    len
}
