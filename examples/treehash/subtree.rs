//! Standard blake3 hashes computed in parallel.
//!
//! Blake3 is itself a tree: the hash of a long input is made of the hashes of its left and its
//! right part, and where the parts meet depends on the length alone. So both can be computed at
//! the same time, here with [`filch::join`], and the result is the one that any other
//! implementation gets.

use super::format::Digest;
use blake3::hazmat::{ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root};
use std::ops::Range;

/// Inputs up to this many bytes are hashed by one thread. Big enough to keep the widest vector
/// units busy (16 KiB are), and that splitting costs nothing in comparison.
pub const LEAF: usize = 128 << 10;

/// The blake3 hash of `data`.
pub fn hash(data: &[u8]) -> Digest {
    if data.len() <= LEAF {
        return *blake3::hash(data).as_bytes();
    }
    let (left, right) = halves(data, 0);
    *merge_subtrees_root(&left, &right, Mode::Hash).as_bytes()
}

/// The chaining value of a part of a longer input: `data`, which starts at `offset` of it.
///
/// The part must be a subtree of the whole. It is when all parts have the same length, a power of
/// two of at least 1024, and only the last one is shorter, and not empty.
pub fn chaining_value(data: &[u8], offset: u64) -> ChainingValue {
    if data.len() <= LEAF {
        let mut hasher = blake3::Hasher::new();
        return hasher.set_input_offset(offset).update(data).finalize_non_root();
    }
    let (left, right) = halves(data, offset);
    merge_subtrees_non_root(&left, &right, Mode::Hash)
}

/// The chaining values of the two subtrees of `data`.
fn halves(data: &[u8], offset: u64) -> (ChainingValue, ChainingValue) {
    let middle = left_subtree_len(data.len() as u64);
    let (left, right) = data.split_at(middle as usize);
    filch::join(|| chaining_value(left, offset), || chaining_value(right, offset + middle))
}

/// The hashes of several inputs that lie in one buffer.
pub fn hash_each(buffer: &[u8], spans: &[Range<usize>]) -> Vec<Digest> {
    let mut digests = vec![[0; 32]; spans.len()];
    hash_into(buffer, spans, &mut digests);
    digests
}

fn hash_into(buffer: &[u8], spans: &[Range<usize>], digests: &mut [Digest]) {
    let bytes: usize = spans.iter().map(Range::len).sum();
    if spans.len() < 2 || bytes <= LEAF {
        for (span, digest) in spans.iter().zip(digests) {
            *digest = hash(&buffer[span.clone()]);
        }
        return;
    }
    let middle = spans.len() / 2;
    let (left, right) = spans.split_at(middle);
    let (left_digests, right_digests) = digests.split_at_mut(middle);
    filch::join(|| hash_into(buffer, left, left_digests), || hash_into(buffer, right, right_digests));
}

/// Merges the chaining values of the blocks of an input, which come in order, into its hash.
///
/// It keeps one value for each level of the tree, however many blocks there are. What the last
/// block is turns out only at the end, and the last merge of all differs from the others; so a
/// merge is put off until it is known that more follows.
#[derive(Default)]
pub struct Merger {
    stack: Vec<ChainingValue>,
    blocks: u64,
}

impl Merger {
    /// Takes the next block.
    pub fn push(&mut self, block: ChainingValue) {
        // Complete subtrees are to blocks what ones are to a binary number.
        let complete = self.blocks.count_ones() as usize;
        while self.stack.len() > complete {
            if let (Some(right), Some(left)) = (self.stack.pop(), self.stack.pop()) {
                self.stack.push(merge_subtrees_non_root(&left, &right, Mode::Hash));
            }
        }
        self.stack.push(block);
        self.blocks += 1;
    }

    /// The hash of the whole input, or `None` if there were not at least two blocks.
    pub fn finish(mut self) -> Option<Digest> {
        let mut right = self.stack.pop()?;
        loop {
            let left = self.stack.pop()?;
            if self.stack.is_empty() {
                return Some(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes());
            }
            right = merge_subtrees_non_root(&left, &right, Mode::Hash);
        }
    }
}
