//! The command line.

use super::limits::WORKERS;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::num::ParseIntError;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Hashes a directory tree with blake3, on one pool that runs async tasks and CPU
work side by side. Prints a digest for each directory and one for the tree.

Usage: treehash [OPTIONS] [DIR]

Arguments:
  [DIR]            The directory to hash [default: the current directory]

Options:
  -w, --workers N      Use N workers, at most 1024 [default or 0: what the
                       pool chooses]
  -c, --compare        Run again with one worker and compare the times, after
                       an untimed run that brings the files into memory
  -s, --summary-only   Do not print the digests of the directories
      --no-progress    Show no progress bar; there is none either if standard
                       error is not a terminal
  -h, --help           Print this help

Symbolic links are not followed: the text of a link is hashed. Special files
(pipes, sockets, devices) are not opened. What cannot be read is listed at the
end, with the reason.

Exit status: 0 if everything was read, 1 if something could not be read, 2 if
nothing was done.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    Hash(Options),
}

/// How to hash what.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub directory: PathBuf,
    /// 0 leaves the choice to the pool.
    pub workers: usize,
    pub compare: bool,
    pub summary_only: bool,
    pub progress: bool,
}

/// Makes sense of the arguments, without the name of the program.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut directory = None;
    let mut options =
        Options { directory: PathBuf::new(), workers: 0, compare: false, summary_only: false, progress: true };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('w') | Long("workers") => options.workers = parser.value()?.parse_with(workers)?,
            Short('c') | Long("compare") => options.compare = true,
            Short('s') | Long("summary-only") => options.summary_only = true,
            Long("no-progress") => options.progress = false,
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(value) if directory.is_none() => directory = Some(value),
            _ => return Err(argument.unexpected()),
        }
    }
    options.directory = directory.unwrap_or_else(|| ".".into()).into();
    Ok(Command::Hash(options))
}

/// A number of workers that the system can be expected to have threads for.
fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= WORKERS => Ok(number),
        Ok(_) => Err(format!("more than {WORKERS} workers")),
        Err(error) => Err(ParseIntError::to_string(&error)),
    }
}
