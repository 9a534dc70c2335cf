//! Reading regular files, with an eye on what happens to them meanwhile. Everything here blocks.

use super::listing::{FileEntry, identity};
use super::reason::Reason;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Reads the whole of `entry`, found at `path`, into `buffer`, which has exactly its length.
pub fn read_whole(path: &Path, entry: &FileEntry, buffer: &mut [u8]) -> Result<(), Reason> {
    let file = open(path, entry)?;
    fill(buffer, entry.len, |rest, _| (&file).read(rest))?;
    at_end(entry.len, |rest| (&file).read(rest))
}

/// A big file, to be read in blocks from several threads.
pub struct Source {
    file: Shared,
    len: u64,
}

impl Source {
    /// Opens `entry`, found at `path`.
    pub fn open(path: &Path, entry: &FileEntry) -> Result<Self, Reason> {
        Ok(Source { file: Shared::new(open(path, entry)?), len: entry.len })
    }

    /// Fills `buffer` with the bytes from `offset` on. Whoever reads the last block also makes
    /// sure that the file has not become longer.
    pub fn read_block(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Reason> {
        let end = offset + buffer.len() as u64;
        fill(buffer, self.len, |rest, done| self.file.read_at(rest, offset + done))?;
        if end < self.len {
            return Ok(());
        }
        at_end(self.len, |rest| self.file.read_at(rest, end))
    }
}

/// Opens a file and makes sure that it is the one that was listed.
fn open(path: &Path, entry: &FileEntry) -> Result<File, Reason> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // If a link or a pipe has taken the place of the file, do not follow it or wait for it.
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || identity(&metadata) != entry.identity {
        return Err(Reason::Replaced);
    }
    Ok(file)
}

/// Fills `buffer` by reads that are told what is left to fill and how much is done.
fn fill(
    buffer: &mut [u8],
    listed: u64,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> Result<(), Reason> {
    let mut done = 0;
    while done < buffer.len() {
        match read(&mut buffer[done..], done as u64) {
            Ok(0) => return Err(Reason::Resized { listed }),
            Ok(more) => done += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Makes sure that there is nothing left to read.
fn at_end(listed: u64, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<(), Reason> {
    loop {
        match read(&mut [0]) {
            Ok(0) => return Ok(()),
            Ok(_) => return Err(Reason::Resized { listed }),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A file that several threads read from, each where it wants.
#[cfg(unix)]
struct Shared(File);

#[cfg(unix)]
impl Shared {
    fn new(file: File) -> Self {
        Shared(file)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buffer, offset)
    }
}

/// A file that several threads read from, one after the other.
#[cfg(not(unix))]
struct Shared(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl Shared {
    fn new(file: File) -> Self {
        Shared(std::sync::Mutex::new(file))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::io::{Seek, SeekFrom};
        use std::sync::PoisonError;
        // Each read seeks first, so it does not matter where another one left off.
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }
}
