//! Defects that a reading of the express lane found, each as the program that showed it.

mod support;

use filch::Pool;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use support::{alone, with_deadline, yield_once};

const LATE: Duration = Duration::from_secs(2);

/// Spins until the flag is set; false after two seconds.
fn await_flag(flag: &AtomicBool) -> bool {
    let began = Instant::now();
    while !flag.load(SeqCst) {
        if began.elapsed() > LATE {
            return false;
        }
        std::hint::spin_loop();
    }
    true
}

/// A searcher that counted for a task finds a closure.
#[test]
fn a_searcher_that_a_task_counted_on_finds_a_closure() {
    with_deadline(120, || {
        let _alone = alone();
        // A busy machine: who is woken does not run at once.
        let busy = Arc::new(AtomicBool::new(true));
        for _ in 0..6 {
            let busy = busy.clone();
            std::thread::spawn(move || {
                while busy.load(SeqCst) {
                    std::hint::spin_loop()
                }
            });
        }
        for workers in [1usize, 2] {
            let pool = Pool::builder().workers(workers).build().unwrap();
            let mut late = 0;
            for n in 0..60 {
                std::thread::sleep(Duration::from_millis(3));
                for _ in 0..n % 3 {
                    pool.spawn_cpu(|| ()).join().unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                }
                let flag = Arc::new(AtomicBool::new(false));
                let (send, receive) = mpsc::channel();
                for _ in 0..workers {
                    let (flag, send) = (flag.clone(), send.clone());
                    pool.spawn_detached(move || send.send(await_flag(&flag)).unwrap());
                }
                let task = pool.spawn({
                    let flag = flag.clone();
                    async move { flag.store(true, SeqCst) }
                });
                for _ in 0..workers {
                    if !receive.recv().unwrap() {
                        late += 1;
                    }
                }
                task.join().unwrap();
                if late > 3 {
                    break;
                }
            }
            assert_eq!(late, 0, "{workers} workers");
        }
        busy.store(false, SeqCst);
    });
}

/// A yielding task on the lane starves the queues of engaged threads.
#[test]
fn a_task_that_always_yields_does_not_starve_others_on_the_lane() {
    with_deadline(60, || {
        let pool = Arc::new(Pool::builder().workers(1).build().unwrap());
        let began = Arc::new(AtomicBool::new(false));
        let stop = Arc::new(AtomicBool::new(false));
        let (send, receive) = mpsc::channel();
        let inner = pool.clone();
        let (b, s) = (began.clone(), stop.clone());
        pool.spawn_detached(move || {
            assert!(await_flag(&b));
            let flag = Arc::new(AtomicBool::new(false));
            drop(inner.spawn({
                let flag = flag.clone();
                async move { flag.store(true, SeqCst) }
            }));
            let ok = await_flag(&flag);
            s.store(true, SeqCst);
            send.send(ok).unwrap();
        });
        std::thread::sleep(Duration::from_millis(20));
        let y = pool.spawn(async move {
            while !stop.load(SeqCst) {
                began.store(true, SeqCst);
                yield_once().await;
            }
        });
        let ok = receive.recv().unwrap();
        y.join().unwrap();
        assert!(ok, "starved");
    });
}

#[cfg(target_os = "linux")]
fn lane_cpu(prefix: &str) -> Vec<(String, u64)> {
    let mut all = vec![];
    for entry in std::fs::read_dir("/proc/self/task").unwrap() {
        let Ok(text) = std::fs::read_to_string(entry.unwrap().path().join("stat")) else { continue };
        let (head, tail) = text.rsplit_once(')').unwrap();
        let name = head.split_once('(').unwrap().1.to_owned();
        let fields: Vec<&str> = tail.split_whitespace().collect();
        if name.starts_with(prefix) {
            all.push((name, fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()));
        }
    }
    all
}

/// A lane's thread that comes back while another is on duty spins.
#[cfg(target_os = "linux")]
#[test]
fn a_second_thread_of_the_lane_sleeps() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(1).name("sleepy").build().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let o = over.clone();
        // Asleep, in a closure: costs nothing itself.
        pool.spawn_detached(move || {
            while !o.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        std::thread::sleep(Duration::from_millis(20));
        let (send, receive) = mpsc::channel::<()>();
        let in_it = Arc::new(AtomicBool::new(false));
        let i = in_it.clone();
        let first = pool.spawn(async move {
            filch::blocking(|| {
                i.store(true, SeqCst);
                receive.recv().unwrap()
            })
        });
        assert!(await_flag(&in_it));
        let in_second = Arc::new(AtomicBool::new(false));
        let i = in_second.clone();
        // A long poll that costs nothing.
        let second = pool.spawn(async move {
            i.store(true, SeqCst);
            std::thread::sleep(Duration::from_secs(2));
        });
        assert!(await_flag(&in_second));
        send.send(()).unwrap();
        first.join().unwrap();
        second.join().unwrap();
        let cpu = lane_cpu("sleepy");
        over.store(true, SeqCst);
        assert!(cpu.iter().all(|(_, ticks)| *ticks < 50), "{cpu:?}");
    });
}

