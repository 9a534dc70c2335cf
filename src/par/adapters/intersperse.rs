//! `intersperse`: a clone of an element between every two items.
//!
//! This file has the iterator and its producer; the consumers stand in `intersperse_consumer`.

use crate::par::adapters::intersperse_consumer::{Between, drive};
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};

/// Made by [`intersperse`](ParallelIterator::intersperse).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Intersperse<I: ParallelIterator> {
    base: I,
    element: I::Item,
}

impl<I: ParallelIterator<Item: Clone>> Intersperse<I> {
    pub(crate) fn new(base: I, element: I::Item) -> Self {
        Intersperse { base, element }
    }
}

/// How many items there are with the element between each two of `items`; `None` if there is no such number.
pub(crate) fn len_with_elements(items: usize) -> Option<usize> {
    items.checked_add(items.saturating_sub(1))
}

impl<I: ParallelIterator<Item: Clone>> ParallelIterator for Intersperse<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        drive(self.base, self.element, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len().and_then(len_with_elements)
    }
}

impl<I: IndexedParallelIterator<Item: Clone>> IndexedParallelIterator for Intersperse<I> {
    fn len(&self) -> usize {
        len_with_elements(self.base.len()).expect("there are fewer than usize::MAX items, interspersed ones included")
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        struct Callback<CB, T> {
            base: CB,
            element: T,
            len: usize,
        }
        impl<T: Clone + Send, CB: ProducerCallback<T>> ProducerCallback<T> for Callback<CB, T> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, producer: P) -> CB::Output {
                let Callback { base, element, len } = self;
                base.callback(IntersperseProducer { base: producer, element, len, element_next: false })
            }
        }
        let len = self.len();
        self.base.with_producer(Callback { base: callback, element: self.element, len })
    }
}

/// `len` items, in turn from the base and clones of the element.
///
/// Each piece owns an element, because it may be `Send` only.
struct IntersperseProducer<P: Producer> {
    base: P,
    element: P::Item,
    len: usize,
    /// Whether it begins with the element.
    element_next: bool,
}

/// Whether, of items that alternate with the element, the one at `index` is the element.
fn is_element(element_first: bool, index: usize) -> bool {
    element_first != (index % 2 == 1)
}

/// How many of the first `count` are not the element.
fn items_among(element_first: bool, count: usize) -> usize {
    count / 2 + usize::from(!element_first && count % 2 == 1)
}

impl<P: Producer<Item: Clone + Send>> Producer for IntersperseProducer<P> {
    type Item = P::Item;
    type IntoIter = IntersperseIter<P::IntoIter>;
    const OWNED: bool = P::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        let IntersperseProducer { base, element, len, element_next } = self;
        IntersperseIter { base: base.into_iter(), element, len, element_next }
    }

    fn min_len(&self) -> usize {
        self.base.min_len()
    }

    fn max_len(&self) -> usize {
        self.base.max_len()
    }

    fn owners(&self) -> Option<&Owners> {
        self.base.owners()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let IntersperseProducer { base, element, len, element_next } = self;
        let (left, right) = base.split_at(items_among(element_next, index));
        (
            IntersperseProducer { base: left, element: element.clone(), len: index, element_next },
            IntersperseProducer {
                base: right,
                element,
                len: len - index,
                element_next: is_element(element_next, index),
            },
        )
    }

    /// The folder around `folder` puts the element before the base's items; what remains is an element at the end.
    fn fold_with<G: Folder<P::Item>>(self, folder: G) -> G {
        let IntersperseProducer { base, element, len, element_next } = self;
        let mut between = Between { base: folder, element, element_next };
        if items_among(element_next, len) > 0 {
            between = base.fold_with(between);
        }
        let Between { base, element, .. } = between;
        if len > 0 && is_element(element_next, len - 1) && !base.full() { base.consume(element) } else { base }
    }
}

struct IntersperseIter<I: Iterator> {
    base: I,
    element: I::Item,
    len: usize,
    element_next: bool,
}

impl<I: Iterator<Item: Clone>> Iterator for IntersperseIter<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.len = self.len.checked_sub(1)?;
        self.element_next = !self.element_next;
        if self.element_next { self.base.next() } else { Some(self.element.clone()) }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl<I: DoubleEndedIterator<Item: Clone>> DoubleEndedIterator for IntersperseIter<I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        self.len = self.len.checked_sub(1)?;
        if is_element(self.element_next, self.len) { Some(self.element.clone()) } else { self.base.next_back() }
    }
}

impl<I: ExactSizeIterator<Item: Clone>> ExactSizeIterator for IntersperseIter<I> {
    #[inline]
    fn len(&self) -> usize {
        self.len
    }
}
