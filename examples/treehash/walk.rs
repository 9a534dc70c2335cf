//! The walk over the tree: one task for each directory.

use super::contents::Contents;
use super::format::{self, Digest, Kind, Member};
use super::limits::{DIRECTORIES, Limits};
use super::listing::{FileEntry, Listing, list, list_followed};
use super::progress::Progress;
use super::reason::Reason;
use async_lock::{Semaphore, SemaphoreGuardArc};
use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// What was found. Paths are relative to the top.
#[derive(Default)]
pub struct Findings {
    /// Every directory that could be read and its digest, sorted by path.
    pub directories: Vec<(PathBuf, Digest)>,
    /// What could not be read, sorted by path.
    pub unreadable: Vec<(PathBuf, Reason)>,
    /// Special files and what they are, sorted by path.
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// How many files were hashed.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
    /// How many symbolic links there are.
    pub links: u64,
    /// How many buffers it took.
    pub buffers: usize,
}

/// Hashes the tree under `top`, on the pool on whose worker this runs. It is an error only if
/// `top` itself cannot be listed.
pub async fn walk(top: PathBuf, limits: Limits, progress: Progress) -> Result<(Digest, Findings), Reason> {
    let walk = Arc::new(Walk {
        top,
        contents: Contents::new(limits, progress),
        places: Arc::new(Semaphore::new(DIRECTORIES)),
        findings: Mutex::default(),
    });
    let digest = filch::spawn(walk.clone().directory(PathBuf::new())).await??;
    let mut findings = walk.with(std::mem::take);
    findings.buffers = walk.contents.buffers.made();
    // By components, so that a directory is followed by what is in it.
    findings.directories.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    findings.unreadable.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    findings.skipped.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok((digest, findings))
}

struct Walk {
    top: PathBuf,
    contents: Contents,
    places: Arc<Semaphore>,
    findings: Mutex<Findings>,
}

/// The task of a directory. It starts tasks of its own type, so the type needs a name.
type Task = Pin<Box<dyn Future<Output = Result<Digest, Reason>> + Send>>;

impl Walk {
    /// Hashes the directory at `path`, relative to the top, and everything under it.
    fn directory(self: Arc<Self>, path: PathBuf) -> Task {
        Box::pin(async move {
            let place = self.places.acquire_arc().await;
            let full: Arc<Path> = self.top.join(&path).into();
            let listed = full.clone();
            let is_top = path.as_os_str().is_empty();
            let listing =
                filch::spawn_blocking(move || if is_top { list_followed(&listed) } else { list(&listed) }).await??;
            let Listing { files, directories, mut links, specials, unreadable } = listing;

            // Files and subdirectories at the same time; the place is given back with the files.
            let files = filch::spawn(self.clone().files(path.clone(), full, files, place));
            let subdirectories: Vec<_> = directories
                .into_iter()
                .map(|name| {
                    let task = filch::spawn(self.clone().directory(path.join(&name)));
                    (name, task)
                })
                .collect();

            self.with(|findings| findings.links += links.len() as u64);
            let mut members = Vec::new();
            members.append(&mut links);
            for (name, what) in specials {
                self.with(|findings| findings.skipped.push((path.join(&name), what)));
                members.push(Member::marker(name, Kind::Special));
            }
            for (name, reason) in unreadable {
                members.push(self.unreadable(&path, name, reason));
            }
            members.extend(files.await?);
            for (name, task) in subdirectories {
                members.push(match task.await.unwrap_or_else(|error| Err(error.into())) {
                    Ok(digest) => Member::new(name, Kind::Directory, digest),
                    Err(reason) => self.unreadable(&path, name, reason),
                });
            }

            // A directory may have very many entries.
            let digest = filch::spawn_cpu(move || format::directory(members)).await?;
            self.with(|findings| findings.directories.push((path, digest)));
            Ok(digest)
        })
    }

    /// Hashes the files of a directory.
    async fn files(
        self: Arc<Self>,
        path: PathBuf,
        full: Arc<Path>,
        files: Vec<FileEntry>,
        _place: SemaphoreGuardArc,
    ) -> Vec<Member> {
        let files: Arc<[FileEntry]> = files.into();
        self.contents.progress.found(files.iter().fold(0, |sum, file| sum.saturating_add(file.len)));
        let outcomes = self.contents.hash(full, files.clone()).await;
        let (mut count, mut bytes) = (0, 0);
        let members = files
            .iter()
            .zip(outcomes)
            .map(|(file, outcome)| match outcome {
                Ok(digest) => {
                    count += 1;
                    bytes += file.len;
                    Member::new(file.name.clone(), Kind::File, digest)
                }
                Err(reason) => self.unreadable(&path, file.name.clone(), reason),
            })
            .collect();
        self.with(|findings| {
            findings.files += count;
            findings.bytes += bytes;
        });
        members
    }

    /// Notes that an entry cannot be read.
    fn unreadable(&self, directory: &Path, name: OsString, reason: Reason) -> Member {
        self.with(|findings| findings.unreadable.push((directory.join(&name), reason)));
        Member::marker(name, Kind::Unreadable)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Findings) -> T) -> T {
        // Nothing that runs under the lock leaves it half done.
        change(&mut self.findings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
