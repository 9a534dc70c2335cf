//! `interleave`.

use std::iter::Fuse;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Owners, Producer, ProducerCallback};

/// Made by [`interleave`](IndexedParallelIterator::interleave).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Interleave<I, J> {
    i: I,
    j: J,
}

impl<I, J> Interleave<I, J> {
    pub(crate) fn new(i: I, j: J) -> Self {
        Interleave { i, j }
    }
}

impl<I, J> ParallelIterator for Interleave<I, J>
where
    I: IndexedParallelIterator,
    J: IndexedParallelIterator<Item = I::Item>,
{
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I, J> IndexedParallelIterator for Interleave<I, J>
where
    I: IndexedParallelIterator,
    J: IndexedParallelIterator<Item = I::Item>,
{
    fn len(&self) -> usize {
        self.i.len().checked_add(self.j.len()).expect("the length of an iterator fits into a usize")
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        let (i_len, j_len) = (self.i.len(), self.j.len());
        self.i.with_producer(First { j: self.j, i_len, j_len, callback })
    }
}

/// Has the second iterator, and waits for the producer of the first.
struct First<J, CB> {
    j: J,
    i_len: usize,
    j_len: usize,
    callback: CB,
}

impl<J, CB> ProducerCallback<J::Item> for First<J, CB>
where
    J: IndexedParallelIterator,
    CB: ProducerCallback<J::Item>,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = J::Item>>(self, i: P) -> CB::Output {
        let First { j, i_len, j_len, callback } = self;
        j.with_producer(Second { i, i_len, j_len, callback })
    }
}

/// Has the producer of the first iterator, and waits for that of the second.
struct Second<P, CB> {
    i: P,
    i_len: usize,
    j_len: usize,
    callback: CB,
}

impl<I, CB> ProducerCallback<I::Item> for Second<I, CB>
where
    I: Producer,
    CB: ProducerCallback<I::Item>,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = I::Item>>(self, j: P) -> CB::Output {
        let Second { i, i_len, j_len, callback } = self;
        callback.callback(InterleaveProducer { i, j, i_len, j_len, turn: Turn::I })
    }
}

/// Whose item is next, if both have one.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    I,
    J,
}

impl Turn {
    fn after(self, items: usize) -> Turn {
        match (items % 2, self) {
            (0, turn) => turn,
            (_, Turn::I) => Turn::J,
            (_, Turn::J) => Turn::I,
        }
    }
}

struct InterleaveProducer<I, J> {
    i: I,
    j: J,
    i_len: usize,
    j_len: usize,
    turn: Turn,
}

impl<I, J> InterleaveProducer<I, J> {
    /// How many of the first `count` items are from `i`, and how many from `j`.
    fn shares(&self, count: usize) -> (usize, usize) {
        let i = match self.turn {
            Turn::I => count.div_ceil(2),
            Turn::J => count / 2,
        };
        let j = count - i;
        if i > self.i_len {
            (self.i_len, count - self.i_len)
        } else if j > self.j_len {
            (count - self.j_len, self.j_len)
        } else {
            (i, j)
        }
    }
}

impl<I, J> Producer for InterleaveProducer<I, J>
where
    I: Producer,
    J: Producer<Item = I::Item>,
{
    type Item = I::Item;
    type IntoIter = InterleaveIter<I::IntoIter, J::IntoIter>;
    const OWNED: bool = I::OWNED || J::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        InterleaveIter { i: self.i.into_iter().fuse(), j: self.j.into_iter().fuse(), turn: self.turn }
    }

    fn min_len(&self) -> usize {
        self.i.min_len().max(self.j.min_len())
    }

    fn max_len(&self) -> usize {
        self.i.max_len().min(self.j.max_len())
    }

    fn owners(&self) -> Option<&Owners> {
        self.i.owners().or_else(|| self.j.owners())
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let (i_len, j_len) = self.shares(index);
        let (i, i_rest) = self.i.split_at(i_len);
        let (j, j_rest) = self.j.split_at(j_len);
        let rest = InterleaveProducer {
            i: i_rest,
            j: j_rest,
            i_len: self.i_len - i_len,
            j_len: self.j_len - j_len,
            // If one has run out, whose turn it would be makes no difference.
            turn: self.turn.after(index),
        };
        (InterleaveProducer { i, j, i_len, j_len, turn: self.turn }, rest)
    }
}

struct InterleaveIter<I, J> {
    i: Fuse<I>,
    j: Fuse<J>,
    turn: Turn,
}

impl<I, J> Iterator for InterleaveIter<I, J>
where
    I: ExactSizeIterator,
    J: ExactSizeIterator<Item = I::Item>,
{
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        let turn = self.turn;
        self.turn = turn.after(1);
        match turn {
            Turn::I => self.i.next().or_else(|| self.j.next()),
            Turn::J => self.j.next().or_else(|| self.i.next()),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.i.len() + self.j.len();
        (len, Some(len))
    }

    /// In pairs while there are pairs, so that nobody asks for each item whose turn it is.
    #[inline]
    fn fold<A, F: FnMut(A, I::Item) -> A>(mut self, init: A, mut f: F) -> A {
        let pairs = self.i.len().min(self.j.len());
        let (i, j) = (&mut self.i, &mut self.j);
        let mut folded = init;
        match self.turn {
            Turn::I => {
                for (first, second) in i.take(pairs).zip(j.take(pairs)) {
                    folded = f(folded, first);
                    folded = f(folded, second);
                }
            }
            Turn::J => {
                for (first, second) in j.take(pairs).zip(i.take(pairs)) {
                    folded = f(folded, first);
                    folded = f(folded, second);
                }
            }
        }
        // One of the two has run out.
        folded = self.i.fold(folded, &mut f);
        self.j.fold(folded, f)
    }
}

impl<I, J> DoubleEndedIterator for InterleaveIter<I, J>
where
    I: DoubleEndedIterator + ExactSizeIterator,
    J: DoubleEndedIterator<Item = I::Item> + ExactSizeIterator,
{
    /// The last item is of the longer one; of equally long ones, of that whose turn it is not.
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        let (i, j) = (self.i.len(), self.j.len());
        if i > j || (i == j && self.turn == Turn::J) { self.i.next_back() } else { self.j.next_back() }
    }
}

impl<I, J> ExactSizeIterator for InterleaveIter<I, J>
where
    I: ExactSizeIterator,
    J: ExactSizeIterator<Item = I::Item>,
{
}
