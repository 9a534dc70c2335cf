//! [`String`], drained.

use std::mem;
use std::ops::{Range, RangeBounds};

use crate::par::into::ParallelDrainRange;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::Consumer;
use crate::par::sources::bounds::within;
use crate::par::sources::chars::Chars;

/// A parallel iterator that takes a range of `char`s out of a string. Made by
/// [`par_drain`](ParallelDrainRange::par_drain).
#[derive(Debug)]
#[must_use = "the `char`s are dropped at once if nobody consumes them"]
pub struct Drain<'a> {
    string: &'a mut String,
    range: Range<usize>,
}

impl<'a> ParallelDrainRange<usize> for &'a mut String {
    type Iter = Drain<'a>;
    type Item = char;

    fn par_drain<R: RangeBounds<usize>>(self, range: R) -> Self::Iter {
        let range = within(&range, self.len());
        let whole = self.is_char_boundary(range.start) && self.is_char_boundary(range.end);
        assert!(whole, "a range that begins and ends between chars");
        Drain { range, string: self }
    }
}

impl ParallelIterator for Drain<'_> {
    type Item = char;

    fn drive<C: Consumer<char>>(self, consumer: C, place: Place) -> C::Result {
        Chars::new(&self.string[self.range.clone()]).drive(consumer, place)
    }
}

impl Drop for Drain<'_> {
    fn drop(&mut self) {
        self.string.drain(mem::take(&mut self.range));
    }
}
