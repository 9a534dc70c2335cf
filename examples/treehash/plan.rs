//! How the files of a directory are put together for reading.

use super::limits::{BATCH, BLOCK};
use super::listing::FileEntry;
use std::ops::Range;

/// A piece of work: some neighbours in the list of files.
#[derive(Debug, PartialEq, Eq)]
pub enum Job {
    /// Files that fit into one buffer together.
    Batch(Range<usize>),
    /// A file that does not fit into a buffer.
    Big(usize),
}

impl Job {
    /// Which files it does.
    pub fn range(&self) -> Range<usize> {
        match self {
            Job::Batch(range) => range.clone(),
            Job::Big(index) => *index..index + 1,
        }
    }
}

/// Covers all files with jobs, in their order.
pub fn plan(files: &[FileEntry]) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (index, file) in files.iter().enumerate() {
        let big = file.len > BLOCK as u64;
        if big || index - start == BATCH || bytes + file.len > BLOCK as u64 {
            if start < index {
                jobs.push(Job::Batch(start..index));
            }
            (start, bytes) = (index, 0);
        }
        if big {
            jobs.push(Job::Big(index));
            start = index + 1;
        } else {
            bytes += file.len;
        }
    }
    if start < files.len() {
        jobs.push(Job::Batch(start..files.len()));
    }
    jobs
}
