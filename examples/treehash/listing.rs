//! What is in a directory.

use super::format::{Kind, Member};
use super::reason::Reason;
use std::ffi::OsString;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::Path;

/// The entries of one directory.
#[derive(Default)]
pub struct Listing {
    /// Regular files, still to be read.
    pub files: Vec<FileEntry>,
    /// Directories, still to be listed.
    pub directories: Vec<OsString>,
    /// Symbolic links: their text is short, so they are done.
    pub links: Vec<Member>,
    /// Names of special files and what they are. They are not opened.
    pub specials: Vec<(OsString, &'static str)>,
    /// Entries that could not even be looked at.
    pub unreadable: Vec<(OsString, Reason)>,
}

/// A regular file.
pub struct FileEntry {
    pub name: OsString,
    /// How many bytes it has.
    pub len: u64,
    /// Which file it is, to notice when another one takes its place.
    pub identity: Identity,
}

/// Lists `path`, which must be a directory and no link to one. Blocks.
pub fn list(path: &Path) -> Result<Listing, Reason> {
    // Between the listing of the parent and now, a link may have taken the place of the directory.
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(Reason::Replaced);
    }
    list_followed(path)
}

/// Lists `path`, even if that is a link to a directory. Blocks.
pub fn list_followed(path: &Path) -> Result<Listing, Reason> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Err(reason) = listing.add(name.clone(), &entry) {
            listing.unreadable.push((name, reason.into()));
        }
    }
    Ok(listing)
}

impl Listing {
    fn add(&mut self, name: OsString, entry: &fs::DirEntry) -> io::Result<()> {
        let metadata = entry.metadata()?;
        let kind = metadata.file_type();
        if kind.is_file() {
            self.files.push(FileEntry { name, len: metadata.len(), identity: identity(&metadata) });
        } else if kind.is_dir() {
            self.directories.push(name);
        } else if kind.is_symlink() {
            let text = fs::read_link(entry.path())?;
            let digest = blake3::hash(text.as_os_str().as_encoded_bytes());
            self.links.push(Member::new(name, Kind::Symlink, *digest.as_bytes()));
        } else {
            self.specials.push((name, special(kind)));
        }
        Ok(())
    }
}

/// Device and inode.
#[cfg(unix)]
pub type Identity = (u64, u64);

/// Which file the metadata belong to.
#[cfg(unix)]
pub fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// There is none to be had from the standard library.
#[cfg(not(unix))]
pub type Identity = ();

/// Which file the metadata belong to: not known here.
#[cfg(not(unix))]
pub fn identity(_: &Metadata) -> Identity {}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "named pipe"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_block_device() {
        "block device"
    } else if kind.is_char_device() {
        "character device"
    } else {
        "special file"
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "special file"
}
