//! Data that is cut where something in it says so: slices and strings at separators, slices between unlike elements.
//!
//! A [`SeamProducer`] remembers how far into its data there may be seams, so that no stretch is searched twice: who
//! has looked there for a place to split, and found none, need not look again.

use crate::par::plumbing::{Folder, UnindexedProducer};

/// A place where data can be cut in two.
#[derive(Clone, Copy)]
pub(crate) struct Seam {
    /// Where it was found.
    pub(crate) at: usize,
    /// Where what comes before it ends.
    pub(crate) end: usize,
    /// Where what comes after it starts. What lies in between belongs to neither.
    pub(crate) start: usize,
}

/// Finds the seams of some data.
pub(crate) trait Seams<D>: Copy + Send {
    /// The length of the data.
    fn len(data: &D) -> usize;

    /// The first place not before `at` where a search may start. `at` is no more than the length.
    fn boundary(data: &D, at: usize) -> usize;

    /// The first seam in `from..to`.
    fn first(self, data: &D, from: usize, to: usize) -> Option<Seam>;

    /// The last seam in `0..to`.
    fn last(self, data: &D, to: usize) -> Option<Seam>;

    /// What comes before the seam, and what comes after.
    fn cut(data: D, seam: Seam) -> (D, D);

    /// Whether this is a piece that counts.
    fn counts(piece: &D) -> bool {
        let _ = piece;
        true
    }

    /// Feeds all pieces that count to the folder, perhaps without the last.
    fn fold<F: Folder<D>>(self, data: D, folder: F, skip_last: bool) -> F;
}

/// The pieces between the seams.
pub(crate) struct SeamProducer<D, S> {
    data: D,
    seams: S,
    /// From here on there are no seams.
    tail: usize,
    /// Whether the piece after the last seam does not count.
    skip_last: bool,
}

impl<D, S: Seams<D>> SeamProducer<D, S> {
    pub(crate) fn new(data: D, seams: S) -> Self {
        Self::terminated(data, seams, false)
    }

    pub(crate) fn terminated(data: D, seams: S, skip_last: bool) -> Self {
        SeamProducer { tail: S::len(&data), data, seams, skip_last }
    }

    /// Two, told how far there are seams in each.
    fn cut(self, seam: Seam, left_tail: usize, right_tail: usize) -> (Self, Option<Self>) {
        let (left, right) = S::cut(self.data, seam);
        (
            SeamProducer { data: left, seams: self.seams, tail: left_tail, skip_last: false },
            Some(SeamProducer { data: right, tail: right_tail, ..self }),
        )
    }
}

impl<D: Send, S: Seams<D>> UnindexedProducer for SeamProducer<D, S> {
    type Item = D;

    fn split(self) -> (Self, Option<Self>) {
        let middle = S::boundary(&self.data, self.tail / 2);
        if let Some(seam) = self.seams.first(&self.data, middle, self.tail) {
            let rest = self.tail - seam.start;
            self.cut(seam, middle, rest)
        } else if let Some(seam) = self.seams.last(&self.data, middle) {
            self.cut(seam, seam.at, 0)
        } else {
            (SeamProducer { tail: 0, ..self }, None)
        }
    }

    fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
        if items >= self.tail {
            return Ok((self, None));
        }
        let from = S::boundary(&self.data, items.max(1));
        Ok(match self.seams.first(&self.data, from, self.tail) {
            Some(seam) => {
                let rest = self.tail - seam.start;
                self.cut(seam, from, rest)
            }
            None => (SeamProducer { tail: from, ..self }, None),
        })
    }

    fn fold_with<F: Folder<D>>(self, folder: F) -> F {
        if self.tail == S::len(&self.data) {
            return self.seams.fold(self.data, folder, self.skip_last);
        }
        let (folder, last) = match self.seams.last(&self.data, self.tail) {
            Some(seam) => {
                let (left, right) = S::cut(self.data, seam);
                (self.seams.fold(left, folder, false), right)
            }
            None => (folder, self.data),
        };
        if self.skip_last || folder.full() || !S::counts(&last) { folder } else { folder.consume(last) }
    }
}
