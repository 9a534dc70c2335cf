//! What the compiler must not let pass, each with a twin that differs only in what is wrong and does compile.
//!
//! The examples are run as doc tests; there is nothing else here.

/// Not all that is filtered is counted: no `collect_into_vec`.
///
/// ```compile_fail,E0599
/// use filch::prelude::*;
/// let (numbers, mut target) = (vec![1, 2, 3], vec![]);
/// numbers.par_iter().filter_map(|n| Some(n * 2)).collect_into_vec(&mut target);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let (numbers, mut target) = (vec![1, 2, 3], vec![]);
/// numbers.par_iter().map(|n| n * 2).collect_into_vec(&mut target);
/// ```
mod filtered_into_vec {}

/// No `zip` with it either.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let numbers = vec![1, 2, 3];
/// let _ = numbers.par_iter().zip(numbers.par_iter().filter(|n| **n > 1));
/// ```
///
/// ```
/// use filch::prelude::*;
/// let numbers = vec![1, 2, 3];
/// let _ = numbers.par_iter().zip(numbers.par_iter().inspect(|n| assert!(**n > 0)));
/// ```
mod filtered_in_zip {}

/// No `rev`, and no `enumerate`.
///
/// ```compile_fail,E0599
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().flat_map(|n| 0..n).rev();
/// ```
///
/// ```
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().map(|n| 0..n).rev();
/// ```
///
/// ```compile_fail,E0599
/// use filch::prelude::*;
/// let _ = (0..9_u64).into_par_iter().enumerate();
/// ```
///
/// ```
/// use filch::prelude::*;
/// let _ = (0..9_u32).into_par_iter().enumerate();
/// ```
mod uncounted_in_order {}

/// A closure that shares a `Cell` is not `Sync`.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let shared = std::cell::Cell::new(1);
/// (0..9).into_par_iter().for_each(|n| shared.set(n));
/// ```
///
/// ```
/// use filch::prelude::*;
/// let shared = std::sync::atomic::AtomicI32::new(1);
/// (0..9).into_par_iter().for_each(|n| shared.store(n, std::sync::atomic::Ordering::Relaxed));
/// ```
mod shared_cell {}

/// Nor is one that changes what it captures.
///
/// ```compile_fail,E0594
/// use filch::prelude::*;
/// let mut sum = 0;
/// (0..9).into_par_iter().for_each(|n| sum += n);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let mut sum = 0;
/// (0..9).into_iter().for_each(|n| sum += n);
/// ```
mod changed_capture {}

/// `Rc`s are not sent, neither as items nor as results.
///
/// ```compile_fail,E0599
/// use filch::prelude::*;
/// use std::rc::Rc;
/// let shared = vec![Rc::new(1), Rc::new(2)];
/// shared.into_par_iter().for_each(drop);
/// ```
///
/// ```
/// use filch::prelude::*;
/// use std::sync::Arc;
/// let shared = vec![Arc::new(1), Arc::new(2)];
/// shared.into_par_iter().for_each(drop);
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().map(std::rc::Rc::new);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().map(std::sync::Arc::new);
/// ```
mod sent_rc {}

/// References to what is not `Sync` are not sent.
///
/// ```compile_fail,E0599
/// use filch::prelude::*;
/// let cells = vec![std::cell::Cell::new(1)];
/// let _ = cells.par_iter();
/// ```
///
/// ```
/// use filch::prelude::*;
/// let mut cells = vec![std::cell::Cell::new(1)];
/// let _ = cells.par_iter_mut();
/// ```
mod borrowed_cells {}

/// What goes along with pieces (`map_with`, `fold`, `reduce`...) is sent with them.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().map_with(std::rc::Rc::new(1), |one, n| **one + n);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().map_with(std::sync::Arc::new(1), |one, n| **one + n);
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().fold(|| std::rc::Rc::new(0), |_, n| std::rc::Rc::new(n));
/// ```
///
/// ```
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().fold(|| std::sync::Arc::new(0), |_, n| std::sync::Arc::new(n));
/// ```
///
/// What `map_init` makes stays where it is made:
///
/// ```
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().map_init(|| std::rc::Rc::new(1), |one, n| **one + n);
/// ```
mod sent_along {}

