//! What bounds the memory and the open files.
//!
//! | at most | of | so that |
//! | --- | --- | --- |
//! | [`Limits::buffers`] | buffers of [`BLOCK`] bytes | contents of files take no more memory, however big they are; a buffer has at most one file open besides the big ones |
//! | [`BIG_FILES`] | files longer than a block, each open until it is done | descriptors stay few, and a few big files cannot starve each other |
//! | [`DIRECTORIES`] | directories being listed or with files still to do | no more than these have the names of their files in memory, and no more are open |
//!
//! A task holds its place among the directories only while it does its own files, never while it
//! waits for its subdirectories; a big file has its place before it asks for buffers, and a buffer
//! waits for nothing but its turn to be read and hashed. So nobody who waits holds what another
//! one waits for.
//!
//! Not bounded is what grows with the number of directories rather than with their contents: one
//! task for each directory found and not yet done, and a line of the report for each.

/// The size of a buffer: a big file is read in blocks of this many bytes, and files up to it are
/// read as a whole, several into one buffer if they fit. A power of two, as blake3's tree wants.
pub const BLOCK: usize = 1 << 20;

/// How many files one buffer takes, so that a thousand tiny ones are spread over the workers.
pub const BATCH: usize = 64;

/// How many files longer than a block are worked on at the same time.
pub const BIG_FILES: usize = 16;

/// How many blocks of one file are worked on, or done before an earlier one, at the same time.
pub const BLOCKS: usize = 64;

/// How many directories are worked on at the same time.
pub const DIRECTORIES: usize = 16;

/// How many workers may be asked for. Far more than there are cores is of no use, and a system
/// that runs out of threads or of memory for their stacks may well end the program.
pub const WORKERS: usize = 1024;

/// The limits that depend on the number of workers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many buffers there are at most.
    pub buffers: usize,
}

impl Limits {
    /// Enough buffers for each worker to hash one while others are being read.
    pub fn new(workers: usize) -> Self {
        Limits { buffers: workers.saturating_mul(4).clamp(16, 256) }
    }
}
