//! Sources, adapters and terminals, whose calls of foreign code burn the fuse.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use filch::CancellationToken;
use filch::iter::Either::{Left, Right};
use filch::iter::Partitioning;
use filch::prelude::*;

use super::items::{Item, NEXT, burn};
use crate::erased::{Counted, Par, Scattered, attached};
use crate::support::ignore;

pub fn items<T: Item>(n: u32) -> Vec<T> {
    // No closure of ours is called, so the fuse does not burn yet.
    (0..n).map(T::make).collect()
}

/// What a source takes its items out of, if it only borrows it. It is dropped after the loop.
pub struct Store<T> {
    vec: Vec<T>,
    deque: VecDeque<T>,
    heap: BinaryHeap<T>,
    set: HashSet<T>,
    map: HashMap<usize, T>,
}

impl<T: Item> Default for Store<T> {
    fn default() -> Self {
        let (set, map) = (HashSet::new(), HashMap::new());
        Store { vec: Vec::new(), deque: VecDeque::new(), heap: BinaryHeap::new(), set, map }
    }
}

pub enum Either<'a, T> {
    Any(Par<'a, T>),
    Counted(Counted<'a, T>),
}

pub fn any<'a, T: Item>(iter: impl IntoParallelIterator<Item = T, Iter: 'a>) -> Either<'a, T> {
    Either::Any(Par::new(iter.into_par_iter()))
}

pub fn counted<'a, T: Item>(
    iter: impl IntoParallelIterator<Item = T, Iter: IndexedParallelIterator + 'a>,
) -> Either<'a, T> {
    Either::Counted(Counted::new(iter.into_par_iter()))
}

