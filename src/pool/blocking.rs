//! Threads for calls that block: started when needed, bounded, ended when idle. They have no seat, no slot and no index,
//! but each has a number among themselves, for its name.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::time::Duration;

use crate::core::job::JobRef;
use crate::ground::sync::{Condvar, Mutex};
use crate::pool::awake::Calling;
use crate::pool::builder::Config;
use crate::pool::current;
use crate::pool::shared::Shared;

/// The queue and the count of threads.
pub(crate) struct BlockingThreads {
    state: Mutex<State>,
    bell: Condvar,
    most: usize,
    keep_alive: Duration,
}

#[derive(Default)]
struct State {
    queue: VecDeque<JobRef>,
    /// Of each thread that runs, the lowest that was free when it began: so they stay short enough for the system,
    /// which keeps 15 bytes of a name.
    numbers: BTreeSet<usize>,
    idle: usize,
}

impl State {
    /// One thread more.
    fn take_number(&mut self) -> usize {
        // They come in order, so the first gap is where a number is not its place.
        let gap = self.numbers.iter().zip(0..).find(|(number, place)| *number != place);
        let free = gap.map_or(self.numbers.len(), |(_, place)| place);
        self.numbers.insert(free);
        free
    }
}

impl BlockingThreads {
    pub(crate) fn new(config: &Config) -> Self {
        BlockingThreads {
            state: Mutex::new(State::default()),
            bell: Condvar::new(),
            most: config.most_blocking_threads(),
            keep_alive: config.idle.keep_alive,
        }
    }

    /// Whether no call waits for a thread.
    pub(crate) fn has_nothing_queued(&self) -> bool {
        self.state.lock().queue.is_empty()
    }

    /// The pool closes: idle threads need not wait for their time to run out.
    pub(crate) fn wake_all(&self) {
        drop(self.state.lock());
        self.bell.notify_all();
    }
}

impl Shared {
    /// Queues a blocking job, and sees to it that a thread comes for it.
    pub(crate) fn queue_blocking(&self, job: JobRef) {
        let blocking = &self.blocking;
        let mut state = blocking.state.lock();
        state.queue.push_back(job);
        if state.idle >= state.queue.len() {
            blocking.bell.notify_one();
            return;
        }
        if state.numbers.len() >= blocking.most {
            return;
        }
        let number = state.take_number();
        drop(state);
        if self.start_blocking_thread(number).is_err() {
            let mut state = blocking.state.lock();
            state.numbers.remove(&number);
            if state.numbers.is_empty() {
                // Nobody is left to serve the queue. A worker does it: slower, but nothing is lost.
                let stranded = std::mem::take(&mut state.queue);
                drop(state);
                for job in stranded {
                    self.injector.push(job);
                    self.notify();
                }
            }
        }
    }

    /// Does not unwind, as [`start_thread`](Self::start_thread): it calls nothing of the user's.
    fn start_blocking_thread(&self, number: usize) -> io::Result<()> {
        let alive = self.threads.expect_one();
        let shared = self.arc();
        let mut thread = std::thread::Builder::new().name(self.config.blocking_thread_name(number));
        if let Some(size) = self.config.stack_size {
            thread = thread.stack_size(size);
        }
        let handle = thread.spawn(move || {
            current::host(&shared, || shared.serve_blocking(number));
            shared.let_go_if_done();
            shared.threads.one_ended();
        })?;
        alive.started();
        self.threads.keep(handle);
        Ok(())
    }

    fn serve_blocking(&self, number: usize) {
        let blocking = &self.blocking;
        let mut state = blocking.state.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                // Under the lock: the call is in the queue or counted.
                let calling = Calling::new(self);
                drop(state);
                // SAFETY: popped, so ours alone; it has not run yet.
                unsafe { job.run() };
                drop(calling);
                state = blocking.state.lock();
                continue;
            }
            if self.gate.is_done() {
                break;
            }
            state.idle += 1;
            let timed_out = blocking.bell.wait_for(&mut state, blocking.keep_alive).timed_out();
            state.idle -= 1;
            if timed_out && state.queue.is_empty() {
                break;
            }
        }
        state.numbers.remove(&number);
    }
}
