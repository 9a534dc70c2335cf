//! `walk_tree` and its kin: the nodes of a tree that is found while it is walked.
//!
//! What is left of a walk is a stack of nodes, the next on top, each of which stands for its whole subtree, or, if its
//! children have been put on the stack already, for itself. Any cut through the stack makes two walks of one.

use std::mem;

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, UnindexedProducer};

/// A node on the stack.
enum Entry<S> {
    /// With all that is below it.
    Subtree(S),
    /// It alone: its children come before it.
    Node(S),
}

struct Walk<'b, S, B, const POSTFIX: bool> {
    /// Nodes that come first, in order.
    ready: Vec<S>,
    /// The rest, the next on top. Without `POSTFIX` there are subtrees only.
    stack: Vec<Entry<S>>,
    /// How many of the entries are subtrees.
    subtrees: usize,
    children_of: &'b B,
}

/// Asks for children, and puts them on the stack.
trait Children<S> {
    /// The first child on top. Says how many there are.
    fn push(&self, node: &S, stack: &mut Vec<Entry<S>>) -> usize;
}

impl<S, B, I> Children<S> for B
where
    B: Fn(&S) -> I,
    I: IntoIterator<Item = S>,
{
    fn push(&self, node: &S, stack: &mut Vec<Entry<S>>) -> usize {
        let first = stack.len();
        stack.extend(self(node).into_iter().map(Entry::Subtree));
        stack[first..].reverse();
        stack.len() - first
    }
}

impl<'b, S, B: Children<S>, const POSTFIX: bool> Walk<'b, S, B, POSTFIX> {
    fn new(root: S, children_of: &'b B) -> Self {
        Walk { ready: Vec::new(), stack: vec![Entry::Subtree(root)], subtrees: 1, children_of }
    }

    /// Nodes, and nothing else.
    fn of_nodes(ready: Vec<S>, children_of: &'b B) -> Self {
        Walk { ready, stack: Vec::new(), subtrees: 0, children_of }
    }

    /// The next node off the stack.
    #[inline]
    fn next(&mut self) -> Option<S> {
        loop {
            match self.stack.pop()? {
                Entry::Node(node) => return Some(node),
                Entry::Subtree(node) => {
                    if let Some(node) = self.open(node) {
                        return Some(node);
                    }
                }
            }
        }
    }

    /// Puts the children of a node that has come off the stack onto it, and the node below them, if it comes after
    /// them. Else gives it back: it is the next.
    #[inline]
    fn open(&mut self, node: S) -> Option<S> {
        let place = self.stack.len();
        let children = self.children_of.push(&node, &mut self.stack);
        self.subtrees = self.subtrees - 1 + children;
        if POSTFIX && children > 0 {
            self.stack.insert(place, Entry::Node(node));
            return None;
        }
        Some(node)
    }

    /// Goes on until there are two subtrees on the stack or none.
    fn grow(&mut self) {
        while self.subtrees == 1 {
            // What lies above the subtree comes before all that is in it.
            let node = match self.stack.pop() {
                Some(Entry::Node(node)) => Some(node),
                Some(Entry::Subtree(node)) => self.open(node),
                None => unreachable!("there is a subtree on the stack"),
            };
            self.ready.extend(node);
        }
    }

    /// The walk of the second half of the subtrees, of which there are two at least.
    fn take_last(&mut self) -> Self {
        let last = self.subtrees / 2;
        let mut seen = 0;
        let at = self.stack.iter().position(|entry| {
            seen += usize::from(matches!(entry, Entry::Subtree(_)));
            seen > last
        });
        let first = self.stack.split_off(at.expect("there are more subtrees than half of them"));
        let stack = mem::replace(&mut self.stack, first);
        self.subtrees -= last;
        Walk { ready: Vec::new(), stack, subtrees: last, children_of: self.children_of }
    }
}

