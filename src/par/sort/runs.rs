//! Finds runs: stretches of a slice that are sorted already, forwards or backwards.

use crate::ground::sync::{AtomicUsize, Ordering};
use crate::par::sort::grain::Grain;
use crate::par::sort::order::Order;
use crate::work::join::join_inside;

/// As many elements are looked at before anything is done in parallel.
const FIRST: usize = 64;

/// More runs than these are not worth more than to have them found by the standard library, part by part.
const MOST_RUNS: usize = 16;

/// If the slice is sorted, or backwards without equal elements, makes it sorted; says whether it did.
pub(crate) fn finish_run<T: Send, O: Order<T>>(v: &mut [T], grain: Grain, order: &O) -> bool {
    let (len, backwards) = first_run(v, grain, order);
    let whole = len == v.len();
    if whole && backwards {
        reverse(v, grain);
    }
    whole
}

/// Makes sorted runs of those that the slice begins with, if they are long ones; gives where they end.
///
/// In other slices it looks at a few elements only, or at no more than the first such run has.
pub(crate) fn long_runs<T: Send, O: Order<T>>(v: &mut [T], grain: Grain, order: &O) -> Vec<usize> {
    let least = v.len() / (2 * MOST_RUNS);
    let (mut ends, mut begin) = (Vec::new(), 0);
    while begin < v.len() && ends.len() < MOST_RUNS {
        let (len, backwards) = first_run(&mut v[begin..], grain, order);
        if len < least {
            break;
        }
        let end = begin + len;
        if backwards {
            reverse(&mut v[begin..end], grain);
        }
        ends.push(end);
        begin = end;
    }
    ends
}

/// The length of the run that the slice begins with, and whether each element of it comes strictly before the last one.
fn first_run<T: Send, O: Order<T>>(v: &mut [T], grain: Grain, order: &O) -> (usize, bool) {
    let Some((a, b)) = v.first().zip(v.get(1)) else { return (v.len(), false) };
    let backwards = order.less(b, a);
    let first = v.len().min(FIRST);
    let len = run_len(&v[..first], backwards, order);
    if len < first {
        return (len, backwards);
    }
    (extent(v, 0, backwards, &AtomicUsize::new(usize::MAX), grain, order), backwards)
}

fn reverse<T: Send>(v: &mut [T], grain: Grain) {
    let (left, right) = v.split_at_mut(v.len() / 2);
    let right_len = right.len();
    flip(left, &mut right[right_len - left.len()..], grain);
}

/// Exchanges the first of `a` with the last of `b`, and so on. They are of one length.
fn flip<T: Send>(a: &mut [T], b: &mut [T], grain: Grain) {
    if a.len() <= grain.piece {
        return a.iter_mut().zip(b.iter_mut().rev()).for_each(|(x, y)| std::mem::swap(x, y));
    }
    let half = a.len() / 2;
    let (a, a_rest) = a.split_at_mut(half);
    let (b_rest, b) = b.split_at_mut(b.len() - half);
    join_inside(|| flip(a, b, grain), || flip(a_rest, b_rest, grain));
}

/// [`run_len`], in parallel. `v` begins at `at`; runs do not go on beyond `broken`, or not as far.
///
/// `v` is taken by mutable reference so that no other thread has references to its elements.
fn extent<T: Send, O: Order<T>>(
    v: &mut [T],
    at: usize,
    backwards: bool,
    broken: &AtomicUsize,
    grain: Grain,
    order: &O,
) -> usize {
    // Relaxed: only a hint to stop early.
    if broken.load(Ordering::Relaxed) <= at {
        // Nobody asks: the run ends before.
        return 0;
    }
    if v.len() <= grain.piece {
        let len = run_len(v, backwards, order);
        if len < v.len() {
            broken.fetch_min(at + len, Ordering::Relaxed);
        }
        return len;
    }
    let middle = v.len() / 2;
    let (left, right) = v.split_at_mut(middle);
    let (a, b) = join_inside(
        || extent(left, at, backwards, broken, grain, order),
        || extent(right, at + middle, backwards, broken, grain, order),
    );
    if a == middle && order.less(&v[middle], &v[middle - 1]) == backwards { a + b } else { a }
}

/// How far each element comes strictly before the last one (`backwards`), or none does.
fn run_len<T, O: Order<T>>(v: &[T], backwards: bool, order: &O) -> usize {
    if backwards { prefix(v, |a, b| order.less(b, a)) } else { prefix(v, |a, b| !order.less(b, a)) }
}

/// How far all neighbours fit.
#[inline(always)]
fn prefix<T>(v: &[T], fit: impl Fn(&T, &T) -> bool) -> usize {
    /// Pairs that are compared without a branch in between.
    const PAIRS: usize = 8;
    let mut len = v.len().min(1);
    while let Some(block) = v.get(len.wrapping_sub(1)..len + PAIRS) {
        if !block.windows(2).fold(true, |all, pair| all & fit(&pair[0], &pair[1])) {
            break;
        }
        len += PAIRS;
    }
    while len < v.len() && fit(&v[len - 1], &v[len]) {
        len += 1;
    }
    len
}
