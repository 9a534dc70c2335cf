//! Defects that reading the task cell and its scheduling has found, each as the smallest program that showed it: the
//! ends of pools, of such as have no thread left or never had one, and of those in a forked child.

mod support;

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use filch::{IdlePolicy, JoinHandle, Pool, task};
use support::{Event, lock, note, with_deadline, within};

/// What comes at once comes within this time, even where others load the machine. Nothing here comes by waiting.
const SOON: Duration = Duration::from_secs(4);

/// A future that rests for ever, its last waker, and how often it was polled.
#[derive(Clone, Default)]
struct Resting(Arc<(AtomicUsize, Mutex<Option<Waker>>)>);

impl Resting {
    fn future(&self) -> impl Future<Output = ()> + Send + 'static {
        let this = self.clone();
        poll_fn(move |context| {
            this.0.0.fetch_add(1, Ordering::SeqCst);
            *lock(&this.0.1) = Some(context.waker().clone());
            Poll::Pending
        })
    }

    fn polls(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    fn take_waker(&self) -> Waker {
        lock(&self.0.1).take().expect("it has been polled")
    }
}

/// A pool whose threads never come. A guest has polled a task of it once.
fn pool_without_threads() -> (Pool, JoinHandle<()>, Resting) {
    let handler = |builder| {
        drop(builder);
        Ok(())
    };
    let pool = Pool::builder().workers(2).spawn_handler(handler).build().unwrap();
    let resting = Resting::default();
    let handle = pool.install(|| {
        let handle = filch::spawn(resting.future());
        while resting.polls() == 0 {
            filch::yield_now();
        }
        handle
    });
    (pool, handle, resting)
}

#[test]
fn a_pool_that_never_had_threads_ends_its_tasks() {
    // With a closure in the queue it never closed, and a waker that was used later found its memory freed.
    with_deadline(30, || {
        for (with_closure, abort) in [(true, false), (true, true), (false, false), (false, true)] {
            note(format!("closure: {with_closure}, abort: {abort}"));
            let (pool, handle, resting) = pool_without_threads();
            let runs = Arc::new(AtomicUsize::new(0));
            if with_closure {
                let runs = runs.clone();
                pool.spawn_detached(move || {
                    runs.fetch_add(1, Ordering::SeqCst);
                });
            }
            drop(pool);
            assert_eq!(runs.load(Ordering::SeqCst), usize::from(with_closure));
            let waker = resting.take_waker();
            if abort {
                handle.abort();
            } else {
                waker.wake_by_ref();
            }
            assert!(within(SOON, || handle.is_finished()));
            assert!(handle.join().unwrap_err().is_cancelled());
            waker.wake();
            assert_eq!(resting.polls(), 1);
        }
    });
}

#[test]
fn a_task_of_a_pool_that_is_gone_does_not_wake_into_another() {
    // Its pool's number had been given to the next one, on whose thread it was polled.
    with_deadline(30, || {
        let (pool, handle, resting) = pool_without_threads();
        pool.spawn_detached(|| ());
        drop(pool);
        let strangers: Vec<_> = (0..8).map(|_| support::pool(1)).collect();
        let theirs: Vec<_> = strangers.iter().map(|pool| pool.spawn(pending::<()>())).collect();
        resting.take_waker().wake();
        // Whatever was queued there before has been run.
        strangers.iter().for_each(|pool| pool.spawn(async {}).join().unwrap());
        assert!(within(SOON, || handle.is_finished()));
        assert_eq!(resting.polls(), 1);
        drop(theirs);
        drop(strangers);
    });
}

/// A pool of one worker, which was a thread that has ended.
fn pool_whose_worker_has_ended(meanwhile: impl FnOnce(&Pool) + Send + 'static) -> Pool {
    let (tx, rx) = mpsc::channel();
    let keeper = thread::spawn(move || {
        let policy = IdlePolicy::default().keep_alive(Duration::from_millis(20));
        let pool = Pool::builder().workers(1).use_current_thread().idle_policy(policy).build().unwrap();
        meanwhile(&pool);
        tx.send(pool).unwrap();
    });
    keeper.join().unwrap();
    rx.recv().unwrap()
}

#[test]
fn a_pool_whose_only_worker_has_ended_goes_on() {
    // The thread had taken its seat with it: nothing was run, and no handle was resolved by the end of the pool.
    with_deadline(30, || {
        let pool = pool_whose_worker_has_ended(|_| ());
        let task = pool.spawn(async { 1 });
        let closure = pool.spawn_cpu(|| 2);
        assert!(within(SOON, || task.is_finished() && closure.is_finished()));
        assert_eq!((task.join().unwrap(), closure.join().unwrap()), (1, 2));
        let rests = pool.spawn(pending::<()>());
        drop(pool);
        assert!(rests.is_finished());
        assert!(rests.join().unwrap_err().is_cancelled());
    });
}

