//! `inclusive_scan`, `exclusive_scan` and their like for slices: running totals, in place.
//!
//! A scan begins as a plain loop. After some microseconds the thread that runs it goes on as the *leader*, in rounds. In
//! each it scans two blocks of what comes next, with their final values, as the plain loop does. That is one arm of a
//! `join`. If another thread has taken the other one, it scans the blocks behind those two meanwhile, each by itself:
//! one, or as many as there are others to help it. When the leader comes to them, it need only add up their totals and
//! passes them over: what comes before them is combined into their items by others, in the next round, when they are
//! likely to be in a cache still. With `p` workers that takes `2 / (p + 1)` of the time of the plain loop; and nobody
//! does anything twice unless somebody was there to do it.
//!
//! No item is ever cloned: the totals are taken by reference, or moved along.

use std::time::{Duration, Instant};
use std::{iter, mem};

use crate::par::ends::fill;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::sort::grain::inside;
use crate::pool::handle::on_current;
use crate::pool::shared::Shared;
use crate::work::join::join_context;

/// How long a scan runs as a plain loop before others are asked.
const ALONE: Duration = Duration::from_micros(20);
/// A round should take about so long: much longer than to give its arm to another thread.
const ROUND: Duration = Duration::from_micros(100);

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
    if done < items.len() {
        let (before, rest) = items.split_at_mut(done);
        let total = Total::Item(before.last().expect("some items have been scanned alone"));
        inside(|| drop(lead(&Inclusive(op), rest, total, done)));
    }
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
    inside(|| lead(&Exclusive(op), &mut items[done..], total, done))
}

/// Either kind of scan.
trait Kind<'s, T>: Sync {
    /// What all items up to some index amount to.
    type Total: Send + Sync;

    /// Scans what comes after `before`. Gives the total.
    fn go_on(&self, items: &'s mut [T], before: Self::Total) -> Self::Total;

    /// Scans a block of which nobody knows yet what comes before it.
    fn scan_apart(&self, items: &mut [T]);

    /// The total after such a block.
    fn after(&self, before: &Self::Total, items: &[T]) -> Self::Total;

    /// Combines what comes before such a block into its items.
    fn combine(&self, before: Self::Total, items: &mut [T]);
}

/// The total of an inclusive scan.
enum Total<'s, T> {
    /// The last item.
    Item(&'s T),
    /// After a block that has been scanned apart: its last item is not what it will be.
    Apart(T),
}

impl<T> Total<'_, T> {
    fn get(&self) -> &T {
        match self {
            Total::Item(total) => total,
            Total::Apart(total) => total,
        }
    }
}

struct Inclusive<'f, F>(&'f F);

impl<'s, T, F> Kind<'s, T> for Inclusive<'_, F>
where
    T: Send + Sync + 's,
    F: Fn(&T, &T) -> T + Sync,
{
    type Total = Total<'s, T>;

    fn go_on(&self, items: &'s mut [T], before: Total<'s, T>) -> Total<'s, T> {
        let Some(first) = items.first_mut() else { return before };
        *first = (self.0)(before.get(), first);
        scan_on(items, self.0);
        Total::Item(items.last().expect("there is a first"))
    }

    fn scan_apart(&self, items: &mut [T]) {
        scan_on(items, self.0);
    }

    fn after(&self, before: &Total<'s, T>, items: &[T]) -> Total<'s, T> {
        Total::Apart((self.0)(before.get(), items.last().expect("no block is empty")))
    }

    fn combine(&self, before: Total<'s, T>, items: &mut [T]) {
        items.iter_mut().for_each(|item| *item = (self.0)(before.get(), item));
    }
}

struct Exclusive<'f, F>(&'f F);

impl<'s, T, F> Kind<'s, T> for Exclusive<'_, F>
where
    T: Send + Sync,
    F: Fn(&T, &T) -> T + Sync,
{
    type Total = T;

    fn go_on(&self, items: &'s mut [T], before: T) -> T {
        shift_on(items, before, self.0)
    }

    fn scan_apart(&self, items: &mut [T]) {
        scan_on(items, self.0);
    }

    fn after(&self, before: &T, items: &[T]) -> T {
        (self.0)(before, items.last().expect("no block is empty"))
    }

    fn combine(&self, before: T, items: &mut [T]) {
        let Some((first, others)) = items.split_first_mut() else { return };
        let mut last = mem::replace(first, before);
        for item in others {
            last = mem::replace(item, (self.0)(first, &last));
        }
    }
}

/// A block that has been scanned apart, and what comes before it.
struct Block<'s, T, B> {
    items: &'s mut [T],
    before: B,
}

/// Scans `rest`, which comes after `total`, in rounds of which others take the part of it that the leader does not
/// scan. The first one has blocks of `size` items. Gives the total.
fn lead<'s, T: Send, K: Kind<'s, T>>(
    kind: &K,
    mut rest: &'s mut [T],
    mut total: K::Total,
    mut size: usize,
) -> K::Total {
    let helpers = on_current(Shared::most_at_once) - 1;
    let mut late: Vec<Block<'s, T, K::Total>> = Vec::new();
    while !rest.is_empty() {
        let (ahead, others) = rest.split_at_mut(rest.len().min(2 * size));
        let apart = others.len().min(helpers * size);
        let began = Instant::now();
        let helped;
        (total, helped) = join_context(
            |_| kind.go_on(ahead, total),
            |context| context.migrated() && help(kind, &mut late, &mut others[..apart], size),
        );
        // What was left to others and not taken up.
        help(kind, &mut late, &mut [], 1);
        rest = others;
        if helped {
            let blocks;
            (blocks, rest) = rest.split_at_mut(apart);
            for items in blocks.chunks_mut(size) {
                let after = kind.after(&total, items);
                late.push(Block { items, before: mem::replace(&mut total, after) });
            }
        }
        let time = began.elapsed();
        if time < ROUND / 2 {
            size *= 2;
        } else if time > 2 * ROUND {
            size = (size / 2).max(1);
        }
    }
    help(kind, &mut late, &mut [], 1);
    total
}

/// Does what is late, and scans the blocks of `apart`.
fn help<'s, T, K>(kind: &K, late: &mut Vec<Block<'s, T, K::Total>>, apart: &mut [T], size: usize) -> bool
where
    T: Send,
    K: Kind<'s, T>,
{
    let (mut late, mut apart) = (late.drain(..), apart.chunks_mut(size));
    let pairs = iter::from_fn(|| Some((late.next(), apart.next())).filter(|(a, b)| a.is_some() || b.is_some()));
    pairs.collect::<Vec<_>>().into_par_iter().for_each(|(late, apart)| {
        if let Some(block) = late {
            kind.combine(block.before, block.items);
        }
        if let Some(items) = apart {
            kind.scan_apart(items);
        }
    });
    true
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
