//! The service on everybody else.

use rayon::prelude::*;
use tokio::sync::Semaphore;

use super::{INSIDE, PIECES, Request, Server, Work};
use crate::experiments::contenders::{Call, Closures, Mix};
use crate::experiments::contenders::{RayonAlone, SmolBlocking, TokioAlone, TokioBlocking, TokioRayon};

/// Tasks that tokio alone makes of a computation.
const TASKS: u32 = 8;
const _: () = assert!(PIECES % TASKS == 0);

/// The loop, on a thread of rayon's pool.
fn parallel(work: Work) -> u64 {
    (0..PIECES).into_par_iter().map(|_| work.piece()).sum()
}

/// One after another.
fn serial(work: Work) -> u64 {
    work.pieces(PIECES)
}

/// A handler that awaits a closure.
fn by_call(mix: impl Call, request: Request, compute: fn(Work) -> u64) {
    mix.task(handle(mix, request, compute));
}

async fn handle(mix: impl Call, request: Request, compute: fn(Work) -> u64) {
    let work = request.parse();
    let result = mix.call(move || compute(work)).await;
    request.respond(result);
}

/// The same, with so many requests inside at most. False: the request is refused.
fn by_bounded_call(mix: impl Call, inside: &'static Semaphore, request: Request, compute: fn(Work) -> u64) -> bool {
    let Ok(permit) = inside.try_acquire() else { return false };
    mix.task(async move {
        handle(mix, request, compute).await;
        drop(permit);
    });
    true
}

fn bound() -> &'static Semaphore {
    Box::leak(Box::new(Semaphore::new(INSIDE)))
}

/// The computation as a closure of rayon, which splits it.
#[derive(Clone, Copy)]
pub struct TokioRayonServer(TokioRayon);

impl Server for TokioRayonServer {
    const NAME: &'static str = TokioRayon::NAME;

    fn start(workers: usize) -> Self {
        TokioRayonServer(TokioRayon::start(workers))
    }

    fn offer(self, request: Request) -> bool {
        by_call(self.0, request, parallel);
        true
    }
}

/// As [`TokioRayonServer`], with a bound.
#[derive(Clone, Copy)]
pub struct TokioRayonBounded(TokioRayon, &'static Semaphore);

impl Server for TokioRayonBounded {
    const NAME: &'static str = "tokio + rayon bounded";

    fn start(workers: usize) -> Self {
        TokioRayonBounded(TokioRayon::start(workers), bound())
    }

    fn offer(self, request: Request) -> bool {
        by_bounded_call(self.0, self.1, request, parallel)
    }
}

/// The computation on a blocking thread of tokio.
#[derive(Clone, Copy)]
pub struct TokioBlockingServer(TokioBlocking);

impl Server for TokioBlockingServer {
    const NAME: &'static str = TokioBlocking::NAME;

    fn start(workers: usize) -> Self {
        TokioBlockingServer(TokioBlocking::start(workers))
    }

    fn offer(self, request: Request) -> bool {
        by_call(self.0, request, serial);
        true
    }
}

/// As [`TokioBlockingServer`], with a bound.
#[derive(Clone, Copy)]
pub struct TokioBlockingBounded(TokioBlocking, &'static Semaphore);

impl Server for TokioBlockingBounded {
    const NAME: &'static str = "tokio + spawn_blocking bounded";

    fn start(workers: usize) -> Self {
        TokioBlockingBounded(TokioBlocking::start(workers), bound())
    }

    fn offer(self, request: Request) -> bool {
        by_bounded_call(self.0, self.1, request, serial)
    }
}

/// The computation on a thread of the crate blocking.
#[derive(Clone, Copy)]
pub struct SmolServer(SmolBlocking);

impl Server for SmolServer {
    const NAME: &'static str = SmolBlocking::NAME;

    fn start(workers: usize) -> Self {
        SmolServer(SmolBlocking::start(workers))
    }

    fn offer(self, request: Request) -> bool {
        by_call(self.0, request, serial);
        true
    }
}

/// The computation as tasks.
#[derive(Clone, Copy)]
pub struct TokioServer(TokioAlone);

impl Server for TokioServer {
    const NAME: &'static str = TokioAlone::NAME;

    fn start(workers: usize) -> Self {
        TokioServer(TokioAlone::start(workers))
    }

    fn offer(self, request: Request) -> bool {
        self.0.task(async move {
            let work = request.parse();
            let part = |_| tokio::spawn(async move { work.pieces(PIECES / TASKS) });
            let parts: Vec<_> = (0..TASKS).map(part).collect();
            let mut result = 0;
            for part in parts {
                result += part.await.expect("a task failed");
            }
            request.respond(result);
        });
        true
    }
}

/// The whole request as a closure.
#[derive(Clone, Copy)]
pub struct RayonServer(RayonAlone);

impl Server for RayonServer {
    const NAME: &'static str = RayonAlone::NAME;

    fn start(workers: usize) -> Self {
        RayonServer(RayonAlone::start(workers))
    }

    fn offer(self, request: Request) -> bool {
        self.0.closure(move || {
            let work = request.parse();
            request.respond(parallel(work));
        });
        true
    }
}
