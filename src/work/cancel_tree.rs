//! The tree below [`CancellationToken`](crate::CancellationToken): who is cancelled with whom.
//!
//! Parents and children hold each other by `Arc`; what ends that is the count of handles. Rules:
//!
//! 1. *Links.* If a node has a parent, then the parent's table holds it under the key that stands beside; or else the
//!    parent has been cancelled, and the thread that cancels it has the node in hand and will cut the link.
//! 2. *Order of locks.* A parent is locked before its child. Parents are older than their children, also after the
//!    children have moved up, so the order is one of age, and no circle of waiting threads can close.
//! 3. *Nodes without handles* have no children: when the last handle goes, the children move up to the parent (or
//!    become roots), and the node leaves the parent's table. So memory is held by living handles only, not by their
//!    history.
//! 4. *Freed nodes* have neither parent nor children. By 1 a node with a parent is in a table or in somebody's hand;
//!    by 3 one without handles has no children. So dropping a node never drops another: no recursion, however deep the
//!    tree.
//! 5. *Once cancelled*, a node has no children, and gets none.
//!
//! The models, of this very file, are in `models/src/tree.rs`.

use std::sync::Arc;
use std::time::Instant;

use crate::core::slab::Slab;
use crate::ground::sync::{AtomicBool, AtomicUsize, Mutex, Ordering};
use crate::pool::timers;
use crate::work::waiters::{self, Waiters};

pub(crate) struct Node {
    cancelled: AtomicBool,
    /// The earliest on the way up when the node was made.
    deadline: Option<Instant>,
    handles: AtomicUsize,
    links: Mutex<Links>,
    pub(crate) waiters: Waiters,
}

#[derive(Default)]
struct Links {
    parent: Option<Parent>,
    children: Slab<Arc<Node>>,
}

struct Parent {
    node: Arc<Node>,
    key: u32,
}

impl Node {
    /// A root, with one handle.
    pub(crate) fn root(deadline: Option<Instant>) -> Arc<Node> {
        Node::build(deadline, false)
    }

    fn build(deadline: Option<Instant>, cancelled: bool) -> Arc<Node> {
        Arc::new(Node {
            cancelled: AtomicBool::new(cancelled),
            deadline,
            handles: AtomicUsize::new(1),
            links: Mutex::default(),
            waiters: Waiters::default(),
        })
    }

    /// A child, with one handle, and with the earlier of its own deadline and its parent's.
    pub(crate) fn child(self: &Arc<Self>, deadline: Option<Instant>) -> Arc<Node> {
        let deadline = match (self.deadline, deadline) {
            (Some(above), Some(own)) => Some(above.min(own)),
            (above, own) => above.or(own),
        };
        #[cfg(mutant = "child_asks_before_the_lock")]
        if self.flag() {
            return Node::build(deadline, true);
        }
        let mut links = self.links.lock();
        #[cfg(not(mutant = "child_asks_before_the_lock"))]
        if self.flag() {
            return Node::build(deadline, true);
        }
        let child = Node::build(deadline, false);
        let key = links.children.insert(child.clone());
        child.links.lock().parent = Some(Parent { node: self.clone(), key });
        child
    }

    /// Whether somebody has cancelled it.
    fn flag(&self) -> bool {
        // Acquire pairs with the Release in `cut_off`: who sees the flag sees what was done before the cancelling.
        self.cancelled.load(Ordering::Acquire)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.flag() || self.deadline.is_some_and(|deadline| timers::now() >= deadline)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    // ----- cancelling ----------------------------------------------------------------------------------------------

    /// Cancels the node and all below, then wakes all who wait for them.
    pub(crate) fn cancel(self: &Arc<Self>) {
        if self.flag() {
            return;
        }
        let Some(children) = self.cut_off() else { return };
        let mut woken = vec![self.waiters.take()];
        let mut below: Vec<Arc<Node>> = children.into_values().collect();
        while let Some(node) = below.pop() {
            #[cfg(mutant = "link_cut_first")]
            drop(node.links.lock().parent.take());
            let children = node.cut_off();
            // By rule 1 the link is ours to cut, also if the node had been cancelled before. Not earlier: without a
            // link, the node's last handle would make roots of children that are to be cancelled.
            let parent = node.links.lock().parent.take();
            drop(parent);
            if let Some(children) = children {
                below.extend(children.into_values());
                let wakers = node.waiters.take();
                if !wakers.is_empty() {
                    woken.push(wakers);
                }
            }
        }
        waiters::resume(waiters::wake(woken.into_iter().flat_map(Slab::into_values)));
    }

    /// Sets the flag, and takes the children. None if it was set already.
    fn cut_off(&self) -> Option<Slab<Arc<Node>>> {
        let mut links = self.links.lock();
        if self.cancelled.load(Ordering::Relaxed) {
            return None;
        }
        // Pairs with the Acquire in `flag`.
        self.cancelled.store(true, Ordering::Release);
        Some(std::mem::take(&mut links.children))
    }

    // ----- handles -------------------------------------------------------------------------------------------------

    pub(crate) fn add_handle(&self) {
        // Relaxed: the caller has a handle, so nobody counts down to zero meanwhile.
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn drop_handle(self: &Arc<Self>) {
        // Release pairs with the Acquire part of the last handle's: it sees all children that others have made.
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            while !self.try_unlink() {}
        }
    }

    /// Takes the node out of the tree, now that it has no handle. False if the tree has changed meanwhile.
    fn try_unlink(&self) -> bool {
        let parent = self.links.lock().parent.as_ref().map(|parent| parent.node.clone());
        // A root stays one: nodes move up only.
        let Some(parent) = parent else {
            self.orphan_children();
            return true;
        };
        let mut above = parent.links.lock();
        let mut links = self.links.lock();
        let key = match &links.parent {
            Some(now) if Arc::ptr_eq(&now.node, &parent) => now.key,
            #[cfg(not(mutant = "unlink_from_whoever_was_above"))]
            _ => return false,
            #[cfg(mutant = "unlink_from_whoever_was_above")]
            now => now.as_ref().map_or(u32::MAX, |now| now.key),
        };
        #[cfg(not(mutant = "unlink_from_cancelled"))]
        if parent.cancelled.load(Ordering::Relaxed) {
            // Rule 1: somebody has us in hand, and will cancel our children too.
            return true;
        }
        // None of these drops is a node's last: our caller holds this one, and we hold the parent.
        links.parent = None;
        above.children.remove(key);
        for child in std::mem::take(&mut links.children).into_values() {
            let mut below = child.links.lock();
            let key = above.children.insert(child.clone());
            below.parent = Some(Parent { node: parent.clone(), key });
        }
        true
    }

    fn orphan_children(&self) {
        let mut links = self.links.lock();
        let children = std::mem::take(&mut links.children);
        for child in children.iter() {
            child.links.lock().parent = None;
        }
        drop(links);
        // Outside of the lock: a child may end here, and with it a waker that somebody has left behind.
        drop(children);
    }
}
