//! Closures that keep all workers busy, for as long as they shall: chains of them, each of which queues the next; or a
//! single one with a parallel loop. Their
//! progress is counted in blocks of ten microseconds of computation, so that it is seen also within a long closure,
//! which for the pool has no boundary inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::conditions::Conditions;
use super::contenders::{Closures, Loop, Step};
use crate::support::cpu::compute;

/// A block, in microseconds.
pub const BLOCK_US: f64 = 10.0;
/// Longer than any closure.
const DEADLINE: Duration = Duration::from_secs(60);

/// Running closures.
pub struct Load {
    shared: Arc<Shared>,
    /// Blocks in a closure.
    each: u64,
}

struct Shared {
    stop: AtomicBool,
    ended: AtomicUsize,
    chains: Vec<CachePadded<Progress>>,
}

/// What a chain has done.
#[derive(Default)]
struct Progress {
    closures: AtomicU64,
    blocks: AtomicU64,
}

/// The body of a closure: `begin` makes what a chain needs, and the function that it returns does one block.
pub trait Body: Copy + Send + 'static {
    /// Blocks in a closure.
    fn blocks(&self) -> u64;

    /// Something that does one block.
    fn begin(&self) -> impl FnMut() + Send + 'static;
}

/// So many blocks of plain computation.
#[derive(Clone, Copy)]
pub struct Compute {
    pub blocks: u64,
    steps: u32,
    result: u64,
}

impl Compute {
    pub fn new(conditions: &Conditions, blocks: u64) -> Self {
        let steps = conditions.steps(BLOCK_US);
        Compute { blocks, steps, result: compute(steps) }
    }
}

impl Body for Compute {
    fn blocks(&self) -> u64 {
        self.blocks
    }

    fn begin(&self) -> impl FnMut() + Send + 'static {
        let body = *self;
        move || body.block()
    }
}

impl Compute {
    fn block(&self) {
        assert_eq!(compute(self.steps), self.result);
    }
}

impl Load {
    /// Begins so many chains.
    pub fn start(closures: impl Closures, chains: usize, body: impl Body) -> Self {
        let load = Load::new(chains, body.blocks());
        closures.saturate((0..chains).map(|chain| step(&load.shared, chain, body)).collect());
        load
    }

    /// Begins one parallel loop of blocks, which ends only when all shall stop.
    pub fn start_loop(loops: impl Loop, body: Compute) -> Self {
        let load = Load::new(1, u64::from(u32::MAX));
        let shared = Arc::clone(&load.shared);
        loops.closure(move || {
            loops.repeat(|| {
                body.block();
                shared.chains[0].blocks.fetch_add(1, Ordering::Relaxed);
                !shared.stop.load(Ordering::Relaxed)
            });
            shared.ended.fetch_add(1, Ordering::Release);
        });
        load
    }

    fn new(chains: usize, each: u64) -> Self {
        let progress = (0..chains).map(|_| CachePadded::default()).collect();
        let shared = Arc::new(Shared { stop: AtomicBool::new(false), ended: AtomicUsize::new(0), chains: progress });
        Load { shared, each }
    }

    /// Blocks done so far by all chains.
    pub fn blocks(&self) -> u64 {
        self.shared.chains.iter().map(|chain| chain.blocks.load(Ordering::Relaxed)).sum()
    }

    /// Closures done so far by all chains.
    pub fn closures(&self) -> u64 {
        self.shared.chains.iter().map(|chain| chain.closures.load(Ordering::Relaxed)).sum()
    }

    /// Ends all chains, waits for that, and sees that no closure was lost or done by halves.
    pub fn stop(self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let begin = Instant::now();
        // Acquire pairs with the Release at the end of a chain, for what it has counted.
        while self.shared.ended.load(Ordering::Acquire) < self.shared.chains.len() {
            assert!(begin.elapsed() < DEADLINE, "a chain of closures has been lost");
            thread::sleep(Duration::from_micros(200));
        }
        let (closures, blocks) = (self.closures(), self.blocks());
        let (least, most) = (closures * self.each, (closures + self.shared.chains.len() as u64) * self.each);
        assert!((least..=most).contains(&blocks), "{closures} closures have done {blocks} blocks");
    }
}

/// One chain: a closure of so many blocks, again and again. When all shall stop it breaks off.
fn step(shared: &Arc<Shared>, chain: usize, body: impl Body) -> Step {
    let (shared, mut block) = (Arc::clone(shared), body.begin());
    Box::new(move || {
        let progress = &shared.chains[chain];
        for _ in 0..body.blocks() {
            if shared.stop.load(Ordering::Relaxed) {
                shared.ended.fetch_add(1, Ordering::Release);
                return false;
            }
            block();
            progress.blocks.fetch_add(1, Ordering::Relaxed);
        }
        progress.closures.fetch_add(1, Ordering::Relaxed);
        true
    })
}
