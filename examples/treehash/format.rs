//! What the digest of a tree is.
//!
//! * The digest of a **file** is the standard blake3 hash of its bytes.
//! * The digest of a **symbolic link** is the blake3 hash of its text. Links are never followed.
//! * The digest of a **directory** is the blake3 hash of its entries written one after another,
//!   sorted by the raw bytes of their names, each as
//!
//!   | bytes | what |
//!   | --- | --- |
//!   | 1 | the kind: `f` file, `d` directory, `l` symbolic link, `s` special file, `!` unreadable |
//!   | 8 | the length of the name in bytes, little-endian |
//!   | that many | the name, without its directory |
//!   | 32 | the digest of the entry |
//!
//! Special files (pipes, sockets, devices) are never opened, and entries of any kind that could
//! not be read in full have no contents to speak of: both get 32 zero bytes for a digest. An empty
//! directory is the hash of no bytes, and so is an empty file; the kind tells them apart.
//!
//! Permissions, owners and times play no part, nor does the name of the top directory.
//!
//! The raw bytes of a name are those of [`OsStr::as_encoded_bytes`]: on Unix simply the bytes.

use std::ffi::{OsStr, OsString};

/// A blake3 hash.
pub type Digest = [u8; 32];

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    Special,
    Unreadable,
}

impl Kind {
    /// The byte that stands for the kind in the digest of a directory.
    pub fn byte(self) -> u8 {
        match self {
            Kind::File => b'f',
            Kind::Directory => b'd',
            Kind::Symlink => b'l',
            Kind::Special => b's',
            Kind::Unreadable => b'!',
        }
    }
}

/// One entry of a directory, ready to be written into its digest.
#[derive(Debug)]
pub struct Member {
    name: OsString,
    kind: Kind,
    digest: Digest,
}

impl Member {
    /// An entry with contents.
    pub fn new(name: OsString, kind: Kind, digest: Digest) -> Self {
        Member { name, kind, digest }
    }

    /// An entry that has a marker in place of contents.
    pub fn marker(name: OsString, kind: Kind) -> Self {
        Member::new(name, kind, [0; 32])
    }
}

/// The digest of the directory with these entries, in any order.
pub fn directory(mut members: Vec<Member>) -> Digest {
    fn key(member: &Member) -> &[u8] {
        OsStr::as_encoded_bytes(&member.name)
    }
    members.sort_unstable_by(|a, b| key(a).cmp(key(b)));
    let mut bytes = Vec::with_capacity(members.iter().map(|m| 41 + key(m).len()).sum());
    for member in &members {
        let name = key(member);
        bytes.push(member.kind.byte());
        bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&member.digest);
    }
    *blake3::hash(&bytes).as_bytes()
}
