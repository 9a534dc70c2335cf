//! The consumers of `intersperse`: elements put between the items as they come by.
//!
//! A piece begins with an element, unless it is the first one. There are two ways to know:
//!
//! - If somebody relies on indexes, the item at index `i` goes to `2 * i`, and the element before it to `2 * i - 1`.
//!   The base is given indexes of its own, and for each of its pieces the piece of the far end's place that belongs
//!   to it is cut out ([`Gaps`]).
//! - Otherwise pieces may turn out to be empty (`filter`), and which is the first shows only in the end. So no piece
//!   begins with an element; where two that had items are joined, one is put between them ([`Joining`]).

use crate::ground::sync::Mutex;
use crate::par::adapters::intersperse::len_with_elements;
use crate::par::adapters::start::{Kept, Start};
use crate::par::iter::ParallelIterator;
use crate::par::place::{Outline, Place};
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn drive<I, C>(base: I, element: I::Item, consumer: C, place: Place) -> C::Result
where
    I: ParallelIterator<Item: Clone>,
    C: Consumer<I::Item>,
{
    let element = &Kept::new(element);
    if place.is_indexed() {
        let items = base.opt_len().expect("who is driven by index has a length");
        let inner = Place::indexed(items);
        let gaps = Gaps::new(place, items, &inner);
        base.drive(Counted { base: consumer, element, gaps: &gaps }, inner)
    } else {
        base.drive(Joining { base: consumer, element }, place).result
    }
}

// ----- the folder that puts elements between -----------------------------------------------------------------------

pub(crate) struct Between<G, T> {
    pub(crate) base: G,
    pub(crate) element: T,
    pub(crate) element_next: bool,
}

impl<T: Clone, G: Folder<T>> Folder<T> for Between<G, T> {
    type Result = G::Result;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        if self.element_next {
            self.base = self.base.consume(self.element.clone());
            if self.base.full() {
                return self;
            }
        }
        Between { base: self.base.consume(item), element_next: true, ..self }
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

// ----- by index ----------------------------------------------------------------------------------------------------

struct Counted<'f, C, T> {
    base: C,
    element: &'f Kept<T>,
    gaps: &'f Gaps,
}

impl<C: Copy, T> Copy for Counted<'_, C, T> {}

impl<C: Copy, T> Clone for Counted<'_, C, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T: Clone + Send, C: Consumer<T>> Consumer<T> for Counted<'f, C, T> {
    type Folder = CountedFolder<'f, C::Folder, T>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        let element_next = place.start() > 0;
        let base = self.base.into_folder(self.gaps.cut_out(&place));
        CountedFolder { between: Between { base, element: self.element.start(), element_next }, gaps: self.gaps }
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

struct CountedFolder<'f, G, T> {
    between: Between<G, T>,
    gaps: &'f Gaps,
}

impl<T: Clone, G: Folder<T>> Folder<T> for CountedFolder<'_, G, T> {
    type Result = G::Result;

    #[inline]
    fn consume(self, item: T) -> Self {
        CountedFolder { between: self.between.consume(item), ..self }
    }

    fn complete(self) -> G::Result {
        self.between.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.between.full()
    }

    fn advance(&mut self, next: Place) {
        self.between.advance(self.gaps.cut_out(&next));
    }
}

/// The far end's place, of which parts have been cut out.
struct Gaps {
    /// The loop of the base: it gives out each of its indexes once, so that each of ours is cut out once.
    inner: u64,
    /// What is left. There are as many as pieces run at once, and a few more.
    left: Mutex<Vec<Place>>,
    /// All of it, for pieces without items: they may lie anywhere, also between pieces that have been cut out before.
    whole: Outline,
    start: usize,
}

impl Gaps {
    fn new(place: Place, items: usize, inner: &Place) -> Self {
        let len = len_with_elements(items).expect("who is driven by index has a length");
        let place = place.over(len);
        let (start, whole) = (place.start(), place.outline());
        Gaps { inner: inner.root(), left: Mutex::new(vec![place]), whole, start }
    }

