//! A forked child has none of the pool's threads: what it asks of the pool fails loudly, instead of hanging.
#![cfg(target_os = "linux")]

mod support;

use support::{alone, with_deadline};

/// Runs `child` in a forked process; true if it returned true.
fn in_child(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs `child`, which touches nothing but its own memory, and ends without unwinding.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "the system can fork");
    if pid == 0 {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(false);
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(if done { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for our own child, into our own variable.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

fn panics(f: impl FnOnce()) -> bool {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    outcome.is_err_and(|payload| payload.downcast_ref::<String>().is_some_and(|text| text.contains("forked")))
}

#[test]
fn every_way_into_the_pool_panics() {
    // Not beside the other test: what its threads hold in the moment of the fork nobody lets go of in the child.
    let _alone = alone();
    with_deadline(60, || {
        let pool = filch::Pool::builder().workers(2).build().unwrap();
        assert_eq!(pool.join(|| 1, || 2), (1, 2));
        assert!(in_child(|| {
            panics(|| {
                pool.join(|| 1, || 2);
            }) && panics(|| pool.scope(|_| ()))
                && panics(|| pool.spawn_detached(|| ()))
                && panics(|| pool.spawn(async {}).detach())
                && panics(|| drop(pool.broadcast(|_| ())))
        }));
        // The parent's pool is as it was.
        assert_eq!(pool.join(|| 3, || 4), (3, 4));
    });
}

#[test]
fn a_child_may_drop_the_pool_and_make_its_own() {
    let _alone = alone();
    with_deadline(60, || {
        let mut pool = Some(filch::Pool::builder().workers(2).build().unwrap());
        assert!(in_child(|| {
            drop(pool.take());
            let own = filch::Pool::builder().workers(2).build().unwrap();
            own.install(|| filch::join(|| 1, || 2)) == (1, 2)
        }));
        assert_eq!(pool.unwrap().join(|| 3, || 4), (3, 4));
    });
}
