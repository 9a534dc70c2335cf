//! Selection: what would lie at an index if the slice were sorted, with the lesser elements before and the greater ones
//! behind it.
//!
//! Floyd and Rivest ("Expected Time Bounds for Selection", 1975): from a sample one knows two elements between which
//! the one that is wanted lies almost surely, and not many others. Whatever is less or greater is put aside in one
//! pass, here by all workers at once; the search goes on in between. Each worker compares with other elements of the
//! sample, so what lies in between is known for sure only afterwards: if the one found is not beyond any of the
//! borders, it is right.

use std::ops::Range;

use crate::par::sort::grain::{Grain, SMALL, inside, weigh};
use crate::par::sort::order::Order;
use crate::par::sort::partition_wide::partition_wide;
use crate::par::sort::unstable::sample;

/// The elements in this range are where they belong, and all equal: the one that was wanted is among them.
pub(crate) type Middle = Range<usize>;

/// At most so many elements are looked at beforehand.
const SAMPLE: usize = 16_384;

/// And at most one of so many.
const SAMPLED_EACH: usize = 32;

/// Reorders `v` so that the element at `index` is the one that would be there if it were sorted, with no greater one
/// before it and no lesser one behind it.
///
/// # Panics
/// If `index` is not below the length.
pub(crate) fn select_nth<'v, T: Send, O: Order<T>>(
    v: &'v mut [T],
    index: usize,
    order: &O,
) -> (&'v mut [T], &'v mut T, &'v mut [T]) {
    assert!(index < v.len(), "the index ({index}) should be below the length ({})", v.len());
    let weight = weigh(v, order);
    if v.len().saturating_mul(weight) <= SMALL || size_of::<T>() == 0 {
        order.select(v, index);
    } else {
        inside(|| match Grain::of(v.len(), weight) {
            Grain { workers: 1, .. } => order.select(v, index),
            grain => drop(select(v, index, grain, order)),
        });
    }
    let (before, rest) = v.split_at_mut(index);
    let (found, behind) = rest.split_first_mut().expect("the index is below the length");
    (before, found, behind)
}

/// [`select_nth`] inside the pool.
pub(crate) fn select<T: Send, O: Order<T>>(v: &mut [T], index: usize, grain: Grain, order: &O) -> Middle {
    if let Some(middle) = between(v, index, grain, order) {
        return middle;
    }
    order.select(v, index);
    index..index + 1
}

/// None if the slice is short, or the sample has misled us: then it is a permutation of what it was, and no more.
pub(crate) fn between<T: Send, O: Order<T>>(v: &mut [T], index: usize, grain: Grain, order: &O) -> Option<Middle> {
    let (len, chunks) = (v.len(), (2 * grain.workers).min(v.len() / grain.piece));
    if len <= grain.small || chunks < 2 || len < SAMPLED_EACH {
        return None;
    }
    let sampled = sample(v, sample_size(len), order);
    let near = ((index as u128 * sampled as u128) / len as u128) as usize;
    // Four times the deviation that a place in a sample has at most.
    let gap = 2 * sampled.isqrt();
    // The last pivots below, and the first above. Of these, `below` and `above` bound what is in between.
    let below = near.checked_sub(gap).filter(|below| *below >= chunks);
    let above = Some(near + gap).filter(|above| above + chunks <= sampled);
    let less = |x: &T, pivot: &T| order.less(x, pivot);
    let not_greater = |x: &T, pivot: &T| !order.less(pivot, x);

    // [ sample | lesser | rest ], then [ sample up to below | lesser | the rest of the sample | rest ].
    let (sample, rest) = v.split_at_mut(sampled);
    let lesser = below.map_or(0, |below| partition_wide(rest, &mut sample[below - chunks..below], grain, &less));
    let low = below.unwrap_or(0);
    exchange_blocks(&mut v[low..sampled + lesser], sampled - low);
    let start = low + lesser;
    let sampled = sampled - low;

    // [ sample | rest of the middle | greater ], then [ sample up to above | rest of the middle | sample | greater ].
    let from = &mut v[start..];
    let (sample, rest) = from.split_at_mut(sampled);
    let high = above.map_or(sampled, |above| above - low);
    let middle =
        above.map_or(rest.len(), |_| partition_wide(rest, &mut sample[high..high + chunks], grain, &not_greater));
    exchange_blocks(&mut from[high..sampled + middle], sampled - high);
    let end = start + high + middle;

    if !(start..end).contains(&index) {
        return None;
    }
    // All pivots equal: so is all that lies in between.
    let alike = |below: usize| !order.less(&v[below - chunks], &v[end + chunks - 1]);
    if above.is_some() && below.is_some_and(alike) {
        return Some(start..end);
    }
    if end - start > len / 2 {
        return None;
    }
    let within = select(&mut v[start..end], index - start, grain, order);
    let found = &v[index];
    if below.is_some_and(|below| order.less(found, &v[below - 1])) || end < len && order.less(&v[end], found) {
        return None;
    }
    Some(start + within.start..start + within.end)
}

/// How many elements of `len` to look at. One thread sorts them while the others wait, and four deviations of what they
/// say are left in between for later: both together take least if the sample grows with the power of two thirds.
fn sample_size(len: usize) -> usize {
    let cheapest = (len as f64 / 4.0).cbrt().powi(2) as usize;
    cheapest.min(SAMPLE).min(len / SAMPLED_EACH)
}

/// From `[ first | second ]` makes `[ second | first ]`, and keeps the order of the first, which is the shorter one
/// as a rule.
fn exchange_blocks<T>(v: &mut [T], first: usize) {
    let second = v.len() - first;
    if first <= second {
        let (front, back) = v.split_at_mut(second);
        front[..first].swap_with_slice(back);
    } else {
        v.rotate_left(first);
    }
}
