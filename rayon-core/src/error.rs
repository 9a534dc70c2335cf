//! Why a pool could not be built.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a [`ThreadPoolBuilder`](crate::ThreadPoolBuilder) gave no pool.
#[derive(Debug)]
pub struct ThreadPoolBuildError {
    kind: ErrorKind,
}

#[derive(Debug)]
enum ErrorKind {
    GlobalPoolAlreadyInitialized,
    CurrentThreadAlreadyInPool,
    IOError(io::Error),
}

impl ThreadPoolBuildError {
    pub(crate) fn global_exists() -> Self {
        ThreadPoolBuildError { kind: ErrorKind::GlobalPoolAlreadyInitialized }
    }

    pub(crate) fn thread(error: io::Error) -> Self {
        ThreadPoolBuildError { kind: ErrorKind::IOError(error) }
    }

    fn text(&self) -> Option<&'static str> {
        match self.kind {
            ErrorKind::GlobalPoolAlreadyInitialized => Some("The global thread pool has already been initialized."),
            ErrorKind::CurrentThreadAlreadyInPool => Some("The current thread is already part of another thread pool."),
            ErrorKind::IOError(_) => None,
        }
    }
}

impl From<filch::BuildError> for ThreadPoolBuildError {
    fn from(error: filch::BuildError) -> Self {
        match error {
            filch::BuildError::GlobalExists => Self::global_exists(),
            filch::BuildError::CurrentThreadTaken => {
                ThreadPoolBuildError { kind: ErrorKind::CurrentThreadAlreadyInPool }
            }
            filch::BuildError::Thread { source, .. } => Self::thread(source),
            other => Self::thread(io::Error::other(other)),
        }
    }
}

impl fmt::Display for ThreadPoolBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.text(), &self.kind) {
            (Some(text), _) => f.write_str(text),
            (None, ErrorKind::IOError(error)) => error.fmt(f),
            (None, _) => Ok(()),
        }
    }
}

impl Error for ThreadPoolBuildError {
    #[allow(deprecated)]
    fn description(&self) -> &str {
        match (self.text(), &self.kind) {
            (Some(text), _) => text,
            (None, ErrorKind::IOError(error)) => error.description(),
            (None, _) => "",
        }
    }

    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            ErrorKind::IOError(error) => Some(error),
            _ => None,
        }
    }
}
