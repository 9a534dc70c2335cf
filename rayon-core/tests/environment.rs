//! What the environment says, and what ends the process: in child processes, since both are the process's own.

use std::env;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Runs one of the ignored tests below in a process of its own.
fn child(test: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    for name in ["RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS", "FILCH_NUM_THREADS"] {
        command.env_remove(name);
    }
    command.args(["--ignored", "--exact", "--nocapture", test]).envs(variables.iter().copied());
    command.output().unwrap()
}

fn count(variables: &[(&str, &str)]) -> usize {
    let output = child("print_the_number_of_threads", variables);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = text.split_once("threads: ").expect("the child prints it");
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
#[ignore = "the child of other tests"]
fn print_the_number_of_threads() {
    let pool = rayon_core::ThreadPoolBuilder::new().build().unwrap();
    assert_eq!(pool.current_num_threads(), rayon_core::current_num_threads());
    assert_eq!(filch::current_num_threads(), rayon_core::current_num_threads());
    println!("threads: {}", rayon_core::current_num_threads());
}

#[test]
fn the_variables() {
    let default = count(&[]);
    assert_eq!(count(&[("RAYON_NUM_THREADS", "3")]), 3);
    assert_eq!(count(&[("RAYON_RS_NUM_CPUS", "5")]), 5);
    assert_eq!(count(&[("RAYON_NUM_THREADS", "3"), ("RAYON_RS_NUM_CPUS", "5")]), 3);
    assert_eq!(count(&[("RAYON_NUM_THREADS", "0"), ("RAYON_RS_NUM_CPUS", "5")]), default);
    assert_eq!(count(&[("RAYON_NUM_THREADS", "many")]), default);
    // What is no number counts as not set, and so the next one is asked; 0 asks for the default.
    assert_eq!(count(&[("RAYON_NUM_THREADS", "many"), ("RAYON_RS_NUM_CPUS", "5")]), 5);
    assert_eq!(count(&[("RAYON_RS_NUM_CPUS", "0")]), default);
    assert_eq!(count(&[("FILCH_NUM_THREADS", "4"), ("RAYON_NUM_THREADS", "3")]), 4);
}

#[test]
#[ignore = "the child of another test"]
fn panic_in_a_spawned_closure() {
    match env::var("WHERE").unwrap().as_str() {
        "global" => rayon_core::spawn(|| panic!("out of reach")),
        "fifo" => rayon_core::spawn_fifo(|| panic!("out of reach")),
        "broadcast" => rayon_core::spawn_broadcast(|_| panic!("out of reach")),
        "pool" => rayon_core::ThreadPoolBuilder::new().build().unwrap().spawn(|| panic!("out of reach")),
        "built" => {
            rayon_core::ThreadPoolBuilder::new().num_threads(2).build_global().unwrap();
            rayon_core::spawn(|| panic!("out of reach"));
        }
        "start" => {
            let builder = rayon_core::ThreadPoolBuilder::new().start_handler(|_| panic!("out of reach"));
            std::mem::forget(builder.build().unwrap());
        }
        "exit" => drop(rayon_core::ThreadPoolBuilder::new().exit_handler(|_| panic!("out of reach")).build().unwrap()),
        "handler" => {
            let handler = |_| panic!("the handler too");
            let pool = rayon_core::ThreadPoolBuilder::new().panic_handler(handler).build().unwrap();
            pool.spawn(|| panic!("out of reach"));
        }
        other => panic!("{other} is not known"),
    }
    thread::sleep(Duration::from_secs(20));
}

#[test]
fn a_panic_that_nobody_handles_ends_the_process() {
    for place in ["global", "fifo", "broadcast", "pool", "built", "start", "exit", "handler"] {
        let output = child("panic_in_a_spawned_closure", &[("WHERE", place)]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains("aborting"), "{place}: {output:?}");
    }
}

#[test]
#[ignore = "the child of another test"]
fn build_the_global_pool() {
    let filch_first = env::var("FIRST").unwrap() == "filch";
    if filch_first {
        filch::spawn(async {}).join().unwrap();
    }
    if !filch_first {
        let refused = rayon_core::ThreadPoolBuilder::new().spawn_handler(|_| Err(std::io::Error::other("not now")));
        assert_eq!(refused.build_global().unwrap_err().to_string(), "not now");
    }
    let builder = rayon_core::ThreadPoolBuilder::new().num_threads(3).thread_name(|i| format!("mine-{i}"));
    let built = builder.build_global();
    if filch_first {
        assert_eq!(built.unwrap_err().to_string(), "The global thread pool has already been initialized.");
        return;
    }
    built.unwrap();
    assert_eq!((rayon_core::current_num_threads(), filch::current_num_threads()), (3, 3));
    let name = filch::spawn_cpu(|| thread::current().name().map(str::to_owned)).join().unwrap();
    assert!(name.unwrap().starts_with("mine-"));
    let error = filch::Pool::builder().build_global().unwrap_err();
    assert!(matches!(error, filch::BuildError::GlobalExists));
    assert!(rayon_core::ThreadPoolBuilder::new().build_global().is_err());
}

#[test]
fn there_is_one_global_pool() {
    for first in ["filch", "rayon"] {
        let output = child("build_the_global_pool", &[("FIRST", first)]);
        assert!(output.status.success(), "{first}: {output:?}");
    }
}

#[test]
#[ignore = "the child of another test"]
fn wait_for_the_global_pools_threads() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    let late = |thread: rayon_core::ThreadBuilder| {
        // One of four never begins.
        if thread.index() != 2 {
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(100));
                BEGUN.fetch_add(1, Ordering::SeqCst);
                thread.run();
            });
        }
        Ok(())
    };
    rayon_core::ThreadPoolBuilder::new().num_threads(4).spawn_handler(late).build_global().unwrap();
    assert_eq!(BEGUN.load(Ordering::SeqCst), 3);
    assert_eq!(rayon_core::join(|| 6, || 7), (6, 7));
}

#[test]
fn build_global_returns_when_all_threads_have_begun() {
    let output = child("wait_for_the_global_pools_threads", &[]);
    assert!(output.status.success(), "{output:?}");
}

/// Panics of filch's own work that nobody observes, in a global pool that rayon's builder has made.
fn unobserved_panics() {
    drop(filch::spawn(async { panic!("nobody looks") }));
    drop(filch::spawn_blocking(|| panic!("nobody looks")));
    filch::spawn_detached(|| panic!("nobody looks"));
    let began = std::time::Instant::now();
    while filch::stats().panics < 3 {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", filch::stats());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
#[ignore = "the child of another test"]
fn unobserved_panics_of_filchs_own() {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    let mut builder = rayon_core::ThreadPoolBuilder::new().num_threads(2);
    let handled = env::var_os("HANDLER").is_some();
    if handled {
        builder = builder.panic_handler(|_| _ = HANDLED.fetch_add(1, Ordering::SeqCst));
    }
    builder.build_global().unwrap();
    unobserved_panics();
    // The panic is counted before the handler is called.
    let began = std::time::Instant::now();
    while handled && HANDLED.load(Ordering::SeqCst) < 3 {
        assert!(began.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(rayon_core::join(|| 1, || 2), (1, 2));
    println!("survived");
}

/// They ended the process, as those of rayon's spawned closures do.
#[test]
fn an_unobserved_panic_of_filchs_own_ends_nothing() {
    for variables in [&[][..], &[("HANDLER", "1")]] {
        let output = child("unobserved_panics_of_filchs_own", variables);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("survived"), "{variables:?}: {output:?}");
    }
}
