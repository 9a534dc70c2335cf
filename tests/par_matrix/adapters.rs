//! Adapters from items to items of the same type, and what they make of a plain vector.

use std::mem;
use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use filch::CancellationToken;
use filch::iter::Partitioning;
use filch::prelude::*;

use super::sources::{Case, Either};
use crate::erased::{Counted, Par, attached};
use crate::support::{Rng, spin};

pub enum How {
    /// Of any iterator.
    Any(for<'a> fn(Par<'a, u64>, &mut Vec<u64>, &mut Rng) -> Par<'a, u64>),
    /// Of any iterator; of an indexed one it makes an indexed one.
    Both(
        for<'a> fn(Par<'a, u64>, &mut Vec<u64>, &mut Rng) -> Par<'a, u64>,
        for<'a> fn(Counted<'a, u64>, &mut Vec<u64>, &mut Rng) -> Counted<'a, u64>,
    ),
    /// Of an indexed one it makes an indexed one.
    Counted(for<'a> fn(Counted<'a, u64>, &mut Vec<u64>, &mut Rng) -> Counted<'a, u64>),
    /// Of an indexed one it makes one that is not.
    Loses(for<'a> fn(Counted<'a, u64>, &mut Vec<u64>, &mut Rng) -> Par<'a, u64>),
}

pub type Adapter = (&'static str, How);

/// The case with the adapter after it, unless the types do not allow that, or what comes of it cannot be told because
/// the items have no order.
pub fn adapted<'a>(case: Case<'a>, how: &How, rng: &mut Rng) -> Option<Case<'a>> {
    let Case { iter, mut items, ordered } = case;
    let dice = &mut Rng(rng.next());
    let iter = match (iter, how) {
        (Either::Any(iter), How::Any(f) | How::Both(f, _)) => Either::Any(f(iter, &mut items, dice)),
        (Either::Counted(iter), How::Any(f)) => Either::Any(f(Par::new(iter), &mut items, dice)),
        (Either::Counted(iter), How::Both(_, f)) => Either::Counted(f(iter, &mut items, dice)),
        (Either::Counted(iter), How::Counted(f)) if ordered => Either::Counted(f(iter, &mut items, dice)),
        (Either::Counted(iter), How::Loses(f)) if ordered => Either::Any(f(iter, &mut items, dice)),
        _ => return None,
    };
    Some(Case { iter, items, ordered })
}

/// What plain iterators make of the items.
fn model<I: IntoIterator<Item = u64>>(items: &mut Vec<u64>, f: impl FnOnce(std::vec::IntoIter<u64>) -> I) {
    *items = f(mem::take(items).into_iter()).into_iter().collect();
}

fn few(rng: &mut Rng, items: &[u64]) -> usize {
    match rng.below(4) {
        0 => 0,
        1 => items.len() + rng.below(3) as usize,
        _ => rng.below(items.len() as u64 + 1) as usize,
    }
}

fn others(rng: &mut Rng, items: &[u64]) -> Vec<u64> {
    let len = few(rng, items);
    (0..len as u64).map(|i| i ^ 5).collect()
}

macro_rules! any {
    ($name:literal, |$iter:ident, $items:ident, $rng:ident| $body:expr) => {
        ($name, How::Any(|$iter, $items, $rng| Par::new($body)))
    };
}

macro_rules! both {
    ($name:literal, |$iter:ident, $items:ident, $rng:ident| $body:expr) => {
        ($name, How::Both(|$iter, $items, $rng| Par::new($body), |$iter, $items, $rng| Counted::new($body)))
    };
}

macro_rules! counted {
    ($name:literal, |$iter:ident, $items:ident, $rng:ident| $body:expr) => {
        ($name, How::Counted(|$iter, $items, $rng| Counted::new($body)))
    };
}

macro_rules! loses {
    ($name:literal, |$iter:ident, $items:ident, $rng:ident| $body:expr) => {
        ($name, How::Loses(|$iter, $items, $rng| Par::new($body)))
    };
}