/// The only task that a long poll has spawned.
#[test]
fn the_only_task_that_a_long_poll_has_spawned() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(1).build().unwrap();
        pool.spawn(async {}).join().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let ok = pool
            .spawn(async {
                let flag = Arc::new(AtomicBool::new(false));
                // Long enough for every patrol and watch to end, though the task lies there.
                std::thread::sleep(Duration::from_millis(100));
                filch::spawn({
                    let flag = flag.clone();
                    async move { flag.store(true, SeqCst) }
                })
                .detach();
                await_flag(&flag)
            })
            .join()
            .unwrap();
        assert!(ok, "left alone in the next slot");
    });
}

/// Shutdown of the lane's pool inside of another pool's block_on.
#[test]
fn shutdown_on_the_lane_inside_another_pools_block_on() {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let pool = Arc::new(Pool::builder().workers(1).build().unwrap());
        let other = Pool::builder().workers(1).build().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let o = over.clone();
        pool.spawn_detached(move || {
            while !o.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        std::thread::sleep(Duration::from_millis(20));
        let inner = pool.clone();
        let task = pool.spawn(async move {
            other.block_on(async { inner.shutdown() });
        });
        std::thread::sleep(Duration::from_millis(200));
        over.store(true, SeqCst);
        let _ = task.join();
        send.send(()).unwrap();
    });
    receive.recv_timeout(Duration::from_secs(5)).expect("deadlock");
}

/// A start hook that waits for a task.
#[test]
fn a_start_handler_that_waits_for_a_task() {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let place: Arc<std::sync::OnceLock<Arc<Pool>>> = Arc::default();
        let p = place.clone();
        let once = AtomicBool::new(false);
        let pool = Arc::new(
            Pool::builder()
                .workers(1)
                .start_handler(move |index| {
                    if index > 0 && !once.swap(true, SeqCst) {
                        if let Some(pool) = p.get() {
                            pool.spawn(async {}).join().unwrap();
                        }
                    }
                })
                .build()
                .unwrap(),
        );
        let _ = place.set(pool.clone());
        let over = Arc::new(AtomicBool::new(false));
        let o = over.clone();
        pool.spawn_detached(move || {
            await_flag(&o);
        });
        std::thread::sleep(Duration::from_millis(20));
        let began = Instant::now();
        pool.spawn(async {}).join().unwrap();
        let took = began.elapsed();
        over.store(true, SeqCst);
        send.send(took).unwrap();
        std::thread::sleep(Duration::from_secs(1));
    });
    let took = receive.recv_timeout(Duration::from_secs(10)).expect("deadlock");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// A spare that was started for a task takes a closure.
#[test]
fn a_spare_that_was_started_for_a_task_takes_a_closure() {
    with_deadline(120, || {
        let pool = Pool::builder()
            .workers(1)
            .idle_policy(filch::IdlePolicy::default().keep_alive(Duration::from_millis(5)))
            .build()
            .unwrap();
        let (hold, held) = mpsc::channel::<()>();
        pool.spawn_detached(move || {
            filch::blocking(|| {
                let _ = held.recv();
            })
        });
        std::thread::sleep(Duration::from_millis(20));
        let late = AtomicUsize::new(0);
        for _ in 0..60 {
            std::thread::sleep(Duration::from_millis(30));
            let flag = Arc::new(AtomicBool::new(false));
            let (send, receive) = mpsc::channel();
            let f = flag.clone();
            let task = pool.spawn(async move { f.store(true, SeqCst) });
            pool.spawn_detached(move || send.send(await_flag(&flag)).unwrap());
            if !receive.recv().unwrap() {
                late.fetch_add(1, SeqCst);
            }
            task.join().unwrap();
            if late.load(SeqCst) > 3 {
                break;
            }
        }
        drop(hold);
        assert_eq!(late.into_inner(), 0);
    });
}
