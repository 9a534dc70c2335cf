//! Makes a thumbnail of every picture in a folder.
//!
//! ```text
//! cargo run --release --example thumbnails -- [DIR]
//! cargo run --release --example thumbnails -- --help
//! ```
//!
//! A task for each picture has it read and written on blocking threads, and decoded and shrunk on the workers
//! ([`shrink`]). So many tasks at once as there may be pictures in memory ([`run`]). Without a folder it first makes
//! one full of pictures, in a parallel loop ([`paint`]).

// Public for `tests/examples.rs`, which includes this file.
pub mod args;
pub mod measure;
pub mod paint;
pub mod run;
pub mod shrink;

use args::{HELP, Options};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use measure::Measured;
use run::{Job, Outcome, Reason};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use tempfile::TempDir;

fn main() -> ExitCode {
    match thumbnails(std::env::args_os().skip(1), &mut io::stdout()) {
        Ok(everything) => ExitCode::from(u8::from(!everything)),
        Err(reason) => {
            eprintln!("thumbnails: {reason}");
            ExitCode::from(2)
        }
    }
}

/// The program: writes to `out`, and tells whether there is a thumbnail of every picture.
pub fn thumbnails(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write) -> Result<bool, Reason> {
    let Some(options) = args::parse(arguments)? else {
        out.write_all(HELP.as_bytes())?;
        return Ok(true);
    };
    match &options.from {
        Some(from) => shrink_all(&options, from, out),
        None => {
            let folder = TempDir::new()?;
            let (made, measured) = measure::measure(|| paint::paint_all(folder.path(), options.count));
            made?;
            writeln!(out, "made        {} pictures in {measured}", options.count)?;
            shrink_all(&options, folder.path(), out)
        }
    }
}

fn shrink_all(options: &Options, from: &Path, out: &mut dyn Write) -> Result<bool, Reason> {
    let to = options.to.clone().unwrap_or_else(|| from.join("thumbnails"));
    fs::create_dir_all(&to).map_err(|error| format!("{to:?}: {error}"))?;
    if to.canonicalize()? == from.canonicalize()? {
        return Err("the thumbnails would replace the pictures".into());
    }
    let pictures = run::pictures(from).map_err(|error| format!("{from:?}: {error}"))?;
    let mut job = Job { pictures, to, side: options.side, at_once: options.at_once, progress: ProgressBar::hidden() };

    if options.compare {
        // So that the first run finds the files in memory as the second does.
        job.pictures.iter().for_each(|picture| drop(fs::read(picture)));
    }
    let run = |what: &'static str, workers: usize, job: &mut Job| -> Result<(Outcome, Measured), Reason> {
        let pool = filch::Pool::builder().workers(workers).name("thumbnails").build()?;
        if options.progress {
            job.progress = bar(what, job.pictures.len());
        }
        let (outcome, measured) = measure::measure(|| pool.spawn(run::run(job.clone())).join());
        job.progress.finish_and_clear();
        Ok((outcome?, measured))
    };
    let (outcome, many) = run("all workers", options.workers, &mut job)?;
    writeln!(out, "thumbnails  {} in {many}", outcome.made)?;
    writeln!(out, "in memory   at most {} pictures at once", outcome.most_at_once)?;
    if options.compare {
        let (_, one) = run("one worker", 1, &mut job)?;
        writeln!(out, "one worker  {one}")?;
        writeln!(out, "speed-up    {:.2}", one.wall.div_duration_f64(many.wall))?;
    }
    if !outcome.failed.is_empty() {
        writeln!(out, "failed      {}", outcome.failed.len())?;
    }
    for (picture, reason) in &outcome.failed {
        writeln!(out, "            {picture:?}: {reason}")?;
    }
    Ok(outcome.failed.is_empty())
}

/// A bar on standard error; indicatif shows nothing if that is not a terminal.
fn bar(what: &'static str, length: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {per_sec}");
    bar.with_style(style.expect("the template is right")).with_message(what)
}
