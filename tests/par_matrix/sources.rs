//! Sources. Each gives items of one type, and says which a plain iterator would give.

mod collections;
mod pieces;

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::sync::LazyLock;

use collections::COLLECTIONS;
use pieces::PIECES;

use filch::iter::{empty, once, repeat, repeat_n, split, walk_tree, walk_tree_postfix, walk_tree_prefix};
use filch::prelude::*;

use crate::erased::{Counted, Par, Scattered};
use crate::support::Rng;

/// An iterator on its way, and what it should give.
pub struct Case<'a> {
    pub iter: Either<'a>,
    pub items: Vec<u64>,
    /// Whether the items come in this order.
    pub ordered: bool,
}

pub enum Either<'a> {
    Any(Par<'a, u64>),
    Counted(Counted<'a, u64>),
}

fn any<'a, I>(iter: I, items: impl IntoIterator<Item = u64>) -> Case<'a>
where
    I: IntoParallelIterator<Item = u64, Iter: 'a>,
{
    Case { iter: Either::Any(Par::new(iter.into_par_iter())), items: items.into_iter().collect(), ordered: true }
}

fn counted<'a, I>(iter: I, items: impl IntoIterator<Item = u64>) -> Case<'a>
where
    I: IntoParallelIterator<Item = u64, Iter: IndexedParallelIterator + 'a>,
{
    Case {
        iter: Either::Counted(Counted::new(iter.into_par_iter())),
        items: items.into_iter().collect(),
        ordered: true,
    }
}

fn unordered(case: Case<'_>) -> Case<'_> {
    Case { ordered: false, ..case }
}

/// What sources may borrow from.
#[derive(Default)]
pub struct Data {
    pub items: Vec<u64>,
    pub rng: Option<Rng>,
    vec: Vec<u64>,
    deque: VecDeque<u64>,
    text: String,
    bytes: Vec<u8>,
    set: BTreeSet<u64>,
    map: BTreeMap<u64, u64>,
    hash_set: HashSet<u64>,
    hash_map: HashMap<u64, u64>,
    heap: BinaryHeap<u64>,
    list: LinkedList<u64>,
    nested: Vec<Vec<u64>>,
    option: Option<u64>,
    result: Option<Result<u64, ()>>,
}

impl Data {
    pub fn new(len: usize, rng: &mut Rng) -> Data {
        // Small, so that there are equal ones, and scalar values.
        let items = (0..len).map(|_| rng.below(2 * len as u64 + 2).min(50_000)).collect();
        Data { items, rng: Some(Rng(rng.next())), ..Data::default() }
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn dice(&mut self) -> &mut Rng {
        self.rng.as_mut().unwrap()
    }
}

fn char_of(item: u64) -> char {
    char::from_u32(item as u32).expect("items are small")
}

/// A queue that goes round the end of its memory, most of the time.
fn deque(data: &mut Data) -> VecDeque<u64> {
    let turn = data.dice().below(20) as usize;
    let mut deque = VecDeque::with_capacity(data.len().max(1));
    for _ in 0..turn {
        deque.push_back(0);
        deque.pop_front();
    }
    deque.extend(&data.items);
    deque
}

fn array<'a, const N: usize>(items: &[u64]) -> Case<'a> {
    let array: [u64; N] = items[..N].try_into().unwrap();
    counted(array, array)
}

/// The nodes of a tree that is numbered as a heap is.
fn children(len: usize) -> impl Fn(&usize) -> Vec<usize> + Sync + Send + Copy {
    move |&node| [2 * node + 1, 2 * node + 2].into_iter().filter(|&child| child < len).collect()
}

fn walk(node: usize, len: usize, post: bool, nodes: &mut Vec<u64>) {
    if !post {
        nodes.push(node as u64);
    }
    for child in children(len)(&node) {
        walk(child, len, post, nodes);
    }
    if post {
        nodes.push(node as u64);
    }
}

fn walked(len: usize, post: bool) -> Vec<u64> {
    let mut nodes = Vec::new();
    walk(0, len, post, &mut nodes);
    nodes
}

/// A name, and what makes the source.
pub type Source = (&'static str, for<'a> fn(&'a mut Data) -> Case<'a>);

pub static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| [BASIC, PIECES, COLLECTIONS].concat());

const BASIC: &[Source] = &[
    ("slice", |d| counted(d.items.par_iter().copied(), d.items.clone())),
    ("slice, mutably", |d| {
        d.vec.clone_from(&d.items);
        let items = d.items.iter().map(|item| item + 1);
        counted(
            d.vec.par_iter_mut().map(|item| {
                *item += 1;
                *item
            }),
            items,
        )
    }),
    ("vec", |d| counted(d.items.clone(), d.items.clone())),
    ("box", |d| counted(d.items.clone().into_boxed_slice(), d.items.clone())),
    ("drain", |d| {
        d.vec.clone_from(&d.items);
        let start = d.len() / 4;
        let end = d.len() - d.len() / 5;
        counted(d.vec.par_drain(start..end), d.items[start..end].to_vec())
    }),
    ("array", |d| match d.len() {
        0 => array::<0>(&d.items),
        1 => array::<1>(&d.items),
        2 => array::<2>(&d.items),
        3..64 => array::<3>(&d.items),
        64..1000 => array::<64>(&d.items),
        _ => array::<1000>(&d.items),
    }),
    ("range of usize", |d| counted((0..d.len()).into_par_iter().map(|i| d.items[i]), d.items.clone())),
    ("range of u8", |d| {
        let end = d.len().min(255) as u8;
        counted((0..end).into_par_iter().map(u64::from), (0..end).map(u64::from))
    }),
    ("range of i32", |d| {
        let end = d.len() as i32 - 500;
        counted((-500..end).into_par_iter().map(|i| i as u32 as u64), (-500..end).map(|i| i as u32 as u64))
    }),
    ("range of i64", |d| any((-7..d.len() as i64).into_par_iter().map(|i| (i + 7) as u64), 0..d.len() as u64 + 7)),
    ("range of u64", |d| any(5..d.len() as u64, 5..d.len() as u64)),
    ("range of i128", |d| {
        let start = i128::MAX - d.len() as i128;
        any((start..i128::MAX).into_par_iter().map(move |i| (i - start) as u64), 0..d.len() as u64)
    }),
    ("inclusive range of u16", |d| {
        let end = d.len() as u16;
        counted((3..=end).into_par_iter().map(u64::from), (3..=end).map(u64::from))
    }),
    ("inclusive range of u64", |d| {
        let start = u64::MAX - d.len() as u64;
        any((start..=u64::MAX).into_par_iter().map(move |i| i - start), 0..=d.len() as u64)
    }),
    ("range of chars", |d| {
        let end = char::from_u32(0xe000 + d.len() as u32).unwrap();
        counted(('\u{d7f0}'..end).into_par_iter().map(u64::from), ('\u{d7f0}'..end).map(u64::from))
    }),
    ("queue", |d| {
        let deque = deque(d);
        counted(deque, d.items.clone())
    }),
    ("queue, by reference", |d| {
        d.deque = deque(d);
        counted(d.deque.par_iter().copied(), d.items.clone())
    }),
    ("queue, drained", |d| {
        d.deque = deque(d);
        let (start, end) = (d.len() / 3, d.len() - d.len() / 7);
        counted(d.deque.par_drain(start..end), d.items[start..end].to_vec())
    }),
    ("chunks", |d| {
        let size = 1 + d.dice().below(9) as usize;
        counted(d.items.par_chunks(size).map(|chunk| chunk.iter().sum()), d.items.chunks(size).map(|c| c.iter().sum()))
    }),
    ("chunks, flattened", |d| {
        let size = 1 + d.dice().below(9) as usize;
        any(d.items.par_chunks(size).flatten().copied(), d.items.clone())
    }),
    ("chunks_exact", |d| {
        let size = 1 + d.dice().below(9) as usize;
        counted(
            d.items.par_chunks_exact(size).map(|chunk| chunk.iter().sum()),
            d.items.chunks_exact(size).map(|c| c.iter().sum()),
        )
    }),
    ("rchunks", |d| {
        let size = 1 + d.dice().below(9) as usize;
        counted(
            d.items.par_rchunks(size).map(|chunk| chunk.iter().sum()),
            d.items.rchunks(size).map(|c| c.iter().sum()),
        )
    }),
    ("rchunks_exact", |d| {
        let size = 1 + d.dice().below(9) as usize;
        counted(
            d.items.par_rchunks_exact(size).map(|chunk| chunk[0]),
            d.items.rchunks_exact(size).map(|chunk| chunk[0]),
        )
    }),
    ("windows", |d| {
        let size = 1 + d.dice().below(9) as usize;
        counted(
            d.items.par_windows(size).map(move |w| w[0] + w[size - 1]),
            d.items.windows(size).map(|w| w[0] + w[size - 1]),
        )
    }),
    ("array_windows", |d| {
        counted(d.items.par_array_windows().map(|[a, b, c]| a + b * c), d.items.windows(3).map(|w| w[0] + w[1] * w[2]))
    }),
    ("chunk_by", |d| {
        any(
            d.items.par_chunk_by(|a, b| a <= b).map(|chunk| chunk.iter().sum()),
            d.items.chunk_by(|a, b| a <= b).map(|chunk| chunk.iter().sum()),
        )
    }),
    ("slice, split", |d| {
        any(
            d.items.par_split(|item| item % 3 == 0).map(|piece| piece.len() as u64),
            d.items.split(|item| item % 3 == 0).map(|piece| piece.len() as u64),
        )
    }),
    ("slice, split after", |d| {
        any(
            d.items.par_split_inclusive(|item| item % 5 == 0).map(|piece| piece.iter().sum()),
            d.items.split_inclusive(|item| item % 5 == 0).map(|piece| piece.iter().sum()),
        )
    }),
    ("chars", |d| {
        d.text = d.items.iter().copied().map(char_of).collect();
        any(d.text.par_chars().map(u64::from), d.items.clone())
    }),
    ("bytes", |d| {
        d.text = d.items.iter().copied().map(char_of).collect();
        d.bytes = d.text.clone().into_bytes();
        any(d.text.par_bytes().map(u64::from), d.bytes.iter().copied().map(u64::from))
    }),
    ("char_indices", |d| {
        d.text = d.items.iter().copied().map(char_of).collect();
        let items: Vec<u64> = d.text.char_indices().map(|(i, c)| i as u64 * 100_000 + u64::from(c)).collect();
        any(d.text.par_char_indices().map(|(i, c)| i as u64 * 100_000 + u64::from(c)), items)
    }),
    ("words", |d| {
        d.text = d.items.iter().map(|item| if item % 4 == 0 { "  \t".into() } else { item.to_string() }).collect();
        let items: Vec<u64> = d.text.split_whitespace().map(|word| word.len() as u64).collect();
        any(d.text.par_split_whitespace().map(|word| word.len() as u64), items)
    }),
    ("lines", |d| {
        d.text = d.items.iter().map(|item| if item % 4 == 0 { "\r\n".into() } else { item.to_string() }).collect();
        let items: Vec<u64> = d.text.lines().map(|line| line.len() as u64).collect();
        any(d.text.par_lines().map(|line| line.len() as u64), items)
    }),
    ("string, drained", |d| {
        d.text = d.items.iter().copied().map(char_of).collect();
        any(d.text.par_drain(..).map(u64::from), d.items.clone())
    }),
    ("B-tree set", |d| {
        d.set = d.items.iter().copied().collect();
        any(d.set.par_iter().copied(), d.set.clone())
    }),
    ("B-tree map, by value", |d| {
        d.map = d.items.iter().map(|&item| (item, item / 2)).collect();
        any(d.map.clone().into_par_iter().map(|(k, v)| k + v), d.map.iter().map(|(k, v)| k + v))
    }),
    ("B-tree map, mutably", |d| {
        d.map = d.items.iter().map(|&item| (item, item / 2)).collect();
        let items: Vec<u64> = d.map.values().map(|v| v + 1).collect();
        any(
            d.map.par_iter_mut().map(|(_, v)| {
                *v += 1;
                *v
            }),
            items,
        )
    }),
    ("hash map", |d| {
        d.hash_map = d.items.iter().map(|&item| (item, item / 2)).collect();
        any(d.hash_map.par_iter().map(|(k, v)| k + v), d.hash_map.iter().map(|(k, v)| k + v))
    }),
    ("hash set, drained", |d| {
        d.hash_set = d.items.iter().copied().collect();
        let items: Vec<u64> = d.hash_set.iter().copied().collect();
        unordered(any(d.hash_set.par_drain(), items))
    }),
    ("heap", |d| {
        d.heap = d.items.iter().copied().collect();
        let items: Vec<u64> = d.heap.iter().copied().collect();
        counted(d.heap.clone(), items)
    }),
    ("heap, drained", |d| {
        d.heap = d.items.iter().copied().collect();
        let items: Vec<u64> = d.heap.iter().copied().collect();
        unordered(counted(d.heap.par_drain(), items))
    }),
    ("list", |d| {
        d.list = d.items.iter().copied().collect();
        any(d.list.par_iter().copied(), d.items.clone())
    }),
    ("option", |d| {
        d.option = d.items.first().copied();
        counted(d.option.par_iter().copied(), d.option)
    }),
    ("result", |d| {
        let result = d.items.first().copied().ok_or(());
        counted(result, result)
    }),
    ("once", |_| counted(once(7), [7])),
    ("empty", |_| counted(empty(), [])),
    ("repeat_n", |d| counted(repeat_n(9, d.len()), vec![9; d.len()])),
    ("repeat, taken", |d| counted(repeat(3).take(d.len()), vec![3; d.len()])),
    ("repeat, zipped", |d| counted(repeat(3).zip(&d.items).map(|(a, b)| a * b), d.items.iter().map(|item| 3 * item))),
    ("zip", |d| {
        d.deque = deque(d);
        let items = d.items.iter().rev().zip(&d.items).map(|(a, b)| a * b);
        counted((d.deque.par_iter().rev(), &d.items).into_par_iter().map(|(a, b)| a * b), items)
    }),
    ("five at once", |d| {
        let range = 0..d.len() + 3;
        let items = d.items.iter().enumerate().map(|(i, item)| 2 * i as u64 + item * item + 5);
        let five = (&d.items, range.clone(), range, repeat_n(5, usize::MAX), d.items.clone());
        counted(five.into_par_iter().map(|(a, b, c, d, e)| a * e + (b + c) as u64 + d), items)
    }),
    ("either", |d| {
        let left = d.dice().one_in(2);
        let iter: filch::iter::Either<_, _> = match left {
            true => filch::iter::Either::Left(d.items.par_iter()),
            false => filch::iter::Either::Right(d.items[d.items.len() / 2..].par_iter().rev().rev()),
        };
        let skipped = if left { 0 } else { d.len() / 2 };
        counted(iter.copied(), d.items[skipped..].to_vec())
    }),
    ("split in halves", |d| {
        let data: &[u64] = &d.items;
        let split = split(data, |slice| {
            let (left, right) = slice.split_at(slice.len() / 2);
            if left.is_empty() { (slice, None) } else { (left, Some(right)) }
        });
        any(split.flat_map_iter(|slice| slice.iter().copied()), d.items.clone())
    }),
    ("tree", |d| {
        let len = d.len();
        unordered(any(walk_tree(0, children(len)).map(|node| node as u64), walked(len, false)))
    }),
    ("tree, parents first", |d| {
        let len = d.len();
        any(walk_tree_prefix(0, children(len)).map(|node| node as u64), walked(len, false))
    }),
    ("tree, children first", |d| {
        let len = d.len();
        any(walk_tree_postfix(0, children(len)).map(|node| node as u64), walked(len, true))
    }),
    ("bridge", |d| unordered(any(d.items.iter().copied().par_bridge(), d.items.clone()))),
    ("nested vectors", |d| {
        d.nested = d.items.chunks(5).map(<[u64]>::to_vec).collect();
        any(d.nested.par_iter().flatten().copied(), d.items.clone())
    }),
    ("cut up at random", |d| {
        let seed = d.dice().next();
        any(Scattered { items: d.items.clone(), seed }, d.items.clone())
    }),
    ("mapped, cut up at random", |d| {
        let seed = d.dice().next();
        any(Scattered { items: d.items.clone(), seed }.map(|item| item + 1), d.items.iter().map(|item| item + 1))
    }),
];
