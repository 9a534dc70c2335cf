//! Hashes a directory tree with blake3, as fast as the disk and the cores allow.
//!
//! ```text
//! cargo run --release --example treehash -- [DIR]
//! cargo run --release --example treehash -- --help
//! ```
//!
//! Three kinds of work, one pool:
//!
//! * **async tasks** walk the tree, one for each directory, and lead the files from reading to
//!   hashing ([`walk`], [`contents`]);
//! * **CPU closures** hash what was read, and split it between the workers with [`filch::join`]
//!   ([`subtree`]);
//! * **blocking threads** list directories and read files ([`listing`], [`source`]).
//!
//! What the digest of a tree is, is written down in [`format`](self::format); what bounds the
//! memory and the open files, in [`limits`].

// Public for `tests/treehash.rs`, which includes this file.
pub mod args;
pub mod buffers;
pub mod contents;
pub mod format;
pub mod limits;
pub mod listing;
pub mod plan;
pub mod progress;
pub mod reason;
pub mod report;
pub mod run;
pub mod source;
pub mod subtree;
pub mod text;
pub mod walk;

use args::{Command, Options};
use progress::Progress;
use run::Run;
use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout());
    let status = treehash(std::env::args_os().skip(1), &mut out, &mut io::stderr());
    ExitCode::from(status)
}

/// The program: writes to `out`, complains to `err`, returns the exit status.
pub fn treehash(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let complaint = match args::parse(arguments) {
        Ok(Command::Help) => match print(out, |out| out.write_all(args::HELP.as_bytes())) {
            Ok(()) => return 0,
            Err(complaint) => complaint,
        },
        Ok(Command::Hash(options)) => match hash(&options, out) {
            Ok(everything) => return u8::from(!everything),
            Err(complaint) => complaint,
        },
        Err(error) => format!("{error}\nTry --help."),
    };
    // If not even this can be written, there is nobody left to tell.
    let _ = writeln!(err, "treehash: {complaint}");
    2
}

/// Hashes and reports; tells whether everything could be read.
fn hash(options: &Options, out: &mut dyn Write) -> Result<bool, String> {
    let run = |what: &str, workers| {
        let progress = if options.progress { Progress::shown(what.to_owned()) } else { Progress::hidden() };
        Run::new(&options.directory, workers, progress)
            .map_err(|error| format!("{}: {error}", text::path(&options.directory)))
    };
    let (many, one) = if options.compare {
        run("warm-up", options.workers)?;
        let many = run("hashing", options.workers)?;
        (many, Some(run("one worker", 1)?))
    } else {
        (run("hashing", options.workers)?, None)
    };
    print(out, |out| {
        if !options.summary_only {
            report::directories(out, &many)?;
        }
        report::summary(out, &many)?;
        if let Some(one) = &one {
            report::comparison(out, &many, one)?;
        }
        report::problems(out, &many)
    })?;
    Ok(many.findings.unreadable.is_empty())
}

/// Prints, and does not mind if the reader has had enough, as `head` does.
fn print(out: &mut dyn Write, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    match text(out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("output: {error}")),
        _ => Ok(()),
    }
}
