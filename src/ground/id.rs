//! The number of a task, for logs and maps.

use std::fmt;

/// Tells tasks apart: no other task of this process, of any pool, has or had the same.
///
/// It is given to a task when somebody first asks for it, so ids say nothing about the order of spawns, and a task that
/// nobody asks about pays nothing. Asking takes a lock for a moment.
///
/// ```
/// let (a, b) = (filch::spawn(async {}), filch::spawn(async {}));
/// assert_ne!(a.id(), b.id());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(crate) u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}
