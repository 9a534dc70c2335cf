//! One kernel on a pool of one worker, once, and nothing else, for `valgrind --tool=callgrind`. The instructions of one
//! join are the difference between the counts of two runs with different N over the difference of their joins.

use std::hint::black_box;

use super::fib;
use crate::support::fork::Library;
use crate::support::forte_pool::Forte;
use crate::support::libraries::{Chili, Filch, FilchWorker, Rayon};

const USAGE: &str = "usage: --callgrind serial|fib|fib-worker|fib-rayon|fib-chili|fib-forte N";

/// Runs what follows `--callgrind`, if that is among the arguments; the answer is whether it is.
pub fn asked(args: &[String]) -> Result<bool, String> {
    if !args.iter().any(|arg| arg == "--callgrind") {
        return Ok(false);
    }
    let words: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| *arg != "--bench" && *arg != "--callgrind").collect();
    let [kernel, n] = words[..] else {
        return Err(USAGE.to_string());
    };
    run(kernel, n.parse().map_err(|_| USAGE.to_string())?)?;
    Ok(true)
}

/// Runs the kernel for `n` and prints the number of its joins.
fn run(kernel: &str, n: u64) -> Result<(), String> {
    let n = black_box(n);
    let result = match kernel {
        "serial" => fib::serial(n),
        "fib" => on_one_worker::<Filch>(n),
        "fib-worker" => on_one_worker::<FilchWorker>(n),
        "fib-rayon" => on_one_worker::<Rayon>(n),
        "fib-chili" => on_one_worker::<Chili>(n),
        "fib-forte" => on_one_worker::<Forte>(n),
        _ => return Err(USAGE.to_string()),
    };
    assert_eq!(result, fib::iterative(n));
    println!("joins: {}", fib::iterative(n + 1) - 1);
    Ok(())
}

fn on_one_worker<L: Library>(n: u64) -> u64 {
    L::start(1).enter(|handle| fib::parallel::<L>(handle, n))
}
