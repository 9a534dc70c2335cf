//! Every source with every adapter and every terminal, compared with plain iterators. What does not fit by its types
//! is left out. The types are forgotten on the way (see `support/erased.rs`), so the product is made while it runs.

#[path = "support/erased.rs"]
mod erased;
#[path = "support/par.rs"]
mod par;
mod support;

#[path = "par_matrix/adapters.rs"]
mod adapters;
#[path = "par_matrix/sources.rs"]
mod sources;
#[path = "par_matrix/terminals.rs"]
mod terminals;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use adapters::{ADAPTERS, Adapter, adapted};
use filch::prelude::*;
use sources::{Data, SOURCES, Source};
use support::{Rng, lock, long, note, pool, spin, with_deadline};
use terminals::{TERMINALS, Terminal, ended};

/// What has failed. The test goes on for a while, since what fails tells more if it is not alone.
static FAILED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Runs one combination; false if there is no such thing.
fn run(source: &Source, along: &[&Adapter], terminal: &Terminal, len: usize, seed: u64) -> bool {
    let names: Vec<_> = along.iter().map(|adapter| adapter.0).collect();
    note(format!("{:?}, {names:?}, {:?}, {len} items, seed {seed:#x}", source.0, terminal.0));
    let body = || {
        let mut rng = Rng(seed);
        let mut data = Data::new(len, &mut rng);
        let mut case = (source.1)(&mut data);
        for adapter in along {
            match adapted(case, &adapter.1, &mut rng) {
                Some(next) => case = next,
                None => return false,
            }
        }
        ended(case, &terminal.1, &mut rng)
    };
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let failure = format!("{:?}, {names:?}, {:?}, {len} items, seed {seed:#x}", source.0, terminal.0);
        eprintln!("failed: {failure}");
        let mut failed = lock(&FAILED);
        failed.push(failure);
        if failed.len() > 20 {
            panic::resume_unwind(payload);
        }
        true
    })
}

fn length(rng: &mut Rng) -> usize {
    match rng.below(16) {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 3,
        4..8 => 7,
        8..14 => 64,
        14 if rng.one_in(2) => 1000,
        14 => 200,
        _ => rng.below(1500) as usize,
    }
}

/// With `FILCH_LONG` other ones each time; a failure prints the one it has to do with.
fn seeds() -> Rng {
    if !long() {
        return Rng(0x5eed_0f10);
    }
    Rng(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64)
}

/// In pools of 1, 2 and 4 workers: `body` is given the number of the pool, from 0, and runs in it. In every second case
/// the pool has other work to do, from another thread.
fn in_pools(body: impl Fn(u64) + Sync + Send + 'static) {
    with_deadline(if long() { 6000 } else { 120 }, move || {
        for (number, (workers, busy)) in
            [(1, false), (2, true), (4, false), (1, true), (2, false), (4, true)].into_iter().enumerate()
        {
            note(format!("{workers} workers, busy: {busy}"));
            let pool = pool(workers);
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                if busy {
                    scope.spawn(|| {
                        while !over.load(Ordering::Relaxed) {
                            pool.install(|| (0..50).into_par_iter().for_each(|_| spin(Duration::from_micros(2))));
                            thread::sleep(Duration::from_micros(500));
                        }
                    });
                }
                let result = panic::catch_unwind(AssertUnwindSafe(|| pool.install(|| body(number as u64))));
                over.store(true, Ordering::Relaxed);
                result.unwrap_or_else(|payload| panic::resume_unwind(payload));
            });
        }
        assert!(lock(&FAILED).is_empty(), "failed: {:#?}", lock(&FAILED));
    });
}

const POOLS: u64 = 6;

/// The whole product, half of it if time is short; which half, which pool and which length are up to the dice.
#[test]
fn sources_by_adapters_by_terminals() {
    let seed = seeds().next();
    in_pools(move |number| {
        let (mut rng, mut done) = (Rng(seed), 0);
        for source in SOURCES.iter() {
            for adapter in ADAPTERS {
                for terminal in TERMINALS {
                    let mut rng = Rng(rng.next());
                    if long() || rng.below(2 * POOLS) == number {
                        done += usize::from(run(source, &[adapter], terminal, length(&mut rng), rng.next()));
                    }
                }
            }
        }
        assert!(done > 5000, "{done} combinations");
    });
}

/// With all lengths, in all pools.
#[test]
fn sources_by_terminals() {
    let seed = seeds().next();
    in_pools(move |number| {
        let mut rng = Rng(seed + number);
        for source in SOURCES.iter() {
            for terminal in TERMINALS {
                for len in [0, 1, 2, 3, 7, 64, 1000] {
                    // In every second pool or so; the longest in one.
                    let seed = rng.next();
                    if long() || rng.one_in(if len < 1000 { 2 } else { POOLS }) {
                        run(source, &[], terminal, len, seed);
                    }
                }
            }
        }
    });
}

#[test]
fn adapters_by_adapters() {
    let seed = seeds().next();
    in_pools(move |number| {
        let (mut rng, mut done) = (Rng(seed + number), 0);
        for first in ADAPTERS {
            for second in ADAPTERS {
                for _ in 0..if long() { 20 } else { 1 } {
                    let source = &SOURCES[rng.below(SOURCES.len() as u64) as usize];
                    let terminal = &TERMINALS[rng.below(TERMINALS.len() as u64) as usize];
                    done += usize::from(run(source, &[first, second], terminal, length(&mut rng), rng.next()));
                }
            }
        }
        assert!(done > 1000, "{done} combinations");
    });
}

/// Long chains.
#[test]
fn towers_of_adapters() {
    let seed = seeds().next();
    in_pools(move |number| {
        let mut rng = Rng(seed + number);
        let mut done = 0;
        while done < if long() { 20_000 } else { 400 } {
            let source = &SOURCES[rng.below(SOURCES.len() as u64) as usize];
            let terminal = &TERMINALS[rng.below(TERMINALS.len() as u64) as usize];
            let along: Vec<&Adapter> =
                (0..3 + rng.below(4)).map(|_| &ADAPTERS[rng.below(ADAPTERS.len() as u64) as usize]).collect();
            // Each may make twice as many items.
            done += usize::from(run(source, &along, terminal, length(&mut rng).min(300), rng.next()));
        }
    });
}

/// One combination again: `FILCH_CASE='source|adapter,adapter|terminal|len|seed'`.
#[test]
fn one_again() {
    let Ok(case) = std::env::var("FILCH_CASE") else { return };
    let parts: Vec<&str> = case.split('|').collect();
    let source = SOURCES.iter().find(|source| source.0 == parts[0]).expect("a source");
    let along: Vec<&Adapter> = parts[1]
        .split(';')
        .filter(|name| !name.is_empty())
        .map(|name| ADAPTERS.iter().find(|adapter| adapter.0 == name).expect("an adapter"))
        .collect();
    let terminal = TERMINALS.iter().find(|terminal| terminal.0 == parts[2]).expect("a terminal");
    let (len, seed) = (parts[3].parse().unwrap(), u64::from_str_radix(parts[4].trim_start_matches("0x"), 16).unwrap());
    let case = (source.0, terminal.0);
    in_pools(move |_| {
        let source = SOURCES.iter().find(|source| source.0 == case.0).unwrap();
        let terminal = TERMINALS.iter().find(|terminal| terminal.0 == case.1).unwrap();
        for _ in 0..200 {
            assert!(run(source, &along, terminal, len, seed));
        }
    });
}
