//! [`IndexedParallelIterator`].

use crate::par::adapters::positions::Positions;
use std::cmp::Ordering;

use crate::par::adapters::blocks::{ExponentialBlocks, UniformBlocks};
use crate::par::adapters::chunks::Chunks;
use crate::par::adapters::enumerate::Enumerate;
use crate::par::adapters::fold_chunks::FoldChunks;
use crate::par::adapters::fold_chunks_with::FoldChunksWith;
use crate::par::adapters::interleave::Interleave;
use crate::par::adapters::interleave_shortest::InterleaveShortest;
use crate::par::adapters::len::{MaxLen, MinLen};
use crate::par::adapters::rev::Rev;
use crate::par::adapters::skip::Skip;
use crate::par::adapters::step_by::StepBy;
use crate::par::adapters::take::Take;
use crate::par::adapters::zip::Zip;
use crate::par::adapters::zip_eq::ZipEq;
use crate::par::ends::{compare, position};
use std::iter::{Product, Sum};
use std::mem;

use crate::par::beyond::affinity::{Affinity, Partitioning, WithAffinity, WithPartitioning};
use crate::par::beyond::{deterministic, ordered, scan};
use crate::par::ends::{fill, routes};
use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::plumbing::ProducerCallback;
use crate::par::tries::Try;

