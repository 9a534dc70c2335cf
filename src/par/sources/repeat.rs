//! `repeat` and `repeat_n`.

use std::fmt;
use std::iter;

use crate::par::adapters::zip::Zip;
use crate::par::bridge::bridge_unindexed;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Producer, UnindexedProducer};

/// A parallel iterator that yields clones of `element` without end, until the consumer has had enough.
///
/// ```
/// use filch::prelude::*;
///
/// let threes: Vec<i32> = filch::iter::repeat(3).take(4).collect();
/// assert_eq!(threes, [3, 3, 3, 3]);
/// ```
pub fn repeat<T: Clone + Send>(element: T) -> Repeat<T> {
    Repeat { element }
}

/// Made by [`repeat`].
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Repeat<T> {
    element: T,
}

impl<T: Clone + Send> Repeat<T> {
    /// The first `n` items; then it is indexed. As [`repeat_n`].
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let blanks = filch::iter::repeat(' ').take(3);
    /// assert_eq!(blanks.len(), 3);
    /// assert_eq!(blanks.collect::<String>(), "   ");
    /// ```
    pub fn take(self, n: usize) -> RepeatN<T> {
        repeat_n(self.element, n)
    }

    /// Pairs of the element and the items of `zip_op`, as many as that has.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let tagged: Vec<(&str, u32)> = filch::iter::repeat("item").zip(7..10).collect();
    /// assert_eq!(tagged, [("item", 7), ("item", 8), ("item", 9)]);
    /// ```
    pub fn zip<Z>(self, zip_op: Z) -> Zip<RepeatN<T>, Z::Iter>
    where
        Z: IntoParallelIterator<Iter: IndexedParallelIterator>,
    {
        let others = zip_op.into_par_iter();
        let n = others.len();
        self.take(n).zip(others)
    }
}

impl<T: Clone + Send> ParallelIterator for Repeat<T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        bridge_unindexed(RepeatProducer { element: self.element, count: None }, consumer, place)
    }
}

struct RepeatProducer<T> {
    element: T,
    /// None: without end.
    count: Option<usize>,
}

impl<T: Clone + Send> UnindexedProducer for RepeatProducer<T> {
    type Item = T;

    fn split(self) -> (Self, Option<Self>) {
        let (left, right) = match self.count {
            None => (None, None),
            Some(count) if count < 2 => return (self, None),
            Some(count) => (Some(count / 2), Some(count - count / 2)),
        };
        (RepeatProducer { element: self.element.clone(), count: left }, Some(RepeatProducer { count: right, ..self }))
    }

    fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
        let items = items.max(1);
        let rest = match self.count {
            None => None,
            Some(count) if count <= items => return Ok((self, None)),
            Some(count) => Some(count - items),
        };
        let front = RepeatProducer { element: self.element.clone(), count: Some(items) };
        Ok((front, Some(RepeatProducer { count: rest, ..self })))
    }

    fn fold_with<F: Folder<T>>(self, folder: F) -> F {
        match self.count {
            None => folder.consume_iter(iter::repeat(self.element)),
            Some(count) => folder.consume_iter(iter::repeat_n(self.element, count)),
        }
    }
}

/// A parallel iterator that yields `element` `n` times: clones, and in the end itself.
///
/// ```
/// use filch::prelude::*;
///
/// let words: Vec<String> = filch::iter::repeat_n("so".to_owned(), 2).collect();
/// assert_eq!(words, ["so", "so"]);
/// ```
pub fn repeat_n<T: Clone + Send>(element: T, n: usize) -> RepeatN<T> {
    RepeatN { items: Repeats { element: (n > 0).then_some(element), count: n } }
}

/// The old name of [`repeat_n`].
#[deprecated(note = "use `repeat_n`")]
pub fn repeatn<T: Clone + Send>(element: T, n: usize) -> RepeatN<T> {
    repeat_n(element, n)
}

/// Made by [`repeat_n`].
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct RepeatN<T> {
    items: Repeats<T>,
}

impl<T: fmt::Debug> fmt::Debug for RepeatN<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RepeatN");
        shown.field("count", &self.items.count);
        match &self.items.element {
            Some(element) => shown.field("element", element).finish(),
            None => shown.finish_non_exhaustive(),
        }
    }
}

counted! {
    impl[T: Clone + Send] RepeatN<T> => T,
    len: |it| it.items.count,
    producer: |it| it.items,
}

/// `count` times the element, which is there as long as `count` is not 0. As a producer and as a plain iterator.
#[derive(Clone)]
struct Repeats<T> {
    element: Option<T>,
    count: usize,
}

impl<T: Clone + Send> Producer for Repeats<T> {
    type Item = T;
    type IntoIter = Self;

    fn into_iter(self) -> Self {
        self
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        assert!(index <= self.count, "a piece is split inside of it");
        let none = Repeats { element: None, count: 0 };
        if index == 0 {
            (none, self)
        } else if index == self.count {
            (self, none)
        } else {
            let left = Repeats { element: self.element.clone(), count: index };
            (left, Repeats { count: self.count - index, ..self })
        }
    }

    fn fold_with<F: Folder<T>>(self, folder: F) -> F {
        match self.element {
            Some(element) => folder.consume_iter(iter::repeat_n(element, self.count)),
            None => folder,
        }
    }
}

impl<T: Clone> Iterator for Repeats<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.count <= 1 {
            self.count = 0;
            return self.element.take();
        }
        let item = self.element.clone();
        self.count -= 1;
        item
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<T> {
        if n >= self.count {
            self.element = None;
        }
        self.count = self.count.saturating_sub(n);
        self.next()
    }
}

impl<T: Clone> DoubleEndedIterator for Repeats<T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        self.next()
    }

    #[inline]
    fn nth_back(&mut self, n: usize) -> Option<T> {
        self.nth(n)
    }
}

impl<T: Clone> ExactSizeIterator for Repeats<T> {}
