//! Parallel iterators under the glass: what they yield, in order, by way of the bridge and by way of the producer, cut
//! up at random.
#![allow(dead_code)]

use filch::iter::plumbing::{Consumer, Folder, Place, Producer, ProducerCallback};
use filch::prelude::*;

use crate::support::Rng;

/// Gathers items in order: a vector for each piece, joined end to end.
#[derive(Clone, Copy)]
struct Gather;

struct Gathered<T>(Vec<T>);

impl<T: Send> Consumer<T> for Gather {
    type Folder = Gathered<T>;
    type Result = Vec<T>;

    fn into_folder(self, _: Place) -> Gathered<T> {
        Gathered(Vec::new())
    }

    fn reduce(self, mut left: Vec<T>, right: Vec<T>) -> Vec<T> {
        left.extend(right);
        left
    }
}

impl<T> Folder<T> for Gathered<T> {
    type Result = Vec<T>;

    fn consume(mut self, item: T) -> Self {
        self.0.push(item);
        self
    }

    fn complete(self) -> Vec<T> {
        self.0
    }
}

/// What the iterator yields, in order.
pub fn gather<I: IntoParallelIterator>(iter: I) -> Vec<I::Item> {
    iter.into_par_iter().drive(Gather, Place::whole())
}

/// Takes `most` items of each piece, and then is full.
#[derive(Clone, Copy)]
struct Few {
    most: usize,
}

struct FewFolder<T> {
    most: usize,
    items: Vec<T>,
}

impl<T: Send> Consumer<T> for Few {
    type Folder = FewFolder<T>;
    type Result = Vec<T>;

    fn into_folder(self, _: Place) -> FewFolder<T> {
        FewFolder { most: self.most, items: Vec::new() }
    }

    fn reduce(self, mut left: Vec<T>, right: Vec<T>) -> Vec<T> {
        left.extend(right);
        left
    }
}

impl<T> Folder<T> for FewFolder<T> {
    type Result = Vec<T>;

    fn consume(mut self, item: T) -> Self {
        self.items.push(item);
        self
    }

    fn complete(self) -> Vec<T> {
        self.items
    }

    fn full(&self) -> bool {
        self.items.len() >= self.most
    }
}

/// The first items of each piece.
pub fn few<I: IntoParallelIterator>(iter: I, most: usize) -> Vec<I::Item> {
    iter.into_par_iter().drive(Few { most }, Place::whole())
}

/// What the iterator yields, by way of its producer, cut up at random and iterated over in all ways there are.
pub fn cut_up<I>(iter: I, seed: u64) -> Vec<I::Item>
where
    I: IntoParallelIterator<Iter: IndexedParallelIterator>,
{
    struct Cut(usize, Rng);

    impl<T: Send> ProducerCallback<T> for Cut {
        type Output = Vec<T>;

        fn callback<P: Producer<Item = T>>(mut self, producer: P) -> Vec<T> {
            let mut items = Vec::new();
            let len = self.0;
            cut(producer, len, &mut self.1, &mut items);
            items
        }
    }

    fn cut<T, P: Producer<Item = T>>(producer: P, len: usize, rng: &mut Rng, items: &mut Vec<T>) {
        match rng.below(8) {
            0..3 if len > 0 => {
                let at = rng.below(len as u64 + 1) as usize;
                let (left, right) = producer.split_at(at);
                cut(left, at, rng, items);
                cut(right, len - at, rng, items);
            }
            0..5 => items.extend(producer.fold_with(Gathered(Vec::new())).0),
            5 => {
                let iter = producer.into_iter();
                assert_eq!((iter.len(), iter.size_hint()), (len, (len, Some(len))));
                items.extend(iter);
            }
            6 => {
                let mut back: Vec<T> = producer.into_iter().rev().collect();
                back.reverse();
                items.extend(back);
            }
            _ => {
                // From both ends.
                let mut iter = producer.into_iter();
                let mut back = Vec::new();
                for left in (0..len).rev() {
                    if rng.one_in(2) {
                        items.push(iter.next().expect("as many as it says"));
                    } else {
                        back.push(iter.next_back().expect("as many as it says"));
                    }
                    assert_eq!(iter.len(), left);
                }
                assert!(iter.next().is_none());
                assert!(iter.next_back().is_none());
                back.reverse();
                items.extend(back);
            }
        }
    }

    let iter = iter.into_par_iter();
    let len = iter.len();
    iter.with_producer(Cut(len, Rng(seed)))
}
