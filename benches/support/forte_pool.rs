//! forte 1.0.0-alpha.4 as a contender.
//!
//! Two of its habits need care. Its heartbeat thread wakes thousands of times a second as long as the pool has workers,
//! idle or not, which costs every other contender some percent of a core; and shrinking a pool waits for that thread
//! with the lock held that the thread needs, which never ends. So the workers are put to rest after each turn by
//! unwinding out of their main loop, which ends them and silences the heartbeat, and are grown anew before the next.
//!
//! This release shares work only at a `join`, so a scope whose jobs fork no further runs on one thread.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use forte::{ThreadPool, Worker};

use super::fork::{Fork, Library};

/// forte, whose caller is one of the computing threads.
pub struct Forte {
    pub pool: &'static ThreadPool,
    helpers: usize,
}

impl Fork for Forte {
    type Handle<'x, 'y>
        = &'x Worker
    where
        'y: 'x;

    #[inline(always)]
    fn join<'x, 'y: 'x, A: Send, B: Send>(
        worker: &'x Worker,
        left: impl FnOnce(&Worker) -> A + Send,
        right: impl FnOnce(&Worker) -> B + Send,
    ) -> (A, B) {
        worker.join(left, right)
    }

    #[inline(always)]
    fn again<'s, 'x: 's, 'y: 'x>(worker: &'s mut &'x Worker) -> &'s Worker {
        worker
    }

    fn fan_out<T: Send, E>(worker: &Worker, items: &mut [T], each: &E)
    where
        E: Fn(&Worker, &mut T) + Sync,
    {
        worker.scope(|scope| {
            for item in items {
                scope.spawn(|_| {
                    Worker::map_current(|worker| each(worker, item));
                });
            }
        });
    }
}

impl Library for Forte {
    const NAME: &'static str = "forte";

    fn start(workers: usize) -> Self {
        Forte { pool: Box::leak(Box::new(ThreadPool::new())), helpers: workers - 1 }
    }

    fn enter<R: Send>(&self, body: impl FnOnce(&Worker) -> R + Send) -> R {
        self.pool.with_worker(body)
    }

    fn wake(&self) {
        if self.helpers > 0 {
            self.pool.grow(self.helpers);
            // Of all calls, only this one wakes a heartbeat thread that has gone to sleep.
            drop(self.pool.claim_lease());
        }
    }

    fn rest(&self) {
        let ended = Arc::new(AtomicUsize::new(0));
        self.pool.with_worker(|worker| {
            for helper in 0..self.helpers {
                end_one(worker, thread::current().id(), Ended(Arc::clone(&ended)));
                while ended.load(Ordering::Relaxed) <= helper {
                    // A join looks at the heartbeat, which makes the job above public.
                    worker.join(|_| (), |_| ());
                }
            }
        });
    }
}

/// Counts a worker as ended when its last job is dropped by unwinding.
struct Ended(Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Queues a job that ends whichever thread runs it, other than `owner`, which puts it back.
fn end_one(worker: &Worker, owner: ThreadId, ended: Ended) {
    worker.spawn(move |worker| {
        if thread::current().id() == owner {
            end_one(worker, owner, ended);
        } else {
            let _ended = ended;
            resume_unwind(Box::new("at rest"));
        }
    });
}