pub type Source<T> = (&'static str, for<'a> fn(&'a mut Store<T>, u32) -> Either<'a, T>);

pub fn sources<T: Item>() -> Vec<Source<T>> {
    fn array<'a, const N: usize, T: Item>(n: u32) -> Either<'a, T> {
        let mut vec = items(n);
        vec.truncate(N);
        while vec.len() < N {
            vec.push(T::make(0));
        }
        let array: [T; N] = vec.try_into().unwrap();
        counted(array)
    }
    vec![
        ("vec", |_, n| counted(items(n))),
        ("drain", |store, n| {
            store.vec = items(n);
            counted(store.vec.par_drain(n as usize / 5..n as usize - n as usize / 4))
        }),
        ("array", |_, n| array::<20, T>(n)),
        ("queue", |_, n| {
            let mut deque: VecDeque<T> = items(n).into();
            deque.rotate_left(n as usize / 3);
            counted(deque)
        }),
        ("queue, drained", |store, n| {
            store.deque = items(n).into();
            store.deque.rotate_left(n as usize / 3);
            counted(store.deque.par_drain(n as usize / 5..n as usize - n as usize / 4))
        }),
        ("heap, drained", |store, n| {
            store.heap = items(n.min(5)).into();
            counted(store.heap.par_drain())
        }),
        ("list", |_, n| any(items(n).into_iter().collect::<LinkedList<T>>())),
        ("hash map", |_, n| {
            any(items(n).into_iter().enumerate().collect::<HashMap<usize, T>>().into_par_iter().map(|(_, item)| item))
        }),
        ("hash map, drained", |store, n| {
            store.map = items(n).into_iter().enumerate().collect();
            any(store.map.par_drain().map(|(_, item)| item))
        }),
        ("hash set", |_, n| any(items(n).into_iter().collect::<HashSet<T>>())),
        ("hash set, drained", |store, n| {
            store.set = items(n).into_iter().collect();
            any(store.set.par_drain())
        }),
        ("B-tree map", |_, n| {
            any(items(n).into_iter().enumerate().collect::<BTreeMap<usize, T>>().into_par_iter().map(|(_, item)| item))
        }),
        ("B-tree set", |_, n| any(items(n).into_iter().collect::<BTreeSet<T>>())),
        ("option", |_, n| counted(items(n).pop())),
        ("made", |_, n| {
            counted((0..n).into_par_iter().map(|i| {
                burn();
                T::make(i)
            }))
        }),
        ("repeat_n", |_, n| counted(filch::iter::repeat_n(T::make(3), n as usize))),
        ("cloned", |store, n| {
            store.vec = items(n);
            counted(store.vec.par_iter().cloned())
        }),
        ("bridge", |_, n| any(items::<T>(n).into_iter().inspect(|_| burn()).par_bridge())),
        ("scattered", |_, n| any(Scattered { items: items(n), seed: u64::from(n) + NEXT.load(SeqCst) as u64 })),
        ("chunks", |store, n| {
            store.vec = items(n);
            any(store.vec.par_chunks(3).flat_map_iter(|chunk| chunk.iter().cloned()))
        }),
        ("chunk_by", |store, n| {
            store.vec = items(n);
            let by = |a: &T, b: &T| through(b.key()) % 4 > a.key() % 4;
            any(store.vec.par_chunk_by(by).flat_map_iter(|chunk| chunk.iter().cloned()))
        }),
        ("chunk_by_mut", |store, n| {
            store.vec = items(n);
            let by = |a: &T, b: &T| through(b.key()) % 4 > a.key() % 4;
            any(store.vec.par_chunk_by_mut(by).map(|chunk| std::mem::replace(&mut chunk[0], through(T::make(9)))))
        }),
        ("tree", |_, n| {
            let tree = filch::iter::walk_tree((0, T::make(0)), move |&(depth, _): &(u32, T)| {
                burn();
                let child = || (depth + 1, T::make(depth + 1));
                (depth < n.min(30) / 10).then(|| [child(), child()]).into_iter().flatten()
            });
            any(tree.map(|(_, item)| item))
        }),
    ]
}

pub enum How<T> {
    Any(for<'a> fn(Par<'a, T>) -> Par<'a, T>),
    Counted(for<'a> fn(Counted<'a, T>) -> Counted<'a, T>),
}

pub type Adapter<T> = (&'static str, How<T>);

pub fn more<T: Item>() -> Vec<T> {
    items(7)
}

pub fn through<T>(item: T) -> T {
    burn();
    item
}

pub fn total<T: Item>(a: &T, b: &T) -> T {
    burn();
    T::make(a.key() % 1000 + b.key() % 1000)
}

pub fn push<T>(mut vec: Vec<T>, item: T) -> Vec<T> {
    burn();
    vec.push(item);
    vec
}

static TOKEN: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);
static DONE: AtomicUsize = AtomicUsize::new(0);

pub fn adapters<T: Item>() -> Vec<Adapter<T>> {
    macro_rules! any {
        ($($name:literal: |$iter:ident| $body:expr;)*) => { [$(($name, How::<T>::Any(|$iter| Par::new($body)))),*] };
    }
    macro_rules! counted {
        ($($name:literal: |$iter:ident| $body:expr;)*) => { [$(($name, How::<T>::Counted(|$iter| Counted::new($body)))),*] };
    }
    let any: Vec<Adapter<T>> = any! {
        "map": |iter| iter.map(through);
        "map_with": |iter| iter.map_with(T::make(1), |own, item| { burn(); own.key(); item });
        "map_init": |iter| iter.map_init(|| { burn(); T::make(1) }, |own, item| { burn(); own.key(); item });
        "filter": |iter| iter.filter(|item| { burn(); item.key() % 3 != 0 });
        "filter_map": |iter| iter.filter_map(|item| { burn(); (item.key() % 3 != 0).then_some(item) });
        "inspect": |iter| iter.inspect(|_| burn());
        "update": |iter| iter.update(|item| *item = through(T::make(5)));
        "flat_map": |iter| iter.flat_map(|item| { burn(); vec![item, T::make(2)] });
        "flat_map_iter": |iter| iter.flat_map_iter(|item| { burn(); [item, T::make(2)] });
        "flatten of arrays": |iter| iter.map(|item| [item, T::make(2)]).flatten();
        "flatten of options": |iter| iter.map(Some).flatten();
        "fold": |iter| iter.fold(|| through(Vec::new()), push).flatten();
        "fold_with": |iter| iter.fold_with(vec![T::make(8)], push).flatten_iter();
        "try_fold": |iter| iter.try_fold(|| through(Vec::new()), |vec, item| Some(push(vec, item)))
            .while_some().flatten();
        "try_fold_with": |iter| iter
            .try_fold_with(vec![T::make(8)], |vec, item| if vec.len() < 4 { Ok(push(vec, item)) } else { Err(item) })
            .map(|result| result.unwrap_or_else(|item| vec![item])).flatten();
        "while_some": |iter| iter.map(|item| (through(item.key()) < 15).then_some(item)).while_some();
        "panic_fuse": |iter| iter.map(through).panic_fuse();
        "intersperse": |iter| iter.intersperse(T::make(6));
        "take_any": |iter| iter.take_any(11);
        "skip_any": |iter| iter.skip_any(5);
        "take_any_while": |iter| iter.take_any_while(|item| through(item.key()) < 12);
        "skip_any_while": |iter| iter.skip_any_while(|item| through(item.key()) < 8);
        "chain": |iter| iter.chain(more());
        "chained to another": |iter| more::<T>().into_par_iter().map(through).chain(iter);
        "with_cancel": |iter| iter.map(through).with_cancel(&TOKEN);
        "with_deadline, near": |iter| iter.with_deadline(Instant::now() + Duration::from_micros(20)).map(through);
        "with_progress": |iter| iter.with_progress(&DONE).map(through);
    }
    .into();
    let counted: Vec<Adapter<T>> = counted! {
        "zip": |iter| iter.zip(more::<T>()).map(|(item, _)| through(item));
        "zipped to more": |iter| items::<T>(40).into_par_iter().zip(iter).map(|(item, _)| through(item));
        "interleave": |iter| iter.interleave(more::<T>());
        "interleave_shortest": |iter| iter.interleave_shortest(more::<T>().into_par_iter().map(through));
        "rev": |iter| iter.map(through).rev();
        "skip": |iter| iter.map(through).skip(6);
        "take": |iter| iter.take(6).map(through);
        "step_by": |iter| iter.step_by(3);
        "chunks": |iter| iter.chunks(3).map(|mut chunk| { burn(); chunk.pop().unwrap() });
        "fold_chunks": |iter| iter.fold_chunks(4, || through(T::make(1)), |_, item| through(item));
        "fold_chunks_with": |iter| iter.fold_chunks_with(4, T::make(1), |_, item| through(item));
        "enumerate": |iter| iter.enumerate().map(|(_, item)| through(item));
        "intersperse, indexed": |iter| iter.intersperse(T::make(6));
        "with_max_len": |iter| iter.with_max_len(2);
        "chain, indexed": |iter| iter.chain(more());
        "with_partitioning": |iter| iter.map(through).with_partitioning(Partitioning::Static);
        "with_affinity": |iter| attached(iter).map(through);
        "with_progress, indexed": |iter| iter.map(through).with_progress(&DONE);
    }
    .into();
    let mut all = any;
    all.extend(counted);
    all
}

pub enum End<T> {
    Any(fn(Par<'_, T>)),
    Counted(fn(Counted<'_, T>)),
}

pub type Terminal<T> = (&'static str, End<T>);

pub fn terminals<T: Item>() -> Vec<Terminal<T>> {
    vec![
        ("collect: vec", End::Any(|iter| drop(iter.collect::<Vec<_>>()))),
        ("collect: box", End::Any(|iter| drop(iter.map(through).collect::<Box<[_]>>()))),
        ("collect: arc", End::Any(|iter| drop(iter.collect::<Arc<[_]>>()))),
        ("collect: queue", End::Any(|iter| drop(iter.collect::<VecDeque<_>>()))),
        ("collect: list", End::Any(|iter| drop(iter.map(through).collect::<LinkedList<_>>()))),
        ("collect: vec list", End::Any(|iter| drop(iter.map(through).collect_vec_list()))),
        ("collect: set", End::Any(|iter| drop(iter.collect::<BTreeSet<_>>()))),
        ("collect: heap", End::Any(|iter| drop(iter.collect::<BinaryHeap<_>>()))),
        ("collect: hash set", End::Any(|iter| drop(iter.collect::<HashSet<_>>()))),
        (
            "collect: option",
            End::Any(|iter| {
                drop(iter.map(|item| (through(item.key()) != 13).then_some(item)).collect::<Option<Vec<_>>>());
            }),
        ),
        (
            "collect: result",
            End::Any(|iter| {
                drop(
                    iter.map(|item| if through(item.key()) != 13 { Ok(item) } else { Err(item) })
                        .collect::<Result<Vec<_>, _>>(),
                );
            }),
        ),
        ("extend", End::Any(|iter| more::<T>().par_extend(iter.map(through)))),
        ("for_each", End::Any(|iter| iter.for_each(|_| burn()))),
        ("for_each_with", End::Any(|iter| iter.for_each_with(T::make(0), |_, _| burn()))),
        ("for_each_init", End::Any(|iter| iter.for_each_init(|| through(T::make(0)), |_, _| burn()))),
        (
            "try_for_each",
            End::Any(|iter| {
                let _ = iter.try_for_each(|item| if through(item.key()) == 13 { Err(item) } else { Ok(()) });
            }),
        ),
        ("count", End::Any(|iter| ignore(iter.count()))),
        (
            "reduce",
            End::Any(|iter| {
                drop(iter.reduce(
                    || through(T::make(0)),
                    |a, b| {
                        burn();
                        drop(a);
                        b
                    },
                ))
            }),
        ),
        (
            "reduce_with",
            End::Any(|iter| {
                drop(iter.reduce_with(|a, b| {
                    burn();
                    drop(b);
                    a
                }))
            }),
        ),
        (
            "try_reduce",
            End::Any(|iter| {
                drop(iter.map(Ok::<_, T>).try_reduce(
                    || through(T::make(0)),
                    |a, b| {
                        burn();
                        if b.key() == 13 { Err(a) } else { Ok(b) }
                    },
                ));
            }),
        ),
        (
            "try_reduce_with",
            End::Any(|iter| {
                drop(iter.map(Some).try_reduce_with(|a, b| {
                    burn();
                    (b.key() != 13).then_some(a)
                }));
            }),
        ),
        ("min", End::Any(|iter| drop(iter.min()))),
        ("max_by", End::Any(|iter| drop(iter.max_by(T::cmp)))),
        (
            "min_by_key",
            End::Any(|iter| {
                drop(iter.min_by_key(|item| {
                    burn();
                    T::make(item.key())
                }))
            }),
        ),
        ("any", End::Any(|iter| ignore(iter.any(|item| through(item.key()) == 13)))),
        ("find_any", End::Any(|iter| drop(iter.find_any(|item| through(item.key()) == 13)))),
        ("find_first", End::Any(|iter| drop(iter.find_first(|item| through(item.key()) > 12)))),
        ("find_last", End::Any(|iter| drop(iter.find_last(|item| through(item.key()) < 12)))),
        (
            "find_map_first",
            End::Any(|iter| drop(iter.find_map_first(|item| (through(item.key()) > 12).then_some(item)))),
        ),
        (
            "partition",
            End::Any(|iter| {
                drop(iter.partition::<Vec<_>, LinkedList<_>, _>(|item| through(item.key()) % 2 == 0));
            }),
        ),
        (
            "partition_map",
            End::Any(|iter| {
                let side = |item: T| if through(item.key()) % 2 == 0 { Left(item) } else { Right(item) };
                drop(iter.partition_map::<Vec<_>, HashSet<_>, _, _, _>(side));
            }),
        ),
        (
            "unzip",
            End::Any(|iter| {
                drop(iter.map(|item| (T::make(item.key()), through(item))).unzip::<_, _, Vec<_>, VecDeque<_>>());
            }),
        ),
        ("dropped", End::Any(|iter| drop(iter))),
        ("collect_into_vec", End::Counted(|iter| iter.map(through).collect_into_vec(&mut more()))),
        (
            "unzip_into_vecs",
            End::Counted(|iter| {
                iter.map(|item| (through(T::make(item.key())), item)).unzip_into_vecs(&mut more(), &mut more());
            }),
        ),
        (
            "unzip, indexed",
            End::Counted(|iter| {
                drop(iter.map(|item| (through(T::make(item.key())), item)).unzip::<_, _, Vec<_>, Vec<_>>());
            }),
        ),
        ("position_first", End::Counted(|iter| ignore(iter.position_first(|item| through(item.key()) > 12)))),
        ("eq", End::Counted(|iter| ignore(iter.eq(items::<T>(20))))),
        ("cmp", End::Counted(|iter| ignore(iter.cmp(items::<T>(22))))),
        ("blocks", End::Counted(|iter| drop(iter.by_uniform_blocks(6).map(through).collect::<Vec<_>>()))),
        ("growing blocks", End::Counted(|iter| drop(iter.by_exponential_blocks().map(through).collect::<Vec<_>>()))),
        ("for_each_ordered", End::Counted(|iter| iter.map(through).for_each_ordered(|_| burn()))),
        (
            "try_for_each_ordered",
            End::Counted(|iter| {
                drop(iter.try_for_each_ordered(|item| if through(item.key()) == 13 { Err(item) } else { Ok(()) }));
            }),
        ),
        ("par_map_ordered", End::Any(|iter| iter.collect::<Vec<_>>().into_iter().par_map_ordered(through, |_| burn()))),
        ("inclusive_scan", End::Counted(|iter| drop(iter.inclusive_scan(total)))),
        ("inclusive_scan_into_vec", End::Counted(|iter| iter.map(through).inclusive_scan_into_vec(&mut more(), total))),
        ("exclusive_scan", End::Counted(|iter| drop(iter.map(through).exclusive_scan(T::make(1), total)))),
        ("exclusive_scan_into_vec", End::Counted(|iter| iter.exclusive_scan_into_vec(&mut more(), T::make(1), total))),
        ("scan in place", End::Any(|iter| iter.collect::<Vec<_>>().par_inclusive_scan(total))),
        (
            "exclusive scan in place",
            End::Any(|iter| drop(iter.collect::<Vec<_>>().par_exclusive_scan(T::make(1), total))),
        ),
        (
            "reduce_deterministic",
            End::Counted(|iter| {
                let last = |_: T, b: T| through(b);
                drop(iter.map(through).reduce_deterministic(|| through(T::make(0)), last));
            }),
        ),
        ("positions", End::Counted(|iter| ignore(iter.positions(|item| through(item.key()) > 3).max()))),
    ]
}
