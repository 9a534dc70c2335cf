//! The global pool, in a process of its own for each question: it is made once, by the first use or by one builder,
//! and is good for everything that the free functions do outside of a pool.

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use std::{io, thread};

use filch::{BuildError, Pool};
use support::{fib, with_deadline};

/// Runs one of the ignored tests below in a new process.
fn child(test: &str) {
    let exe = std::env::current_exe().unwrap();
    let output = Command::new(exe).args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

macro_rules! children {
    ($($name:ident => $child:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            child(stringify!($child));
        }
    )* };
}

children! {
    it_is_built_once => child_builds_twice,
    it_is_made_by_the_first_use => child_uses_first,
    it_serves_every_free_function => child_uses_everything,
    it_gets_along_with_fewer_threads => child_is_refused_some_threads,
    it_gets_along_with_no_thread_at_all => child_is_refused_all_threads,
    it_is_made_by_the_first_use_without_any_thread => child_uses_first_what_the_system_refuses_threads,
    many_builders_at_once => child_builds_from_many_threads,
    it_may_use_the_main_thread => child_uses_the_current_thread,
    it_does_not_keep_the_process => child_leaves_work_behind,
}

#[test]
#[ignore = "run in a process of its own"]
fn child_builds_twice() {
    with_deadline(30, || {
        Pool::builder().workers(3).name("global").build_global().unwrap();
        assert_eq!(filch::current_num_threads(), 3);
        let again = Pool::builder().workers(2).build_global();
        assert!(matches!(again, Err(BuildError::GlobalExists)));
        assert!(again.unwrap_err().to_string().contains("before the first use"));
        assert_eq!(filch::current_num_threads(), 3);
    });
}

#[test]
#[ignore = "run in a process of its own"]
fn child_uses_first() {
    with_deadline(30, || {
        assert_eq!(fib(10), 55);
        assert!(matches!(Pool::builder().build_global(), Err(BuildError::GlobalExists)));
    });
}

#[test]
#[ignore = "run in a process of its own"]
fn child_uses_everything() {
    with_deadline(30, || {
        let workers = 2;
        Pool::builder().workers(workers).build_global().unwrap();
        assert_eq!(filch::current_thread_index(), None);
        assert_eq!(filch::yield_now(), None);
        assert_eq!(filch::yield_local(), None);
        assert_eq!(filch::current_thread_has_pending_tasks(), None);
        assert!(filch::max_num_threads() >= workers);
        assert_eq!(filch::join(|| fib(5), || fib(6)), (5, 8));
        assert_eq!(filch::join_context(|c| c.migrated(), |_| 1), (false, 1));
        assert_eq!(filch::with_worker(|w| w.join(|_| 1, |w| w.index() < 100)), (1, true));
        let count = AtomicUsize::new(0);
        let add = || support::ignore(count.fetch_add(1, Ordering::SeqCst));
        filch::scope(|s| s.spawn(|_| add()));
        filch::scope_fifo(|s| s.spawn_fifo(|_| add()));
        filch::in_place_scope(|s| s.spawn(|_| add()));
        filch::in_place_scope_fifo(|s| s.spawn_fifo(|_| add()));
        assert_eq!(count.into_inner(), 4);
        assert_eq!(filch::broadcast(|c| (c.index(), c.num_threads())), [(0, 2), (1, 2)]);
        let (tx, rx) = std::sync::mpsc::channel();
        let (t1, t2, t3) = (tx.clone(), tx.clone(), tx);
        filch::spawn_detached(move || t1.send(()).unwrap());
        filch::spawn_fifo(move || t2.send(()).unwrap());
        filch::spawn_broadcast(move |_| t3.send(()).unwrap());
        assert_eq!(rx.iter().count(), 2 + workers);
        assert_eq!(filch::spawn(async { 1 }).join().unwrap(), 1);
        assert_eq!(filch::spawn_cpu(|| 2).join().unwrap(), 2);
        assert_eq!(filch::spawn_blocking(|| 3).join().unwrap(), 3);
        assert_eq!(filch::block_on(async { filch::spawn(async { 4 }).await.unwrap() }), 4);
    });
}

