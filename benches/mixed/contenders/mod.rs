//! The ways to have tasks and closures in one program, behind a few traits: filch's one pool, two pools side by side,
//! and one pool that was made for one of both.
//!
//! Every trial has a process of its own, so pools are leaked: handles can be copied, and nothing has to end in order.

mod feeder;
mod filch_pool;
mod forte_calls;
mod rayon_alone;
mod smol_blocking;
mod tokio_alone;
mod tokio_blocking;
mod tokio_rayon;

use std::future::Future;

pub use filch_pool::{Filch, FilchCpu, FilchOutside};
pub use forte_calls::ForteCalls;
pub use rayon_alone::RayonAlone;
pub use smol_blocking::{LIMIT as SMOL_LIMIT, SmolBlocking};
pub use tokio_alone::TokioAlone;
pub use tokio_blocking::TokioBlocking;
pub use tokio_rayon::TokioRayon;

/// The work of one closure; false when there shall be no further one.
pub type Step = Box<dyn FnMut() -> bool + Send>;

/// Runs closures.
pub trait Closures: Copy + Send + Sync + 'static {
    const NAME: &'static str;

    /// A pool of so many workers, or two pools of so many each; as many as the library chooses by itself if it is 0.
    fn start(workers: usize) -> Self;

    /// Queues a closure, from any thread, one of the pool's own too.
    fn closure(self, body: impl FnOnce() + Send + 'static);

    /// Runs each of these over and over, every time as a closure of its own, until it says that it is enough.
    fn saturate(self, chains: Vec<Step>) {
        chains.into_iter().for_each(|chain| go_on(self, chain));
    }
}

/// One closure of a chain, which queues the next when it ends.
fn go_on<C: Closures>(closures: C, mut chain: Step) {
    closures.closure(move || {
        if chain() {
            go_on(closures, chain);
        }
    });
}

/// Runs tasks beside closures.
pub trait Mix: Closures {
    /// Spawns a task from any thread; nobody waits for it.
    fn task(self, task: impl Future<Output = ()> + Send + 'static);

    /// Lets other tasks go first.
    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static;
}

/// Has tasks await closures.
pub trait Call: Mix {
    /// Begins a closure, from a task; the returned future waits for its result.
    fn call<T: Send + 'static>(
        self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;
}

/// Runs a parallel loop, inside a closure.
pub trait Loop: Mix {
    /// Calls `body` again and again, on all workers, until it returns false.
    fn repeat(self, body: impl Fn() -> bool + Send + Sync);
}

/// Sorts in parallel, inside a closure.
pub trait Sort: Mix {
    fn sort(numbers: &mut [u64]);
}
