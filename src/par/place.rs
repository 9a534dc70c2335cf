//! Where in a loop a piece of it lies.
//!
//! A loop is cut into pieces while it runs. Each piece carries a [`Place`]: the indexes that it covers, if the loop is
//! counted, and a stretch of labels, by which pieces can be told earlier or later whatever their indexes.
//!
//! Who writes results by index (`collect`) must be sure that no index is given out twice, whatever the code does that
//! stands between: so a place with indexes is made once for each loop, cannot be copied, and can only be cut up.

use crate::ground::sync::{AtomicU64, Ordering};

/// The first block of a loop that cannot be counted gets one label of so many.
const BLOCKS: u64 = 1 << 16;

/// A stretch of a loop, for the consumer of it: see [`Consumer::into_folder`](super::plumbing::Consumer::into_folder).
///
/// Code that forwards a loop to another ([`ParallelIterator::drive`](super::iter::ParallelIterator::drive)) hands it
/// on as it is.
///
/// ```
/// use filch::iter::plumbing::{Consumer, Place};
/// use filch::prelude::*;
///
/// /// Two iterators, one after the other, as `chain`.
/// struct Both<A, B>(A, B);
///
/// impl<A: ParallelIterator, B: ParallelIterator<Item = A::Item>> ParallelIterator for Both<A, B> {
///     type Item = A::Item;
///
///     fn drive<C: Consumer<A::Item>>(self, consumer: C, place: Place) -> C::Result {
///         let (first, second) = place.split_for(self.0.opt_len());
///         let (left, right) = filch::join(
///             move || self.0.drive(consumer, first),
///             move || self.1.drive(consumer, second),
///         );
///         consumer.reduce(left, right)
///     }
///
///     fn opt_len(&self) -> Option<usize> {
///         self.0.opt_len()?.checked_add(self.1.opt_len()?)
///     }
/// }
///
/// let counted: Vec<u32> = Both((0..3).into_par_iter(), (7..9).into_par_iter()).collect();
/// assert_eq!(counted, [0, 1, 2, 7, 8]);
/// let letters: String = Both("ab".par_chars(), "cd".par_chars()).collect();
/// assert_eq!(letters, "abcd");
/// ```
#[derive(Debug)]
pub struct Place {
    /// The loop whose indexes these are; 0: no indexes are promised.
    root: u64,
    start: usize,
    end: usize,
    low: u64,
    high: u64,
}

impl Place {
    /// A loop of which only the order of its pieces matters.
    ///
    /// ```
    /// use filch::iter::plumbing::{Consumer, Folder, Place};
    /// use filch::prelude::*;
    ///
    /// /// How many items there are: a terminal, which begins a loop.
    /// #[derive(Clone, Copy)]
    /// struct Count;
    ///
    /// struct Counted(usize);
    ///
    /// impl<T> Consumer<T> for Count {
    ///     type Folder = Counted;
    ///     type Result = usize;
    ///
    ///     fn into_folder(self, _: Place) -> Counted {
    ///         Counted(0)
    ///     }
    ///
    ///     fn reduce(self, left: usize, right: usize) -> usize {
    ///         left + right
    ///     }
    /// }
    ///
    /// impl<T> Folder<T> for Counted {
    ///     type Result = usize;
    ///
    ///     fn consume(self, _: T) -> Self {
    ///         Counted(self.0 + 1)
    ///     }
    ///
    ///     fn complete(self) -> usize {
    ///         self.0
    ///     }
    /// }
    ///
    /// let even = (0..1000).into_par_iter().filter(|n| n % 2 == 0);
    /// assert_eq!(even.drive(Count, Place::whole()), 500);
    /// ```
    pub fn whole() -> Self {
        Place { root: 0, start: 0, end: 0, low: 0, high: u64::MAX }
    }

    /// A loop whose every index will be given out once at most.
    pub(crate) fn indexed(len: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let root = NEXT.fetch_add(1, Ordering::Relaxed);
        Place { root, start: 0, end: len, low: 0, high: u64::MAX }
    }

