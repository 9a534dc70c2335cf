//! What the programs share: that rayon's core is filch's, that what a crate does in parallel happens on filch's
//! workers and on no other thread, and that tasks stay quick meanwhile.
//!
//! A program is a closure given to [`run`]. The environment says who makes the global pool, and how many workers it
//! must have; see [`pool`].

#![warn(missing_docs)]

pub mod crew;
pub mod input;
pub mod pool;
pub mod pulse;
pub mod threads;

use std::time::Instant;

// Only filch's rayon-core has it: without the patch this does not compile.
const _: () = assert!(rayon_core::is_filch());

/// Runs a program: makes the global pool in the way asked for, lets the program work, and checks that the process has
/// no thread but the main one and the pool's. What the program returns says what has been checked; it is printed.
///
/// # Panics
/// If a check fails.
pub fn run(name: &str, program: impl FnOnce() -> String) {
    let began = Instant::now();
    let way = pool::make();
    let checked = program();
    pool::check_after();
    println!("{name}: {way}; {checked}; {:.2} s", began.elapsed().as_secs_f64());
}
