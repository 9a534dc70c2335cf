//! Terminals that make collections.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::OsString;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use filch::prelude::*;

use super::{End, Terminal, same, sorted, text};

pub const COLLECTED: &[Terminal] = &[
    ("collect: vec", End::Any(|iter, expected, _| expected.is(iter.collect::<Vec<_>>()))),
    ("collect: box", End::Any(|iter, expected, _| expected.is(iter.collect::<Box<[_]>>()))),
    ("collect: arc", End::Any(|iter, expected, _| expected.is(iter.collect::<Arc<[_]>>().iter().copied()))),
    ("collect: rc", End::Any(|iter, expected, _| expected.is(iter.collect::<Rc<[_]>>().iter().copied()))),
    ("collect: cow", End::Any(|iter, expected, _| expected.is(iter.collect::<Cow<[_]>>().iter().copied()))),
    ("collect: queue", End::Any(|iter, expected, _| expected.is(iter.collect::<VecDeque<_>>()))),
    ("collect: list", End::Any(|iter, expected, _| expected.is(iter.collect::<LinkedList<_>>()))),
    (
        "collect: vec list",
        End::Any(|iter, expected, _| {
            let list = iter.collect_vec_list();
            assert!(list.iter().all(|vec| !vec.is_empty()));
            expected.is(list.into_iter().flatten());
        }),
    ),
    (
        "collect: heap",
        End::Any(|iter, expected, _| {
            same(&iter.collect::<BinaryHeap<_>>().into_sorted_vec(), &sorted(expected.items.clone()));
        }),
    ),
    (
        "collect: B-tree set",
        End::Any(|iter, expected, _| {
            assert_eq!(iter.collect::<BTreeSet<_>>(), expected.iter().collect());
        }),
    ),
    (
        "collect: hash set",
        End::Any(|iter, expected, _| {
            assert_eq!(iter.collect::<HashSet<_>>(), expected.iter().collect());
        }),
    ),
    (
        "collect: hash map",
        End::Ordered(|iter, expected, _| {
            let map: HashMap<_, _> = iter.map(|item| (item % 50, item)).collect();
            assert_eq!(map, expected.iter().map(|item| (item % 50, item)).collect());
        }),
    ),
    (
        "collect: B-tree map",
        End::Ordered(|iter, expected, _| {
            let map: BTreeMap<_, _> = iter.map(|item| (item % 50, item)).collect();
            assert_eq!(map, expected.iter().map(|item| (item % 50, item)).collect());
        }),
    ),
    (
        "collect: string",
        End::Ordered(|iter, expected, _| {
            assert_eq!(iter.map(text).collect::<String>(), expected.iter().map(text).collect::<String>());
        }),
    ),
    (
        "collect: string of strings",
        End::Ordered(|iter, expected, _| {
            let strings: String = iter.map(|item| item.to_string()).collect();
            assert_eq!(strings, expected.iter().map(|item| item.to_string()).collect::<String>());
        }),
    ),
    (
        "collect: boxed string",
        End::Ordered(|iter, expected, _| {
            assert_eq!(iter.map(text).collect::<Box<str>>(), expected.iter().map(text).collect::<Box<str>>());
        }),
    ),
    (
        "collect: string of the system",
        End::Ordered(|iter, expected, _| {
            let strings: OsString = iter.map(|item| OsString::from(item.to_string())).collect();
            assert_eq!(strings, *expected.iter().map(|item| item.to_string()).collect::<String>());
        }),
    ),
    (
        "collect: option",
        End::Any(|iter, expected, _| {
            expected.is(iter.map(Some).collect::<Option<Vec<_>>>().unwrap());
        }),
    ),
    (
        "collect: option, perhaps none",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let option: Option<Vec<_>> = iter.map(|item| (item != one).then_some(item)).collect();
            assert_eq!(option.is_none(), expected.items.contains(&one));
        }),
    ),
    (
        "collect: result",
        End::Any(|iter, expected, rng| {
            let one = expected.one(rng);
            let result: Result<Vec<_>, _> = iter.map(|item| if item == one { Err(item) } else { Ok(item) }).collect();
            match result {
                Ok(items) => expected.is(items),
                Err(item) => assert!(item == one && expected.items.contains(&one)),
            }
        }),
    ),
    (
        "collect: unit",
        End::Any(|iter, expected, _| {
            let calls = AtomicUsize::new(0);
            iter.map(|_| {
                calls.fetch_add(1, Relaxed);
            })
            .collect::<()>();
            assert_eq!(calls.into_inner(), expected.items.len());
        }),
    ),
    (
        "extend: vec",
        End::Ordered(|iter, expected, _| {
            let mut vec = vec![5; 3];
            vec.par_extend(iter);
            same(&vec[3..], &expected.items);
            assert_eq!(vec[..3], [5; 3]);
        }),
    ),
    (
        "extend: string",
        End::Ordered(|iter, expected, _| {
            let mut string = String::from("x");
            string.par_extend(iter.map(text));
            assert_eq!(string, "x".chars().chain(expected.iter().map(text)).collect::<String>());
        }),
    ),
];
