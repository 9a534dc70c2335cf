//! Terminals of any iterator that make one thing of all items, look for some, or do something with each.

use std::collections::{BTreeSet, LinkedList, VecDeque};
use std::num::Wrapping;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use filch::iter::Either::{Left, Right};
use filch::prelude::*;

use super::{End, STILL, Terminal, affine, hasher, same, some_of, sorted, text, then};
use crate::par::{few, gather};

pub const FOLDED: &[Terminal] = &[
    ("by hand", End::Ordered(|iter, expected, _| same(&gather(iter), &expected.items))),
    (
        "by hand, a few",
        End::Ordered(|iter, expected, rng| {
            let most = 1 + rng.below(5) as usize;
            let items = few(iter, most);
            // They are some of the items, in order.
            let mut rest = expected.items.iter();
            assert!(items.iter().all(|item| rest.any(|other| other == item)));
            assert!(items.len() >= most.min(expected.items.len()), "{} items at most {most} each", items.len());
        }),
    ),
    ("count", End::Any(|iter, expected, _| assert_eq!(iter.count(), expected.items.len()))),
    (
        "sum",
        End::Any(|iter, expected, _| {
            assert_eq!(iter.map(Wrapping).sum::<Wrapping<u64>>(), expected.iter().map(Wrapping).sum());
        }),
    ),
    (
        "product",
        End::Any(|iter, expected, _| {
            let odd = |item: u64| Wrapping(item) * Wrapping(2) + Wrapping(1);
            assert_eq!(iter.map(odd).product::<Wrapping<u64>>(), expected.iter().map(odd).product());
        }),
    ),
    (
        "min, max",
        End::Any(|iter, expected, rng| {
            if rng.one_in(2) {
                assert_eq!(iter.min(), expected.iter().min());
            } else {
                assert_eq!(iter.max(), expected.iter().max());
            }
        }),
    ),
    (
        "min_by_key",
        End::Ordered(|iter, expected, _| {
            assert_eq!(iter.min_by_key(|&item| hasher(item)), expected.iter().min_by_key(|&item| hasher(item)));
        }),
    ),
    (
        "max_by_key",
        End::Ordered(|iter, expected, _| {
            assert_eq!(iter.max_by_key(|&item| hasher(item)), expected.iter().max_by_key(|&item| hasher(item)));
        }),
    ),
    (
        "min_by",
        End::Ordered(|iter, expected, _| {
            let by = |a: &u64, b: &u64| hasher(*a).cmp(&hasher(*b));
            assert_eq!(iter.min_by(by), expected.iter().min_by(by));
        }),
    ),
    (
        "max_by",
        End::Ordered(|iter, expected, _| {
            let by = |a: &u64, b: &u64| hasher(*a).cmp(&hasher(*b));
            assert_eq!(iter.max_by(by), expected.iter().max_by(by));
        }),
    ),
    (
        "reduce",
        End::Ordered(|iter, expected, _| {
            assert_eq!(iter.map(affine).reduce(|| STILL, then), expected.iter().map(affine).fold(STILL, then));
        }),
    ),
    (
        "reduce_with",
        End::Ordered(|iter, expected, _| {
            assert_eq!(iter.map(affine).reduce_with(then), expected.iter().map(affine).reduce(then));
        }),
    ),
    (
        "fold, reduce",
        End::Ordered(|iter, expected, _| {
            let folded = iter.fold(|| STILL, |folded, item| then(folded, affine(item))).reduce(|| STILL, then);
            assert_eq!(folded, expected.iter().map(affine).fold(STILL, then));
        }),
    ),
    (
        "try_reduce",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let sum = iter.map(|item| (item != one).then_some(item)).try_reduce(|| 0, |a, b| Some(a.wrapping_add(b)));
            let plain = expected.iter().try_fold(0u64, |a, b| (b != one).then_some(a.wrapping_add(b)));
            assert_eq!(sum, plain);
        }),
    ),
    (
        "try_reduce_with",
        End::Any(|iter, expected, _| {
            let max = iter.map(|item| if item < 1 << 60 { Ok(item) } else { Err(item) });
            let max = max.try_reduce_with(|a, b| Ok(a.max(b)));
            assert_eq!(max, expected.iter().max().map(Ok));
        }),
    ),
    (
        "try_fold",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let step = |count: usize, item: u64| {
                if item == one { ControlFlow::Break(item) } else { ControlFlow::Continue(count + 1) }
            };
            let flow = iter.try_fold(|| 0, step).try_reduce(|| 0, |a, b| ControlFlow::Continue(a + b));
            assert_eq!(flow, expected.iter().try_fold(0, step));
        }),
    ),
    (
        "any, all",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let there = expected.items.contains(&one);
            if rng.one_in(2) {
                assert_eq!(iter.any(|item| item == one), there);
            } else {
                assert_eq!(iter.all(|item| item != one), !there);
            }
        }),
    ),
    (
        "find_any",
        End::Any(|iter, expected, rng| {
            let k = 1 + rng.below(200);
            let found = iter.find_any(|item| item % k == 1);
            assert_eq!(found.is_some(), expected.iter().any(|item| item % k == 1));
            assert!(found.is_none_or(|item| item % k == 1 && expected.items.contains(&item)));
        }),
    ),
    (
        "find_map_any",
        End::Any(|iter, expected, rng| {
            let k = 1 + rng.below(200);
            let found = iter.find_map_any(|item| (item % k == 1).then_some(item + 1));
            assert_eq!(found.is_some(), expected.iter().any(|item| item % k == 1));
            assert!(found.is_none_or(|item| expected.items.contains(&(item - 1))));
        }),
    ),
    (
        "find_first",
        End::Ordered(|iter, expected, rng| {
            let k = 1 + rng.below(200);
            assert_eq!(iter.find_first(|item| item % k == 1), expected.iter().find(|item| item % k == 1));
        }),
    ),
    (
        "find_last",
        End::Ordered(|iter, expected, rng| {
            let k = 1 + rng.below(200);
            assert_eq!(iter.find_last(|item| item % k == 1), expected.iter().rfind(|item| item % k == 1));
        }),
    ),
    (
        "find_map_first",
        End::Ordered(|iter, expected, rng| {
            let k = 1 + rng.below(20);
            let found = |item: u64| (hasher(item) % k == 1).then_some(item);
            assert_eq!(iter.find_map_first(found), expected.iter().find_map(found));
        }),
    ),
    (
        "find_map_last",
        End::Ordered(|iter, expected, rng| {
            let k = 1 + rng.below(20);
            let found = |item: u64| (hasher(item) % k == 1).then_some(item);
            assert_eq!(iter.find_map_last(found), expected.iter().rev().find_map(found));
        }),
    ),
    (
        "partition",
        End::Ordered(|iter, expected, _| {
            let (even, odd): (Vec<_>, LinkedList<_>) = iter.partition(|item| item % 2 == 0);
            let (plain_even, plain_odd): (Vec<_>, Vec<_>) = expected.iter().partition(|item| item % 2 == 0);
            same(&even, &plain_even);
            same(&odd.into_iter().collect::<Vec<_>>(), &plain_odd);
        }),
    ),
    (
        "partition_map",
        End::Ordered(|iter, expected, _| {
            let side = |item: u64| if item % 3 == 0 { Left(item) } else { Right(text(item)) };
            let (left, right): (VecDeque<_>, String) = iter.partition_map(side);
            same(
                &left.into_iter().collect::<Vec<_>>(),
                &expected.iter().filter(|item| item % 3 == 0).collect::<Vec<_>>(),
            );
            assert_eq!(right, expected.iter().filter(|item| item % 3 != 0).map(text).collect::<String>());
        }),
    ),
    (
        "unzip",
        End::Ordered(|iter, expected, _| {
            let (left, right): (Vec<_>, Vec<_>) = iter.map(|item| (item, item.to_string())).unzip();
            same(&left, &expected.items);
            same(&right, &expected.iter().map(|item| item.to_string()).collect::<Vec<_>>());
        }),
    ),
    (
        "unzip, in depth",
        End::Ordered(|iter, expected, _| {
            let ((left, middle), right): ((BTreeSet<_>, Vec<_>), String) =
                iter.map(|item| ((item % 9, item), text(item))).unzip();
            assert_eq!(left, expected.iter().map(|item| item % 9).collect());
            same(&middle, &expected.items);
            assert_eq!(right, expected.iter().map(text).collect::<String>());
        }),
    ),
    (
        "for_each",
        End::Any(|iter, expected, _| {
            let (sum, calls) = (AtomicU64::new(0), AtomicUsize::new(0));
            iter.for_each(|item| {
                sum.fetch_add(item, Relaxed);
                calls.fetch_add(1, Relaxed);
            });
            assert_eq!(sum.into_inner(), expected.iter().fold(0, u64::wrapping_add));
            assert_eq!(calls.into_inner(), expected.items.len());
        }),
    ),
    (
        "for_each_with, for_each_init",
        End::Any(|iter, expected, rng| {
            let (send, receive) = std::sync::mpsc::channel();
            if rng.one_in(2) {
                iter.for_each_with(send, |send, item| send.send(item).unwrap());
            } else {
                iter.for_each_init(|| send.clone(), |send, item| send.send(item).unwrap());
                drop(send);
            }
            same(&sorted(receive.into_iter().collect()), &sorted(expected.items.clone()));
        }),
    ),
    (
        "try_for_each",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let each = |item| if item == one { Err(item) } else { Ok(()) };
            let result = match rng.below(3) {
                0 => iter.try_for_each(each),
                1 => iter.try_for_each_with(0, |_, item| each(item)),
                _ => iter.try_for_each_init(|| 0, |_, item| each(item)),
            };
            assert_eq!(result, if expected.items.contains(&one) { Err(one) } else { Ok(()) });
        }),
    ),
    (
        "take_any",
        End::Any(|iter, expected, rng| {
            let n = rng.below(expected.items.len() as u64 + 3) as usize;
            let taken: Vec<u64> = iter.take_any(n).collect();
            assert_eq!(taken.len(), n.min(expected.items.len()));
            some_of(taken, expected);
        }),
    ),
    (
        "skip_any",
        End::Any(|iter, expected, rng| {
            let n = rng.below(expected.items.len() as u64 + 3) as usize;
            let left: Vec<u64> = iter.skip_any(n).collect();
            assert_eq!(left.len(), expected.items.len().saturating_sub(n));
            some_of(left, expected);
        }),
    ),
    (
        "take_any_while",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let taken: Vec<u64> = iter.take_any_while(|&item| item != one).collect();
            assert!(!taken.contains(&one));
            assert!(expected.items.contains(&one) || taken.len() == expected.items.len());
            some_of(taken, expected);
        }),
    ),
    (
        "skip_any_while",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let left: Vec<u64> = iter.skip_any_while(|&item| item != one).collect();
            let times = |items: &[u64]| items.iter().filter(|&&item| item == one).count();
            assert_eq!(times(&left), times(&expected.items));
            some_of(left, expected);
        }),
    ),
    (
        "while_some",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let taken: Vec<u64> = iter.map(|item| (item != one).then_some(item)).while_some().collect();
            assert!(expected.items.contains(&one) || taken.len() == expected.items.len());
            some_of(taken, expected);
        }),
    ),
    // Of indexed ones.
];
