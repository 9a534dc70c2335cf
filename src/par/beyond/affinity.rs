//! `with_partitioning` and `with_affinity`: loops over the same data time and again, on the same threads if possible.

use std::fmt;
use std::sync::Arc;

use crate::ground::sync::AtomicUsize;
use crate::par::beyond::pieces::{NOBODY, Owners};
use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Producer, ProducerCallback};
use crate::work::install::current_num_threads;

/// Pieces for each worker, where a late worker should lose some of its own only.
const PIECES: usize = 4;

/// How a loop is cut: see [`with_partitioning`](IndexedParallelIterator::with_partitioning).
///
/// ```
/// use filch::iter::Partitioning;
/// use filch::prelude::*;
///
/// // Whoever fills a piece of memory first has it near: so fill it as it will be used.
/// let mut field = vec![0.0; 10_000];
/// let cut = Partitioning::Static;
/// field.par_iter_mut().with_partitioning(cut).enumerate().for_each(|(i, x)| *x = i as f64);
/// field.par_iter_mut().with_partitioning(cut).for_each(|x| *x *= 2.0);
/// assert_eq!(field[9_999], 19_998.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Partitioning {
    /// As filch does it: while the loop runs, where somebody is hungry.
    #[default]
    Adaptive,
    /// Beforehand: one piece for each worker, all of the same length. A piece is run as a plain loop, by the worker
    /// with its number if that one comes in time, and by any other if not.
    Static,
}

/// Made by [`with_partitioning`](IndexedParallelIterator::with_partitioning).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WithPartitioning<I> {
    base: I,
    partitioning: Partitioning,
}

impl<I> WithPartitioning<I> {
    pub(crate) fn new(base: I, partitioning: Partitioning) -> Self {
        WithPartitioning { base, partitioning }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for WithPartitioning<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for WithPartitioning<I> {
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        let owners = match self.partitioning {
            Partitioning::Adaptive => None,
            Partitioning::Static => Some(Owners::each_one(current_num_threads())),
        };
        self.base.with_producer(Callback { callback, owners: owners.as_ref() })
    }
}

/// Remembers which thread has run which part of a loop: see
/// [`with_affinity`](IndexedParallelIterator::with_affinity).
///
/// Source of the idea: the `affinity_partitioner` of oneTBB.
///
/// ```
/// use filch::iter::Affinity;
/// use filch::prelude::*;
///
/// let (mut heat, mut flow) = (vec![1.0; 5000], vec![0.0; 5000]);
/// // One for each set of data that is gone over again and again.
/// let mut affinity = Affinity::new();
/// for _ in 0..8 {
///     heat.par_iter().zip(&mut flow).with_affinity(&mut affinity).for_each(|(x, f)| *f = x * 0.25);
///     heat.par_iter_mut().zip(&flow).with_affinity(&mut affinity).for_each(|(x, f)| *x -= f);
/// }
/// assert!(heat.iter().all(|x| *x == 0.75_f64.powi(8)));
/// ```
pub struct Affinity {
    /// The length of the loop, and the number of workers. If one of them changes, all is forgotten.
    shape: (usize, usize),
    owners: Arc<[AtomicUsize]>,
}

impl Affinity {
    /// Makes one that knows nothing.
    pub fn new() -> Self {
        Affinity { shape: (0, 0), owners: Arc::new([]) }
    }

    fn fit(&mut self, len: usize) -> Owners {
        let shape = (len, current_num_threads());
        if self.shape != shape {
            self.shape = shape;
            self.owners = (0..PIECES * shape.1).map(|_| AtomicUsize::new(NOBODY)).collect();
        }
        Owners::as_before(&self.owners)
    }
}

impl Default for Affinity {
    fn default() -> Self {
        Affinity::new()
    }
}

impl fmt::Debug for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Affinity").field("len", &self.shape.0).finish_non_exhaustive()
    }
}

/// Made by [`with_affinity`](IndexedParallelIterator::with_affinity).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WithAffinity<'a, I> {
    base: I,
    affinity: &'a mut Affinity,
}

impl<'a, I> WithAffinity<'a, I> {
    pub(crate) fn new(base: I, affinity: &'a mut Affinity) -> Self {
        WithAffinity { base, affinity }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for WithAffinity<'_, I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for WithAffinity<'_, I> {
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        let owners = self.affinity.fit(self.base.len());
        self.base.with_producer(Callback { callback, owners: Some(&owners) })
    }
}

// ----- the producer ------------------------------------------------------------------------------------------------

struct Callback<'o, CB> {
    callback: CB,
    owners: Option<&'o Owners>,
}

impl<T, CB: ProducerCallback<T>> ProducerCallback<T> for Callback<'_, CB> {
    type Output = CB::Output;

    fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
        self.callback.callback(OwnedProducer { base, owners: self.owners })
    }
}

/// The base, with owners.
struct OwnedProducer<'o, P> {
    base: P,
    owners: Option<&'o Owners>,
}

impl<P: Producer> Producer for OwnedProducer<'_, P> {
    type Item = P::Item;
    type IntoIter = P::IntoIter;
    const OWNED: bool = true;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.base.into_iter()
    }

    fn min_len(&self) -> usize {
        self.base.min_len()
    }

    fn max_len(&self) -> usize {
        self.base.max_len()
    }

    fn owners(&self) -> Option<&Owners> {
        self.owners
    }

    #[inline]
    fn split_at(self, index: usize) -> (Self, Self) {
        let (base, rest) = self.base.split_at(index);
        (OwnedProducer { base, ..self }, OwnedProducer { base: rest, ..self })
    }

    #[inline]
    fn fold_with<F: Folder<P::Item>>(self, folder: F) -> F {
        self.base.fold_with(folder)
    }
}
