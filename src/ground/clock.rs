//! Time as the engine needs it: a moment, and whether a short span has passed.

use std::time::{Duration, Instant};

/// A span that began when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since(Instant);

impl Since {
    pub(crate) fn now() -> Self {
        Since(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn passed(self, span: Duration) -> bool {
        self.0.elapsed() >= span
    }
}
