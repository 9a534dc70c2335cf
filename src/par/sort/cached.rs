//! The stable sort by keys that are computed once.

use crate::par::sort::grain::{Grain, SMALL};
use crate::par::sort::order::Natural;
use crate::par::sort::unstable::sort_unstable;
use crate::work::join::join;

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
    let most = if v.len() <= SMALL / 4 { v.len() } else { Grain::of(v.len()).part.min(v.len() / 4) };
    let mut lists = lists(v, 0, most, key, narrow);
    let mut pairs = Vec::new();
    if lists.len() == 1 {
        pairs = lists.remove(0);
    } else {
        pairs.reserve_exact(v.len());
        lists.iter_mut().for_each(|list| pairs.append(list));
    }
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

/// Keys with indexes from `start` on, in lists of up to `most`.
fn lists<T, K, F, I>(
    v: &mut [T],
    start: usize,
    most: usize,
    key: &F,
    narrow: &(impl Fn(usize) -> I + Sync),
) -> Vec<Vec<(K, I)>>
where
    T: Send,
    K: Send,
    F: Fn(&T) -> K + Sync,
    I: Send,
{
    if v.len() <= most {
        return vec![v.iter().enumerate().map(|(i, x)| (key(x), narrow(start + i))).collect()];
    }
    let half = v.len() / 2;
    let (a, b) = v.split_at_mut(half);
    let (mut a, mut b) = join(|| lists(a, start, most, key, narrow), || lists(b, start + half, most, key, narrow));
    a.append(&mut b);
    a
}
