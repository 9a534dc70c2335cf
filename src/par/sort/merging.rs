//! Merges two sorted runs into a third place, in parallel.

use std::mem::MaybeUninit;

use crate::par::sort::grain::Grain;
use crate::par::sort::merge::{copy, cut, merge};
use crate::par::sort::order::Order;
use crate::work::join::join_inside;

/// [`merge`], in parallel. What it says of panics holds here too: each `join` inside returns or unwinds only when
/// nobody writes to `out` any more.
pub(crate) fn par_merge<T: Send, O: Order<T>>(
    left: &mut [T],
    right: &mut [T],
    out: &mut [MaybeUninit<T>],
    grain: Grain,
    order: &O,
) {
    assert_eq!(left.len() + right.len(), out.len());
    if out.len() <= grain.piece {
        return merge(left, right, out, order);
    }
    let half = out.len() / 2;
    let from_left = cut(left, right, half, order);
    let (left_a, left_b) = left.split_at_mut(from_left);
    let (right_a, right_b) = right.split_at_mut(half - from_left);
    let (out_a, out_b) = out.split_at_mut(half);
    join_inside(|| par_merge(left_a, right_a, out_a, grain, order), || par_merge(left_b, right_b, out_b, grain, order));
}

/// Copies bit for bit, in parallel.
pub(crate) fn par_copy<T: Send>(from: &mut [T], to: &mut [MaybeUninit<T>], grain: Grain) {
    assert_eq!(from.len(), to.len());
    if from.len() <= grain.piece {
        return copy(from, to);
    }
    let half = from.len() / 2;
    let ((from_a, from_b), (to_a, to_b)) = (from.split_at_mut(half), to.split_at_mut(half));
    join_inside(|| par_copy(from_a, to_a, grain), || par_copy(from_b, to_b, grain));
}