/// Iterators themselves are sent: so it matters what a closure holds.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let shared = std::rc::Rc::new(3);
/// let _ = (0..9).into_par_iter().filter(move |n| *n > *shared);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let shared = std::sync::Arc::new(3);
/// let _ = (0..9).into_par_iter().filter(move |n| *n > *shared);
/// ```
///
/// ```compile_fail,E0599
/// use filch::prelude::*;
/// let shared = std::rc::Rc::new(3);
/// let _ = (0..9).map(move |n| n + *shared).par_bridge();
/// ```
///
/// ```
/// use filch::prelude::*;
/// let shared = std::sync::Arc::new(3);
/// let _ = (0..9).map(move |n| n + *shared).par_bridge();
/// ```
mod sent_iterators {}

/// Loops borrow, and may not outlive what they borrow from.
///
/// ```compile_fail,E0505
/// use filch::prelude::*;
/// let numbers = vec![1, 2, 3];
/// let iter = numbers.par_iter();
/// drop(numbers);
/// assert_eq!(iter.sum::<i32>(), 6);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let numbers = vec![1, 2, 3];
/// let iter = numbers.par_iter();
/// assert_eq!(iter.sum::<i32>(), 6);
/// drop(numbers);
/// ```
///
/// ```compile_fail,E0499
/// use filch::prelude::*;
/// let mut numbers = vec![1, 2, 3];
/// let (first, second) = (numbers.par_drain(..1), numbers.par_drain(1..));
/// assert_eq!(first.chain(second).sum::<i32>(), 6);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let (mut numbers, mut others) = (vec![1, 2, 3], vec![1, 2, 3]);
/// let (first, second) = (numbers.par_drain(..1), others.par_drain(1..));
/// assert_eq!(first.chain(second).sum::<i32>(), 6);
/// ```
mod borrows {}

/// Sorts call the comparison on many threads, and move elements between them.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let (mut numbers, calls) = (vec![3, 1, 2], std::cell::Cell::new(0));
/// numbers.par_sort_by(|a, b| { calls.set(1); a.cmp(b) });
/// ```
///
/// ```
/// use filch::prelude::*;
/// let (mut numbers, calls) = (vec![3, 1, 2], std::sync::atomic::AtomicI32::new(0));
/// numbers.par_sort_by(|a, b| { calls.store(1, std::sync::atomic::Ordering::Relaxed); a.cmp(b) });
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let (mut numbers, calls) = (vec![3, 1, 2], std::cell::Cell::new(0));
/// numbers.par_sort_unstable_by_key(|n| { calls.set(1); *n });
/// ```
///
/// ```
/// use filch::prelude::*;
/// let (mut numbers, calls) = (vec![3, 1, 2], std::sync::atomic::AtomicI32::new(0));
/// numbers.par_sort_unstable_by_key(|n| { calls.store(1, std::sync::atomic::Ordering::Relaxed); *n });
/// ```
///
/// ```compile_fail,E0599
/// use filch::prelude::*;
/// let mut shared = vec![std::rc::Rc::new(2), std::rc::Rc::new(1)];
/// shared.par_sort();
/// ```
///
/// ```
/// use filch::prelude::*;
/// let mut shared = vec![std::sync::Arc::new(2), std::sync::Arc::new(1)];
/// shared.par_sort();
/// ```
///
/// Elements need not be `Sync`; keys that are kept must be `Send`:
///
/// ```
/// use filch::prelude::*;
/// let mut cells = vec![std::cell::Cell::new(2), std::cell::Cell::new(1)];
/// cells.par_sort();
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// vec![2, 1].par_sort_by_cached_key(|n| std::rc::Rc::new(*n));
/// ```
///
/// ```
/// use filch::prelude::*;
/// vec![2, 1].par_sort_by_cached_key(|n| std::sync::Arc::new(*n));
/// ```
mod sorts {}

/// Scans combine one item with many, on many threads: those must be `Sync`.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// use std::cell::Cell;
/// let _ = (0..9).into_par_iter().map(Cell::new).inclusive_scan(|a, b| Cell::new(a.get() + b.get()));
/// ```
///
/// ```
/// use filch::prelude::*;
/// use std::num::Wrapping;
/// let _ = (0..9).into_par_iter().map(Wrapping).inclusive_scan(|a, b| Wrapping(a.0 + b.0));
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let mut cells = vec![std::cell::Cell::new(1); 3];
/// cells.par_inclusive_scan(|a, _| a.clone());
/// ```
///
/// ```
/// use filch::prelude::*;
/// let mut boxes = vec![std::boxed::Box::new(1); 3];
/// boxes.par_inclusive_scan(|a, _| a.clone());
/// ```
mod scans {}

