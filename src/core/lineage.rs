//! Which scope a job is inside of: what lets a thread that waits for a scope help with that scope's work, and with
//! nothing else.
//!
//! Scopes are nested: a scope that is opened in the body or in a job of another ends before that one can. So the
//! chain of parents of any job's scope stays alive as long as the job has not run, and whoever has taken the job may
//! walk it.

use std::ptr;

/// A scope's place among the scopes. Lies in the scope, in its opener's frame.
#[derive(Debug)]
pub(crate) struct ScopeNode {
    parent: *const ScopeNode,
    /// The height of the opener's fork stack when the scope was opened: private forks below it are not inside.
    forks_below: usize,
}

impl ScopeNode {
    pub(crate) fn new(parent: *const ScopeNode, forks_below: usize) -> Self {
        ScopeNode { parent, forks_below }
    }
}

/// Whether `inner` is `outer`, or was opened inside of it.
///
/// # Safety
/// `inner` is null, or it and its parents are alive. `outer` is compared only.
pub(crate) unsafe fn is_within(mut inner: *const ScopeNode, outer: *const ScopeNode) -> bool {
    while !inner.is_null() {
        if ptr::eq(inner, outer) {
            return true;
        }
        // SAFETY: alive by the caller's promise.
        inner = unsafe { (*inner).parent };
    }
    false
}

/// The innermost scope that surely holds the private fork at height `at` of the stack of a thread inside `scope`.
///
/// The stack starts again from the bottom when nothing is private; a scope that was opened before then may seem to
/// have been opened above a fork that is inside it. The answer is then a parent, never a scope too far in.
///
/// # Safety
/// `scope` is null, or it and its parents are alive.
pub(crate) unsafe fn scope_of_fork(mut scope: *const ScopeNode, at: usize) -> *const ScopeNode {
    while !scope.is_null() {
        // SAFETY: alive by the caller's promise.
        let node = unsafe { &*scope };
        if at >= node.forks_below {
            return scope;
        }
        scope = node.parent;
    }
    ptr::null()
}