    /// Whether the place has indexes that somebody relies on.
    ///
    /// ```
    /// use filch::iter::plumbing::{Consumer, Place};
    /// use filch::prelude::*;
    ///
    /// /// Tells how it is driven.
    /// struct Probe;
    ///
    /// impl ParallelIterator for Probe {
    ///     type Item = bool;
    ///
    ///     fn drive<C: Consumer<bool>>(self, consumer: C, place: Place) -> C::Result {
    ///         let is_indexed = place.is_indexed();
    ///         filch::iter::once(is_indexed).drive(consumer, place)
    ///     }
    ///
    ///     fn opt_len(&self) -> Option<usize> {
    ///         Some(1)
    ///     }
    /// }
    ///
    /// // `collect` writes each item to the place that its index says; others need no indexes.
    /// assert_eq!(Probe.collect::<Vec<bool>>(), [true]);
    /// assert!(!Probe.any(|is_indexed| is_indexed));
    /// ```
    pub fn is_indexed(&self) -> bool {
        self.root != 0
    }

    /// The number of the loop whose indexes these are.
    pub(crate) fn root(&self) -> u64 {
        self.root
    }

    /// The first index.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// The index after the last.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// A number that is smaller than that of any later piece, or the same if the numbers in between have run out.
    ///
    /// ```
    /// use filch::iter::plumbing::Place;
    ///
    /// let (left, right) = Place::whole().split();
    /// assert!(left.label() < right.label());
    /// ```
    pub fn label(&self) -> u64 {
        self.low
    }

    /// The same stretch for a loop inside of it, whose indexes nobody relies on.
    ///
    /// ```
    /// use filch::iter::plumbing::{Consumer, Folder, Place};
    /// use filch::prelude::*;
    ///
    /// /// What a folder of `flat_map` does: each item is a loop of its own, whose items go on to `base`.
    /// struct Flattening<C: Consumer<u8>> {
    ///     base: C,
    ///     place: Place,
    ///     done: Option<C::Result>,
    /// }
    ///
    /// impl<C: Consumer<u8>> Folder<&str> for Flattening<C> {
    ///     type Result = C::Result;
    ///
    ///     fn consume(mut self, text: &str) -> Self {
    ///         let result = text.par_bytes().drive(self.base, self.place.inside());
    ///         self.done = Some(match self.done {
    ///             Some(before) => self.base.reduce(before, result),
    ///             None => result,
    ///         });
    ///         self
    ///     }
    ///
    ///     fn complete(self) -> C::Result {
    ///         self.done.unwrap_or_else(|| self.base.into_folder(self.place).complete())
    ///     }
    /// }
    ///
    /// // The place inside lies where the one around it does.
    /// let place = Place::whole().split().1;
    /// assert_eq!(place.inside().label(), place.label());
    /// ```
    pub fn inside(&self) -> Place {
        Place { root: 0, start: 0, end: 0, low: self.low, high: self.high }
    }

    /// The place of a loop of `len` items that fills this one.
    ///
    /// # Panics
    /// If this place has indexes, and not as many.
    pub(crate) fn over(self, len: usize) -> Place {
        if self.root == 0 {
            return Place { end: len, start: 0, ..self };
        }
        assert_eq!(
            self.end - self.start,
            len,
            "an indexed parallel iterator drives as many items as its `len` says, and hands its place on as it is"
        );
        self
    }

