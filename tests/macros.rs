//! `#[filch::main]` and `#[filch::test]`: which pool the body runs on, what it may be and return, and what each argument
//! does. What is refused, and in which words, is tested in `macros/src/tests.rs`.

mod support;

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::panic;
use std::process::Command;
use std::rc::Rc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use filch::Handle;
use filch::task::JoinError;
use filch::time::{self, Duration, Instant, sleep};
use support::{Drops, assert_threads_end, catch, plan, with_deadline};

const HOUR: Duration = Duration::from_secs(3600);

/// For bodies on the test's own thread: a hang is a failure as long as what is returned lives.
fn watched() -> Sender<()> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || with_deadline(60, move || support::ignore(rx.recv())));
    tx
}

/// The number of workers where this is called, and the names of their threads.
fn workers() -> (usize, Vec<String>) {
    let names = filch::broadcast(|_| thread::current().name().unwrap_or("none").to_owned());
    (filch::current_num_threads(), names)
}

/// What it panics with.
fn message_of(panics: fn()) -> String {
    *panic::catch_unwind(panics).unwrap_err().downcast().unwrap()
}

/// That tasks go to the pool that we are in, and no other.
async fn assert_spawns_go_here() {
    let here = Handle::current();
    let there = filch::spawn(async { Handle::current() }).await.unwrap();
    assert!(here == there);
    assert!(filch::spawn_cpu(Handle::current).await.unwrap() == here);
}

#[derive(Debug)]
struct Planned;

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("planned")
    }
}

impl Error for Planned {}

// ----- in processes of their own ---------------------------------------------------------------------------------

/// Runs one of the ignored tests below in a new process: whether it passed, and what it wrote.
fn child(test: &str) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env("FILCH_NUM_THREADS", "5");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("running 1 test"), "{text}");
    (output.status.success(), text)
}

fn assert_child_passes(test: &str) {
    let (passed, text) = child(test);
    assert!(passed, "{text}");
}

fn assert_child_fails(test: &str, with: &str) {
    let (passed, text) = child(test);
    assert!(!passed && text.contains(with), "{text}");
}

// ----- main: pools -----------------------------------------------------------------------------------------------

#[filch::main]
async fn plain_main() -> Handle {
    assert_spawns_go_here().await;
    Handle::current()
}

#[test]
fn main_runs_on_the_global_pool() {
    let (handle, global) = with_deadline(60, || (plain_main(), Handle::current()));
    assert!(handle == global);
    // Any other function may have the attribute, and then it is a `block_on` like any.
    with_deadline(60, || {
        let pool = filch::Pool::builder().workers(1).build().unwrap();
        assert!(pool.install(plain_main) == *pool);
    });
}

#[filch::main(worker_threads = 3, name = "own")]
async fn main_with_arguments() {
    assert_spawns_go_here().await;
    let (count, names) = workers();
    assert_eq!((count, names), (3, ["own-0", "own-1", "own-2"].map(str::to_owned).to_vec()));
}

#[test]
#[ignore = "run in a process of its own"]
fn child_builds_the_global_pool() {
    with_deadline(60, || {
        main_with_arguments();
        assert_eq!(filch::current_num_threads(), 3);
        let message = message_of(main_with_arguments);
        assert!(message.contains("#[filch::main] cannot build its pool: the global pool exists already"), "{message}");
    });
}

#[test]
fn arguments_of_main_build_the_global_pool_once() {
    assert_child_passes("child_builds_the_global_pool");
}

#[filch::main(flavor = "multi_thread")]
async fn main_of_the_flavor() -> usize {
    filch::current_num_threads()
}

#[test]
#[ignore = "run in a process of its own"]
fn child_says_the_flavor() {
    with_deadline(60, || {
        assert_eq!(filch::current_num_threads(), 5);
        assert_eq!(main_of_the_flavor(), 5);
    });
}

#[test]
fn the_flavor_of_main_is_no_reason_to_build_a_pool() {
    assert_child_passes("child_says_the_flavor");
}

#[filch::main(start_paused = true)]
async fn paused_main() {
    let (began, real) = (Instant::now(), std::time::Instant::now());
    filch::spawn(async { sleep(HOUR).await }).await.unwrap();
    assert_eq!(began.elapsed(), HOUR);
    assert!(real.elapsed() < Duration::from_secs(60));
}

#[test]
#[ignore = "run in a process of its own"]
fn child_stops_the_global_clock() {
    with_deadline(60, paused_main);
}

