//! `min`, `max` and their kin. Of equals the first is the least and the last the greatest, as in the standard library.

use std::cmp::Ordering;

use crate::par::ends::reduce::reduce_with;
use crate::par::iter::ParallelIterator;

pub(crate) fn min_by<I, F>(iter: I, compare: F) -> Option<I::Item>
where
    I: ParallelIterator,
    F: Fn(&I::Item, &I::Item) -> Ordering + Sync,
{
    reduce_with(iter, &|a, b| if compare(&a, &b) == Ordering::Greater { b } else { a })
}

pub(crate) fn max_by<I, F>(iter: I, compare: F) -> Option<I::Item>
where
    I: ParallelIterator,
    F: Fn(&I::Item, &I::Item) -> Ordering + Sync,
{
    reduce_with(iter, &|a, b| if compare(&a, &b) == Ordering::Greater { a } else { b })
}

pub(crate) fn min_by_key<I, K, F>(iter: I, key: F) -> Option<I::Item>
where
    I: ParallelIterator,
    K: Ord + Send,
    F: Fn(&I::Item) -> K + Sync + Send,
{
    let keyed = iter.map(|item| (key(&item), item));
    Some(min_by(keyed, |a, b| a.0.cmp(&b.0))?.1)
}

pub(crate) fn max_by_key<I, K, F>(iter: I, key: F) -> Option<I::Item>
where
    I: ParallelIterator,
    K: Ord + Send,
    F: Fn(&I::Item) -> K + Sync + Send,
{
    let keyed = iter.map(|item| (key(&item), item));
    Some(max_by(keyed, |a, b| a.0.cmp(&b.0))?.1)
}