    /// The first `count` indexes and the rest. The labels are cut in the same proportion.
    ///
    /// # Panics
    /// If there are not as many.
    ///
    /// ```
    /// use filch::iter::plumbing::{Consumer, Place};
    /// use filch::prelude::*;
    ///
    /// /// A slice with a zero before and after it.
    /// struct Padded<'a>(&'a [u8]);
    ///
    /// impl ParallelIterator for Padded<'_> {
    ///     type Item = u8;
    ///
    ///     fn drive<C: Consumer<u8>>(self, consumer: C, place: Place) -> C::Result {
    ///         // Only a place with indexes can be split at one.
    ///         let zero = || filch::iter::once(0);
    ///         if !place.is_indexed() {
    ///             return zero().chain(self.0.par_iter().copied()).chain(zero()).drive(consumer, place);
    ///         }
    ///         let (front, rest) = place.split_at(1);
    ///         let (middle, back) = rest.split_at(self.0.len());
    ///         let left = zero().drive(consumer, front);
    ///         let left = consumer.reduce(left, self.0.par_iter().copied().drive(consumer, middle));
    ///         consumer.reduce(left, zero().drive(consumer, back))
    ///     }
    ///
    ///     fn opt_len(&self) -> Option<usize> {
    ///         Some(self.0.len() + 2)
    ///     }
    /// }
    ///
    /// assert_eq!(Padded(&[5, 6]).collect::<Vec<u8>>(), [0, 5, 6, 0]);
    /// assert_eq!(Padded(&[5, 6]).filter(|n| *n == 0).count(), 2);
    /// ```
    pub fn split_at(self, count: usize) -> (Place, Place) {
        assert!(count <= self.end - self.start, "a place is split inside of it");
        let len = (self.end - self.start).max(1) as u128;
        let cut = self.low + ((u128::from(self.high - self.low) * count as u128) / len) as u64;
        let middle = self.start + count;
        (Place { end: middle, high: cut, ..self }, Place { start: middle, low: cut, ..self })
    }

    /// Where it lies.
    pub(crate) fn outline(&self) -> Outline {
        Outline { root: self.root, start: self.start, end: self.end, low: self.low, high: self.high }
    }

    /// One loop that runs in place of two: its place, and what gives the places of the two for each piece of it.
    ///
    /// # Panics
    /// If both have indexes, and not as many.
    pub(crate) fn twins(left: Place, right: Place) -> (Twins, Place) {
        let place = match (left.root, right.root) {
            (0, 0) => Place::whole(),
            (_, 0) => Place::indexed(left.end - left.start),
            (0, _) => Place::indexed(right.end - right.start),
            _ => {
                assert_eq!(left.end - left.start, right.end - right.start, "twins are equally long");
                Place::indexed(left.end - left.start)
            }
        };
        (Twins { root: place.root, left, right }, place)
    }

    /// Two halves, for what cannot be counted.
    ///
    /// # Panics
    /// If the place has indexes: it is for a loop that is counted.
    ///
    /// ```
    /// use filch::iter::plumbing::{Consumer, Place};
    /// use filch::prelude::*;
    ///
    /// /// A binary tree, from left to right.
    /// enum Tree {
    ///     Leaf(u32),
    ///     Fork(Box<(Tree, Tree)>),
    /// }
    ///
    /// impl ParallelIterator for Tree {
    ///     type Item = u32;
    ///
    ///     fn drive<C: Consumer<u32>>(self, consumer: C, place: Place) -> C::Result {
    ///         match self {
    ///             Tree::Leaf(item) => filch::iter::once(item).drive(consumer, place),
    ///             Tree::Fork(both) => {
    ///                 let (left_place, right_place) = place.split();
    ///                 let (left, right) = *both;
    ///                 let (left, right) = filch::join(
    ///                     move || left.drive(consumer, left_place),
    ///                     move || right.drive(consumer, right_place),
    ///                 );
    ///                 consumer.reduce(left, right)
    ///             }
    ///         }
    ///     }
    /// }
    ///
    /// let fork = |left, right| Tree::Fork(Box::new((left, right)));
    /// let tree = fork(fork(Tree::Leaf(1), Tree::Leaf(2)), Tree::Leaf(3));
    /// assert_eq!(tree.collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    pub fn split(self) -> (Place, Place) {
        assert!(self.root == 0, "a place with indexes is split at an index");
        let cut = self.low + (self.high - self.low) / 2;
        (Place { high: cut, ..self }, Place { low: cut, ..self })
    }

    /// The places of two loops one after the other, the first of which has `first` items, if that is known.
    ///
    /// # Panics
    /// If the place has indexes, and `first` is not known.
    pub fn split_for(self, first: Option<usize>) -> (Place, Place) {
        if self.is_indexed() {
            self.split_at(first.expect("an indexed parallel iterator consists of indexed ones"))
        } else {
            self.split()
        }
    }

    /// Takes the first `count` indexes off, for the folder that has had the ones before. Cheaper than
    /// [`split_at`](Self::split_at), and less exact with the labels.
    #[inline(always)]
    pub(crate) fn take_front(&mut self, count: usize) -> Place {
        let len = self.end - self.start;
        assert!(count <= len, "a block lies inside of its piece");
        let middle = self.start + count;
        let cut = self.low + (self.high - self.low) / (len as u64).max(1) * count as u64;
        let front = Place { root: self.root, start: self.start, end: middle, low: self.low, high: cut };
        (self.start, self.low) = (middle, cut);
        front
    }

    /// The same where nothing can be counted, for the block that comes after as many `blocks`. Of the labels it gets a
    /// small share, for loops inside of it, and a smaller one than the block before: a thousand blocks use up a bit of
    /// them at most, and a million four. So there are enough for the parts, of which each cut takes one bit.
    ///
    /// # Panics
    /// If the place has indexes.
    pub(crate) fn take_some(&mut self, blocks: u64) -> Place {
        assert!(self.root == 0, "a place with indexes is split at an index");
        let cut = self.low + (self.high - self.low) / BLOCKS.saturating_add(blocks);
        let front = Place { root: self.root, start: self.start, end: self.end, low: self.low, high: cut };
        self.low = cut;
        front
    }
}

