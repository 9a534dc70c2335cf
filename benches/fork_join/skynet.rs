//! Skynet: a ten-ary tree whose leaves are numbered and summed. As fork-join, and, as it was first written, with a task
//! per node.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, FilchWorker, Rayon};
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{FilchTasks, Smol, Spawn, TaskLibrary, Tokio};

const ARMS: u64 = 10;

pub fn row(scale: Scale) -> Row {
    let leaves = scale.pick(1_000_000, 100_000, 100);
    let mut row =
        KernelRow::new("skynet", format!("skynet, ten-ary, {leaves} leaves"), Unit::MILLISECONDS, Skynet { leaves })
            .note(
                "Fork-join splits the ten children of a node by nine joins; the task libraries spawn a task per node.",
            )
            .serial()
            .library::<Filch>(ONE_AND_TWO)
            .library::<FilchWorker>(ONE_AND_TWO)
            .library::<Rayon>(ONE_AND_TWO)
            .library::<Chili>(ONE_AND_TWO)
            .library::<Forte>(ONE_AND_TWO);
    for &workers in ONE_AND_TWO {
        row = row
            .contender(contender::<FilchTasks>(workers, leaves))
            .contender(contender::<Tokio>(workers, leaves))
            .contender(contender::<Smol>(workers, leaves));
    }
    row.build()
}

struct Skynet {
    leaves: u64,
}

/// The sum of the numbers of all leaves.
fn expected(leaves: u64) -> u64 {
    leaves * (leaves - 1) / 2
}

impl Kernel for Skynet {
    type State = ();
    type Output = u64;

    fn state(&self) {}

    fn serial(&self, (): &mut ()) -> u64 {
        serial(black_box(0), black_box(self.leaves))
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, (): &mut ()) -> u64 {
        node::<F>(handle, black_box(0), black_box(self.leaves))
    }

    fn check(&self, (): &(), output: u64) {
        assert_eq!(output, expected(self.leaves));
    }
}

fn serial(first: u64, leaves: u64) -> u64 {
    if leaves == 1 {
        return first;
    }
    let each = leaves / ARMS;
    (0..ARMS).map(|arm| serial(first + arm * each, each)).sum()
}

/// A node whose leaves are numbered from `first`.
fn node<F: Fork>(handle: F::Handle<'_, '_>, first: u64, leaves: u64) -> u64 {
    if leaves == 1 {
        return first;
    }
    arms::<F>(handle, first, leaves / ARMS, ARMS)
}

/// So many neighbouring children of one node.
fn arms<F: Fork>(handle: F::Handle<'_, '_>, first: u64, each: u64, count: u64) -> u64 {
    if count == 1 {
        return node::<F>(handle, first, each);
    }
    let half = count / 2;
    let (a, b) = F::join(
        handle,
        move |h| arms::<F>(h, first, each, half),
        move |h| arms::<F>(h, first + half * each, each, count - half),
    );
    a + b
}

/// A node as a task: boxed, because it spawns its own kind.
fn task<S: Spawn>(spawner: S, first: u64, leaves: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if leaves == 1 {
            return first;
        }
        let each = leaves / ARMS;
        let child = |arm| spawner.spawn(task(spawner, first + arm * each, each));
        let children: Vec<_> = (0..ARMS).map(child).collect();
        let mut sum = 0;
        for child in children {
            sum += child.await;
        }
        sum
    })
}

fn contender<L: TaskLibrary>(workers: usize, leaves: u64) -> Contender {
    Contender::new(L::NAME, workers, move || Box::new(TaskBout { library: L::start(workers), leaves }))
}

struct TaskBout<L: TaskLibrary> {
    library: L,
    leaves: u64,
}

impl<L: TaskLibrary> Bout for TaskBout<L> {
    fn run(&mut self) -> Duration {
        let start = Instant::now();
        let sum = self.library.run(task(self.library.spawner(), 0, self.leaves));
        let took = start.elapsed();
        assert_eq!(sum, expected(self.leaves));
        took
    }
}
