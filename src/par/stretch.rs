//! What is left of a loop: a producer and its place, from which blocks are taken at the front, and parts are cut off
//! at the end.

use crate::par::place::Place;
use crate::par::plumbing::{Folder, Producer, UnindexedProducer};

/// What came of cutting a part off.
pub(crate) enum Cut<S> {
    /// What is kept, and the part after it.
    Two(S, S),
    /// Too small: nothing is cut off.
    One(S),
}

/// A block to be run now.
pub(crate) struct Block<P> {
    producer: P,
    /// Where it lies: for the folder.
    place: Option<Place>,
    /// How many items it has, or may have.
    pub(crate) items: usize,
}

impl<P> Block<P> {
    /// Where it lies, once.
    #[inline(always)]
    pub(crate) fn take_place(&mut self) -> Place {
        self.place.take().expect("a block has one place")
    }
}

/// See the module.
pub(crate) trait Stretch: Send + Sized {
    type Item;
    type Producer;

    /// A block of about `items` items, and what comes after it, if anything.
    fn front(self, items: usize) -> (Block<Self::Producer>, Option<Self>);

    /// Cuts off one of `into + 1` equal parts.
    fn cut(self, into: usize) -> Cut<Self>;

    /// How many items are left; if that is not known, as many as there have been.
    fn items(&self) -> usize;

    /// How many items are left, if that is known.
    fn len(&self) -> Option<usize>;

    /// Whether the thread that is about to run it may give parts of it away. Asked once, at the beginning.
    #[inline]
    fn may_share(&self) -> bool {
        true
    }

    /// How many items one folder should take, so that none takes more than it may, and all about as many; the most of
    /// `usize` if there is no limit.
    fn share(&self) -> usize;

    fn fold<F: Folder<Self::Item>>(block: Block<Self::Producer>, folder: F) -> F;
}

/// A stretch whose items are counted.
pub(crate) struct Counted<P> {
    producer: P,
    len: usize,
    least: usize,
    place: Place,
}

impl<P: Producer> Counted<P> {
    #[inline]
    pub(crate) fn new(producer: P, len: usize, place: Place) -> Self {
        let least = producer.min_len().max(1);
        Counted { producer, len, least, place }
    }
}

impl<P: Producer> Stretch for Counted<P> {
    type Item = P::Item;
    type Producer = P;

    #[inline]
    fn front(mut self, items: usize) -> (Block<P>, Option<Self>) {
        let items = items.max(self.least);
        // What is left may be stolen, and is then a piece of its own.
        if self.len <= items || self.len - items < self.least {
            return (Block { producer: self.producer, place: Some(self.place), items: self.len }, None);
        }
        let (front, back) = self.producer.split_at(items);
        let place = self.place.take_front(items);
        let rest = Counted { producer: back, len: self.len - items, ..self };
        (Block { producer: front, place: Some(place), items }, Some(rest))
    }

    fn cut(self, into: usize) -> Cut<Self> {
        let away = (self.len / into.saturating_add(1)).max(self.least);
        if self.len < away.saturating_add(self.least) {
            return Cut::One(self);
        }
        let kept = self.len - away;
        let (left, right) = self.producer.split_at(kept);
        let (left_place, right_place) = self.place.split_at(kept);
        let least = self.least;
        Cut::Two(
            Counted { producer: left, len: kept, least, place: left_place },
            Counted { producer: right, len: away, least, place: right_place },
        )
    }

    #[inline]
    fn items(&self) -> usize {
        self.len
    }

    #[inline]
    fn len(&self) -> Option<usize> {
        Some(self.len)
    }

    fn share(&self) -> usize {
        match self.producer.max_len().max(1) {
            usize::MAX => usize::MAX,
            most => self.len.div_ceil(self.len.div_ceil(most).max(1)).max(1),
        }
    }

    #[inline]
    fn fold<F: Folder<P::Item>>(block: Block<P>, folder: F) -> F {
        block.producer.fold_with(folder)
    }
}

/// A stretch whose items cannot be counted, but be taken from the front.
pub(crate) struct Uncounted<P> {
    /// An item or so that has been taken off the producer's front already.
    first: Option<P>,
    producer: P,
    place: Place,
    /// How many there have been, about.
    seen: usize,
}

impl<P: UnindexedProducer> Uncounted<P> {
    /// What `split_front(1)` has given.
    pub(crate) fn begun(first: P, producer: P, place: Place) -> Self {
        Uncounted { first: Some(first), producer, place, seen: 1 }
    }
}

impl<P: UnindexedProducer> Stretch for Uncounted<P> {
    type Item = P::Item;
    type Producer = P;

    fn front(mut self, items: usize) -> (Block<P>, Option<Self>) {
        let place = self.place.take_some();
        if let Some(first) = self.first {
            let rest = Uncounted { first: None, ..self };
            return (Block { producer: first, place: Some(place), items: 1 }, Some(rest));
        }
        let (front, back) = match self.producer.split_front(items) {
            Ok(both) => both,
            Err(all) => (all, None),
        };
        let seen = self.seen.saturating_add(items);
        let rest = back.map(|producer| Uncounted { first: None, producer, place: self.place, seen });
        (Block { producer: front, place: Some(place), items }, rest)
    }

    fn cut(self, _: usize) -> Cut<Self> {
        let Uncounted { first, producer, place, seen } = self;
        match producer.split() {
            (producer, None) => Cut::One(Uncounted { first, producer, place, seen }),
            (left, Some(right)) => {
                let (left_place, right_place) = place.split();
                Cut::Two(
                    Uncounted { first, producer: left, place: left_place, seen },
                    Uncounted { first: None, producer: right, place: right_place, seen },
                )
            }
        }
    }

    fn may_share(&self) -> bool {
        self.producer.may_share()
    }

    fn items(&self) -> usize {
        self.seen
    }

    fn len(&self) -> Option<usize> {
        None
    }

    fn share(&self) -> usize {
        usize::MAX
    }

    fn fold<F: Folder<P::Item>>(block: Block<P>, folder: F) -> F {
        block.producer.fold_with(folder)
    }
}