    fn cut_out(&self, piece: &Place) -> Place {
        assert_eq!(piece.root(), self.inner, "an indexed parallel iterator hands its place on as it is");
        let (start, end) = (before(piece.start()), before(piece.end()));
        if start == end {
            return self.whole.nothing_at(start);
        }
        let (start, end) = (self.start + start, self.start + end);
        let mut left = self.left.lock();
        let found = left.iter().position(|gap| gap.start() <= start && end <= gap.end());
        let gap = left.swap_remove(found.expect("each index is given out once"));
        let offset = start - gap.start();
        let (before, rest) = gap.split_at(offset);
        let (piece, after) = rest.split_at(end - start);
        left.extend([before, after].into_iter().filter(|gap| gap.start() < gap.end()));
        piece
    }
}

/// Of the base's item at `index` the element before it, counted with the elements; at the ends the first item, or one
/// too many.
fn before(index: usize) -> usize {
    index.saturating_sub(1) + index
}

// ----- without indexes ---------------------------------------------------------------------------------------------

struct Joining<'f, C, T> {
    base: C,
    element: &'f Kept<T>,
}

impl<C: Copy, T> Copy for Joining<'_, C, T> {}

impl<C: Copy, T> Clone for Joining<'_, C, T> {
    fn clone(&self) -> Self {
        *self
    }
}

/// What has become of a piece.
struct Joint<R> {
    result: R,
    /// Where an element before the piece would lie, if the piece had any items.
    before: Option<Place>,
}

impl<'f, T: Clone + Send, C: Consumer<T>> Consumer<T> for Joining<'f, C, T> {
    type Folder = JoiningFolder<C::Folder, T>;
    type Result = Joint<C::Result>;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        let before = place.inside();
        let base = self.base.into_folder(place);
        JoiningFolder { between: Between { base, element: self.element.start(), element_next: false }, before }
    }

    fn reduce(self, left: Self::Result, right: Self::Result) -> Self::Result {
        let Joint { mut result, mut before } = left;
        match right.before {
            Some(between) if before.is_some() => {
                if !self.base.full() {
                    let element = self.base.into_folder(between).consume(self.element.start()).complete();
                    result = self.base.reduce(result, element);
                }
            }
            right_before => before = before.or(right_before),
        }
        Joint { result: self.base.reduce(result, right.result), before }
    }

    fn full(self) -> bool {
        self.base.full()
    }

    fn full_at(self, label: u64) -> bool {
        self.base.full_at(label)
    }
}

struct JoiningFolder<G, T> {
    between: Between<G, T>,
    before: Place,
}

impl<T: Clone, G: Folder<T>> Folder<T> for JoiningFolder<G, T> {
    type Result = Joint<G::Result>;

    #[inline]
    fn consume(self, item: T) -> Self {
        JoiningFolder { between: self.between.consume(item), ..self }
    }

    fn complete(self) -> Self::Result {
        // The next item of a piece that has had one has an element before it.
        let had_items = self.between.element_next;
        Joint { result: self.between.complete(), before: had_items.then_some(self.before) }
    }

