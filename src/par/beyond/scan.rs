//! `inclusive_scan`, `exclusive_scan` and their like for slices: running totals, in place.
//!
//! A scan begins as a plain loop. What is left after some microseconds is scanned in parallel, in two passes: first the
//! slice but its last part is cut into blocks, and each is scanned by itself; then each block has what comes before it
//! combined into its items, while the last part, for which one pass is enough, is scanned on another thread. With `p`
//! workers that takes `2 / (p + 1)` of the time of the plain loop.
//!
//! No item is ever cloned: the totals are taken by reference, or moved along.

use std::mem;
use std::time::{Duration, Instant};

use crate::par::ends::fill;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::IntoParallelRefMutIterator;
use crate::par::iter::ParallelIterator;
use crate::pool::handle::on_current;
use crate::pool::shared::Shared;
use crate::work::join::join;

/// How long a scan runs as a plain loop before others are asked.
const ALONE: Duration = Duration::from_micros(20);
/// Blocks for each worker, so that one that comes late does not hold up the rest.
const BLOCKS: usize = 4;

/// The running totals of the items, in the memory of `vec`.
pub(crate) fn inclusive<I, F>(mut vec: Vec<I::Item>, iter: I, op: &F) -> Vec<I::Item>
where
    I: IndexedParallelIterator,
    I::Item: Sync,
    F: Fn(&I::Item, &I::Item) -> I::Item + Sync,
{
    fill::replace(&mut vec, iter);
    inclusive_in_place(&mut vec, op);
    vec
}

/// The running totals before each item, in the memory of `vec`.
pub(crate) fn exclusive<I, F>(mut vec: Vec<I::Item>, iter: I, init: I::Item, op: &F) -> Vec<I::Item>
where
    I: IndexedParallelIterator,
    I::Item: Sync,
    F: Fn(&I::Item, &I::Item) -> I::Item + Sync,
{
    fill::replace(&mut vec, iter);
    drop(exclusive_in_place(&mut vec, init, op));
    vec
}

/// Replaces each item by the combination of all items up to it.
pub(crate) fn inclusive_in_place<T, F>(items: &mut [T], op: &F)
where
    T: Send + Sync,
    F: Fn(&T, &T) -> T + Sync,
{
    let done = begin(items.len(), ALONE, |from, to| {
        scan_on(&mut items[from.saturating_sub(1)..to], op);
    });
    if done == items.len() {
        return;
    }
    let (before, rest) = items.split_at_mut(done);
    let (blocks, last) = cut(rest);
    let mut blocks: Vec<Block<'_, T>> = blocks.into_iter().map(|items| Block { items, offset: None }).collect();
    blocks.par_iter_mut().for_each(|block| scan_on(block.items, op));
    let mut offset: Option<T> = None;
    for block in &mut blocks {
        let before = offset.as_ref().or(before.last());
        let total = before.map(|before| op(before, block.items.last().expect("no block is empty")));
        block.offset = mem::replace(&mut offset, total);
    }
    let (first, blocks) = blocks.split_first_mut().expect("there is a block");
    let op_on = |before: &T, items: &mut [T]| items.iter_mut().for_each(|item| *item = op(before, item));
    let before = before.last();
    join(
        || {
            join(
                || {
                    blocks
                        .par_iter_mut()
                        .for_each(|block| op_on(block.offset.as_ref().expect("not the first"), block.items))
                },
                || op_on(before.expect("some items have been scanned alone"), first.items),
            )
        },
        || {
            if let Some((first, _)) = last.split_first_mut() {
                *first = op(offset.as_ref().expect("there is a block"), first);
                scan_on(last, op);
            }
        },
    );
}

/// Replaces each item by the combination of `init` and all items before it. Returns that of `init` and all items.
pub(crate) fn exclusive_in_place<T, F>(items: &mut [T], init: T, op: &F) -> T
where
    T: Send + Sync,
    F: Fn(&T, &T) -> T + Sync,
{
    let mut total = Some(init);
    let done = begin(items.len(), ALONE, |from, to| {
        let so_far = total.take().expect("it is put back");
        total = Some(shift_on(&mut items[from..to], so_far, op));
    });
    let total = total.expect("it is put back");
    if done == items.len() {
        return total;
    }
    let (blocks, last) = cut(&mut items[done..]);
    let mut blocks: Vec<Block<'_, T>> = blocks.into_iter().map(|items| Block { items, offset: None }).collect();
    blocks.par_iter_mut().for_each(|block| scan_on(block.items, op));
    let mut offset = total;
    for block in &mut blocks {
        let next = op(&offset, block.items.last().expect("no block is empty"));
        block.offset = Some(mem::replace(&mut offset, next));
    }
    let ((), total) = join(
        || {
            blocks.par_iter_mut().for_each(|block| {
                let Some((first, others)) = block.items.split_first_mut() else { return };
                let mut before = mem::replace(first, block.offset.take().expect("each has one"));
                for item in others {
                    before = mem::replace(item, op(first, &before));
                }
            });
        },
        || shift_on(last, offset, op),
    );
    total
}

struct Block<'s, T> {
    items: &'s mut [T],
    /// What comes before it.
    offset: Option<T>,
}

/// The slice in blocks, and the last part of it.
fn cut<T>(items: &mut [T]) -> (Vec<&mut [T]>, &mut [T]) {
    let workers = on_current(Shared::most_at_once);
    let last = items.len() / (workers + 1);
    let (items, last) = items.split_at_mut(items.len() - last);
    let size = items.len().div_ceil(BLOCKS * workers).max(1);
    (items.chunks_mut(size).collect(), last)
}

/// Lets `scan` run over indexes from 0 on, in longer and longer stretches, until that has taken a while. Says how far
/// it has come: past the first item if there is one, however long that takes, and to the end if nobody else is there to
/// help.
fn begin(len: usize, alone: Duration, mut scan: impl FnMut(usize, usize)) -> usize {
    if on_current(Shared::most_at_once) == 1 {
        scan(0, len);
        return len;
    }
    let began = Instant::now();
    let (mut done, mut stretch) = (0, 2);
    while done < len && (done == 0 || began.elapsed() < alone) {
        let to = len.min(done + stretch);
        scan(done, to);
        done = to;
        stretch *= 2;
    }
    done
}

/// Each item after the first: what the one before it has become, and itself.
fn scan_on<T>(items: &mut [T], op: &impl Fn(&T, &T) -> T) {
    let mut items = items.iter_mut();
    let Some(mut before) = items.next() else { return };
    for item in items {
        *item = op(before, item);
        before = item;
    }
}

/// Each item becomes what comes before it. Returns what comes after the last.
fn shift_on<T>(items: &mut [T], so_far: T, op: &impl Fn(&T, &T) -> T) -> T {
    items.iter_mut().fold(so_far, |so_far, item| {
        let next = op(&so_far, item);
        *item = so_far;
        next
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    /// The rest needs what comes before it; and a thread may have to wait for a processor just after it has looked at
    /// the clock.
    #[test]
    fn some_items_are_scanned_alone_however_late_it_is() {
        for len in 1..5 {
            let mut scanned = 0;
            let done = super::begin(len, Duration::ZERO, |from, to| {
                assert_eq!(from, scanned);
                scanned = to;
            });
            assert!(done > 0 && done == scanned);
        }
        assert_eq!(super::begin(0, Duration::ZERO, |_, _| ()), 0);
    }
}
