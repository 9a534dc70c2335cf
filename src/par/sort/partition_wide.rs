//! Partitions a slice on many threads, each with a pivot of its own.

use crate::par::sort::grain::Grain;
use crate::par::sort::partition::partition;
use crate::work::join::join_inside;

/// Cuts `v` into as many chunks as there are pivots, partitions each by `first(element, its pivot)`, and brings the
/// parts together: those for which `first` says so before the others. Gives their number.
pub(crate) fn partition_wide<T: Send>(
    v: &mut [T],
    pivots: &mut [T],
    grain: Grain,
    first: &(impl Fn(&T, &T) -> bool + Sync),
) -> usize {
    let chunk = v.len().div_ceil(pivots.len()).max(1);
    let mut counts = vec![0; pivots.len()];
    partition_chunks(v, pivots, &mut counts, chunk, first);
    gather(v, &counts, chunk, grain)
}

fn partition_chunks<T: Send>(
    v: &mut [T],
    pivots: &mut [T],
    counts: &mut [usize],
    chunk: usize,
    first: &(impl Fn(&T, &T) -> bool + Sync),
) {
    if let ([pivot], [count]) = (&mut *pivots, &mut *counts) {
        let pivot = &*pivot;
        *count = partition(v, |x| first(x, pivot));
        return;
    }
    let half = pivots.len() / 2;
    let (v_a, v_b) = v.split_at_mut(v.len().min(half * chunk));
    let (pivots_a, pivots_b) = pivots.split_at_mut(half);
    let (counts_a, counts_b) = counts.split_at_mut(half);
    join_inside(
        || partition_chunks(v_a, pivots_a, counts_a, chunk, first),
        || partition_chunks(v_b, pivots_b, counts_b, chunk, first),
    );
}

/// So many elements from `front` on are to change places with as many from `back` on. The latter count from the border.
#[derive(Clone, Copy)]
struct Exchange {
    front: usize,
    back: usize,
    len: usize,
}

/// Brings the first parts of all chunks together at the front.
fn gather<T: Send>(v: &mut [T], counts: &[usize], chunk: usize, grain: Grain) -> usize {
    let border: usize = counts.iter().sum();
    let exchanges = exchanges(counts, chunk, v.len(), border, grain.piece);
    let (front, back) = v.split_at_mut(border);
    exchange(front, back, (0, 0), &exchanges);
    border
}

/// What lies on the wrong side of `border`, paired from left to right on both sides.
fn exchanges(counts: &[usize], chunk: usize, len: usize, border: usize, most: usize) -> Vec<Exchange> {
    let chunks =
        || counts.iter().enumerate().map(|(i, count)| ((i * chunk).min(len), *count, ((i + 1) * chunk).min(len)));
    // Parts that do not go first, in front of the border; and those that do, behind it.
    let mut wrong_front =
        chunks().map(|(start, count, end)| (start + count, end.min(border))).filter(|(start, end)| start < end);
    let mut wrong_back =
        chunks().map(|(start, count, _)| (start.max(border), start + count)).filter(|(start, end)| start < end);
    let mut exchanges = Vec::new();
    let (mut f, mut b) = ((0, 0), (0, 0));
    loop {
        if f.0 == f.1 {
            let Some(next) = wrong_front.next() else { break };
            f = next;
        }
        if b.0 == b.1 {
            let Some(next) = wrong_back.next() else { break };
            b = next;
        }
        let len = (f.1 - f.0).min(b.1 - b.0).min(most);
        exchanges.push(Exchange { front: f.0, back: b.0 - border, len });
        f.0 += len;
        b.0 += len;
    }
    exchanges
}

/// `offset` says where `front` and `back` begin.
fn exchange<T: Send>(front: &mut [T], back: &mut [T], offset: (usize, usize), list: &[Exchange]) {
    match list {
        [] => {}
        [one] => {
            let (f, b) = (one.front - offset.0, one.back - offset.1);
            front[f..f + one.len].swap_with_slice(&mut back[b..b + one.len]);
        }
        _ => {
            let (list_a, list_b) = list.split_at(list.len() / 2);
            let next = (list_b[0].front, list_b[0].back);
            let (front_a, front_b) = front.split_at_mut(next.0 - offset.0);
            let (back_a, back_b) = back.split_at_mut(next.1 - offset.1);
            join_inside(|| exchange(front_a, back_a, offset, list_a), || exchange(front_b, back_b, next, list_b));
        }
    }
}