/// What extends a collection is sent.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// use std::rc::Rc;
/// let mut all = vec![Rc::new(0)];
/// all.par_extend((1..9).into_par_iter().map(Rc::new));
/// ```
///
/// ```
/// use filch::prelude::*;
/// use std::sync::Arc;
/// let mut all = vec![Arc::new(0)];
/// all.par_extend((1..9).into_par_iter().map(Arc::new));
/// ```
mod extended {}

/// A sink is called by one thread at a time, but not always by the same: it need not be `Sync`, but `Send`.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let last = std::rc::Rc::new(std::sync::Mutex::new(0));
/// (0..9).into_par_iter().for_each_ordered(move |n| *last.lock().unwrap() = n);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let last = std::sync::Arc::new(std::sync::Mutex::new(0));
/// (0..9).into_par_iter().for_each_ordered(move |n| *last.lock().unwrap() = n);
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let last = std::rc::Rc::new(std::sync::Mutex::new(0));
/// (0..9).par_map_ordered(|n| n + 1, move |n| *last.lock().unwrap() = n);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let last = std::sync::Arc::new(std::sync::Mutex::new(0));
/// (0..9).par_map_ordered(|n| n + 1, move |n| *last.lock().unwrap() = n);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let last = std::cell::Cell::new(0);
/// (0..9).into_par_iter().for_each_ordered(move |n| last.set(n));
/// ```
mod sent_sinks {}

/// A loop that is awaited borrows nothing, and is sent with all that belongs to it.
///
/// ```compile_fail,E0597
/// use filch::prelude::*;
/// let numbers = vec![1, 2, 3];
/// let _ = numbers.par_iter().run_async(|iter| iter.count());
/// ```
///
/// ```
/// use filch::prelude::*;
/// let numbers = vec![1, 2, 3];
/// let _ = numbers.into_par_iter().run_async(|iter| iter.count());
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let one = std::rc::Rc::new(1);
/// let _ = (0..9).into_par_iter().run_async(move |iter| iter.count() + *one);
/// ```
///
/// ```
/// use filch::prelude::*;
/// let one = std::sync::Arc::new(1);
/// let _ = (0..9).into_par_iter().run_async(move |iter| iter.count() + *one);
/// ```
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().run_async(|iter| std::rc::Rc::new(iter.count()));
/// ```
///
/// ```
/// use filch::prelude::*;
/// let _ = (0..9).into_par_iter().run_async(|iter| std::sync::Arc::new(iter.count()));
/// ```
mod awaited {}

/// Progress is told on many threads.
///
/// ```compile_fail,E0277
/// use filch::prelude::*;
/// let done = std::cell::Cell::new(0);
/// let _ = (0..9).into_par_iter().with_progress(&|items: usize| done.set(items));
/// ```
///
/// ```
/// use filch::prelude::*;
/// let done = std::sync::Mutex::new(0);
/// let _ = (0..9).into_par_iter().with_progress(&|items: usize| *done.lock().unwrap() = items);
/// ```
mod told_progress {}

/// Producers are sent, whoever writes them.
///
/// ```compile_fail,E0277
/// use filch::iter::plumbing::Producer;
/// use std::rc::Rc;
/// struct Shared(Rc<Vec<i32>>, std::ops::Range<usize>);
/// impl Producer for Shared {
///     type Item = usize;
///     type IntoIter = std::ops::Range<usize>;
///     fn into_iter(self) -> Self::IntoIter {
///         self.1
///     }
///     fn split_at(self, index: usize) -> (Self, Self) {
///         let middle = self.1.start + index;
///         (Shared(self.0.clone(), self.1.start..middle), Shared(self.0, middle..self.1.end))
///     }
/// }
/// ```
///
/// ```
/// use filch::iter::plumbing::Producer;
/// use std::sync::Arc;
/// struct Shared(Arc<Vec<i32>>, std::ops::Range<usize>);
/// impl Producer for Shared {
///     type Item = usize;
///     type IntoIter = std::ops::Range<usize>;
///     fn into_iter(self) -> Self::IntoIter {
///         self.1
///     }
///     fn split_at(self, index: usize) -> (Self, Self) {
///         let middle = self.1.start + index;
///         (Shared(self.0.clone(), self.1.start..middle), Shared(self.0, middle..self.1.end))
///     }
/// }
/// ```
mod sent_producers {}

