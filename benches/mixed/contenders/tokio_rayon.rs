//! tokio for tasks and rayon for closures, with as many threads each, and a oneshot channel between them.

use std::future::Future;

use rayon::prelude::*;

use super::tokio_alone::TokioAlone;
use super::{Call, Closures, Loop, Mix, RayonAlone, Sort};

/// A runtime and a pool.
#[derive(Clone, Copy)]
pub struct TokioRayon {
    tasks: TokioAlone,
    closures: RayonAlone,
}

impl TokioRayon {
    /// With so many threads for tasks, and so many for closures.
    pub fn split(tasks: usize, closures: usize) -> Self {
        TokioRayon { tasks: TokioAlone::start(tasks), closures: RayonAlone::start(closures) }
    }

    pub fn runtime(self) -> &'static tokio::runtime::Runtime {
        self.tasks.runtime()
    }

    pub fn pool(self) -> &'static rayon::ThreadPool {
        self.closures.pool()
    }
}

impl Closures for TokioRayon {
    const NAME: &'static str = "tokio + rayon";

    fn start(workers: usize) -> Self {
        TokioRayon::split(workers, workers)
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        self.closures.closure(body);
    }
}

impl Mix for TokioRayon {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.task(task);
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        self.tasks.yield_now()
    }
}

impl Call for TokioRayon {
    fn call<T: Send + 'static>(
        self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.closures.closure(move || assert!(answer.send(body()).is_ok(), "somebody waits"));
        async move { answered.await.expect("rayon runs every closure") }
    }
}

impl Loop for TokioRayon {
    fn repeat(self, body: impl Fn() -> bool + Send + Sync) {
        let ended = (0..u32::MAX).into_par_iter().any(|_| !body());
        assert!(ended, "the loop lasts longer than any turn");
    }
}

impl Sort for TokioRayon {
    fn sort(numbers: &mut [u64]) {
        numbers.par_sort_unstable();
    }
}
