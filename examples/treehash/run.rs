//! One run over the tree on a pool of its own, with the time it took.

use super::format::Digest;
use super::limits::Limits;
use super::progress::Progress;
use super::text::count;
use super::walk::{Findings, walk};
use std::path::Path;
use std::time::{Duration, Instant};

/// What came of a run.
pub struct Run {
    pub digest: Digest,
    pub findings: Findings,
    /// How many workers the pool had.
    pub workers: usize,
    /// What held while it ran.
    pub limits: Limits,
    /// From the first listing to the last digest; starting the pool is not in it.
    pub time: Duration,
}

impl Run {
    /// Hashes the tree under `top` with so many workers, or as many as the pool chooses if 0.
    pub fn new(top: &Path, workers: usize, progress: Progress) -> Result<Self, String> {
        let pool = filch::Pool::builder()
            .workers(workers)
            .name("treehash")
            .build()
            .map_err(|error| format!("no pool: {error}"))?;
        let workers = pool.num_workers();
        let limits = Limits::new(workers);
        let start = Instant::now();
        // `block_on` runs on this thread; the walk is to run on a worker.
        let task = pool.spawn(walk(top.to_owned(), limits, progress.clone()));
        let walked = pool.block_on(task);
        let time = start.elapsed();
        progress.finish();
        let (digest, findings) = walked.map_err(|error| error.to_string())?.map_err(|reason| reason.to_string())?;
        Ok(Run { digest, findings, workers, limits, time })
    }

    /// Billions of bytes per second.
    pub fn speed(&self) -> f64 {
        let seconds = self.time.as_secs_f64();
        if seconds > 0.0 { self.findings.bytes as f64 / 1e9 / seconds } else { 0.0 }
    }

    /// The number of workers in words.
    pub fn workers_text(&self) -> String {
        count(self.workers as u64, "worker", "workers")
    }
}
