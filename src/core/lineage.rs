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

/// Where a thread is: in the innermost scope, within the piece of work that it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The innermost scope that the running code is in, or null.
    pub(crate) scope: *const ScopeNode,
    /// The scope that the running piece of work was queued for, or null: scopes further in were opened by this
    /// thread, during this work.
    pub(crate) work_scope: *const ScopeNode,
    /// The height of this thread's fork stack when the work began.
    pub(crate) work_base: usize,
}

impl Place {
    /// Outside of any work.
    pub(crate) fn outside() -> Self {
        Place { scope: ptr::null(), work_scope: ptr::null(), work_base: 0 }
    }

    /// The innermost scope that surely holds the private fork at height `at` of this thread's stack, or null if none
    /// does so surely.
    ///
    /// Heights tell only about forks of the running work; older ones may be inside of anything.
    ///
    /// # Safety
    /// The thread is at this place, so that the scopes are alive.
    pub(crate) unsafe fn scope_of_fork(&self, at: usize) -> *const ScopeNode {
        if at < self.work_base {
            return ptr::null();
        }
        let mut scope = self.scope;
        while !scope.is_null() && !ptr::eq(scope, self.work_scope) {
            // SAFETY: alive by the caller's promise.
            let node = unsafe { &*scope };
            if at >= node.forks_below {
                return scope;
            }
            scope = node.parent;
        }
        self.work_scope
    }
}