/// Where a place lies: it grants nothing, but can say where a piece without items is.
#[derive(Debug)]
pub(crate) struct Outline {
    root: u64,
    start: usize,
    end: usize,
    low: u64,
    high: u64,
}

impl Outline {
    /// The place before the index that comes `count` after the first. As it has no indexes, there may be any number of
    /// them. Its label is that of what follows, but for rounding.
    ///
    /// # Panics
    /// If there are not as many.
    pub(crate) fn nothing_at(&self, count: usize) -> Place {
        assert!(count <= self.end - self.start, "nothing, too, lies inside of its place");
        let len = (self.end - self.start).max(1) as u128;
        let label = self.low + ((u128::from(self.high - self.low) * count as u128) / len) as u64;
        let at = self.start + count;
        Place { root: self.root, start: at, end: at, low: label, high: label }
    }
}

/// The places of two loops, for as long as another runs in place of both: see [`Place::twins`].
///
/// Each index of that loop stands for one of either, and is used up for them: so theirs are given out once too.
#[derive(Debug)]
pub(crate) struct Twins {
    root: u64,
    left: Place,
    right: Place,
}

impl Twins {
    /// The two places for a place of the loop that runs.
    ///
    /// # Panics
    /// If it is one of another loop.
    pub(crate) fn apart(&self, place: Place) -> (Place, Place) {
        assert_eq!(place.root, self.root, "an iterator is driven with the place of another loop");
        (Self::within(&self.left, &place), Self::within(&self.right, &place))
    }

    fn within(twin: &Place, piece: &Place) -> Place {
        let label = |label: u64| {
            let along = u128::from(twin.high - twin.low) * u128::from(label) / u128::from(u64::MAX);
            twin.low + along as u64
        };
        let (start, end) = if twin.root == 0 { (0, 0) } else { (twin.start + piece.start, twin.start + piece.end) };
        Place { root: twin.root, start, end, low: label(piece.low), high: label(piece.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the 64 bits that tell the parts of a loop apart, its blocks leave nearly all.
    #[test]
    fn blocks_leave_labels_for_the_parts() {
        let mut place = Place::whole();
        for block in 0..1 << 20 {
            let front = place.take_some(block);
            assert!(front.low < front.high && front.high == place.low, "each has labels of its own");
            if block == 1000 {
                assert!(place.high - place.low > u64::MAX / 2);
            }
        }
        assert!(place.high - place.low > u64::MAX / 32);
        // While steals are some twenty blocks apart, as many times as there are bits, or nearly.
        let mut place = Place::whole();
        for cut in 0..60 {
            let label = place.label();
            for block in 0..20 {
                place.take_some(block);
            }
            place = place.split().1;
            assert!(place.label() > label, "cut {cut}");
        }
    }
}
