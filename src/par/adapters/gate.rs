//! Adapters that end the loop early, for all pieces at once: what `while_some`, `take_any` and `take_any_while` have in
//! common.

use std::iter;

use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Lets items pass until it closes, once and for all.
pub(crate) trait Gate<T>: Sync {
    type Out;

    /// `None` if the gate is closed, or closes because of this item.
    fn pass(&self, item: T) -> Option<Self::Out>;

    fn is_closed(&self) -> bool;
}

pub(crate) struct GateConsumer<'f, C, S> {
    base: C,
    gate: &'f S,
}

impl<'f, C, S> GateConsumer<'f, C, S> {
    pub(crate) fn new(base: C, gate: &'f S) -> Self {
        GateConsumer { base, gate }
    }
}

impl<C: Copy, S> Copy for GateConsumer<'_, C, S> {}

impl<C: Copy, S> Clone for GateConsumer<'_, C, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, C, S> Consumer<T> for GateConsumer<'f, C, S>
where
    S: Gate<T>,
    C: Consumer<S::Out>,
{
    type Folder = GateFolder<'f, C::Folder, S>;
    type Result = C::Result;
    const SEARCHES: bool = true;

    fn into_folder(self, place: Place) -> Self::Folder {
        GateFolder { base: self.base.into_folder(place), gate: self.gate }
    }

    fn reduce(self, left: C::Result, right: C::Result) -> C::Result {
        self.base.reduce(left, right)
    }

    fn full(self) -> bool {
        self.gate.is_closed() || self.base.full()
    }

    fn full_at(self, label: u64) -> bool {
        self.gate.is_closed() || self.base.full_at(label)
    }
}

pub(crate) struct GateFolder<'f, G, S> {
    base: G,
    gate: &'f S,
}

impl<T, G, S> Folder<T> for GateFolder<'_, G, S>
where
    S: Gate<T>,
    G: Folder<S::Out>,
{
    type Result = G::Result;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        if let Some(item) = self.gate.pass(item) {
            self.base = self.base.consume(item);
        }
        self
    }

    /// Looks at the gate before it asks for an item: what stands before this adapter may be costly.
    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        let gate = self.gate;
        let mut iter = iter.into_iter();
        let passing = iter::from_fn(|| if gate.is_closed() { None } else { gate.pass(iter.next()?) });
        GateFolder { base: self.base.consume_iter(passing), gate }
    }

    fn complete(self) -> G::Result {
        self.base.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.gate.is_closed() || self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
    }
}