#[test]
fn main_with_a_stopped_clock() {
    assert_child_passes("child_stops_the_global_clock");
}

#[test]
fn a_name_that_no_system_takes() {
    #[filch::main(name = "a\0b")]
    async fn refused() {}
    let message = message_of(refused);
    assert!(message.contains("#[filch::main] cannot build its pool") && message.contains("NUL"), "{message}");
}

mod elsewhere {
    pub mod stand_in {
        use std::cell::Cell;

        thread_local!(pub static CALLS: Cell<u32> = const { Cell::new(0) });

        pub fn block_on<F: Future>(future: F) -> F::Output {
            CALLS.set(CALLS.get() + 1);
            filch::block_on(future)
        }
    }
}

#[test]
fn the_crate_by_another_path() {
    #[filch::main(crate = "elsewhere::stand_in")]
    async fn renamed() -> u32 {
        1
    }
    with_deadline(60, || assert_eq!((renamed(), elsewhere::stand_in::CALLS.get()), (1, 1)));
}

// ----- main: bodies ----------------------------------------------------------------------------------------------

#[test]
fn a_body_that_is_not_send() {
    #[filch::main]
    async fn counts() -> u32 {
        let count = Rc::new(Cell::new(1));
        filch::task::yield_now().await;
        count.set(count.get() + 1);
        count.get()
    }
    with_deadline(60, || assert_eq!(counts(), 2));
}

/// What of the body is coerced to the type that the function returns is so here, too.
#[filch::main]
async fn ends(how: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
    match how {
        "early" => return Ok(1),
        "text" => return Err("text".into()),
        "question mark" => Ok(filch::spawn(async { how_many("many") }).await??),
        "panic" => plan(3),
        _ => Err(Box::new(Planned)),
    }
}

