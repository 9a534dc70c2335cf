//! indicatif: a progress bar beside a parallel loop counts each item once and is drawn by the workers, from inside of
//! the loop and under the bar's lock.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use indicatif::{ParallelProgressIterator, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use programs::crew::Crew;
use programs::input::Numbers;
use programs::pool;
use rayon::prelude::*;

const ITEMS: u64 = 40_000;

/// A terminal that notes what is written, and how much of it by workers.
#[derive(Clone, Debug, Default)]
struct Screen {
    lines: Arc<Mutex<Vec<String>>>,
    by_workers: Arc<AtomicUsize>,
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        80
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        if pool::index().is_some() {
            self.by_workers.fetch_add(1, Ordering::Relaxed);
        }
        self.lines.lock().expect("nobody has panicked").push(text.trim().to_owned());
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// How many steps Collatz's rule takes from `n` to 1.
fn collatz(mut n: u64) -> u32 {
    let mut steps = 0;
    while n != 1 {
        n = if n.is_multiple_of(2) { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

fn main() {
    programs::run("indicatif", || {
        let numbers: Vec<u64> = Numbers::new(6).take(ITEMS as usize).map(|n| n % 1_000_000 + 1).collect();
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 200);
        let style = ProgressStyle::with_template("{pos}/{len}").expect("a template");
        let bar = ProgressBar::with_draw_target(Some(ITEMS), target).with_style(style);

        let crew = Crew::new();
        let steps: Vec<u32> = numbers
            .par_iter()
            .progress_with(bar.clone())
            .map(|n| {
                crew.meet();
                collatz(*n)
            })
            .collect();
        assert!(steps.iter().copied().eq(numbers.iter().map(|n| collatz(*n))));
        assert_eq!(bar.position(), ITEMS);
        bar.finish();

        // A bar without a target, and a loop that ends early: what it has counted is what it has seen.
        let hidden = ProgressBar::hidden();
        let seen = AtomicUsize::new(0);
        let found = numbers.par_iter().progress_with(hidden.clone()).find_first(|n| {
            seen.fetch_add(1, Ordering::Relaxed);
            collatz(**n) > 300
        });
        assert_eq!(found, numbers.iter().find(|n| collatz(**n) > 300));
        assert_eq!(hidden.position(), seen.into_inner() as u64);

        let by_workers = screen.by_workers.load(Ordering::Relaxed);
        assert!(by_workers > 0, "no worker has drawn the bar");
        let lines = screen.lines.lock().expect("nobody has panicked");
        let positions: Vec<u64> =
            lines.iter().filter_map(|line| line.strip_suffix(&format!("/{ITEMS}"))?.parse().ok()).collect();
        assert!(positions.is_sorted(), "the bar went back: {positions:?}");
        assert_eq!(positions.last(), Some(&ITEMS));
        format!("progress of par_iter, {} drawings; {} workers", positions.len(), crew.size())
    });
}
