//! The stable sort.

use std::mem::MaybeUninit;

use crate::par::sort::grain::{Grain, SMALL, inside, weigh};
use crate::par::sort::halves::{merge_back, merge_two};
use crate::par::sort::merging::par_merge;
use crate::par::sort::order::Order;
use crate::par::sort::runs::long_runs;
use crate::work::join::join_inside;

/// Sorts stably.
pub(crate) fn sort<T: Send, O: Order<T>>(v: &mut [T], order: &O) {
    let weight = weigh(v, order);
    if v.len().saturating_mul(weight) <= SMALL || size_of::<T>() == 0 {
        return order.sort(v);
    }
    inside(|| sort_inside(v, weight, order));
}

fn sort_inside<T: Send, O: Order<T>>(v: &mut [T], weight: usize, order: &O) {
    let grain = Grain::of(v.len(), weight);
    if grain.workers == 1 {
        return order.sort(v);
    }
    let ends = long_runs(v, grain, order);
    let sorted = ends.last().copied().unwrap_or(0);
    if sorted == v.len() && ends.len() == 1 {
        return;
    }
    let mut buffer = Vec::new();
    if buffer.try_reserve_exact(v.len()).is_err() {
        return order.sort(v);
    }
    let buffer = &mut buffer.spare_capacity_mut()[..v.len()];
    if sorted < v.len() / 4 {
        // Not much, or nothing at all.
        return quarters(v, buffer, levels(v.len(), grain), grain, order);
    }
    let rest = &mut v[sorted..];
    if rest.len() <= grain.small {
        order.sort(rest);
    } else {
        quarters(rest, &mut buffer[sorted..], levels(rest.len(), grain), grain, order);
    }
    let cuts: Vec<usize> = ends.into_iter().filter(|end| *end < v.len()).collect();
    combine(v, buffer, &cuts, 0, grain, order);
}

/// Merges sorted runs. `v` begins at `start`, and the runs meet at `cuts`.
fn combine<T: Send, O: Order<T>>(
    v: &mut [T],
    buffer: &mut [MaybeUninit<T>],
    cuts: &[usize],
    start: usize,
    grain: Grain,
    order: &O,
) {
    let (before, half, after) = match cuts {
        [] => return,
        [cut] => return merge_two(v, cut - start, buffer, grain, order),
        _ => cut_near(cuts, start, start + v.len()),
    };
    let (begin, end) = (start, start + v.len());
    let (first, quarter, second) = cut_near(before, begin, half);
    let (third, three, fourth) = cut_near(after, half, end);
    let (left, right) = v.split_at_mut(half - begin);
    let (buffer_left, buffer_right) = buffer.split_at_mut(half - begin);
    let combine_two = |v: &mut [T], buffer: &mut [MaybeUninit<T>], at: usize, cuts: [&[usize]; 2], start: usize| {
        let ((a, b), (buffer_a, buffer_b)) = (v.split_at_mut(at - start), buffer.split_at_mut(at - start));
        join_inside(
            || combine(a, buffer_a, cuts[0], start, grain, order),
            || combine(b, buffer_b, cuts[1], at, grain, order),
        );
    };
    join_inside(
        || combine_two(left, buffer_left, quarter, [first, second], begin),
        || combine_two(right, buffer_right, three, [third, fourth], half),
    );
    merge_four(v, buffer, [quarter - begin, half - begin, three - begin], grain, order);
}

/// The cut that is nearest to the middle, and those before and after it; the end, if there is none.
fn cut_near(cuts: &[usize], start: usize, end: usize) -> (&[usize], usize, &[usize]) {
    let middle = start + (end - start) / 2;
    match cuts.iter().enumerate().min_by_key(|(_, cut)| cut.abs_diff(middle)) {
        Some((i, cut)) => (&cuts[..i], *cut, &cuts[i + 1..]),
        None => (&[], end, &[]),
    }
}

/// How many times to cut into four: so that there are more parts than workers.
fn levels(len: usize, grain: Grain) -> u32 {
    let (mut levels, mut parts) = (1, 4);
    while parts < 2 * grain.workers && len / (4 * parts) >= grain.least {
        parts *= 4;
        levels += 1;
    }
    levels
}

/// Sorts four parts, and merges them.
fn quarters<T: Send, O: Order<T>>(v: &mut [T], buffer: &mut [MaybeUninit<T>], levels: u32, grain: Grain, order: &O) {
    if levels == 0 {
        return order.sort(v);
    }
    let half = v.len() / 2;
    let (quarter, three) = (half / 2, half + (v.len() - half) / 2);
    let (left, right) = v.split_at_mut(half);
    let (buffer_left, buffer_right) = buffer.split_at_mut(half);
    let sort_two = |v: &mut [T], buffer: &mut [MaybeUninit<T>], at: usize| {
        let ((a, b), (buffer_a, buffer_b)) = (v.split_at_mut(at), buffer.split_at_mut(at));
        join_inside(
            || quarters(a, buffer_a, levels - 1, grain, order),
            || quarters(b, buffer_b, levels - 1, grain, order),
        );
    };
    join_inside(|| sort_two(left, buffer_left, quarter), || sort_two(right, buffer_right, three - half));
    merge_four(v, buffer, [quarter, half, three], grain, order);
}

/// Merges four sorted parts, which meet at `cuts`, by twos into the buffer, and the rest of the way back.
fn merge_four<T: Send, O: Order<T>>(
    v: &mut [T],
    buffer: &mut [MaybeUninit<T>],
    cuts: [usize; 3],
    grain: Grain,
    order: &O,
) {
    let [quarter, half, three] = cuts;
    let (left, right) = v.split_at_mut(half);
    let (buffer_left, buffer_right) = buffer.split_at_mut(half);
    let follows = |v: &[T], at: usize| order.follows(&v[..at], &v[at..]);
    if follows(left, quarter) && follows(right, three - half) && order.follows(left, right) {
        return;
    }
    let into_buffer = |v: &mut [T], buffer: &mut [MaybeUninit<T>], at: usize| {
        let (a, b) = v.split_at_mut(at);
        par_merge(a, b, buffer, grain, order);
    };
    join_inside(|| into_buffer(left, buffer_left, quarter), || into_buffer(right, buffer_right, three - half));
    // SAFETY: both merges have ended without unwinding: the buffer has every element of `v`. It is not looked at again
    // but to be overwritten.
    unsafe { merge_back(buffer, half, v, grain, order) };
}
