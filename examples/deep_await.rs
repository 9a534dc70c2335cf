//! Awaiting in depth: 16,384 awaits inside one another, and a merge sort of a million numbers that spawns a task for
//! every half down to 8 numbers.
//!
//! ```text
//! cargo run --release --example deep_await
//! ```
//!
//! A chain of plain futures is one task. It lies on the heap, but each poll of it goes through all of its levels, and
//! so does dropping it half-way: that takes a stack as deep as the chain is, see [`STACK_PER_LEVEL`]. A chain of tasks
//! needs no such stack: each is polled and dropped by itself. It is what to use if the depth has no bound.

use std::future::Future;
use std::time::{Duration, Instant};

/// How deep the chains are.
pub const DEPTH: usize = 16_384;

/// What a poll or a drop of one future in a chain may take of the stack. Measured: 113 bytes optimised, 500 if not, so
/// this is ample; sanitizers take more. The system gives a thread only as much of its stack as it really uses.
const STACK_PER_LEVEL: usize = 2 << 10;

/// Halves are sorted in place from this length on.
const CUTOFF: usize = 8;

/// As many futures inside one another as asked for, and `innermost` in the last.
pub async fn futures(depth: usize, innermost: impl Future<Output = ()>) -> usize {
    if depth == 0 {
        innermost.await;
        return 0;
    }
    // The box keeps the future from containing itself.
    1 + Box::pin(futures(depth - 1, innermost)).await
}

/// As many tasks as asked for, each awaiting the next.
#[expect(clippy::manual_async_fn, reason = "who spawns itself must say that it is Send, which an `async fn` cannot")]
pub fn tasks(depth: usize) -> impl Future<Output = usize> + Send {
    async move {
        if depth == 0 {
            filch::task::yield_now().await;
            return 0;
        }
        1 + filch::spawn(tasks(depth - 1)).await.expect("no task panics")
    }
}

/// Merge sort: a task for each half, this one merges.
#[expect(clippy::manual_async_fn, reason = "as above")]
pub fn sort(mut numbers: Vec<u64>) -> impl Future<Output = Vec<u64>> + Send {
    async move {
        if numbers.len() <= CUTOFF {
            insertion_sort(&mut numbers);
            return numbers;
        }
        let right = numbers.split_off(numbers.len() / 2);
        let (left, right) = (filch::spawn(sort(numbers)), filch::spawn(sort(right)));
        merge(left.await.expect("no task panics"), right.await.expect("no task panics"))
    }
}

fn insertion_sort(numbers: &mut [u64]) {
    for end in 1..numbers.len() {
        let place = numbers[..end].partition_point(|&number| number <= numbers[end]);
        numbers[place..=end].rotate_right(1);
    }
}

fn merge(left: Vec<u64>, right: Vec<u64>) -> Vec<u64> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut right = right.into_iter().peekable();
    for number in left {
        while let Some(smaller) = right.next_if(|&other| other < number) {
            merged.push(smaller);
        }
        merged.push(number);
    }
    merged.extend(right);
    merged
}

/// Numbers without any order, always the same.
pub fn shuffled(count: usize) -> Vec<u64> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(1), next).map(|state: u64| state >> 32).take(count).collect()
}

/// A pool whose threads can poll `depth` futures inside one another.
pub fn pool(workers: usize, depth: usize) -> filch::Pool {
    let stack = (depth * STACK_PER_LEVEL).max(2 << 20);
    filch::Pool::builder().workers(workers).stack_size(stack).build().expect("the system has threads for us")
}

/// Runs a future as a task.
fn timed<T: Send + 'static>(pool: &filch::Pool, future: impl Future<Output = T> + Send + 'static) -> (T, Duration) {
    let begin = Instant::now();
    let output = pool.spawn(future).join().expect("nothing panics");
    (output, begin.elapsed())
}

fn main() {
    let numbers = shuffled(1_000_000);
    let begin = Instant::now();
    let mut expected = numbers.clone();
    expected.sort();
    println!("std's sort of {} numbers: {:.2?}", numbers.len(), begin.elapsed());

    for workers in [1, 2] {
        println!("\nworkers: {workers}");
        let pool = pool(workers, DEPTH);
        let (depth, took) = timed(&pool, futures(DEPTH, filch::task::yield_now()));
        assert_eq!(depth, DEPTH);
        println!("  {depth} futures deep, polled twice:  {took:>9.2?}");
        let (depth, took) = timed(&pool, tasks(DEPTH));
        assert_eq!(depth, DEPTH);
        println!("  {depth} tasks, each awaiting another: {took:>8.2?}");
        let (sorted, took) = timed(&pool, sort(numbers.clone()));
        assert!(sorted == expected, "not sorted as std does");
        println!("  merge sort with a task for each half: {took:>7.2?}");
    }
}
