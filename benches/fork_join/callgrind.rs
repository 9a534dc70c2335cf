//! One kernel on a pool of one worker, once, and nothing else, for `valgrind --tool=callgrind`. The instructions of one
//! join are the difference between the counts of two runs with different N over the difference of their joins.

use std::hint::black_box;

use super::fib;
use crate::support::args::CallgrindKernel;
use crate::support::fork::Library;
use crate::support::forte_pool::Forte;
use crate::support::libraries::{Chili, Filch, FilchWorker, Rayon};

/// Runs the kernel for `n` and prints the number of its joins.
pub fn run(kernel: CallgrindKernel, n: u64) {
    let n = black_box(n);
    let result = match kernel {
        CallgrindKernel::Serial => fib::serial(n),
        CallgrindKernel::Fib => on_one_worker::<Filch>(n),
        CallgrindKernel::FibWorker => on_one_worker::<FilchWorker>(n),
        CallgrindKernel::FibRayon => on_one_worker::<Rayon>(n),
        CallgrindKernel::FibChili => on_one_worker::<Chili>(n),
        CallgrindKernel::FibForte => on_one_worker::<Forte>(n),
    };
    assert_eq!(result, fib::iterative(n));
    println!("joins: {}", fib::iterative(n + 1) - 1);
}

fn on_one_worker<L: Library>(n: u64) -> u64 {
    L::start(1).enter(|handle| fib::parallel::<L>(handle, n))
}
