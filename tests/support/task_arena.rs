//! What `task_play.rs` plays with: pools that know their threads and count their panics, helpers, and the *plug*, one
//! task for each worker, and one for the express lane if there is one, all of which block at the same time. While it is
//! in, nothing else is polled, and whatever was polled before has come to rest.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use filch::{JoinHandle, Pool};

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
    pub pool: Arc<Pool>,
    pub tag: usize,
    pub lane: bool,
    handled: Arc<AtomicUsize>,
    /// Polls of tasks that are not the one under test.
    aside: Arc<AtomicU64>,
}

impl Arena {
    pub fn new(workers: usize, lane: bool) -> Self {
        static TAGS: AtomicUsize = AtomicUsize::new(1);
        let tag = TAGS.fetch_add(1, Ordering::Relaxed);
        let handled = Arc::new(AtomicUsize::new(0));
        let count = handled.clone();
        let handler = move |payload| {
            planned(payload);
            count.fetch_add(1, Ordering::SeqCst);
        };
        let builder = Pool::builder()
            .workers(workers)
            .express_lane(lane)
            .start_handler(move |_| TAG.set(tag))
            .panic_handler(handler);
        Arena { pool: Arc::new(builder.build().unwrap()), tag, lane, handled, aside: Arc::default() }
    }

    pub fn panics(&self) -> u64 {
        let panics = self.pool.stats().panics;
        assert_eq!(panics, self.handled.load(Ordering::SeqCst) as u64, "each was given to the handler");
        panics
    }

    /// How often tasks were queued, but for those that play aside. None where that is not counted.
    pub fn schedules(&self) -> Option<u64> {
        Some(self.pool.task_schedules()? - self.aside.load(Ordering::SeqCst))
    }

    /// Spawns a task that is not the one under test. It ends by itself, so it is polled as often as it is queued.
    pub fn spawn_aside<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (aside, mut future) = (self.aside.clone(), Box::pin(future));
        self.pool.spawn(poll_fn(move |context| {
            aside.fetch_add(1, Ordering::SeqCst);
            future.as_mut().poll(context)
        }))
    }

    pub fn plug(&self) -> Plug {
        let (entered, inside) = mpsc::channel();
        let threads = self.pool.num_workers() + usize::from(self.lane);
        let plug = Plug((0..threads).map(|_| self.plug_one(entered.clone())).collect());
        (0..plug.0.len()).for_each(|_| inside.recv().unwrap());
        plug
    }

    fn plug_one(&self, entered: mpsc::Sender<()>) -> mpsc::Sender<Job> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let stop_all_else = async move {
            entered.send(()).unwrap();
            queue.iter().for_each(|job| job());
        };
        self.spawn_aside(stop_all_else).detach();
        jobs
    }

    /// Runs `f` in a task, to its end.
    pub fn in_task<R: Send + 'static>(&self, f: impl FnOnce() -> R + Send + 'static) -> R {
        self.spawn_aside(async move { f() }).join().unwrap()
    }
}

/// While it lives, every worker, and the lane, is in a task that does only what it is told.
pub struct Plug(Vec<mpsc::Sender<Job>>);

impl Plug {
    /// How many tasks it consists of.
    pub fn tasks(&self) -> u64 {
        self.0.len() as u64
    }

    pub fn run<R: Send + 'static>(&self, f: impl FnOnce() -> R + Send + 'static) -> R {
        let (done, result) = mpsc::channel();
        self.0[0].send(Box::new(move || done.send(f()).unwrap())).unwrap();
        result.recv().unwrap()
    }
}