/// A parallel iterator that knows how many items it has, and can begin at any of them.
///
/// Its [`opt_len`](ParallelIterator::opt_len) is `Some` of its length.
#[allow(clippy::len_without_is_empty)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub trait IndexedParallelIterator: ParallelIterator {
    #[doc = include_str!("doc/len.md")]
    fn len(&self) -> usize;

    #[doc = include_str!("doc/with_producer.md")]
    fn with_producer<CB: ProducerCallback<Self::Item>>(self, callback: CB) -> CB::Output;

    // ----- adapters of producers -----------------------------------------------------------------------------------

    // Not a producer's, though it needs one:

    #[doc = include_str!("doc/positions.md")]
    fn positions<P>(self, predicate: P) -> Positions<Self, P>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        Positions::new(self, predicate)
    }

    #[doc = include_str!("doc/by_exponential_blocks.md")]
    fn by_exponential_blocks(self) -> ExponentialBlocks<Self> {
        ExponentialBlocks::new(self)
    }

    #[doc = include_str!("doc/by_uniform_blocks.md")]
    #[track_caller]
    fn by_uniform_blocks(self, block_size: usize) -> UniformBlocks<Self> {
        UniformBlocks::new(self, block_size)
    }

    #[doc = include_str!("doc/zip.md")]
    fn zip<Z>(self, zip_op: Z) -> Zip<Self, Z::Iter>
    where
        Z: IntoParallelIterator<Iter: IndexedParallelIterator>,
    {
        Zip::new(self, zip_op.into_par_iter())
    }

    #[doc = include_str!("doc/zip_eq.md")]
    #[track_caller]
    fn zip_eq<Z>(self, zip_op: Z) -> ZipEq<Self, Z::Iter>
    where
        Z: IntoParallelIterator<Iter: IndexedParallelIterator>,
    {
        ZipEq::new(self, zip_op.into_par_iter())
    }

    #[doc = include_str!("doc/interleave.md")]
    fn interleave<I>(self, other: I) -> Interleave<Self, I::Iter>
    where
        I: IntoParallelIterator<Item = Self::Item, Iter: IndexedParallelIterator>,
    {
        Interleave::new(self, other.into_par_iter())
    }

    #[doc = include_str!("doc/interleave_shortest.md")]
    fn interleave_shortest<I>(self, other: I) -> InterleaveShortest<Self, I::Iter>
    where
        I: IntoParallelIterator<Item = Self::Item, Iter: IndexedParallelIterator>,
    {
        InterleaveShortest::new(self, other.into_par_iter())
    }

    #[doc = include_str!("doc/chunks.md")]
    #[track_caller]
    fn chunks(self, chunk_size: usize) -> Chunks<Self> {
        Chunks::new(self, chunk_size)
    }

    #[doc = include_str!("doc/fold_chunks.md")]
    #[track_caller]
    fn fold_chunks<T, ID, F>(self, chunk_size: usize, identity: ID, fold_op: F) -> FoldChunks<Self, ID, F>
    where
        ID: Fn() -> T + Send + Sync,
        F: Fn(T, Self::Item) -> T + Send + Sync,
        T: Send,
    {
        FoldChunks::new(self, chunk_size, identity, fold_op)
    }

    #[doc = include_str!("doc/fold_chunks_with.md")]
    #[track_caller]
    fn fold_chunks_with<T, F>(self, chunk_size: usize, init: T, fold_op: F) -> FoldChunksWith<Self, T, F>
    where
        T: Send + Clone,
        F: Fn(T, Self::Item) -> T + Send + Sync,
    {
        FoldChunksWith::new(self, chunk_size, init, fold_op)
    }

    #[doc = include_str!("doc/enumerate.md")]
    fn enumerate(self) -> Enumerate<Self> {
        Enumerate::new(self)
    }

    #[doc = include_str!("doc/step_by.md")]
    #[track_caller]
    fn step_by(self, step: usize) -> StepBy<Self> {
        StepBy::new(self, step)
    }

    #[doc = include_str!("doc/skip.md")]
    fn skip(self, n: usize) -> Skip<Self> {
        Skip::new(self, n)
    }

    #[doc = include_str!("doc/take.md")]
    fn take(self, n: usize) -> Take<Self> {
        Take::new(self, n)
    }

    #[doc = include_str!("doc/rev.md")]
    fn rev(self) -> Rev<Self> {
        Rev::new(self)
    }

    #[doc = include_str!("doc/with_min_len.md")]
    fn with_min_len(self, min: usize) -> MinLen<Self> {
        MinLen::new(self, min)
    }

    #[doc = include_str!("doc/with_max_len.md")]
    fn with_max_len(self, max: usize) -> MaxLen<Self> {
        MaxLen::new(self, max)
    }

    // ----- terminals ---------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/cmp.md")]
    fn cmp<I>(self, other: I) -> Ordering
    where
        I: IntoParallelIterator<Item = Self::Item, Iter: IndexedParallelIterator>,
        Self::Item: Ord,
    {
        compare::cmp(self, other.into_par_iter())
    }

    #[doc = include_str!("doc/partial_cmp.md")]
    fn partial_cmp<I>(self, other: I) -> Option<Ordering>
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        compare::partial_cmp(self, other.into_par_iter())
    }

    #[doc = include_str!("doc/eq.md")]
    fn eq<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialEq<I::Item>,
    {
        compare::eq(self, other.into_par_iter())
    }

    #[doc = include_str!("doc/ne.md")]
    fn ne<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialEq<I::Item>,
    {
        !self.eq(other)
    }

    #[doc = include_str!("doc/lt.md")]
    fn lt<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        matches!(self.partial_cmp(other), Some(Ordering::Less))
    }

    #[doc = include_str!("doc/le.md")]
    fn le<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        matches!(self.partial_cmp(other), Some(Ordering::Less | Ordering::Equal))
    }

    #[doc = include_str!("doc/gt.md")]
    fn gt<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        matches!(self.partial_cmp(other), Some(Ordering::Greater))
    }

    #[doc = include_str!("doc/ge.md")]
    fn ge<I>(self, other: I) -> bool
    where
        I: IntoParallelIterator<Iter: IndexedParallelIterator>,
        Self::Item: PartialOrd<I::Item>,
    {
        matches!(self.partial_cmp(other), Some(Ordering::Greater | Ordering::Equal))
    }

    #[doc = include_str!("doc/position_any.md")]
    fn position_any<P>(self, predicate: P) -> Option<usize>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        position::any(self, &predicate)
    }

    #[doc = include_str!("doc/position_first.md")]
    fn position_first<P>(self, predicate: P) -> Option<usize>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        position::first(self, &predicate)
    }

    #[doc = include_str!("doc/position_last.md")]
    fn position_last<P>(self, predicate: P) -> Option<usize>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        position::last(self, &predicate)
    }

    #[doc(hidden)]
    #[deprecated(
        note = "in parallel there is no order to search in: use `position_any`, `position_first` or `position_last`"
    )]
    fn position<P>(self, predicate: P) -> Option<usize>
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        self.position_any(predicate)
    }

    // ----- collecting --------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/collect_into_vec.md")]
    fn collect_into_vec(self, target: &mut Vec<Self::Item>) {
        fill::replace(target, self);
    }

    #[doc = include_str!("doc/unzip_into_vecs.md")]
    fn unzip_into_vecs<A, B>(self, left: &mut Vec<A>, right: &mut Vec<B>)
    where
        Self: IndexedParallelIterator<Item = (A, B)>,
        A: Send,
        B: Send,
    {
        routes::replace_both(left, right, self);
    }

    // ----- beyond rayon ------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/with_partitioning.md")]
    fn with_partitioning(self, partitioning: Partitioning) -> WithPartitioning<Self> {
        WithPartitioning::new(self, partitioning)
    }

    #[doc = include_str!("doc/with_affinity.md")]
    fn with_affinity(self, affinity: &mut Affinity) -> WithAffinity<'_, Self> {
        WithAffinity::new(self, affinity)
    }

    #[doc = include_str!("doc/sum_deterministic.md")]
    fn sum_deterministic<S>(self) -> S
    where
        S: Send + Sum<Self::Item> + Sum<S>,
    {
        deterministic::sum(self)
    }

    #[doc = include_str!("doc/product_deterministic.md")]
    fn product_deterministic<P>(self) -> P
    where
        P: Send + Product<Self::Item> + Product<P>,
    {
        deterministic::product(self)
    }

    #[doc = include_str!("doc/reduce_deterministic.md")]
    fn reduce_deterministic<OP, ID>(self, identity: ID, op: OP) -> Self::Item
    where
        OP: Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
        ID: Fn() -> Self::Item + Sync + Send,
    {
        deterministic::reduce(self, &identity, &op)
    }

    #[doc = include_str!("doc/inclusive_scan.md")]
    fn inclusive_scan<OP>(self, op: OP) -> Vec<Self::Item>
    where
        OP: Fn(&Self::Item, &Self::Item) -> Self::Item + Sync + Send,
        Self::Item: Sync,
    {
        scan::inclusive(Vec::new(), self, &op)
    }

    #[doc = include_str!("doc/inclusive_scan_into_vec.md")]
    fn inclusive_scan_into_vec<OP>(self, target: &mut Vec<Self::Item>, op: OP)
    where
        OP: Fn(&Self::Item, &Self::Item) -> Self::Item + Sync + Send,
        Self::Item: Sync,
    {
        *target = scan::inclusive(mem::take(target), self, &op);
    }

    #[doc = include_str!("doc/exclusive_scan.md")]
    fn exclusive_scan<OP>(self, init: Self::Item, op: OP) -> Vec<Self::Item>
    where
        OP: Fn(&Self::Item, &Self::Item) -> Self::Item + Sync + Send,
        Self::Item: Sync,
    {
        scan::exclusive(Vec::new(), self, init, &op)
    }

    #[doc = include_str!("doc/exclusive_scan_into_vec.md")]
    fn exclusive_scan_into_vec<OP>(self, target: &mut Vec<Self::Item>, init: Self::Item, op: OP)
    where
        OP: Fn(&Self::Item, &Self::Item) -> Self::Item + Sync + Send,
        Self::Item: Sync,
    {
        *target = scan::exclusive(mem::take(target), self, init, &op);
    }

    #[doc = include_str!("doc/for_each_ordered.md")]
    fn for_each_ordered<F>(self, sink: F)
    where
        F: FnMut(Self::Item) + Send,
    {
        ordered::for_each(self, sink);
    }

    #[doc = include_str!("doc/try_for_each_ordered.md")]
    fn try_for_each_ordered<F, R>(self, sink: F) -> R
    where
        F: FnMut(Self::Item) -> R + Send,
        R: Try<Output = ()> + Send,
    {
        ordered::try_for_each(self, sink)
    }
}
