//! The command line.

use lexopt::prelude::*;
use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Makes a thumbnail of every picture in a folder, and then all of them again with
one worker, to compare the times. Pictures are BMP, Farbfeld, GIF, ICO, JPEG,
PNG, PNM, QOI, TGA, TIFF and WebP files; of moving ones the first frame is used.

Usage: thumbnails [OPTIONS] [DIR]

Arguments:
  [DIR]            The folder with the pictures [default: a temporary one, in
                   which pictures are made first]

Options:
  -t, --to DIR         Where the thumbnails go, by the names of their pictures;
                       files of these names are replaced [default: the folder
                       `thumbnails` in that of the pictures]
  -n, --count N        Make N pictures, if no folder is given [default: 2000]
  -s, --side N         No thumbnail is wider or higher than N [default: 128]
  -m, --at-once N      Have at most N pictures in memory [default: 16]
  -w, --workers N      Use N workers [default or 0: what the pool chooses]
      --no-compare     Do not run again with one worker
      --no-progress    Show no progress bar; there is none either if standard
                       error is not a terminal
  -h, --help           Print this help

Exit status: 0 if there is a thumbnail of every picture, 1 if some could not be
made, which are listed with the reason, 2 if nothing was done.
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the pictures are; none if they are to be made.
    pub from: Option<PathBuf>,
    pub to: Option<PathBuf>,
    pub count: usize,
    pub side: u32,
    pub at_once: usize,
    /// 0 leaves the choice to the pool.
    pub workers: usize,
    pub compare: bool,
    pub progress: bool,
}

/// Makes sense of the arguments, without the name of the program. None if they ask for help.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        from: None,
        to: None,
        count: 2000,
        side: 128,
        at_once: 16,
        workers: 0,
        compare: true,
        progress: true,
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('t') | Long("to") => options.to = Some(parser.value()?.into()),
            Short('n') | Long("count") => options.count = parser.value()?.parse()?,
            Short('s') | Long("side") => options.side = parser.value()?.parse::<NonZeroU32>()?.get(),
            Short('m') | Long("at-once") => options.at_once = parser.value()?.parse::<NonZeroUsize>()?.get(),
            Short('w') | Long("workers") => options.workers = parser.value()?.parse()?,
            Long("no-compare") => options.compare = false,
            Long("no-progress") => options.progress = false,
            Short('h') | Long("help") => return Ok(None),
            Value(value) if options.from.is_none() => options.from = Some(value.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}
