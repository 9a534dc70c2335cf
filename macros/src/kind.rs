//! Which of the two attributes it is, and what users read about it.

use std::fmt;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Main,
    Test,
}

impl Kind {
    /// A pool of one worker is the nearest that filch has to the flavor `current_thread`: how to get it.
    pub(crate) fn one_worker(self) -> &'static str {
        match self {
            Kind::Main => "write `worker_threads = 1` for a pool of one worker",
            Kind::Test => "leave `flavor` out for a pool of one worker",
        }
    }
}

/// As it is written in source code.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Main => "#[filch::main]",
            Kind::Test => "#[filch::test]",
        })
    }
}