fn how_many(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[test]
fn results() {
    with_deadline(60, || {
        assert_eq!(ends("early").unwrap(), 1);
        assert_eq!(ends("text").unwrap_err().to_string(), "text");
        assert!(ends("question mark").unwrap_err().is::<std::num::ParseIntError>());
        assert!(ends("late").unwrap_err().is::<Planned>());
        assert_eq!(catch(|| ends("panic").is_ok()), Err(3));
    });
}

#[test]
fn functions_of_every_kind() {
    struct Base(u32);

    impl Base {
        #[filch::main]
        async fn plus<T>(&self, (a, mut b): (T, u32)) -> u32
        where
            T: Into<u32>,
        {
            #![allow(clippy::arithmetic_side_effects)]
            b += self.0;
            a.into() + b
        }

        #[filch::main]
        async fn own(&mut self) -> &mut u32 {
            &mut self.0
        }
    }

    #[filch::main]
    async fn up_to(most: u32) -> impl Iterator<Item = u32> {
        0..most
    }

    #[filch::main]
    async fn never() -> ! {
        plan(4)
    }

    with_deadline(60, || {
        let mut base = Base(10);
        assert_eq!(base.plus((20_u16, 30)), 60);
        *base.own() = 1;
        assert_eq!(base.0, 1);
        assert_eq!(up_to(3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(catch(|| never()), Err(4));
    });
}

// ----- test: pools -----------------------------------------------------------------------------------------------

#[filch::test]
async fn a_test_has_one_worker() {
    let _watched = watched();
    assert_spawns_go_here().await;
    assert_eq!(workers().0, 1);
    // Nobody else's: two of them at once are two.
    let other = thread::spawn(pool_of_a_test).join().unwrap();
    assert!(Handle::current() != other);
    let global = thread::spawn(Handle::current).join().unwrap();
    assert!(Handle::current() != global && other != global);
}

/// The pool that a test has had, which is called by hand here.
#[allow(unnameable_test_items)]
fn pool_of_a_test() -> Handle {
    thread_local!(static FOUND: Cell<Option<Handle>> = const { Cell::new(None) });

    #[filch::test]
    async fn finds() {
        FOUND.set(Some(Handle::current()));
    }
    finds();
    FOUND.take().unwrap()
}

#[filch::test(worker_threads = 3, name = "three")]
async fn as_many_workers_as_it_says() {
    let _watched = watched();
    assert_spawns_go_here().await;
    assert_eq!(workers(), (3, ["three-0", "three-1", "three-2"].map(str::to_owned).to_vec()));
}

#[filch::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_workers_as_it_says_of_the_flavor() {
    let _watched = watched();
    assert_eq!(workers().0, 2);
}

#[filch::test(flavor = "multi_thread")]
#[ignore = "run in a process of its own"]
async fn child_of_the_flavor() {
    let _watched = watched();
    assert_eq!(workers().0, 5);
}

#[test]
fn the_flavor_of_a_test_has_as_many_workers_as_there_are_cores() {
    assert_child_passes("child_of_the_flavor");
}

#[filch::test(name = "a\0b")]
#[should_panic(expected = "#[filch::test] cannot build its pool: the thread name \"a\\0b\" holds a NUL byte")]
async fn a_test_whose_pool_cannot_be_built() {}

#[filch::test(crate = "::filch")]
async fn a_test_with_the_crate_by_its_path() {
    let _watched = watched();
    assert_spawns_go_here().await;
}

// ----- test: the clock -------------------------------------------------------------------------------------------

async fn assert_an_hour_takes_no_time() {
    let (began, real) = (Instant::now(), std::time::Instant::now());
    let sleeps: Vec<_> = (1..=20).map(|n| filch::spawn(sleep(HOUR * n))).collect();
    for sleep in sleeps {
        sleep.await.unwrap();
    }
    assert_eq!(began.elapsed(), HOUR * 20);
    assert!(real.elapsed() < Duration::from_secs(60));
}

#[filch::test(start_paused = true)]
async fn a_test_with_a_stopped_clock() {
    let _watched = watched();
    assert_an_hour_takes_no_time().await;
}

#[filch::test(start_paused = true, worker_threads = 4)]
async fn a_test_with_a_stopped_clock_and_four_workers() {
    let _watched = watched();
    assert_an_hour_takes_no_time().await;
}

#[filch::test(start_paused = false)]
#[should_panic(expected = "the pool's clock is not paused")]
async fn the_clock_of_a_test_goes() {
    let _watched = watched();
    time::resume();
}

#[filch::test]
async fn a_test_may_stop_the_clock_itself() {
    let _watched = watched();
    time::pause();
    assert_an_hour_takes_no_time().await;
}

// ----- test: ends ------------------------------------------------------------------------------------------------

#[filch::test]
async fn a_test_with_a_result() -> Result<(), JoinError> {
    let _watched = watched();
    let kept = Rc::new(6);
    let seven = filch::spawn(async { 7 }).await?;
    assert_eq!(*kept * seven, 42);
    Ok(())
}

#[filch::test]
#[ignore = "run in a process of its own"]
async fn child_with_an_error() -> Result<(), Box<dyn Error>> {
    let _watched = watched();
    Err(Box::new(Planned))
}

#[test]
fn a_test_that_returns_an_error_fails() {
    assert_child_fails("child_with_an_error", "Error: Planned");
}

#[filch::test]
#[should_panic(expected = "planned")]
async fn a_test_that_should_panic() {
    let _watched = watched();
    filch::spawn(async {}).await.unwrap();
    panic!("planned");
}

#[filch::test]
#[ignore = "run in a process of its own"]
async fn child_that_panics() {
    let _watched = watched();
    filch::task::yield_now().await;
    panic!("planned");
}

#[test]
fn a_test_that_panics_fails() {
    assert_child_fails("child_that_panics", "planned");
}

#[test]
#[allow(unnameable_test_items)]
fn its_pool_ends_with_the_test() {
    thread_local! {
        static PANICS: Cell<bool> = const { Cell::new(false) };
        static DROPS: Drops = Drops::default();
    }

    #[filch::test(name = "leaves-work")]
    async fn leaves_work() {
        let token = || DROPS.with(Drops::token);
        // A task that would never end, closures that wait for a worker, and a call that blocks meanwhile.
        let rests = token();
        filch::spawn(async {
            std::future::pending::<()>().await;
            drop(rests);
        })
        .detach();
        for _ in 0..100 {
            let token = token();
            filch::spawn_detached(|| drop(token));
        }
        let blocks = token();
        filch::spawn_blocking(|| {
            thread::sleep(Duration::from_millis(20));
            drop(blocks);
        })
        .detach();
        if PANICS.get() {
            plan(5);
        }
    }

    with_deadline(60, || {
        for (rounds, panics) in [(1, false), (2, true)] {
            PANICS.set(panics);
            assert_eq!(catch(leaves_work), if panics { Err(5) } else { Ok(()) });
            let drops = DROPS.with(Drops::clone);
            assert_eq!((drops.made(), drops.dropped()), (rounds * 102, rounds * 102));
            assert_threads_end("leaves-work");
        }
    });
}
