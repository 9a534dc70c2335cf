//! Hashing the files of a directory: reads on the blocking threads, hashes as CPU closures, and
//! tasks that lead from the one to the other.

use super::buffers::{Buffers, Lease};
use super::format::Digest;
use super::limits::{BIG_FILES, BLOCK, BLOCKS, Limits};
use super::listing::FileEntry;
use super::plan::{Job, plan};
use super::progress::Progress;
use super::reason::Reason;
use super::source::{Source, read_whole};
use super::subtree::{Merger, chaining_value, hash_each};
use async_lock::{Semaphore, SemaphoreGuardArc};
use blake3::hazmat::ChainingValue;
use filch::JoinError;
use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// What became of one file.
pub type Outcome = Result<Digest, Reason>;

/// What all files share.
#[derive(Clone)]
pub struct Contents {
    pub buffers: Arc<Buffers>,
    pub progress: Progress,
    big_files: Arc<Semaphore>,
}

/// A big file that is open, and its place among those that may be.
struct Open {
    source: Source,
    _place: SemaphoreGuardArc,
}

impl Contents {
    /// Nothing open yet.
    pub fn new(limits: Limits, progress: Progress) -> Self {
        Contents { buffers: Buffers::new(limits.buffers), progress, big_files: Arc::new(Semaphore::new(BIG_FILES)) }
    }

    /// Hashes `files`, which are in `directory`. The outcomes are in the same order.
    pub async fn hash(&self, directory: Arc<Path>, files: Arc<[FileEntry]>) -> Vec<Outcome> {
        let mut running = Vec::new();
        for job in plan(&files) {
            let range = job.range();
            let this = self.clone();
            let (directory, files) = (directory.clone(), files.clone());
            // Waiting here and not in the tasks keeps their number down as well.
            let task = match job {
                Job::Batch(range) => {
                    let lease = self.buffers.lease().await;
                    filch::spawn(this.batch(directory, files, range, lease))
                }
                Job::Big(index) => {
                    let place = self.big_files.acquire_arc().await;
                    filch::spawn(this.big(directory, files, index, place))
                }
            };
            running.push((range, task));
        }
        let mut outcomes = Vec::with_capacity(files.len());
        for (range, task) in running {
            match task.await.and_then(|outcomes| outcomes) {
                Ok(done) => outcomes.extend(done),
                Err(error) => outcomes.extend(range.map(|_| Err(Reason::Task(error.to_string())))),
            }
        }
        outcomes
    }

    /// Reads files that fit into one buffer together, then hashes them.
    async fn batch(
        self,
        directory: Arc<Path>,
        files: Arc<[FileEntry]>,
        range: Range<usize>,
        mut lease: Lease,
    ) -> Result<Vec<Outcome>, JoinError> {
        let (lease, read) = filch::spawn_blocking(move || {
            let read = read_each(&directory, &files[range], &mut lease);
            (lease, read)
        })
        .await?;
        let (bytes, outcomes) = filch::spawn_cpu(move || {
            let spans: Vec<_> = read.iter().flatten().cloned().collect();
            let mut digests = hash_each(&lease, &spans).into_iter();
            let outcomes = read.into_iter().map(|span| span.map(|_| digests.next().unwrap_or_default())).collect();
            (spans.iter().map(|span| span.len() as u64).sum(), outcomes)
        })
        .await?;
        self.progress.hashed(bytes);
        Ok(outcomes)
    }

    /// Reads and hashes a file block by block, many blocks at the same time.
    async fn big(
        self,
        directory: Arc<Path>,
        files: Arc<[FileEntry]>,
        index: usize,
        place: SemaphoreGuardArc,
    ) -> Result<Vec<Outcome>, JoinError> {
        let len = files[index].len;
        let opened = filch::spawn_blocking(move || {
            Source::open(&directory.join(&files[index].name), &files[index])
                .map(|source| Open { source, _place: place })
        })
        .await?;
        let outcome = match opened {
            Ok(open) => self.blocks(Arc::new(open), len).await?,
            Err(reason) => Err(reason),
        };
        Ok(vec![outcome])
    }

    async fn blocks(&self, open: Arc<Open>, len: u64) -> Result<Outcome, JoinError> {
        let mut merger = Merger::default();
        // In the order of the file. Each has a buffer until it is hashed.
        let mut running = VecDeque::new();
        let mut offset = 0;
        while offset < len || !running.is_empty() {
            if offset < len && running.len() < BLOCKS {
                let size = (len - offset).min(BLOCK as u64) as usize;
                let lease = self.buffers.lease().await;
                let task = self.clone().block(open.clone(), offset, size, lease);
                running.push_back(filch::spawn(task));
                offset += size as u64;
            } else if let Some(task) = running.pop_front() {
                match task.await?? {
                    Ok(value) => merger.push(value),
                    // The blocks that are under way finish by themselves.
                    Err(reason) => return Ok(Err(reason)),
                }
            }
        }
        // A big file has at least two blocks.
        Ok(merger.finish().ok_or(Reason::Resized { listed: len }))
    }

    async fn block(
        self,
        open: Arc<Open>,
        offset: u64,
        size: usize,
        mut lease: Lease,
    ) -> Result<Result<ChainingValue, Reason>, JoinError> {
        let read =
            filch::spawn_blocking(move || open.source.read_block(offset, &mut lease[..size]).map(|()| lease)).await?;
        let value = match read {
            Ok(lease) => filch::spawn_cpu(move || chaining_value(&lease[..size], offset)).await?,
            Err(reason) => return Ok(Err(reason)),
        };
        self.progress.hashed(size as u64);
        Ok(Ok(value))
    }
}

/// Reads `files` into `buffer`, one behind the other, and tells where each one is. Blocks.
fn read_each(directory: &Path, files: &[FileEntry], buffer: &mut [u8]) -> Vec<Result<Range<usize>, Reason>> {
    let mut start = 0;
    files
        .iter()
        .map(|file| {
            let span = start..start + file.len as usize;
            read_whole(&directory.join(&file.name), file, &mut buffer[span.clone()])?;
            start = span.end;
            Ok(span)
        })
        .collect()
}
