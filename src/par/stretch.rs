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

    /// A block of about `items` items, for a folder that may take `room`, and what comes after it, if anything.
    fn front(self, items: usize, room: usize) -> (Block<Self::Producer>, Option<Self>);

    /// Cuts off one of `into + 1` equal parts.
    fn cut(self, into: usize) -> Cut<Self>;

    /// How many items are left; if that is not known, as many as there have been.
    fn items(&self) -> usize;

    /// How many items are left, if that is known.
    fn len(&self) -> Option<usize>;

    /// Whether the thread that is about to run it may give parts of it away. Asked at the beginning, and
    /// for each rest.
    #[inline]
    fn may_share(&self) -> bool {
        true
    }

    /// Whether [`cut`](Self::cut) may cut anything off, as far as is known.
    fn can_be_cut(&self) -> bool;

    /// How many items one folder should take, so that none takes more than it may, and all about as many; the most of
    /// `usize` if there is no limit.
    fn share(&self) -> usize;

    /// Whether a folder that takes `room` more items leaves nothing, or enough for another.
    fn suits(&self, room: usize) -> bool;

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
    fn front(mut self, items: usize, room: usize) -> (Block<P>, Option<Self>) {
        let items = items.max(self.least).min(room);
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

    #[inline]
    fn can_be_cut(&self) -> bool {
        self.len >= self.least.saturating_mul(2)
    }

    fn share(&self) -> usize {
        match self.producer.max_len().max(1) {
            usize::MAX => usize::MAX,
            // Where the two cannot be reconciled the least counts.
            most => self.len.div_ceil(self.len.div_ceil(most).min(self.len / self.least).max(1)).max(1),
        }
    }

    #[inline]
    fn suits(&self, room: usize) -> bool {
        self.len <= room || self.len - room >= self.least
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
    /// And in how many blocks.
    blocks: u64,
}

impl<P: UnindexedProducer> Uncounted<P> {
    /// What `split_front(1)` has given.
    pub(crate) fn begun(first: P, producer: P, place: Place) -> Self {
        Uncounted { first: Some(first), producer, place, seen: 1, blocks: 0 }
    }
}

impl<P: UnindexedProducer> Stretch for Uncounted<P> {
    type Item = P::Item;
    type Producer = P;

    fn front(mut self, items: usize, _: usize) -> (Block<P>, Option<Self>) {
        let place = self.place.take_some(self.blocks);
        self.blocks += 1;
        if let Some(first) = self.first {
            let rest = Uncounted { first: None, ..self };
            return (Block { producer: first, place: Some(place), items: 1 }, Some(rest));
        }
        let (front, back) = match self.producer.split_front(items) {
            Ok(both) => both,
            Err(all) => (all, None),
        };
        let seen = self.seen.saturating_add(items);
        let rest = back.map(|producer| Uncounted { first: None, producer, seen, ..self });
        (Block { producer: front, place: Some(place), items }, rest)
    }

    fn cut(self, _: usize) -> Cut<Self> {
        let Uncounted { first, producer, place, seen, blocks } = self;
        match producer.split() {
            (producer, None) => Cut::One(Uncounted { first, producer, place, seen, blocks }),
            (left, Some(right)) => {
                let (left_place, right_place) = place.split();
                Cut::Two(
                    Uncounted { first, producer: left, place: left_place, seen, blocks },
                    Uncounted { first: None, producer: right, place: right_place, seen, blocks: 0 },
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

    /// There is `first`, and something after it.
    fn can_be_cut(&self) -> bool {
        self.first.is_some()
    }

    fn share(&self) -> usize {
        usize::MAX
    }

    fn suits(&self, _: usize) -> bool {
        true
    }

    fn fold<F: Folder<P::Item>>(block: Block<P>, folder: F) -> F {
        block.producer.fold_with(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::Range;

    /// Some numbers, of which a piece should have as many.
    #[derive(Debug, PartialEq)]
    struct Numbers(Range<usize>, usize);

    impl Producer for Numbers {
        type Item = usize;
        type IntoIter = Range<usize>;

        fn into_iter(self) -> Range<usize> {
            self.0
        }

        fn min_len(&self) -> usize {
            self.1
        }

        fn split_at(self, index: usize) -> (Self, Self) {
            let middle = self.0.start + index;
            (Numbers(self.0.start..middle, self.1), Numbers(middle..self.0.end, self.1))
        }
    }

    impl UnindexedProducer for Numbers {
        type Item = usize;

        fn split(self) -> (Self, Option<Self>) {
            if self.0.len() < 2 {
                return (self, None);
            }
            let half = self.0.len() / 2;
            let (left, right) = self.split_at(half);
            (left, Some(right))
        }

        fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
            if self.0.len() <= items {
                return Ok((self, None));
            }
            let (front, rest) = self.split_at(items);
            Ok((front, Some(rest)))
        }

        fn fold_with<F: Folder<usize>>(self, folder: F) -> F {
            folder.consume_iter(self.0)
        }
    }

    fn counted(len: usize, least: usize) -> Counted<Numbers> {
        Counted::new(Numbers(0..len, least), len, Place::indexed(len))
    }

    fn uncounted(len: usize) -> Uncounted<Numbers> {
        Uncounted::begun(Numbers(0..1, 1), Numbers(1..len, 1), Place::whole())
    }

    const INTO: [usize; 5] = [1, 2, 3, 100, usize::MAX];

    #[test]
    fn of_counted_items_no_less_is_cut_off_or_kept_than_a_piece_should_have() {
        for least in [0, 1, 2, 7] {
            for len in 0..40 {
                for into in INTO {
                    let enough = len >= 2 * least.max(1);
                    match counted(len, least).cut(into) {
                        Cut::One(all) => {
                            assert!(!enough, "{len} items, at least {least}, are cut into {into} parts and one");
                            assert_eq!((all.len, all.producer), (len, Numbers(0..len, least)));
                        }
                        Cut::Two(kept, away) => {
                            assert!(enough, "{len} items, at least {least}");
                            assert!(kept.len >= least.max(1) && away.len >= least.max(1));
                            assert_eq!(away.len, (len / into.saturating_add(1)).max(least.max(1)), "an equal part");
                            assert_eq!(kept.producer, Numbers(0..kept.len, least));
                            assert_eq!(away.producer, Numbers(kept.len..len, least));
                            assert_eq!((kept.place.start(), kept.place.end()), (0, kept.len));
                            assert_eq!((away.place.start(), away.place.end()), (kept.len, len));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_block_leaves_nothing_or_enough_for_a_piece() {
        for least in [0, 1, 2, 7] {
            for len in 1..40 {
                for items in [1, 2, 3, 10, 38, 39, 40] {
                    let (block, rest) = counted(len, least).front(items, usize::MAX);
                    let left = rest.map_or(0, |rest| {
                        assert!(rest.len >= least.max(1), "{} of {len} items are left", rest.len);
                        assert_eq!(rest.producer, Numbers(block.items..len, least));
                        rest.len
                    });
                    assert_eq!(block.items + left, len);
                    assert!(block.items >= items.max(least).min(len));
                }
            }
        }
    }

    #[test]
    fn the_last_item_that_cannot_be_counted_is_not_cut_off() {
        for into in INTO {
            // One that has been taken off already, and a single one after it.
            match uncounted(2).cut(into) {
                Cut::Two(..) => panic!("a single item has been cut"),
                Cut::One(all) => assert_eq!((all.first, all.producer), (Some(Numbers(0..1, 1)), Numbers(1..2, 1))),
            }
            let (_, rest) = uncounted(2).front(1, usize::MAX);
            match rest.expect("an item is left").cut(into) {
                Cut::Two(..) => panic!("a single item has been cut"),
                Cut::One(all) => assert_eq!((all.first, all.producer), (None, Numbers(1..2, 1))),
            }
            // What has been taken off stays.
            match uncounted(3).cut(into) {
                Cut::One(_) => panic!("two items can be cut"),
                Cut::Two(kept, away) => {
                    assert_eq!((kept.first, kept.producer), (Some(Numbers(0..1, 1)), Numbers(1..2, 1)));
                    assert_eq!((away.first, away.producer), (None, Numbers(2..3, 1)));
                }
            }
        }
    }
}