/// Builds the global pool for six workers, of which only those below the limit are let have a thread.
fn refuse_from(limit: &'static AtomicUsize) {
    Pool::builder()
        .workers(6)
        .spawn_handler(move |thread| {
            if thread.index() >= limit.load(Ordering::SeqCst) {
                return Err(io::Error::other("no more threads"));
            }
            thread::spawn(|| thread.run());
            Ok(())
        })
        .build_global()
        .expect("the global pool is built with what there is");
}

#[test]
#[ignore = "run in a process of its own"]
fn child_is_refused_some_threads() {
    with_deadline(30, || {
        static LIMIT: AtomicUsize = AtomicUsize::new(2);
        refuse_from(&LIMIT);
        assert_eq!(filch::current_num_threads(), 2);
        assert_eq!(fib(15), 610);
        assert_eq!(filch::spawn(async { 4 }).join().unwrap(), 4);
        assert_eq!(filch::broadcast(|_| 1).len(), 2);
    });
}

/// What may be asked of a pool that has no thread: whoever waits does the work.
fn everything_without_threads() {
    let here = thread::current().id();
    assert_eq!(filch::current_num_threads(), 1);
    assert_eq!(fib(15), 610);
    let mut sum = 0;
    filch::scope(|s| s.spawn(|_| sum += fib(5)));
    assert_eq!(sum, 5);
    let call = |c: filch::BroadcastContext<'_>| (c.index(), c.num_threads(), thread::current().id());
    assert_eq!(filch::broadcast(call), [(0, 1, here)]);
    assert_eq!(filch::join(|| filch::broadcast(call), || fib(5)), (vec![(0, 1, here)], 5), "by a guest");
    assert_eq!(filch::block_on(async { filch::broadcast(call) }), [(0, 1, here)]);
    filch::scope(|s| s.spawn_broadcast(|_, c| assert_eq!(c.index(), 0)));
    filch::in_place_scope(|s| s.spawn_broadcast(|_, c| assert_eq!(c.index(), 0)));
    assert_eq!(filch::spawn(async { 1 }).join().unwrap(), 1);
    assert_eq!(filch::spawn_cpu(|| 2).join().unwrap(), 2);
    assert_eq!(filch::spawn_blocking(|| 3).join().unwrap(), 3);
    assert_eq!(filch::block_on(async { filch::spawn(async { 4 }).await.unwrap() }), 4);
    assert_eq!(
        filch::join(|| filch::spawn(async { 5 }).join().unwrap(), || filch::spawn_cpu(|| 6).join().unwrap()),
        (5, 6)
    );
    // What nobody waits for is done by those who wait for something else.
    let (tx, rx) = mpsc::channel();
    let (t1, t2, t3) = (tx.clone(), tx.clone(), tx);
    filch::spawn_detached(move || t1.send(1).unwrap());
    filch::spawn_fifo(move || t2.send(2).unwrap());
    filch::spawn_broadcast(move |c| t3.send(3 + c.index()).unwrap());
    let mut done = Vec::new();
    while done.len() < 3 {
        assert_eq!(filch::spawn(async { 4 }).join().unwrap(), 4);
        done.extend(rx.try_iter());
    }
    done.sort_unstable();
    assert_eq!(done, [1, 2, 3]);
}

