//! Sources: ranges of the other integers, and the other ways to go through collections.

use std::mem;

use filch::prelude::*;

use super::{Data, Source, any, counted, deque, unordered};

/// Numbers by how far they lie behind the first.
macro_rules! range {
    ($name:literal, $make:ident, |$len:ident| $range:expr, $int:ty => $wide:ty) => {
        ($name, |d| {
            let $len = d.len();
            let range = $range;
            let first = *range.clone().peekable().peek().unwrap_or(&0) as $wide;
            let back = move |i: $int| (i as $wide - first) as u64;
            $make(range.clone().into_par_iter().map(back), range.map(back))
        })
    };
}

pub const COLLECTIONS: &[Source] = &[
    range!("range of i8", counted, |len| -128..(len.min(255) as i16 - 128) as i8, i8 => i16),
    range!("range of i16", counted, |len| -700..len as i16 - 700, i16 => i32),
    range!("range of u16", counted, |len| 9..len as u16, u16 => u32),
    range!("range of u32", counted, |len| u32::MAX - len as u32..u32::MAX, u32 => u64),
    range!("range of isize", counted, |len| -3..len as isize - 3, isize => isize),
    range!("range of u128", any, |len| u128::MAX - len as u128..u128::MAX, u128 => u128),
    range!("inclusive range of u8", counted, |len| 0..=len.min(255) as u8, u8 => u8),
    range!("inclusive range of i8", counted, |len| -128..=(len.min(255) as i16 - 128) as i8, i8 => i16),
    range!("inclusive range of i16", counted, |len| -5..=len as i16 - 9, i16 => i32),
    range!("inclusive range of i32", any, |len| i32::MAX - len as i32..=i32::MAX, i32 => i64),
    range!("inclusive range of u32", any, |len| 7..=len as u32, u32 => u32),
    range!("inclusive range of i64", any, |len| -7..=len as i64, i64 => i64),
    range!("inclusive range of usize", any, |len| 1..=len, usize => usize),
    range!("inclusive range of isize", any, |len| isize::MIN..=isize::MIN + len as isize, isize => isize),
    range!("inclusive range of u128", any, |len| u128::MAX - len as u128..=u128::MAX, u128 => u128),
    range!("inclusive range of i128", any, |len| -1..=len as i128, i128 => i128),
    ("inclusive range of chars", |d| {
        let last = char::from_u32(0xe000 + d.len() as u32).unwrap();
        counted(('\u{d7f0}'..=last).into_par_iter().map(u64::from), ('\u{d7f0}'..=last).map(u64::from))
    }),
    ("queue, mutably", |d| {
        d.deque = deque(d);
        let items = d.items.iter().map(|item| item + 1);
        counted(d.deque.par_iter_mut().map(one_more), items)
    }),
    ("B-tree set, by value", |d| {
        d.set = d.items.iter().copied().collect();
        any(d.set.clone(), d.set.clone())
    }),
    ("B-tree map, by reference", |d| {
        d.map = d.items.iter().map(|&item| (item, item / 2)).collect();
        any(d.map.par_iter().map(|(k, v)| k + v), d.map.iter().map(|(k, v)| k + v))
    }),
    ("hash map, by value", |d| {
        let items = hash_map(d);
        unordered(any(mem::take(&mut d.hash_map).into_par_iter().map(|(k, v)| k + v), items))
    }),
    ("hash map, mutably", |d| {
        let items: Vec<u64> = hash_map(d).into_iter().map(|item| item + 1).collect();
        unordered(any(d.hash_map.par_iter_mut().map(|(k, v)| k + one_more(v)), items))
    }),
    ("hash map, drained", |d| {
        let items = hash_map(d);
        unordered(any(d.hash_map.par_drain().map(|(k, v)| k + v), items))
    }),
    ("hash set", |d| {
        d.hash_set = d.items.iter().copied().collect();
        any(d.hash_set.par_iter().copied(), d.hash_set.iter().copied())
    }),
    ("hash set, by value", |d| {
        d.hash_set = d.items.iter().copied().collect();
        let items: Vec<u64> = d.hash_set.iter().copied().collect();
        unordered(any(mem::take(&mut d.hash_set), items))
    }),
    ("list, by value", |d| {
        d.list = d.items.iter().copied().collect();
        any(mem::take(&mut d.list), d.items.clone())
    }),
    ("list, mutably", |d| {
        d.list = d.items.iter().copied().collect();
        any(d.list.par_iter_mut().map(one_more), d.items.iter().map(|item| item + 1))
    }),
    ("heap, by reference", |d| {
        d.heap = d.items.iter().copied().collect();
        counted(d.heap.par_iter().copied(), d.heap.iter().copied())
    }),
    ("option, by value", |d| {
        d.option = d.items.first().copied();
        counted(d.option, d.option)
    }),
    ("option, mutably", |d| {
        d.option = d.items.first().copied();
        counted(d.option.par_iter_mut().map(one_more), d.items.first().map(|item| item + 1))
    }),
    ("result, by reference", |d| {
        let result = d.result.insert(d.items.first().copied().ok_or(()));
        counted(result.par_iter().copied(), *result)
    }),
    ("result, mutably", |d| {
        let result = d.result.insert(d.items.first().copied().ok_or(()));
        counted(result.par_iter_mut().map(one_more), d.items.first().map(|item| item + 1))
    }),
];

fn one_more(item: &mut u64) -> u64 {
    *item += 1;
    *item
}

/// Fills the hash map; gives the sums of keys and values.
fn hash_map(d: &mut Data) -> Vec<u64> {
    d.hash_map = d.items.iter().map(|&item| (item, item / 2)).collect();
    d.hash_map.iter().map(|(k, v)| k + v).collect()
}
