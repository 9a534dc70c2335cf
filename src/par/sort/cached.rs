//! The stable sort by keys that are computed once.

use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::IntoParallelRefMutIterator;
use crate::par::iter::ParallelIterator;
use crate::par::sort::order::Natural;
use crate::par::sort::unstable::sort_unstable;

/// Sorts stably by key. Each key is computed once.
pub(crate) fn sort_by_cached_key<T, K, F>(v: &mut [T], key: &F)
where
    T: Send,
    K: Ord + Send,
    F: Fn(&T) -> K + Sync,
{
    let len = v.len();
    // The narrowest index that makes the pairs smaller.
    if size_of::<(K, u32)>() < size_of::<(K, usize)>() && u32::try_from(len).is_ok() {
        sort_by_pairs(v, key, &|i| i as u32, &|i| i as usize);
    } else {
        sort_by_pairs(v, key, &|i| i, &|i| i);
    }
}

fn sort_by_pairs<T, K, F, I>(v: &mut [T], key: &F, narrow: &(impl Fn(usize) -> I + Sync), widen: &impl Fn(I) -> usize)
where
    T: Send,
    K: Ord + Send,
    F: Fn(&T) -> K + Sync,
    I: Ord + Copy + Send,
{
    if v.len() < 2 {
        return;
    }
    let pair = |(i, x): (usize, &mut T)| (key(x), narrow(i));
    let mut pairs: Vec<(K, I)> = v.par_iter_mut().enumerate().map(pair).collect();
    // No two pairs are equal, so any sort of them is stable.
    sort_unstable(&mut pairs, &Natural);
    for i in 0..pairs.len() {
        // What was at `index` at first has been moved, if its place has been filled already: to where that place's own
        // element was taken from.
        let mut index = widen(pairs[i].1);
        while index < i {
            index = widen(pairs[index].1);
        }
        pairs[i].1 = narrow(index);
        v.swap(i, index);
    }
}
