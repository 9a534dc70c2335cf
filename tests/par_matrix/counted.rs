//! Terminals of indexed iterators.

use std::cmp::Ordering;
use std::iter;
use std::num::Wrapping;

use filch::prelude::*;

use super::{Affine, End, Expected, STILL, Terminal, affine, same, then};
use crate::par::cut_up;

pub const COUNTED: &[Terminal] = &[
    (
        "len",
        End::Counted(|iter, expected, _| {
            assert_eq!((iter.len(), iter.opt_len()), (expected.items.len(), Some(expected.items.len())));
        }),
    ),
    ("cut up", End::Counted(|iter, expected, rng| same(&cut_up(iter, rng.next()), &expected.items))),
    (
        "collect_into_vec",
        End::Counted(|iter, expected, rng| {
            let mut target = vec![1; rng.below(9) as usize];
            iter.collect_into_vec(&mut target);
            same(&target, &expected.items);
        }),
    ),
    (
        "unzip_into_vecs",
        End::Counted(|iter, expected, _| {
            let (mut left, mut right) = (vec![String::new(); 3], Vec::new());
            iter.map(|item| (item.to_string(), item)).unzip_into_vecs(&mut left, &mut right);
            same(&right, &expected.items);
            same(&left, &expected.iter().map(|item| item.to_string()).collect::<Vec<_>>());
        }),
    ),
    (
        "position_any",
        End::Counted(|iter, expected, rng| {
            let one = expected.one(rng);
            let found = iter.position_any(|item| item == one);
            assert_eq!(found.is_some(), expected.items.contains(&one));
            assert!(found.is_none_or(|at| expected.items[at] == one));
        }),
    ),
    (
        "position_first",
        End::Counted(|iter, expected, rng| {
            let k = 1 + rng.below(200);
            assert_eq!(iter.position_first(|item| item % k == 1), expected.iter().position(|item| item % k == 1));
        }),
    ),
    (
        "position_last",
        End::Counted(|iter, expected, rng| {
            let k = 1 + rng.below(200);
            assert_eq!(iter.position_last(|item| item % k == 1), expected.iter().rposition(|item| item % k == 1));
        }),
    ),
    (
        "comparisons",
        End::Counted(|iter, expected, rng| {
            let mut other = expected.items.clone();
            match rng.below(4) {
                0 if !other.is_empty() => {
                    let at = rng.below(other.len() as u64) as usize;
                    other[at] ^= 1;
                }
                1 => drop(other.pop()),
                2 => other.push(0),
                _ => {}
            }
            let order = expected.items.cmp(&other);
            let partial = || other.iter().map(|&item| item as f64 / 2.0).collect::<Vec<_>>();
            match rng.below(9) {
                0 => assert_eq!(iter.cmp(other), order),
                1 => assert_eq!(iter.map(|item| item as f64 / 2.0).partial_cmp(partial()), Some(order)),
                2 => assert_eq!(iter.eq(other), order == Ordering::Equal),
                3 => assert_eq!(iter.ne(other), order != Ordering::Equal),
                4 => assert_eq!(iter.lt(other), order == Ordering::Less),
                5 => assert_eq!(iter.le(other), order != Ordering::Greater),
                6 => assert_eq!(iter.gt(other), order == Ordering::Greater),
                7 => assert_eq!(iter.ge(other), order != Ordering::Less),
                _ => assert_eq!(other.into_par_iter().cmp(iter), order.reverse()),
            }
        }),
    ),
    (
        "for_each_ordered",
        End::Counted(|iter, expected, rng| {
            let (mut items, one) = (Vec::new(), expected.one(rng));
            let mut push = |item| items.push(item);
            if rng.one_in(2) {
                iter.for_each_ordered(push);
                same(&items, &expected.items);
            } else {
                let ended = iter.try_for_each_ordered(|item| (item != one).then(|| push(item)));
                let before: Vec<u64> = expected.iter().take_while(|item| *item != one).collect();
                assert_eq!(ended.is_none(), expected.items.contains(&one));
                same(&items, &before);
            }
        }),
    ),
    (
        "inclusive_scan",
        End::Counted(|iter, expected, rng| {
            let totals = running(expected).skip(1).collect::<Vec<_>>();
            let (iter, mut target) = (iter.map(affine), vec![STILL; 3]);
            if rng.one_in(2) {
                target = iter.inclusive_scan(|a, b| then(*a, *b));
            } else {
                iter.inclusive_scan_into_vec(&mut target, |a, b| then(*a, *b));
            }
            same(&target, &totals);
        }),
    ),
    (
        "exclusive_scan",
        End::Counted(|iter, expected, rng| {
            let totals = running(expected).take(expected.items.len()).collect::<Vec<_>>();
            let (iter, mut target) = (iter.map(affine), vec![STILL; 3]);
            if rng.one_in(2) {
                target = iter.exclusive_scan(STILL, |a, b| then(*a, *b));
            } else {
                iter.exclusive_scan_into_vec(&mut target, STILL, |a, b| then(*a, *b));
            }
            same(&target, &totals);
        }),
    ),
    (
        "deterministic",
        End::Counted(|iter, expected, rng| match rng.below(3) {
            0 => assert_eq!(
                iter.map(Wrapping).sum_deterministic::<Wrapping<u64>>(),
                expected.iter().map(Wrapping).sum::<Wrapping<u64>>()
            ),
            1 => assert_eq!(
                iter.map(Wrapping).product_deterministic::<Wrapping<u64>>(),
                expected.iter().map(Wrapping).product::<Wrapping<u64>>()
            ),
            _ => assert_eq!(
                iter.map(affine).reduce_deterministic(|| STILL, then),
                expected.iter().map(affine).fold(STILL, then)
            ),
        }),
    ),
    (
        "zipped, unequal",
        End::Counted(|iter, expected, _| {
            let pairs: Vec<_> = iter.enumerate().zip(0..expected.items.len() as u32 / 2).collect();
            same(&pairs, &expected.iter().enumerate().zip(0..expected.items.len() as u32 / 2).collect::<Vec<_>>());
        }),
    ),
];

/// The totals before each item, and at last the total of all.
fn running(expected: &Expected) -> impl Iterator<Item = Affine> + '_ {
    let totals = expected.iter().map(affine).scan(STILL, |total, item| {
        *total = then(*total, item);
        Some(*total)
    });
    iter::once(STILL).chain(totals)
}
