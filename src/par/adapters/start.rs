//! What each piece of a loop begins with, for `map_with`, `map_init` and the folds.

use crate::ground::sync::Mutex;

/// Makes a fresh value for a piece.
pub(crate) trait Start: Sync {
    type Value;

    fn start(&self) -> Self::Value;
}

/// A closure that makes it.
#[derive(Clone)]
pub(crate) struct Made<F>(pub(crate) F);

impl<T, F: Fn() -> T + Sync> Start for Made<F> {
    type Value = T;

    #[inline]
    fn start(&self) -> T {
        (self.0)()
    }
}

/// A value that is cloned for each piece.
///
/// The lock is there because the value may be `Send` only, so that two threads must not clone it at once: for that
/// reason `clone`, which is the user's, runs under it. A clone that panics leaves nothing behind.
///
/// It is taken once for each piece, that is, for each part of a loop that was stolen, never between items or blocks;
/// and it is free unless two pieces begin at the same moment. rayon does without: its consumers are split, and who
/// splits owns the value and clones it. Here a rest is cut while the folder that owns the piece's value is in use
/// further down the stack, perhaps in the midst of a `join` of the loop's body. So the rest would have to carry a
/// second value, and the user's `clone` would run there: two clones for each piece, and consumers that are moved with
/// each block instead of copied. (A producer, which is split, does own its value: see `map_with`.)
pub(crate) struct Kept<T>(Mutex<T>);

impl<T> Kept<T> {
    pub(crate) fn new(value: T) -> Self {
        Kept(Mutex::new(value))
    }
}

impl<T: Clone + Send> Start for Kept<T> {
    type Value = T;

    fn start(&self) -> T {
        self.0.lock().clone()
    }
}
