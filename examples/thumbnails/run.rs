//! The tasks: a picture is read, shrunk and written, and some of them are under way at the same time.

use super::shrink::shrink;
use filch::task::JoinSet;
use image::ImageFormat;
use indicatif::ProgressBar;
use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Why something could not be done.
pub type Reason = Box<dyn Error + Send + Sync>;

/// Which thumbnails to make.
#[derive(Clone)]
pub struct Job {
    pub pictures: Vec<PathBuf>,
    /// The folder for the thumbnails.
    pub to: PathBuf,
    pub side: u32,
    /// How many pictures may be in memory at the same time.
    pub at_once: usize,
    pub progress: ProgressBar,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub made: usize,
    /// By name, and sorted by it.
    pub failed: Vec<(OsString, Reason)>,
    /// How many pictures were under way at the same time.
    pub most_at_once: usize,
}

/// Whether pictures of this format can be decoded and encoded here: image has a feature for each.
fn is_known(format: ImageFormat) -> bool {
    format.reading_enabled() && format.writing_enabled()
}

/// All files in the folder whose names end as those of pictures do, sorted.
pub fn pictures(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // A link that leads nowhere is one that cannot be read, and to be listed as such. A pipe would never end.
        let may_be_read = || fs::metadata(&path).map_or(true, |metadata| metadata.is_file());
        if ImageFormat::from_path(&path).is_ok_and(is_known) && may_be_read() {
            pictures.push(path);
        }
    }
    pictures.sort_unstable();
    Ok(pictures)
}

/// Makes the thumbnails. What cannot be read, decoded or written is noted, and the others are made all the same.
pub async fn run(job: Job) -> Outcome {
    let mut outcome = Outcome::default();
    let mut tasks = JoinSet::new();
    for picture in job.pictures {
        if tasks.len() == job.at_once {
            outcome.note(tasks.join_next().await.expect("there are tasks"));
        }
        let name = picture.file_name().expect("it was listed in a folder").to_owned();
        let thumbnail = job.to.join(&name);
        let (side, progress) = (job.side, job.progress.clone());
        tasks.spawn(async move {
            let made = one(picture, thumbnail, side).await;
            progress.inc(1);
            (name, made)
        });
        outcome.most_at_once = outcome.most_at_once.max(tasks.len());
    }
    while let Some(ended) = tasks.join_next().await {
        outcome.note(ended);
    }
    outcome.failed.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    outcome
}

impl Outcome {
    fn note(&mut self, ended: Result<(OsString, Result<(), Reason>), filch::JoinError>) {
        match ended.expect("the task leaves panics to its closures, and nobody aborts it") {
            (_, Ok(())) => self.made += 1,
            (name, Err(reason)) => self.failed.push((name, reason)),
        }
    }
}

/// One thumbnail. A decoder that panics is an error of this picture too: the first `?` is for that.
async fn one(picture: PathBuf, thumbnail: PathBuf, side: u32) -> Result<(), Reason> {
    let named = ImageFormat::from_path(&picture)?;
    let bytes = filch::spawn_blocking(move || fs::read(picture)).await??;
    let small = filch::spawn_cpu(move || shrink(&bytes, named, side)).await??;
    filch::spawn_blocking(move || fs::write(thumbnail, small)).await??;
    Ok(())
}
