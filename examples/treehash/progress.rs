//! The progress bar.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far the hashing has come, shown on the terminal. Clones are the same bar.
#[derive(Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar on standard error; indicatif shows nothing if that is not a terminal.
    pub fn shown(what: String) -> Self {
        // What is still to do grows while the directories are walked.
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10)).with_message(what);
        let style = "{msg} {wide_bar} {bytes} of {total_bytes} found, {bytes_per_sec}";
        Progress(match ProgressStyle::with_template(style) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// No bar.
    pub fn hidden() -> Self {
        Progress(ProgressBar::hidden())
    }

    /// There are so many more bytes to hash.
    pub fn found(&self, bytes: u64) {
        self.0.inc_length(bytes);
    }

    /// So many more bytes are hashed.
    pub fn hashed(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