impl<S, B, const POSTFIX: bool> UnindexedProducer for Walk<'_, S, B, POSTFIX>
where
    S: Send,
    B: Children<S> + Sync,
{
    type Item = S;

    fn split(mut self) -> (Self, Option<Self>) {
        self.grow();
        if self.subtrees >= 2 {
            let right = self.take_last();
            return (self, Some(right));
        }
        // No more than nodes are left, but what is done with them may be worth two threads.
        while let Some(node) = self.next() {
            self.ready.push(node);
        }
        if self.ready.len() < 2 {
            return (self, None);
        }
        let last = self.ready.split_off(self.ready.len() / 2);
        let right = Walk::of_nodes(last, self.children_of);
        (self, Some(right))
    }

    fn split_front(mut self, items: usize) -> Result<(Self, Option<Self>), Self> {
        let items = items.max(1);
        let rest = if self.ready.len() > items { self.ready.split_off(items) } else { Vec::new() };
        let mut ready = mem::replace(&mut self.ready, rest);
        while ready.len() < items {
            let Some(node) = self.next() else { break };
            ready.push(node);
        }
        let front = Walk::of_nodes(ready, self.children_of);
        let ended = self.ready.is_empty() && self.stack.is_empty();
        Ok((front, (!ended).then_some(self)))
    }

    fn fold_with<F: Folder<S>>(mut self, mut folder: F) -> F {
        folder = folder.consume_iter(mem::take(&mut self.ready));
        while !folder.full() {
            let Some(node) = self.next() else { break };
            folder = folder.consume(node);
        }
        folder
    }
}

// ----- parents first -------------------------------------------------------------------------------------------------

/// The nodes of a tree: `root`, and what `children_of` says of each, each node before its children.
///
/// [`walk_tree`] is for those who need no order; it may be quicker.
///
/// ```
/// use filch::prelude::*;
///
/// // A book's chapters, sections and so on, as they are printed.
/// let parts_of = |part: &&str| match *part {
///     "book" => vec!["1", "2"],
///     "1" => vec!["1.1", "1.2"],
///     _ => vec![],
/// };
/// let contents: Vec<&str> = filch::iter::walk_tree_prefix("book", parts_of).collect();
/// assert_eq!(contents, ["book", "1", "1.1", "1.2", "2"]);
/// ```
pub fn walk_tree_prefix<S, B, I>(root: S, children_of: B) -> WalkTreePrefix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    WalkTreePrefix { root, children_of }
}

/// Made by [`walk_tree_prefix`].
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WalkTreePrefix<S, B> {
    root: S,
    children_of: B,
}

impl<S, B, I> ParallelIterator for WalkTreePrefix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    type Item = S;

    fn drive<C: Consumer<S>>(self, consumer: C, place: Place) -> C::Result {
        bridge_unindexed(Walk::<S, B, false>::new(self.root, &self.children_of), consumer, place)
    }
}

// ----- children first ------------------------------------------------------------------------------------------------

/// The nodes of a tree: `root`, and what `children_of` says of each, each node after its children.
///
/// [`walk_tree`] is for those who need no order; it may be quicker.
///
/// ```
/// use filch::prelude::*;
///
/// // What a program is made of, in an order in which it can be built.
/// let needs = |part: &&str| match *part {
///     "app" => vec!["gui", "net"],
///     "net" => vec!["tls"],
///     _ => vec![],
/// };
/// let order: Vec<&str> = filch::iter::walk_tree_postfix("app", needs).collect();
/// assert_eq!(order, ["gui", "tls", "net", "app"]);
/// ```
pub fn walk_tree_postfix<S, B, I>(root: S, children_of: B) -> WalkTreePostfix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S>,
{
    WalkTreePostfix { root, children_of }
}

/// Made by [`walk_tree_postfix`].
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WalkTreePostfix<S, B> {
    root: S,
    children_of: B,
}

impl<S, B, I> ParallelIterator for WalkTreePostfix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S>,
{
    type Item = S;

    fn drive<C: Consumer<S>>(self, consumer: C, place: Place) -> C::Result {
        bridge_unindexed(Walk::<S, B, true>::new(self.root, &self.children_of), consumer, place)
    }
}

// ----- in whatever order is best -------------------------------------------------------------------------------------

/// The nodes of a tree: `root`, and what `children_of` says of each, in an order that is not specified.
///
/// `children_of` is called once for each node. A tree of any depth is walked without recursion.
///
/// ```
/// use filch::prelude::*;
///
/// // Each number below 100 has its double and its double plus one for children.
/// let children = |&n: &u32| [2 * n, 2 * n + 1].into_iter().filter(|&child| child < 100);
/// let sum: u32 = filch::iter::walk_tree(1, children).sum();
/// assert_eq!(sum, 4950);
/// ```
pub fn walk_tree<S, B, I>(root: S, children_of: B) -> WalkTree<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    WalkTree(walk_tree_prefix(root, children_of))
}

/// Made by [`walk_tree`].
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WalkTree<S, B>(WalkTreePrefix<S, B>);

impl<S, B, I> ParallelIterator for WalkTree<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator> + Send,
{
    type Item = S;

    fn drive<C: Consumer<S>>(self, consumer: C, place: Place) -> C::Result {
        self.0.drive(consumer, place)
    }
}
