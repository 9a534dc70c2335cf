//! Defects that a later reading of the express lane found, each as the program that showed it: a task that is alone in
//! the next slot of a thread inside a closure, while what runs there waits for it in a way that the pool cannot see.

mod support;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use filch::{Handle, Pool, WaitPolicy, Yield};
use support::{alone, with_deadline};

/// Spawns a task, and waits for it by a channel of the standard library. False if it has not come in a time that is
/// far more than the lane takes.
fn waits_for_a_task(handle: &Handle) -> bool {
    let (send, receive) = mpsc::channel();
    handle.spawn(async move { send.send(()).is_ok() }).detach();
    receive.recv_timeout(Duration::from_secs(10)).is_ok()
}

fn one_worker() -> Pool {
    Pool::builder().workers(1).build().unwrap()
}

#[test]
fn spawned_by_a_poll_on_top_of_a_closure() {
    let _alone = alone();
    with_deadline(60, || {
        let pool = one_worker();
        let (send, receive) = mpsc::channel();
        let handle = pool.handle().clone();
        pool.spawn_cpu(move || {
            let outer = handle.clone();
            handle.spawn(async move { send.send(waits_for_a_task(&outer)).unwrap() }).detach();
            while filch::yield_now() != Some(Yield::Executed) {}
        })
        .detach();
        assert!(receive.recv().unwrap(), "nobody has come for it");
    });
}

#[test]
fn spawned_by_the_destructor_of_what_a_closure_has_returned() {
    struct Waits(Handle, mpsc::Sender<bool>);

    impl Drop for Waits {
        fn drop(&mut self) {
            self.1.send(waits_for_a_task(&self.0)).unwrap();
        }
    }

    let _alone = alone();
    with_deadline(60, || {
        let pool = one_worker();
        let (send, receive) = mpsc::channel();
        let handle = pool.handle().clone();
        pool.spawn_cpu(move || Waits(handle, send)).detach();
        assert!(receive.recv().unwrap(), "nobody has come for it");
    });
}

#[test]
fn spawned_by_a_closure_that_a_scopes_end_runs_after_another() {
    let _alone = alone();
    with_deadline(60, || {
        let pool = Pool::builder().workers(2).wait_policy(WaitPolicy::RunAnything).build().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (begun, begins) = mpsc::channel();
        let computes = stop.clone();
        pool.spawn_detached(move || {
            begun.send(()).unwrap();
            while !computes.load(Relaxed) {
                std::hint::spin_loop();
            }
        });
        begins.recv().unwrap();
        let (send, receive) = mpsc::channel();
        let handle = pool.handle().clone();
        pool.install_on_worker(move || {
            filch::scope(|scope| {
                scope.spawn(|_| {});
                // The newest runs first.
                filch::spawn_cpu(move || send.send(waits_for_a_task(&handle)).unwrap()).detach();
                filch::spawn_cpu(|| {}).detach();
            })
        });
        let came = receive.recv().unwrap();
        stop.store(true, Relaxed);
        assert!(came, "nobody has come for it");
    });
}
