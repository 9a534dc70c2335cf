//! `run_async`: a loop as a closure that can be awaited.

use crate::par::iter::ParallelIterator;
use crate::work::spawn_task::spawn_cpu;
use crate::work::task::JoinHandle;

pub(crate) fn run_async<I, F, R>(iter: I, f: F) -> JoinHandle<R>
where
    I: ParallelIterator + 'static,
    F: FnOnce(I) -> R + Send + 'static,
    R: Send + 'static,
{
    spawn_cpu(move || f(iter))
}
