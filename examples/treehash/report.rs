//! What is printed in the end.

use super::limits::BLOCK;
use super::run::Run;
use super::text::{count, hex, path};
use std::io::{self, Write};

/// The digest of each directory, by path.
pub fn directories(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    for (directory, digest) in &run.findings.directories {
        writeln!(out, "{}  {}", hex(digest), path(directory))?;
    }
    writeln!(out)
}

/// The digest of the tree, how much it is, and how fast it went.
pub fn summary(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    let found = &run.findings;
    writeln!(out, "total       {}", hex(&run.digest))?;
    writeln!(
        out,
        "read        {} in {}, {}, {}",
        count(found.bytes, "byte", "bytes"),
        count(found.files, "file", "files"),
        count(found.directories.len() as u64, "directory", "directories"),
        count(found.links, "symbolic link", "symbolic links")
    )?;
    writeln!(out, "time        {:.3} s, {:.3} GB/s, {}", run.time.as_secs_f64(), run.speed(), run.workers_text())?;
    writeln!(out, "buffers     {} used of at most {}, {} KiB each", found.buffers, run.limits.buffers, BLOCK >> 10)
}

/// How the run compares with one that had a single worker.
pub fn comparison(out: &mut dyn Write, many: &Run, one: &Run) -> io::Result<()> {
    writeln!(out, "compare     after an untimed warm-up run, so that both find the files in memory if they fit")?;
    for run in [many, one] {
        writeln!(
            out,
            "            {:<11} {:.3} s, {:.3} GB/s",
            run.workers_text(),
            run.time.as_secs_f64(),
            run.speed()
        )?;
    }
    writeln!(
        out,
        "            {:.2} times as fast (both read on the blocking threads, beside the workers)",
        one.time.as_secs_f64() / many.time.as_secs_f64().max(1e-9)
    )?;
    if many.digest != one.digest {
        writeln!(
            out,
            "            the digests differ: the tree changed in between ({} with one worker)",
            hex(&one.digest)
        )?;
    }
    Ok(())
}

/// What is not in the digest.
pub fn problems(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    let found = &run.findings;
    if !found.skipped.is_empty() {
        let number = found.skipped.len() as u64;
        writeln!(out, "skipped     {}", count(number, "special file", "special files"))?;
    }
    for (file, what) in &found.skipped {
        writeln!(out, "            {}: {what}", path(file))?;
    }
    if !found.unreadable.is_empty() {
        writeln!(out, "unreadable  {}", count(found.unreadable.len() as u64, "entry", "entries"))?;
    }
    for (entry, reason) in &found.unreadable {
        writeln!(out, "            {}: {reason}", path(entry))?;
    }
    Ok(())
}
