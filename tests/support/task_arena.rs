//! What `task_play.rs` plays with: pools that know their threads and count their panics, helpers, and the *plug*, one
//! task for each worker, all of which block at the same time. While it is in, nothing else is polled, and whatever was
//! polled before has come to rest.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use filch::Pool;

use crate::support::planned;

thread_local! {
    /// Which pool started this thread; 0 for none.
    static TAG: Cell<usize> = const { Cell::new(0) };
}

pub fn tag() -> usize {
    TAG.get()
}

/// Yields until it holds. The test's deadline is the limit.
pub fn until(mut done: impl FnMut() -> bool) {
    for turn in 0.. {
        if done() {
            return;
        }
        if turn < 50 { thread::yield_now() } else { thread::sleep(Duration::from_micros(20)) }
    }
}

pub type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs on a thread of no pool.
pub struct Helper(mpsc::Sender<Job>);

impl Helper {
    pub fn new() -> Self {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::spawn(move || queue.iter().for_each(|job| job()));
        Helper(jobs)
    }

    pub fn start<R: Send + 'static>(&self, f: impl FnOnce() -> R + Send + 'static) -> mpsc::Receiver<R> {
        let (done, result) = mpsc::channel();
        self.0.send(Box::new(move || done.send(f()).unwrap())).unwrap();
        result
    }
}

/// A pool that counts its panics by its handler too, and knows its threads.
pub struct Arena {
    pub pool: Pool,
    pub tag: usize,
    handled: Arc<AtomicUsize>,
}

impl Arena {
    pub fn new(workers: usize) -> Self {
        static TAGS: AtomicUsize = AtomicUsize::new(1);
        let tag = TAGS.fetch_add(1, Ordering::Relaxed);
        let handled = Arc::new(AtomicUsize::new(0));
        let count = handled.clone();
        let handler = move |payload| {
            planned(payload);
            count.fetch_add(1, Ordering::SeqCst);
        };
        // Its workers are plugged now and then, and nothing is to run meanwhile.
        let builder = Pool::builder()
            .workers(workers)
            .express_lane(false)
            .start_handler(move |_| TAG.set(tag))
            .panic_handler(handler);
        Arena { pool: builder.build().unwrap(), tag, handled }
    }

    pub fn panics(&self) -> u64 {
        let panics = self.pool.stats().panics;
        assert_eq!(panics, self.handled.load(Ordering::SeqCst) as u64, "each was given to the handler");
        panics
    }

    pub fn plug(&self) -> Plug {
        let (entered, inside) = mpsc::channel();
        let plug = Plug((0..self.pool.num_workers()).map(|_| self.plug_one(entered.clone())).collect());
        (0..plug.0.len()).for_each(|_| inside.recv().unwrap());
        plug
    }

    fn plug_one(&self, entered: mpsc::Sender<()>) -> mpsc::Sender<Job> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let stop_all_else = async move {
            entered.send(()).unwrap();
            queue.iter().for_each(|job| job());
        };
        self.pool.spawn(stop_all_else).detach();
        jobs
    }

    /// Runs `f` in a task, to its end.
    pub fn in_task<R: Send + 'static>(&self, f: impl FnOnce() -> R + Send + 'static) -> R {
        self.pool.spawn(async move { f() }).join().unwrap()
    }
}

/// While it lives, every worker is in a task that does only what it is told.
pub struct Plug(Vec<mpsc::Sender<Job>>);

impl Plug {
    pub fn run<R: Send + 'static>(&self, f: impl FnOnce() -> R + Send + 'static) -> R {
        let (done, result) = mpsc::channel();
        self.0[0].send(Box::new(move || done.send(f()).unwrap())).unwrap();
        result.recv().unwrap()
    }
}
