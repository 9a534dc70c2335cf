//! `count`.

use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn count<I: ParallelIterator>(iter: I) -> usize {
    iter.drive(Count, Place::whole())
}

#[derive(Clone, Copy)]
struct Count;

impl<T> Consumer<T> for Count {
    type Folder = Counted;
    type Result = usize;

    fn into_folder(self, _: Place) -> Counted {
        Counted(0)
    }

    fn reduce(self, left: usize, right: usize) -> usize {
        left + right
    }
}

struct Counted(usize);

impl<T> Folder<T> for Counted {
    type Result = usize;

    #[inline]
    fn consume(self, _: T) -> Self {
        Counted(self.0 + 1)
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        Counted(self.0 + iter.into_iter().count())
    }

    fn complete(self) -> usize {
        self.0
    }
}