/// The same when threads can be had again: they come for what is spawned, without anybody who waits in the pool.
fn everything_with_threads_again() {
    let here = thread::current().id();
    let (tx, rx) = mpsc::channel();
    let t2 = tx.clone();
    filch::spawn_detached(move || tx.send((1, thread::current().id())).unwrap());
    let (one, by) = rx.recv_timeout(Duration::from_secs(20)).expect("a thread comes for it");
    assert!(one == 1 && by != here);
    filch::spawn_broadcast(move |c| t2.send((c.index(), thread::current().id())).unwrap());
    let (zero, by) = rx.recv_timeout(Duration::from_secs(20)).expect("a thread comes for it");
    assert!(zero == 0 && by != here);
    assert_eq!(filch::broadcast(|c| (c.index(), c.num_threads())), [(0, 1)]);
    assert_ne!(filch::spawn_blocking(|| thread::current().id()).join().unwrap(), here);
    assert_eq!(filch::spawn(async { 4 }).join().unwrap(), 4);
    assert_eq!(filch::spawn_cpu(|| fib(10)).join().unwrap(), 55);
    assert_eq!(fib(15), 610);
}

#[test]
#[ignore = "run in a process of its own"]
fn child_is_refused_all_threads() {
    with_deadline(60, || {
        static LIMIT: AtomicUsize = AtomicUsize::new(0);
        refuse_from(&LIMIT);
        everything_without_threads();
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| assert_eq!(fib(12), 144));
                threads.spawn(|| assert_eq!(filch::broadcast(|c| c.index()), [0]));
            }
        });
        LIMIT.store(usize::MAX, Ordering::SeqCst);
        everything_with_threads_again();
    });
}

/// Lets the system refuse every further thread, or not. The limit does not bind root, so the process becomes somebody
/// else first. False where that does not help.
#[cfg(target_os = "linux")]
fn system_refuses_threads(refuses: bool) -> bool {
    const NOBODY: libc::uid_t = 65_534;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls get a user's number, and pointers to a variable of ours.
    let set = unsafe {
        (libc::geteuid() != 0 || libc::setuid(NOBODY) == 0)
            && libc::getrlimit(libc::RLIMIT_NPROC, &raw mut limit) == 0
            && {
                limit.rlim_cur = if refuses { 0 } else { limit.rlim_max };
                libc::setrlimit(libc::RLIMIT_NPROC, &raw const limit) == 0
            }
    };
    set && thread::Builder::new().spawn(|| ()).is_err() == refuses
}

#[cfg(not(target_os = "linux"))]
fn system_refuses_threads(_: bool) -> bool {
    false
}

#[test]
#[ignore = "run in a process of its own"]
fn child_uses_first_what_the_system_refuses_threads() {
    with_deadline(60, || {
        if !system_refuses_threads(true) {
            return println!("not tested: this system refuses no thread when it is told to");
        }
        everything_without_threads();
        assert!(matches!(Pool::builder().build_global(), Err(BuildError::GlobalExists)));
        if system_refuses_threads(false) {
            everything_with_threads_again();
        }
    });
}

#[test]
#[ignore = "run in a process of its own"]
fn child_builds_from_many_threads() {
    with_deadline(30, || {
        let built = AtomicUsize::new(0);
        thread::scope(|threads| {
            for workers in 1..=8 {
                let built = &built;
                threads.spawn(move || match Pool::builder().workers(workers).build_global() {
                    Ok(()) => drop(built.fetch_add(1, Ordering::SeqCst)),
                    Err(error) => assert!(matches!(error, BuildError::GlobalExists)),
                });
            }
        });
        assert_eq!(built.into_inner(), 1);
        assert_eq!(fib(10), 55);
    });
}

#[test]
#[ignore = "run in a process of its own"]
fn child_uses_the_current_thread() {
    with_deadline(30, || {
        Pool::builder().workers(2).use_current_thread().build_global().unwrap();
        assert_eq!(filch::current_thread_index(), Some(0));
        assert_eq!(fib(15), 610);
        thread::scope(|threads| {
            threads.spawn(|| assert_eq!(fib(15), 610));
        });
    });
}

#[test]
#[ignore = "run in a process of its own"]
fn child_leaves_work_behind() {
    // Nobody waits for these: the process ends when its main thread does.
    with_deadline(30, || {
        filch::spawn(std::future::pending::<()>()).detach();
        filch::spawn_detached(thread::park);
    });
}