/// Adapters do nothing by themselves, and the compiler says so if nobody uses what they make.
macro_rules! must_use {
    ($($name:ident #[$expr:meta])*) => {$(
        /// ```compile_fail
        /// #![deny(unused_must_use)]
        /// use filch::prelude::*;
        /// let v: Vec<_> = (0..100).map(Some).collect();
        #[$expr]
        /// ```
        ///
        /// ```
        /// #![deny(unused_must_use)]
        /// use filch::prelude::*;
        /// let v: Vec<_> = (0..100).map(Some).collect();
        /// let _ =
        #[$expr]
        /// ```
        mod $name {}
    )*};
}

must_use! {
    by_exponential_blocks /** v.par_iter().by_exponential_blocks(); */
    by_uniform_blocks /** v.par_iter().by_uniform_blocks(2); */
    chain /** v.par_iter().chain(&v); */
    chunks /** v.par_iter().chunks(2); */
    cloned /** v.par_iter().cloned(); */
    copied /** v.par_iter().copied(); */
    enumerate /** v.par_iter().enumerate(); */
    filter /** v.par_iter().filter(|_| true); */
    filter_map /** v.par_iter().filter_map(|x| *x); */
    flat_map /** v.par_iter().flat_map(|x| *x); */
    flat_map_iter /** v.par_iter().flat_map_iter(|x| *x); */
    flatten /** v.par_iter().flatten(); */
    flatten_iter /** v.par_iter().flatten_iter(); */
    fold /** v.par_iter().fold(|| 0, |x, _| x); */
    fold_chunks /** v.par_iter().fold_chunks(2, || 0, |x, _| x); */
    fold_chunks_with /** v.par_iter().fold_chunks_with(2, 0, |x, _| x); */
    fold_with /** v.par_iter().fold_with(0, |x, _| x); */
    inspect /** v.par_iter().inspect(|_| {}); */
    interleave /** v.par_iter().interleave(&v); */
    interleave_shortest /** v.par_iter().interleave_shortest(&v); */
    intersperse /** v.par_iter().intersperse(&None); */
    map /** v.par_iter().map(|x| x); */
    map_init /** v.par_iter().map_init(|| 0, |_, x| x); */
    map_with /** v.par_iter().map_with(0, |_, x| x); */
    panic_fuse /** v.par_iter().panic_fuse(); */
    positions /** v.par_iter().positions(|_| true); */
    rev /** v.par_iter().rev(); */
    skip /** v.par_iter().skip(1); */
    skip_any /** v.par_iter().skip_any(1); */
    skip_any_while /** v.par_iter().skip_any_while(|_| true); */
    step_by /** v.par_iter().step_by(2); */
    take /** v.par_iter().take(1); */
    take_any /** v.par_iter().take_any(1); */
    take_any_while /** v.par_iter().take_any_while(|_| true); */
    try_fold /** v.par_iter().try_fold(|| 0, |x, _| Some(x)); */
    try_fold_with /** v.par_iter().try_fold_with(0, |x, _| Some(x)); */
    update /** v.par_iter().update(|_| {}); */
    while_some /** v.par_iter().cloned().while_some(); */
    with_affinity /** v.par_iter().with_affinity(&mut Default::default()); */
    with_cancel /** v.par_iter().with_cancel(&Default::default()); */
    with_deadline /** v.par_iter().with_deadline(std::time::Instant::now()); */
    with_max_len /** v.par_iter().with_max_len(1); */
    with_min_len /** v.par_iter().with_min_len(1); */
    with_partitioning /** v.par_iter().with_partitioning(Default::default()); */
    with_progress /** v.par_iter().with_progress(&std::sync::atomic::AtomicUsize::new(0)); */
    zip /** v.par_iter().zip(&v); */
    zip_eq /** v.par_iter().zip_eq(&v); */
}
