//! Unbalanced tree search (after Olivier and others, LCPC 2006): count the nodes of a tree whose shape a hash decides.
//! The number of a node's children is geometric with mean 3, up to a depth, so that subtrees of one level differ by
//! orders of magnitude and nobody can tell in advance.

use std::hint::black_box;

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, FilchWorker, Rayon};
use crate::support::rng::{STEP, mix};
use crate::support::row::{Row, Unit};

/// The usual counts, and many more workers than cores.
const CROWDED: &[usize] = &[1, 2, 64];

pub fn row(scale: Scale) -> Row {
    let depth = scale.pick(13, 9, 5);
    KernelRow::new("uts", format!("unbalanced tree search, depth {depth}"), Unit::MILLISECONDS, Search { depth })
        .serial()
        .library::<Filch>(CROWDED)
        .library::<FilchWorker>(ONE_AND_TWO)
        .library::<Rayon>(CROWDED)
        .library::<Chili>(CROWDED)
        .library::<Forte>(ONE_AND_TWO)
        .build()
}

struct Search {
    depth: u32,
}

/// A node: its hash, and how many levels may follow.
#[derive(Clone, Copy)]
struct Node {
    hash: u64,
    below: u32,
}

impl Node {
    /// The hash is read two bits at a time; there is one child more as long as they are not both zero.
    #[inline]
    fn children(self) -> u64 {
        if self.below == 0 {
            return 0;
        }
        const LOW_BITS: u64 = 0x5555_5555_5555_5555;
        let zero_pairs = !(self.hash | self.hash >> 1) & LOW_BITS;
        u64::from(zero_pairs.trailing_zeros() / 2)
    }

    #[inline]
    fn child(self, index: u64) -> Node {
        Node { hash: mix(self.hash ^ (index + 1).wrapping_mul(STEP)), below: self.below - 1 }
    }
}

impl Search {
    fn root(&self) -> Node {
        black_box(Node { hash: ROOT_HASH, below: self.depth })
    }
}

/// A root with many children, so that the tree is a large one.
const ROOT_HASH: u64 = 0x5f;

impl Kernel for Search {
    /// The number of nodes, counted without recursion.
    type State = u64;
    type Output = u64;

    fn state(&self) -> u64 {
        let mut open = vec![self.root()];
        let mut count = 0;
        while let Some(node) = open.pop() {
            count += 1;
            open.extend((0..node.children()).map(|index| node.child(index)));
        }
        count
    }

    fn serial(&self, _count: &mut u64) -> u64 {
        serial(self.root())
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, _count: &mut u64) -> u64 {
        parallel::<F>(handle, self.root())
    }

    fn check(&self, count: &u64, output: u64) {
        assert_eq!(output, *count);
    }
}

fn serial(node: Node) -> u64 {
    1 + (0..node.children()).map(|index| serial(node.child(index))).sum::<u64>()
}

fn parallel<F: Fork>(handle: F::Handle<'_, '_>, node: Node) -> u64 {
    match node.children() {
        0 => 1,
        count => 1 + children::<F>(handle, node, 0, count),
    }
}

/// The subtrees of the children from `low` to before `high`.
fn children<F: Fork>(handle: F::Handle<'_, '_>, node: Node, low: u64, high: u64) -> u64 {
    if high - low == 1 {
        return parallel::<F>(handle, node.child(low));
    }
    let middle = low + (high - low) / 2;
    let (a, b) =
        F::join(handle, move |h| children::<F>(h, node, low, middle), move |h| children::<F>(h, node, middle, high));
    a + b
}