#[test]
fn a_pool_whose_only_worker_and_spare_have_ended_ends_its_tasks() {
    // Nobody owned it but its handle, and a task that a spare had polled was woken after it had been freed.
    with_deadline(30, || {
        let (go, over) = (Event::default(), Event::default());
        let (goes_on, ends) = (go.clone(), over.clone());
        let pool = pool_whose_worker_has_ended(move |pool| {
            let (begins, begun) = mpsc::channel();
            pool.spawn_detached(move || {
                begins.send(()).unwrap();
                goes_on.wait();
                while filch::yield_now() == Some(filch::Yield::Executed) {}
                ends.set();
            });
            // This thread waits, so that a spare comes for the closure.
            filch::block_on(filch::spawn_blocking(move || begun.recv().unwrap())).unwrap();
        });
        let resting = Resting::default();
        let handle = pool.spawn(resting.future());
        go.set();
        over.wait();
        assert!(within(SOON, || resting.polls() == 1));
        // Time for the spare to end.
        thread::sleep(Duration::from_millis(200));
        let ran = Event::default();
        let runs = ran.clone();
        pool.spawn_detached(move || runs.set());
        drop(pool);
        assert!(ran.is_set() && handle.is_finished());
        resting.take_waker().wake();
        assert!(handle.join().unwrap_err().is_cancelled());
    });
}

#[test]
fn a_drop_on_the_kept_thread_does_not_wait_for_a_closure_beside_a_task_that_yields() {
    // It polled that task over and over until the closure had ended, which may wait for the dropping thread.
    with_deadline(30, || {
        let pool = Pool::builder().workers(2).use_current_thread().build().unwrap();
        let (begun, go, over) = (Event::default(), Event::default(), Event::default());
        let (begins, goes_on, ends) = (begun.clone(), go.clone(), over.clone());
        let in_time = Arc::new(AtomicBool::new(false));
        let told = in_time.clone();
        pool.spawn_detached(move || {
            begins.set();
            told.store(goes_on.wait_for(SOON), Ordering::SeqCst);
            ends.set();
        });
        begun.wait();
        pool.spawn(async {
            loop {
                task::yield_now().await;
            }
        })
        .detach();
        drop(pool);
        go.set();
        over.wait();
        assert!(in_time.load(Ordering::SeqCst));
    });
}

#[cfg(target_os = "linux")]
mod forked {
    use super::*;

    /// Runs `child` in a forked process; true if it returned, and soon.
    fn in_child(child: impl FnOnce()) -> bool {
        // SAFETY: the child runs `child`, which ends without unwinding, on this thread alone.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "the system can fork");
        if pid == 0 {
            // SAFETY: lets the system end the child if it hangs.
            unsafe { libc::alarm(4) };
            child();
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(0) };
        }
        let mut status = 0;
        // SAFETY: waits for our own child, into our own variable.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
    }

    #[test]
    fn a_child_may_drop_a_pool_that_was_busy() {
        // It took locks that threads of the parent had held when it was made, and hung: once in some hundred times.
        with_deadline(60, || {
            let mut pool = Some(support::pool(2));
            let stop = Arc::new(AtomicBool::new(false));
            let busy: Vec<_> = (0..4)
                .map(|_| {
                    let stop = stop.clone();
                    pool.as_ref().unwrap().spawn(async move {
                        while !stop.load(Ordering::Relaxed) {
                            // Each of the outer ones rests once, in the list of tasks, and is taken out of it.
                            let outer = || filch::spawn(async { filch::spawn(task::yield_now()).await.unwrap() });
                            let tasks: Vec<_> = (0..20).map(|_| outer()).collect();
                            for task in tasks {
                                task.await.unwrap();
                            }
                            filch::spawn_blocking(|| ()).await.unwrap();
                        }
                    })
                })
                .collect();
            let began = std::time::Instant::now();
            let mut children = 0;
            while children < 400 && began.elapsed() < Duration::from_secs(2) {
                assert!(in_child(|| drop(pool.take())), "child {children} hung");
                children += 1;
            }
            stop.store(true, Ordering::Relaxed);
            busy.into_iter().for_each(|task| task.join().unwrap());
        });
    }

    #[test]
    fn a_child_that_drops_a_kept_threads_pool_runs_nothing() {
        // It cleared up as its parent did later: one closure ran in both.
        with_deadline(30, || {
            let mut pool = Some(Pool::builder().workers(1).use_current_thread().build().unwrap());
            let (parent, runs) = (std::process::id(), Arc::new(AtomicUsize::new(0)));
            let counted = runs.clone();
            pool.as_ref().unwrap().spawn_detached(move || {
                if std::process::id() != parent {
                    // SAFETY: ends the child.
                    unsafe { libc::_exit(1) };
                }
                counted.fetch_add(1, Ordering::SeqCst);
            });
            assert!(in_child(|| drop(pool.take())), "the closure ran in the child");
            drop(pool);
            assert_eq!(runs.load(Ordering::SeqCst), 1);
        });
    }
}
