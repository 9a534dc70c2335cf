//! Sum over a complete binary tree, a fork at every node.
//!
//! The nodes lie breadth-first in one slab and name their children by index. (A tree of boxes built children first
//! favours whoever walks it in the order of its making: an artefact, not a property of a scheduler.)

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, FilchWorker, Rayon};
use crate::support::rng::mix;
use crate::support::row::{Row, Unit};

pub fn rows(scale: Scale) -> Vec<Row> {
    [
        ("tree-1k", scale.pick(10, 10, 6), scale.pick(4_000, 500, 1)),
        ("tree-1m", scale.pick(20, 17, 8), scale.pick(4, 2, 1)),
        ("tree-16m", scale.pick(24, 20, 10), 1),
    ]
    .into_iter()
    .map(|(id, levels, repeats)| row(id, levels, repeats))
    .collect()
}

fn row(id: &'static str, levels: u32, repeats: u32) -> Row {
    let tree = Tree { levels, repeats };
    let unit = Unit::nanoseconds_per("ns per node", tree.nodes() as f64);
    KernelRow::new(id, format!("sum of a binary tree, 2^{levels} nodes"), unit, tree)
        .serial()
        .library::<Filch>(ONE_AND_TWO)
        .library::<FilchWorker>(ONE_AND_TWO)
        .library::<Rayon>(ONE_AND_TWO)
        .library::<Chili>(ONE_AND_TWO)
        .library::<Forte>(ONE_AND_TWO)
        .build()
}

struct Tree {
    levels: u32,
    repeats: u32,
}

impl Tree {
    fn nodes(&self) -> u32 {
        (1 << self.levels) - 1
    }
}

/// Stands for "no child".
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Node {
    value: u64,
    left: u32,
    right: u32,
}

/// The slab, and the sum taken in slab order.
struct Slab {
    nodes: Vec<Node>,
    sum: u64,
}

impl Kernel for Tree {
    type State = Slab;
    type Output = u64;

    fn state(&self) -> Slab {
        let count = self.nodes();
        let child = |index: u32| if index < count { index } else { NONE };
        let node = |index: u32| Node {
            value: mix(u64::from(index)) & 0xffff,
            left: child(2 * index + 1),
            right: child(2 * index + 2),
        };
        let nodes: Vec<Node> = (0..count).map(node).collect();
        let sum = nodes.iter().map(|node| node.value).sum();
        Slab { nodes, sum }
    }

    fn serial(&self, slab: &mut Slab) -> u64 {
        serial(&slab.nodes, 0)
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, slab: &mut Slab) -> u64 {
        parallel::<F>(handle, &slab.nodes, 0)
    }

    fn check(&self, slab: &Slab, output: u64) {
        assert_eq!(output, slab.sum);
    }

    fn repeats(&self) -> u32 {
        self.repeats
    }
}

fn serial(nodes: &[Node], index: u32) -> u64 {
    if index == NONE {
        return 0;
    }
    let node = nodes[index as usize];
    node.value + serial(nodes, node.left) + serial(nodes, node.right)
}

fn parallel<F: Fork>(handle: F::Handle<'_, '_>, nodes: &[Node], index: u32) -> u64 {
    if index == NONE {
        return 0;
    }
    let node = nodes[index as usize];
    let (left, right) =
        F::join(handle, move |h| parallel::<F>(h, nodes, node.left), move |h| parallel::<F>(h, nodes, node.right));
    node.value + left + right
}
