//! What those do by hand who have no parallel iterators: cut into pieces, by joins of halves or one for each thread.

use std::ops::Range;
use std::thread;

use crate::support::fork::Fork;

/// Runs `each` on pieces of at most `leaf` items.
pub fn join_each<F: Fork, T: Send, E>(handle: F::Handle<'_, '_>, items: &mut [T], leaf: usize, each: &E)
where
    E: for<'a, 'b> Fn(F::Handle<'a, 'b>, &mut [T]) + Sync,
{
    if items.len() <= leaf {
        return each(handle, items);
    }
    let (left, right) = items.split_at_mut(items.len() / 2);
    F::join(
        handle,
        |handle| join_each::<F, T, E>(handle, left, leaf, each),
        |handle| join_each::<F, T, E>(handle, right, leaf, each),
    );
}

/// Runs `each` on pieces of at most `leaf` indexes and merges the results of neighbours.
pub fn join_fold<F: Fork, R: Send, E, M>(
    handle: F::Handle<'_, '_>,
    range: Range<usize>,
    leaf: usize,
    each: &E,
    merge: &M,
) -> R
where
    E: Fn(Range<usize>) -> R + Sync,
    M: Fn(R, R) -> R + Sync,
{
    if range.len() <= leaf {
        return each(range);
    }
    let middle = range.start + range.len() / 2;
    let (left, right) = F::join(
        handle,
        |handle| join_fold::<F, R, E, M>(handle, range.start..middle, leaf, each, merge),
        |handle| join_fold::<F, R, E, M>(handle, middle..range.end, leaf, each, merge),
    );
    merge(left, right)
}

/// Writes what `value` makes of each index, in pieces of at most `leaf`. `first` is the index of the first place.
pub fn join_fill<F: Fork, T: Send, V>(handle: F::Handle<'_, '_>, places: &mut [T], first: usize, leaf: usize, value: &V)
where
    V: Fn(usize) -> T + Sync,
{
    if places.len() <= leaf {
        return fill(places, first, value);
    }
    let middle = places.len() / 2;
    let (left, right) = places.split_at_mut(middle);
    F::join(
        handle,
        |handle| join_fill::<F, T, V>(handle, left, first, leaf, value),
        |handle| join_fill::<F, T, V>(handle, right, first + middle, leaf, value),
    );
}

fn fill<T>(places: &mut [T], first: usize, value: &impl Fn(usize) -> T) {
    places.iter_mut().zip(first..).for_each(|(place, index)| *place = value(index));
}

/// Runs `each` on equal pieces, a thread for each but the first, which is the caller's.
pub fn threads_each<T: Send>(threads: usize, items: &mut [T], each: &(impl Fn(&mut [T]) + Sync)) {
    let piece = items.len().div_ceil(threads.max(1)).max(1);
    thread::scope(|scope| {
        let mut pieces = items.chunks_mut(piece);
        let mine = pieces.next();
        pieces.for_each(|piece| drop(scope.spawn(move || each(piece))));
        mine.into_iter().for_each(each);
    });
}

/// Runs `each` on equal ranges of the indexes below `len`, as [`threads_each`], and returns the results in order.
pub fn threads_fold<R: Send>(threads: usize, len: usize, each: &(impl Fn(Range<usize>) -> R + Sync)) -> Vec<R> {
    let piece = len.div_ceil(threads).max(1);
    let mut results: Vec<(usize, Option<R>)> = (0..len).step_by(piece).map(|start| (start, None)).collect();
    threads_each(results.len(), &mut results, &|results: &mut [(usize, Option<R>)]| {
        for (start, result) in results {
            *result = Some(each(*start..len.min(*start + piece)));
        }
    });
    results.into_iter().filter_map(|(_, result)| result).collect()
}

/// Writes what `value` makes of each index, as [`threads_each`].
pub fn threads_fill<T: Send>(threads: usize, places: &mut [T], value: &(impl Fn(usize) -> T + Sync)) {
    let piece = places.len().div_ceil(threads).max(1);
    let mut pieces: Vec<(usize, &mut [T])> = (0..).step_by(piece).zip(places.chunks_mut(piece)).collect();
    threads_each(pieces.len(), &mut pieces, &|pieces: &mut [(usize, &mut [T])]| {
        pieces.iter_mut().for_each(|(first, places)| fill(places, *first, value));
    });
}