pub const ADAPTERS: &[Adapter] = &[
    ("nothing", How::Both(|iter, _, _| iter, |iter, _, _| iter)),
    both!("map", |iter, items, _rng| {
        model(items, |items| items.map(|item| item.wrapping_mul(3).wrapping_add(1)));
        iter.map(|item| item.wrapping_mul(3).wrapping_add(1))
    }),
    both!("map, now and then slowly", |iter, _items, rng| {
        let slow = rng.below(20);
        iter.map(move |item| {
            if item % 20 == slow {
                spin(Duration::from_micros(10));
            } else if item % 20 == slow + 1 {
                std::thread::yield_now();
            }
            item
        })
    }),
    both!("map_init", |iter, items, _rng| {
        model(items, |items| items.map(|item| item + 2));
        iter.map_init(
            || 0,
            |calls, item| {
                *calls += 1;
                item + 2
            },
        )
    }),
    both!("map_with", |iter, items, _rng| {
        model(items, |items| items.map(|item| item + 2));
        iter.map_with(vec![2], |two, item| {
            two.push(2);
            item + two[two.len() - 1]
        })
    }),
    both!("inspect", |iter, _items, _rng| iter.inspect(|&item| assert_ne!(item, u64::MAX))),
    both!("update", |iter, items, _rng| {
        model(items, |items| items.map(|item| item + 4));
        iter.update(|item| *item += 4)
    }),
    both!("panic_fuse", |iter, _items, _rng| iter.panic_fuse()),
    both!("cloned", |iter, items, _rng| {
        model(items, |items| items.map(|item| item % 64));
        iter.map(|item| &SMALL[item as usize % 64]).cloned()
    }),
    both!("copied", |iter, items, _rng| {
        model(items, |items| items.map(|item| item % 64));
        iter.map(|item| &SMALL[item as usize % 64]).copied()
    }),
    both!("with_progress", |iter, _items, _rng| iter.with_progress(&DONE)),
    any!("with_cancel, never cancelled", |iter, _items, _rng| iter.with_cancel(&TOKEN)),
    any!("with_deadline, far away", |iter, _items, _rng| iter
        .with_deadline(Instant::now() + Duration::from_secs(3600))),
    any!("filter", |iter, items, rng| {
        let k = 1 + rng.below(5);
        model(items, |items| items.filter(move |item| item % k != 0));
        iter.filter(move |item| item % k != 0)
    }),
    any!("filter, none left", |iter, items, _rng| {
        items.clear();
        iter.filter(|_| false)
    }),
    any!("filter_map", |iter, items, _rng| {
        model(items, |items| items.filter_map(|item| (item % 3 == 1).then_some(item / 3)));
        iter.filter_map(|item| (item % 3 == 1).then_some(item / 3))
    }),
    any!("flat_map", |iter, items, _rng| {
        model(items, |items| items.flat_map(|item| (0..item as usize % 4).map(move |i| item + i as u64)));
        iter.flat_map(|item| (0..item as usize % 4).into_par_iter().map(move |i| item + i as u64))
    }),
    any!("flat_map, seldom much", |iter, items, _rng| {
        let many = |item: u64| if item % 61 == 0 { 50 } else { 1 };
        model(items, |items| items.flat_map(move |item| (0..many(item)).map(move |i| item + i as u64)));
        iter.flat_map(move |item| (0..many(item)).into_par_iter().map(move |i| item + i as u64))
    }),
    any!("flat_map_iter", |iter, items, _rng| {
        model(items, |items| items.flat_map(|item| std::iter::repeat_n(item, item as usize % 3)));
        iter.flat_map_iter(|item| std::iter::repeat_n(item, item as usize % 3))
    }),
    any!("flatten", |iter, items, _rng| {
        model(items, |items| items.flat_map(|item| vec![item; item as usize % 3]));
        iter.map(|item| vec![item; item as usize % 3]).flatten()
    }),
    any!("flatten of options", |iter, items, _rng| {
        model(items, |items| items.filter(|item| item % 2 == 0));
        iter.map(|item| (item % 2 == 0).then_some(item)).flatten()
    }),
    any!("flatten_iter", |iter, items, _rng| {
        model(items, |items| items.flat_map(|item| [item, item + 1]));
        iter.map(|item| [item, item + 1]).flatten_iter()
    }),
    any!("fold", |iter, _items, _rng| {
        iter.fold(Vec::new, |mut vec, item| {
            vec.push(item);
            vec
        })
        .flatten()
    }),
    any!("fold_with", |iter, _items, _rng| {
        iter.fold_with(Vec::new(), |mut vec, item| {
            vec.push(item);
            vec
        })
        .flatten_iter()
    }),
    any!("try_fold", |iter, _items, _rng| {
        iter.try_fold(Vec::new, |mut vec, item| {
            vec.push(item);
            Some(vec)
        })
        .flatten()
        .flatten_iter()
    }),
    any!("try_fold_with", |iter, _items, _rng| {
        iter.try_fold_with(Vec::new(), |mut vec, item| {
            vec.push(item);
            Ok::<_, ()>(vec)
        })
        .map(Result::unwrap)
        .flatten()
    }),
    any!("while_some", |iter, _items, _rng| iter.map(Some).while_some()),
    any!("while_some, none", |iter, items, _rng| {
        items.clear();
        iter.map(|_| None).while_some()
    }),
    any!("intersperse", |iter, items, _rng| {
        let len = items.len();
        model(items, |items| items.flat_map(|item| [77, item]).skip(1).take((2 * len).saturating_sub(1)));
        iter.intersperse(77)
    }),
    counted!("intersperse, indexed", |iter, items, _rng| {
        let len = items.len();
        model(items, |items| items.flat_map(|item| [77, item]).skip(1).take((2 * len).saturating_sub(1)));
        iter.intersperse(77)
    }),
    any!("take_any, all", |iter, items, _rng| iter.take_any(items.len())),
    any!("take_any, none", |iter, items, _rng| {
        items.clear();
        iter.take_any(0)
    }),
    any!("skip_any, none", |iter, _items, _rng| iter.skip_any(0)),
    any!("skip_any, all", |iter, items, _rng| iter.skip_any(mem::take(items).len())),
    any!("take_any_while, all", |iter, _items, _rng| iter.take_any_while(|_| true)),
    any!("take_any_while, none", |iter, items, _rng| {
        items.clear();
        iter.take_any_while(|_| false)
    }),
    any!("skip_any_while, none", |iter, _items, _rng| iter.skip_any_while(|_| false)),
    any!("skip_any_while, all", |iter, items, _rng| {
        items.clear();
        iter.skip_any_while(|_| true)
    }),
    any!("chain", |iter, items, rng| {
        let others = others(rng, items);
        items.extend(&others);
        iter.chain(others)
    }),
    any!("chain with one that cannot be counted", |iter, items, rng| {
        let others = others(rng, items);
        items.extend(others.iter().filter(|&item| item % 3 == 0));
        iter.chain(others.into_par_iter().filter(|item| item % 3 == 0))
    }),
    any!("chained to another", |iter, items, rng| front_of(items, rng).into_par_iter().chain(iter)),
    counted!("chained to another, indexed", |iter, items, rng| front_of(items, rng).into_par_iter().chain(iter)),
    counted!("chain, indexed", |iter, items, rng| {
        let others = others(rng, items);
        items.extend(&others);
        iter.chain(others)
    }),
    counted!("zip", |iter, items, rng| {
        let others = others(rng, items);
        model(items, |items| items.zip(others.clone()).map(|(a, b)| a ^ b << 20));
        iter.zip(others).map(|(a, b)| a ^ b << 20)
    }),
    counted!("zipped to another", |iter, items, rng| {
        let others = others(rng, items);
        model(items, |items| others.clone().into_iter().zip(items).map(|(a, b)| a ^ b << 20));
        others.into_par_iter().zip(iter).map(|(a, b)| a ^ b << 20)
    }),
    counted!("zip_eq", |iter, items, _rng| {
        let others: Vec<u64> = (0..items.len() as u64).collect();
        model(items, |items| items.zip(others.clone()).map(|(a, b)| a + b));
        iter.zip_eq(others).map(|(a, b)| a + b)
    }),
    counted!("interleave", |iter, items, rng| {
        let others = others(rng, items);
        *items = interleaved(items, &others);
        iter.interleave(others)
    }),
    counted!("interleaved with another", |iter, items, rng| {
        let others = others(rng, items);
        *items = interleaved(&others, items);
        others.into_par_iter().interleave(iter)
    }),
    counted!("interleave_shortest", |iter, items, rng| {
        let others = others(rng, items);
        let first = items.len().min(others.len() + 1);
        let second = others.len().min(items.len());
        *items = interleaved(&items[..first], &others[..second]);
        iter.interleave_shortest(others)
    }),
    counted!("rev", |iter, items, _rng| {
        items.reverse();
        iter.rev()
    }),
    counted!("skip", |iter, items, rng| {
        let n = few(rng, items);
        model(items, |items| items.skip(n));
        iter.skip(n)
    }),
    counted!("take", |iter, items, rng| {
        let n = few(rng, items);
        model(items, |items| items.take(n));
        iter.take(n)
    }),
    counted!("step_by", |iter, items, rng| {
        let step = 1 + rng.below(9) as usize;
        model(items, |items| items.step_by(step));
        iter.step_by(step)
    }),
    counted!("step_by, far", |iter, items, _rng| {
        items.truncate(1);
        iter.step_by(usize::MAX)
    }),
    counted!("chunks", |iter, items, rng| {
        let size = 1 + few(rng, items);
        *items = items.chunks(size).map(hash).collect();
        iter.chunks(size).map(|chunk| hash(&chunk))
    }),
    loses!("chunks, flattened", |iter, items, rng| iter.chunks(1 + few(rng, items)).flatten()),
    counted!("fold_chunks", |iter, items, rng| {
        let size = 1 + rng.below(9) as usize;
        *items = items.chunks(size).map(hash).collect();
        iter.fold_chunks(size, || 7, step)
    }),
    counted!("fold_chunks_with", |iter, items, rng| {
        let size = 1 + rng.below(9) as usize;
        *items = items.chunks(size).map(hash).collect();
        iter.fold_chunks_with(size, 7, step)
    }),
    counted!("enumerate", |iter, items, _rng| {
        model(items, |items| items.enumerate().map(|(i, item)| item + 1000 * i as u64));
        iter.enumerate().map(|(i, item)| item + 1000 * i as u64)
    }),
    counted!("with_min_len", |iter, items, rng| iter.with_min_len(few(rng, items))),
    counted!("with_max_len", |iter, items, rng| iter.with_max_len(few(rng, items))),
    counted!("with both", |iter, _items, rng| iter
        .with_min_len(rng.below(9) as usize)
        .with_max_len(rng.below(9) as usize)),
    counted!("with_partitioning", |iter, _items, rng| {
        let fixed = if rng.one_in(4) { Partitioning::Adaptive } else { Partitioning::Static };
        iter.with_partitioning(fixed)
    }),
    counted!("with_affinity", |iter, _items, _rng| attached(iter)),
    loses!("by_exponential_blocks", |iter, _items, _rng| iter.by_exponential_blocks()),
    loses!("by_uniform_blocks", |iter, items, rng| iter.by_uniform_blocks(1 + few(rng, items))),
    loses!("positions", |iter, items, rng| {
        let k = 1 + rng.below(4);
        model(items, |items| items.enumerate().filter(move |(_, item)| item % k == 0).map(|(i, _)| i as u64));
        iter.positions(move |item| item % k == 0).map(|i| i as u64)
    }),
];

/// To be referred to.
static SMALL: [u64; 64] = {
    let mut small = [0; 64];
    let mut i = 0;
    while i < 64 {
        small[i] = i as u64;
        i += 1;
    }
    small
};

static DONE: AtomicUsize = AtomicUsize::new(0);
static TOKEN: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

/// Some items, which are put before the others.
fn front_of(items: &mut Vec<u64>, rng: &mut Rng) -> Vec<u64> {
    let front: Vec<u64> = (0..rng.below(9)).collect();
    items.splice(..0, front.iter().copied());
    front
}

fn step(hash: u64, item: u64) -> u64 {
    (hash * 31 + item) % 1_000_003
}

fn hash(items: impl AsRef<[u64]>) -> u64 {
    items.as_ref().iter().fold(7, |hash, &item| step(hash, item))
}

fn interleaved(left: &[u64], right: &[u64]) -> Vec<u64> {
    let (mut left, mut right) = (left.iter(), right.iter());
    let mut items = Vec::new();
    loop {
        match (left.next(), right.next()) {
            (None, None) => return items,
            (a, b) => items.extend(a.into_iter().chain(b)),
        }
    }
}
