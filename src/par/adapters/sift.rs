//! Adapters that leave items out: what `filter`, `filter_map`, `skip_any`, `skip_any_while` and `positions` have in
//! common.

use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Which items pass, and what they become.
pub(crate) trait Sift<T>: Sync {
    type Out;

    fn sift(&self, item: T) -> Option<Self::Out>;
}

pub(crate) struct SiftConsumer<'f, C, S> {
    base: C,
    sift: &'f S,
}

impl<'f, C, S> SiftConsumer<'f, C, S> {
    pub(crate) fn new(base: C, sift: &'f S) -> Self {
        SiftConsumer { base, sift }
    }
}

impl<C: Copy, S> Copy for SiftConsumer<'_, C, S> {}

impl<C: Copy, S> Clone for SiftConsumer<'_, C, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, C, S> Consumer<T> for SiftConsumer<'f, C, S>
where
    S: Sift<T>,
    C: Consumer<S::Out>,
{
    type Folder = SiftFolder<'f, C::Folder, S>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        SiftFolder { base: self.base.into_folder(place), sift: self.sift }
    }

    fn reduce(self, left: C::Result, right: C::Result) -> C::Result {
        self.base.reduce(left, right)
    }

    fn full(self) -> bool {
        self.base.full()
    }

    fn full_at(self, label: u64) -> bool {
        self.base.full_at(label)
    }
}

pub(crate) struct SiftFolder<'f, G, S> {
    base: G,
    sift: &'f S,
}

impl<T, G, S> Folder<T> for SiftFolder<'_, G, S>
where
    S: Sift<T>,
    G: Folder<S::Out>,
{
    type Result = G::Result;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        if let Some(item) = self.sift.sift(item) {
            self.base = self.base.consume(item);
        }
        self
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        let sift = self.sift;
        SiftFolder { base: self.base.consume_iter(iter.into_iter().filter_map(|item| sift.sift(item))), sift }
    }

    fn complete(self) -> G::Result {
        self.base.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
    }
}
