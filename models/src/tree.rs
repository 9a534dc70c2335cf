//! The tree of cancellation tokens: whoever is below is cancelled, however the tree changes meanwhile. The real
//! `work/cancel_tree.rs`; of the pool it needs the time only, and gets the system's here.

use super::explore;
use crate::work::cancel_tree::Node;
use std::sync::Arc;

fn beside(node: &Arc<Node>, act: fn(&Arc<Node>)) -> loom::thread::JoinHandle<()> {
    let node = node.clone();
    loom::thread::spawn(move || act(&node))
}

#[test]
fn a_child_is_made_while_its_parent_is_cancelled() {
    explore(|| {
        let parent = Node::root(None);
        let other = beside(&parent, Node::cancel);
        let child = parent.child(None);
        let grandchild = child.child(None);
        other.join().unwrap();
        assert!(child.is_cancelled() && grandchild.is_cancelled());
    });
}

#[test]
fn a_child_of_a_cancelled_parent_is_cancelled() {
    explore(|| {
        let parent = Node::root(None);
        let other = beside(&parent, Node::cancel);
        let child = parent.child(None);
        if parent.is_cancelled() {
            // Not at once, if it was made before; but a second one is.
            assert!(parent.child(None).is_cancelled());
        }
        other.join().unwrap();
        assert!(child.is_cancelled());
    });
}

#[test]
fn the_last_handle_in_between_goes_while_the_root_is_cancelled() {
    explore(|| {
        let root = Node::root(None);
        let middle = root.child(None);
        let leaf = middle.child(None);
        let other = beside(&middle, Node::drop_handle);
        root.cancel();
        other.join().unwrap();
        assert!(leaf.is_cancelled());
    });
}

#[test]
fn two_handles_above_one_another_go_before_the_root_is_cancelled() {
    explore(|| {
        let root = Node::root(None);
        let upper = root.child(None);
        let lower = upper.child(None);
        let leaf = lower.child(None);
        let other = beside(&upper, Node::drop_handle);
        lower.drop_handle();
        other.join().unwrap();
        root.cancel();
        assert!(leaf.is_cancelled());
    });
}

#[test]
fn two_children_go_while_the_root_is_cancelled() {
    explore(|| {
        let root = Node::root(None);
        let (one, two) = (root.child(None), root.child(None));
        let leaf = one.child(None);
        let others = [beside(&one, Node::drop_handle), beside(&two, Node::drop_handle)];
        root.cancel();
        others.map(|other| other.join().unwrap());
        assert!(leaf.is_cancelled());
    });
}
