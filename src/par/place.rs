//! Where in a loop a piece of it lies.
//!
//! A loop is cut into pieces while it runs. Each piece carries a [`Place`]: the indexes that it covers, if the loop is
//! counted, and a stretch of labels, by which pieces can be told earlier or later whatever their indexes.
//!
//! Who writes results by index (`collect`) must be sure that no index is given out twice, whatever the code does that
//! stands between: so a place with indexes is made once for each loop, cannot be copied, and can only be cut up.

use crate::ground::sync::{AtomicU64, Ordering};

/// A stretch of a loop, for the consumer of it: see [`Consumer::into_folder`](super::plumbing::Consumer::into_folder).
///
/// Code that forwards a loop to another ([`ParallelIterator::drive`](super::iter::ParallelIterator::drive)) hands it
/// on as it is.
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
    pub fn label(&self) -> u64 {
        self.low
    }

    /// The same stretch for a loop inside of it, whose indexes nobody relies on.
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

    /// The same where nothing can be counted: the labels never run out quite.
    ///
    /// # Panics
    /// If the place has indexes.
    pub(crate) fn take_some(&mut self) -> Place {
        assert!(self.root == 0, "a place with indexes is split at an index");
        let cut = self.low + (self.high - self.low) / 64;
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