    #[inline]
    fn full(&self) -> bool {
        self.between.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.between.advance(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::par::into::IntoParallelIterator;
    use crate::par::plumbing::{ProducerCallback, bridge_producer};
    use crate::par::{indexed::IndexedParallelIterator, plumbing::Producer};
    use crate::pool::handle::Pool;

    /// Notes the index and the label of each item, and whether pieces have as many items as they were told.
    #[derive(Clone, Copy)]
    struct ByIndex(u64);

    struct Noted {
        root: u64,
        label: u64,
        next: usize,
        end: usize,
        items: Vec<(usize, u64, usize)>,
    }

    impl Consumer<usize> for ByIndex {
        type Folder = Noted;
        type Result = Vec<(usize, u64, usize)>;

        fn into_folder(self, place: Place) -> Noted {
            assert_eq!(place.root(), self.0);
            let (next, end) = (place.start(), place.end());
            Noted { root: self.0, label: place.label(), next, end, items: Vec::new() }
        }

        fn reduce(self, mut left: Self::Result, mut right: Self::Result) -> Self::Result {
            left.append(&mut right);
            left
        }
    }

    impl Folder<usize> for Noted {
        type Result = Vec<(usize, u64, usize)>;

        fn consume(mut self, item: usize) -> Self {
            assert!(self.next < self.end, "no more items than indexes");
            self.items.push((self.next, self.label, item));
            self.next += 1;
            self
        }

        fn complete(self) -> Self::Result {
            assert_eq!(self.next, self.end, "as many items as indexes");
            self.items
        }

        fn advance(&mut self, next: Place) {
            assert_eq!(next.root(), self.root);
            assert_eq!((self.next, self.end), (next.start(), next.start()), "the piece goes on where it was");
            (self.label, self.end) = (next.label(), next.end());
        }
    }

    /// A range, driven by the bridge; or in blocks by one folder, the rest of it by another.
    struct Source {
        len: usize,
        block: Option<usize>,
    }

    impl ParallelIterator for Source {
        type Item = usize;

        fn drive<C: Consumer<usize>>(self, consumer: C, place: Place) -> C::Result {
            struct Callback<C>(Source, C, Place);
            impl<C: Consumer<usize>> ProducerCallback<usize> for Callback<C> {
                type Output = C::Result;

                fn callback<P: Producer<Item = usize>>(self, producer: P) -> C::Result {
                    let Callback(Source { len, block }, consumer, place) = self;
                    let Some(block) = block else { return bridge_producer(len, producer, consumer, place) };
                    // The rest begins first, as when it is given away.
                    let mine = len * 2 / 3;
                    let (mut producer, rest) = producer.split_at(mine);
                    let (mut place, rest_place) = place.split_at(mine);
                    let (end, rest_place) = rest_place.split_at(0);
                    let rest = rest.fold_with(consumer.into_folder(rest_place));
                    let nothing = consumer.into_folder(end).complete();
                    let mut folder = consumer.into_folder(place.take_front(0));
                    let mut left = mine;
                    while left > 0 {
                        let count = block.min(left);
                        left -= count;
                        let (now, later) = producer.split_at(count);
                        producer = later;
                        folder.advance(place.take_front(count));
                        folder = now.fold_with(folder);
                        folder.advance(place.take_front(0));
                    }
                    consumer.reduce(consumer.reduce(folder.complete(), nothing), rest.complete())
                }
            }
            (0..self.len).into_par_iter().with_producer(Callback(self, consumer, place))
        }

        fn opt_len(&self) -> Option<usize> {
            Some(self.len)
        }
    }

    #[test]
    fn items_come_to_their_indexes() {
        for workers in [1, 4] {
            let pool = Pool::builder().workers(workers).build().expect("threads for a test");
            pool.install(|| {
                for items in [0, 1, 2, 3, 4, 65, 1000] {
                    for block in [None, Some(1), Some(2), Some(7), Some(1000)] {
                        let len = len_with_elements(items).expect("few items");
                        // The loop is the second part of a longer one.
                        let (_, place) = Place::indexed(len + 10).split_at(10);
                        let (root, low) = (place.root(), place.label());
                        let noted = Source { len: items, block }.intersperse(77_777).drive(ByIndex(root), place);
                        assert_eq!(noted.len(), len);
                        for (i, (index, label, item)) in noted.iter().enumerate() {
                            assert_eq!(*index, i + 10);
                            assert!(*label >= low);
                            assert_eq!(*item, if i % 2 == 0 { i / 2 } else { 77_777 });
                        }
                        assert!(noted.windows(2).all(|pair| pair[0].1 <= pair[1].1), "labels follow the order");
                    }
                }
            });
        }
    }
}
