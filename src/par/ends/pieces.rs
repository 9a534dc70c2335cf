//! Collecting what cannot be counted: each piece into a buffer of its own, and the buffers into a list.

use std::collections::LinkedList;
use std::marker::PhantomData;

use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// What the items of one piece are put into.
pub(crate) trait Buffer<T>: Default + Send + Extend<T> {
    fn push(&mut self, item: T);

    fn is_empty(&self) -> bool;
}

impl<T: Send> Buffer<T> for Vec<T> {
    #[inline]
    fn push(&mut self, item: T) {
        self.push(item);
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Send> Buffer<T> for LinkedList<T> {
    #[inline]
    fn push(&mut self, item: T) {
        self.push_back(item);
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl Buffer<char> for String {
    #[inline]
    fn push(&mut self, item: char) {
        self.push(item);
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

/// The items in order, in buffers of which none is empty.
pub(crate) fn pieces<I, B>(iter: I) -> LinkedList<B>
where
    I: ParallelIterator,
    B: Buffer<I::Item>,
{
    iter.drive(Pieces(PhantomData), Place::whole())
}

struct Pieces<B>(PhantomData<fn() -> B>);

impl<B> Copy for Pieces<B> {}

impl<B> Clone for Pieces<B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, B: Buffer<T>> Consumer<T> for Pieces<B> {
    type Folder = Piece<B>;
    type Result = LinkedList<B>;

    fn into_folder(self, _: Place) -> Piece<B> {
        Piece(B::default())
    }

    fn reduce(self, mut left: LinkedList<B>, mut right: LinkedList<B>) -> LinkedList<B> {
        left.append(&mut right);
        left
    }
}

struct Piece<B>(B);

impl<T, B: Buffer<T>> Folder<T> for Piece<B> {
    type Result = LinkedList<B>;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        self.0.push(item);
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        self.0.extend(iter);
        self
    }

    fn complete(self) -> LinkedList<B> {
        let mut list = LinkedList::new();
        if !self.0.is_empty() {
            list.push_back(self.0);
        }
        list
    }
}
