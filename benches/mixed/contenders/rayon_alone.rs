//! rayon without a runtime beside it: what would be a task is a closure for each event.
//!
//! A worker looks at what comes from outside only when it has nothing of its own, so closures that queue their next
//! would keep events waiting for ever. Therefore all closures come from outside here.

use super::{Closures, Step, feeder};

/// A pool of rayon.
#[derive(Clone, Copy)]
pub struct RayonAlone(&'static rayon::ThreadPool);

impl RayonAlone {
    pub fn pool(self) -> &'static rayon::ThreadPool {
        self.0
    }
}

impl Closures for RayonAlone {
    const NAME: &'static str = "rayon";

    fn start(workers: usize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build();
        RayonAlone(Box::leak(Box::new(pool.expect("a rayon pool"))))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        self.0.spawn(body);
    }

    fn saturate(self, chains: Vec<Step>) {
        feeder::feed(self, chains);
    }
}
