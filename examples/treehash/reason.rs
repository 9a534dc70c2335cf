//! Why an entry could not be read.

use std::{fmt, io};

/// Why an entry could not be read. Ends up in the report, next to its path.
#[derive(Debug)]
pub enum Reason {
    /// The system said so.
    Io(io::Error),
    /// The file does not have as many bytes as the listing of its directory said.
    Resized {
        /// How many that were.
        listed: u64,
    },
    /// Under the name there is now something else than what was listed.
    Replaced,
    /// A task did not finish.
    Task(String),
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Reason::Io(error)
    }
}

impl From<filch::JoinError> for Reason {
    fn from(error: filch::JoinError) -> Self {
        Reason::Task(error.to_string())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Io(error) => error.fmt(f),
            Reason::Resized { listed } => write!(f, "changed size while being read (it was {listed} bytes long)"),
            Reason::Replaced => f.write_str("replaced by something else while being read"),
            Reason::Task(error) => write!(f, "not finished: {error}"),
        }
    }
}
