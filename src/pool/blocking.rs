//! Threads for calls that block: started when needed, bounded, ended when idle. They have no seat and no slot.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use crate::core::job::JobRef;
use crate::ground::sync::{Condvar, Mutex};
use crate::ground::unwind;
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
    threads: usize,
    idle: usize,
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
        if state.threads >= blocking.most {
            return;
        }
        state.threads += 1;
        drop(state);
        if self.start_blocking_thread().is_err() {
            let mut state = blocking.state.lock();
            state.threads -= 1;
            if state.threads == 0 {
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

    /// Does not unwind, as [`start_thread`](Self::start_thread).
    fn start_blocking_thread(&self) -> io::Result<()> {
        let name = unwind::catch(|| self.config.thread_name(self.workers())).unwrap_or_default();
        let alive = self.threads.expect_one();
        let shared = self.arc();
        let mut thread = std::thread::Builder::new();
        if let Some(size) = self.config.stack_size {
            thread = thread.stack_size(size);
        }
        if let Some(name) = name.filter(|name| !name.contains('\0')) {
            thread = thread.name(format!("{name}-blocking"));
        }
        let handle = thread.spawn(move || {
            current::host(&shared, || shared.serve_blocking());
            shared.let_go_if_done();
            shared.threads.one_ended();
        })?;
        alive.started();
        self.threads.keep(handle);
        Ok(())
    }

    fn serve_blocking(&self) {
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
        state.threads -= 1;
    }
}
