//! What the computations need of a library: loops to compute with, and a way to them from a request's handler.
//!
//! Each is there three times: for filch, for tokio and rayon side by side, and plain, for the answers to compare with.

use std::error::Error;

/// Why something could not be done.
pub type Reason = Box<dyn Error + Send + Sync>;

/// Parallel loops, by the names that filch and rayon share.
pub trait Loops {
    /// Runs both closures, side by side if it can.
    fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send;

    /// Calls `fill` for each row of so many bytes, with its number.
    fn each_row(bytes: &mut [u8], length: usize, fill: impl Fn(usize, &mut [u8]) + Send + Sync);

    fn sort(numbers: &mut [u64]);
}

/// How a handler, which is a task, has something computed.
pub trait Compute: Loops + Send + Sync + 'static {
    /// For some hundred microseconds at most.
    fn short<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Reason>> + Send;

    /// For longer.
    fn long<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Reason>> + Send;
}

/// One thing after the other.
pub struct Plain;

impl Loops for Plain {
    fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        (a(), b())
    }

    fn each_row(bytes: &mut [u8], length: usize, fill: impl Fn(usize, &mut [u8]) + Send + Sync) {
        bytes.chunks_exact_mut(length).enumerate().for_each(|(row, bytes)| fill(row, bytes));
    }

    fn sort(numbers: &mut [u64]) {
        numbers.sort_unstable();
    }
}
