//! One contender's parked tasks, in a process of their own.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::{fs, mem, process};

use super::{WORKERS, counting};
use crate::support::tasks::{Spawn, TaskLibrary};
use crate::workloads::countdown::Countdown;

const BATCH: usize = 1_000;
const PAGE: u64 = 4096;

/// Where the tasks leave their wakers.
struct Wakers {
    slots: Vec<OnceLock<Waker>>,
    parked: Countdown,
}

impl Wakers {
    /// So many slots, to the end of the process, in memory that has been touched.
    fn leaked(tasks: usize) -> &'static Self {
        let mut slots: Vec<OnceLock<Waker>> = (0..tasks).map(|_| OnceLock::new()).collect();
        for slot in &mut slots {
            slot.set(Waker::noop().clone()).expect("nobody has set it");
            slot.take();
        }
        Box::leak(Box::new(Wakers { slots, parked: Countdown::default() }))
    }
}

/// A future that is never ready: a reference, an index, and what a task may carry along, 80 bytes together.
struct Parked {
    wakers: &'static Wakers,
    index: usize,
    _load: [u64; 8],
}

const _: () = assert!(mem::size_of::<Parked>() == 80);

impl Future for Parked {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let first = self.wakers.slots[self.index].set(context.waker().clone()).is_ok();
        if first {
            self.wakers.parked.one_done();
        }
        Poll::Pending
    }
}

/// Prints the bytes requested, and those by which the resident set has grown, and ends the process.
pub fn measure<L: TaskLibrary>(tasks: usize) {
    let library = L::start(WORKERS);
    library.wake();
    let spawner = library.spawner();
    // As many as a batch, to make what a pool makes only when it is needed.
    library.run(park_all(spawner, Wakers::leaked(BATCH)));
    let wakers = Wakers::leaked(tasks);
    counting::begin();
    let (requested, resident) = library.run(async move {
        let (requested, resident) = (counting::bytes(), resident());
        park_all(spawner, wakers).await;
        (counting::bytes() - requested, self::resident() - resident)
    });
    assert!(wakers.slots.iter().all(|slot| slot.get().is_some()), "not all tasks are parked");
    println!("{requested} {resident}");
    // The tasks still wait: no pool could be dropped in an orderly way.
    process::exit(0);
}

/// Spawns a task for each slot and waits until all are parked, batch by batch.
async fn park_all<S: Spawn>(spawner: S, wakers: &'static Wakers) {
    let tasks = wakers.slots.len();
    for begin in (0..tasks).step_by(BATCH) {
        let batch = begin..tasks.min(begin + BATCH);
        wakers.parked.set(batch.len());
        for index in batch {
            spawner.detach(Parked { wakers, index, _load: [0; 8] });
        }
        wakers.parked.all_done().await;
    }
}

/// The bytes of the process that are in memory; 0 where Linux does not tell.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    pages.unwrap_or(0) * PAGE
}
