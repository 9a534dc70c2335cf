//! `while_some`.

use crate::ground::sync::{AtomicBool, Ordering};
use crate::par::adapters::gate::{Gate, GateConsumer};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::Consumer;

/// Made by [`while_some`](ParallelIterator::while_some).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WhileSome<I> {
    base: I,
}

impl<I> WhileSome<I> {
    pub(crate) fn new(base: I) -> Self {
        WhileSome { base }
    }
}

impl<I, T> ParallelIterator for WhileSome<I>
where
    I: ParallelIterator<Item = Option<T>>,
    T: Send,
{
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        let gate = OnlySome { none_seen: AtomicBool::new(false) };
        self.base.drive(GateConsumer::new(consumer, &gate), place)
    }
}

struct OnlySome {
    none_seen: AtomicBool,
}

impl<T> Gate<Option<T>> for OnlySome {
    type Out = T;

    #[inline]
    fn pass(&self, item: Option<T>) -> Option<T> {
        if item.is_none() {
            self.none_seen.store(true, Ordering::Relaxed);
        }
        item
    }

    #[inline]
    fn is_closed(&self) -> bool {
        self.none_seen.load(Ordering::Relaxed)
    }
}
