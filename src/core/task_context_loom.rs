//! The task context for the models: none. loom's threads share one thread of the system, and its thread-locals.

use std::ptr::NonNull;

use crate::core::task::Header;

#[must_use]
pub(crate) struct Entered;

pub(crate) fn enter(_: NonNull<Header>) -> Entered {
    Entered
}

impl Entered {
    pub(crate) fn has_yielded(&self) -> bool {
        false
    }

    pub(crate) fn leave(self) {}
}

pub(crate) fn nest() -> Option<()> {
    Some(())
}
