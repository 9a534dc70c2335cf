#![doc = include_str!("doc/plumbing.md")]

pub use crate::par::beyond::pieces::Owners;
pub use crate::par::bridge::{bridge, bridge_producer, bridge_unindexed};
pub use crate::par::place::Place;

#[doc = include_str!("doc/producer.md")]
pub trait Producer: Send + Sized {
    /// What it produces.
    type Item;

    /// The plain iterator that it becomes.
    type IntoIter: Iterator<Item = Self::Item> + DoubleEndedIterator + ExactSizeIterator;

    /// Whether [`owners`](Self::owners) may be any. Where it is false, as it is unless said otherwise, no code is made
    /// for that case. An adapter hands on what its base says.
    const OWNED: bool = false;

    /// Becomes a plain iterator.
    fn into_iter(self) -> Self::IntoIter;

    /// The fewest items that a piece should have: see
    /// [`with_min_len`](super::indexed::IndexedParallelIterator::with_min_len).
    #[inline]
    fn min_len(&self) -> usize {
        1
    }

    /// The most items that a piece may have: see
    /// [`with_max_len`](super::indexed::IndexedParallelIterator::with_max_len).
    #[inline]
    fn max_len(&self) -> usize {
        usize::MAX
    }

    /// Who should run which part of the loop, if somebody is preferred: see
    /// [`with_affinity`](super::indexed::IndexedParallelIterator::with_affinity). Asked only where
    /// [`OWNED`](Self::OWNED) is true. An adapter hands on what its base says, of both.
    #[inline]
    fn owners(&self) -> Option<&Owners> {
        None
    }

    /// The first `index` items and the rest.
    ///
    /// Called often, so it should be quick; and it may be called in the midst of a `join` or a loop that runs inside
    /// of this one, so it should not wait for a lock that the loop's body may hold.
    ///
    /// # Panics
    /// It may, if there are not as many.
    fn split_at(self, index: usize) -> (Self, Self);

    /// Feeds the items to `folder` until it is full.
    #[inline]
    fn fold_with<F: Folder<Self::Item>>(self, folder: F) -> F {
        folder.consume_iter(self.into_iter())
    }
}

#[doc = include_str!("doc/unindexed_producer.md")]
pub trait UnindexedProducer: Send + Sized {
    /// What it produces.
    type Item;

    /// Two pieces of about the same size, or `None` if there is nothing to split.
    fn split(self) -> (Self, Option<Self>);

    /// A piece of about `items` items from the front, and the rest, if there is any; `Err` gives the producer back if
    /// it can split in the middle only.
    ///
    /// With it a piece is run in blocks like a counted one; without, from beginning to end once it has begun.
    ///
    /// # Errors
    /// The producer itself.
    #[inline]
    fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
        let _ = items;
        Err(self)
    }

    /// Whether the thread that is about to run this piece may give parts of it to others, for which it then waits. Asked
    /// when a piece begins, and again for each rest that a block of it leaves.
    ///
    /// ```
    /// use filch::iter::plumbing::{Folder, UnindexedProducer};
    ///
    /// /// Lines that come from a file which stays locked as long as a piece of this has not been dropped.
    /// struct Locked {
    ///     lines: Vec<String>,
    ///     held: bool,
    /// }
    ///
    /// impl UnindexedProducer for Locked {
    ///     type Item = String;
    ///
    ///     /// Whoever holds the lock must not wait for others, who may wait for the lock.
    ///     fn may_share(&self) -> bool {
    ///         !self.held
    ///     }
    ///
    ///     fn split(mut self) -> (Self, Option<Self>) {
    ///         let last = self.lines.split_off(self.lines.len() / 2);
    ///         let right = (!last.is_empty()).then_some(Locked { lines: last, held: false });
    ///         (self, right)
    ///     }
    ///
    ///     fn fold_with<F: Folder<String>>(self, folder: F) -> F {
    ///         folder.consume_iter(self.lines)
    ///     }
    /// }
    ///
    /// let all = Locked { lines: vec!["a".to_owned(), "b".to_owned()], held: true };
    /// assert!(!all.may_share());
    /// let (left, right) = all.split();
    /// assert!(!left.may_share() && right.unwrap().may_share());
    /// ```
    #[inline]
    fn may_share(&self) -> bool {
        true
    }

    /// Feeds the items to `folder` until it is full.
    fn fold_with<F: Folder<Self::Item>>(self, folder: F) -> F;
}

#[doc = include_str!("doc/consumer.md")]
pub trait Consumer<Item>: Copy + Send {
    /// What takes the items of one piece, in order.
    type Folder: Folder<Item, Result = Self::Result>;

    /// What becomes of a piece.
    type Result: Send;

    /// Whether an item may end the loop wherever it lies, and so may be sought behind more items than could ever be
    /// run. Then a thread that gets all that is left of a piece, while another is busy with an item of it, begins in
    /// the middle, and what lies before that comes later. A consumer that wraps another says what that says.
    const SEARCHES: bool = false;

    /// Begins a piece.
    fn into_folder(self, place: Place) -> Self::Folder;

    /// Makes one of two: `left` came before `right`.
    fn reduce(self, left: Self::Result, right: Self::Result) -> Self::Result;

    /// Whether no piece need begin any more. Asked before each.
    #[inline]
    fn full(self) -> bool {
        false
    }

    /// Whether nothing is wanted any more of what has the label `label` or a higher one. A consumer that wraps another
    /// asks it.
    #[inline]
    fn full_at(self, label: u64) -> bool {
        let _ = label;
        self.full()
    }
}

#[doc = include_str!("doc/folder.md")]
pub trait Folder<Item>: Sized {
    /// What becomes of the piece.
    type Result;

    /// Takes an item.
    #[must_use]
    fn consume(self, item: Item) -> Self;

    /// Takes items until it is full.
    #[inline]
    #[must_use]
    fn consume_iter<I: IntoIterator<Item = Item>>(mut self, iter: I) -> Self {
        for item in iter {
            self = self.consume(item);
            if self.full() {
                break;
            }
        }
        self
    }

    /// Ends the piece.
    fn complete(self) -> Self::Result;

    /// Whether it needs no more items. Asked between blocks, and where `consume_iter` is not overridden, after each
    /// item.
    #[inline]
    fn full(&self) -> bool {
        false
    }

    /// The piece goes on: the items to come lie at `next`, right after those so far. A folder that wraps another tells
    /// it.
    #[inline]
    fn advance(&mut self, next: Place) {
        let _ = next;
    }
}

/// What is done with a producer once its type is known: see
/// [`with_producer`](super::indexed::IndexedParallelIterator::with_producer).
///
/// ```
/// use filch::iter::plumbing::{Producer, ProducerCallback};
/// use filch::prelude::*;
///
/// /// Looks at the last item without making those before it.
/// struct Last;
///
/// impl<T> ProducerCallback<T> for Last {
///     type Output = Option<T>;
///
///     fn callback<P: Producer<Item = T>>(self, producer: P) -> Option<T> {
///         producer.into_iter().next_back()
///     }
/// }
///
/// assert_eq!((0..1_000_000).into_par_iter().map(|n| n / 2).with_producer(Last), Some(499_999));
/// ```
pub trait ProducerCallback<T> {
    /// What comes of it.
    type Output;

    /// Gets the producer.
    fn callback<P: Producer<Item = T>>(self, producer: P) -> Self::Output;
}
