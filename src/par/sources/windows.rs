//! `par_windows` and `par_array_windows`: pieces of the same length that overlap.

use std::iter;
use std::slice;

use crate::par::plumbing::{Folder, Producer};

/// Made by [`par_windows`](crate::slice::ParallelSlice::par_windows).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Windows<'data, T> {
    size: usize,
    slice: &'data [T],
}

impl<T> Clone for Windows<'_, T> {
    fn clone(&self) -> Self {
        Windows { ..*self }
    }
}

impl<'data, T> Windows<'data, T> {
    pub(crate) fn new(slice: &'data [T], size: usize) -> Self {
        Windows { size, slice }
    }
}

/// How many windows there are.
fn count(len: usize, size: usize) -> usize {
    assert!(size >= 1, "a window has elements");
    len.saturating_sub(size - 1)
}

counted! {
    impl['data, T: Sync] Windows<'data, T> => &'data [T],
    len: |it| count(it.slice.len(), it.size),
    producer: |it| WindowsProducer { size: it.size, slice: it.slice },
}

struct WindowsProducer<'data, T> {
    size: usize,
    slice: &'data [T],
}

/// The elements of the first `index` windows, and those of the others: both have those that lie in between.
fn split<T>(slice: &[T], size: usize, index: usize) -> (&[T], &[T]) {
    (&slice[..slice.len().min(index + (size - 1))], &slice[index..])
}

impl<'data, T: Sync> Producer for WindowsProducer<'data, T> {
    type Item = &'data [T];
    type IntoIter = slice::Windows<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.windows(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let (left, right) = split(self.slice, self.size, index);
        (WindowsProducer { slice: left, ..self }, WindowsProducer { slice: right, ..self })
    }
}

/// Made by [`par_array_windows`](crate::slice::ParallelSlice::par_array_windows).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct ArrayWindows<'data, T: Sync, const N: usize> {
    slice: &'data [T],
}

impl<T: Sync, const N: usize> Clone for ArrayWindows<'_, T, N> {
    fn clone(&self) -> Self {
        ArrayWindows { ..*self }
    }
}

impl<'data, T: Sync, const N: usize> ArrayWindows<'data, T, N> {
    pub(crate) fn new(slice: &'data [T]) -> Self {
        ArrayWindows { slice }
    }
}

counted! {
    impl['data, T: Sync, const N: usize] ArrayWindows<'data, T, N> => &'data [T; N],
    len: |it| count(it.slice.len(), N),
    producer: |it| ArrayWindowsProducer { slice: it.slice },
}

struct ArrayWindowsProducer<'data, T, const N: usize> {
    slice: &'data [T],
}

impl<'data, T: Sync, const N: usize> Producer for ArrayWindowsProducer<'data, T, N> {
    type Item = &'data [T; N];
    type IntoIter = iter::Map<slice::Windows<'data, T>, fn(&'data [T]) -> &'data [T; N]>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.windows(N).map(|window| window.try_into().expect("a window of this length"))
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let (left, right) = split(self.slice, N, index);
        (ArrayWindowsProducer { slice: left }, ArrayWindowsProducer { slice: right })
    }

    fn fold_with<F: Folder<&'data [T; N]>>(self, folder: F) -> F {
        // The conversion in sight of the compiler, unlike that by way of a function pointer.
        folder.consume_iter(self.slice.windows(N).map(|window| window.try_into().expect("a window of this length")))
    }
}
