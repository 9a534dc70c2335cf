//! The threads of this process, as Linux tells them: their names, and how much processor time each has used.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A thread of this process.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The system's number of it.
    pub id: u32,
    /// Its name, cut to 15 bytes by the system; without one of its own, the name of the thread that started it.
    pub name: String,
    /// The processor time that it has used.
    pub used: Duration,
}

impl Thread {
    /// Whether it is the thread that runs `main`.
    pub fn is_main(&self) -> bool {
        self.id == std::process::id()
    }
}

/// The number of the current thread.
pub fn current() -> u32 {
    // The link reads `PID/task/TID`.
    let link = fs::read_link("/proc/thread-self").expect("Linux, with /proc mounted");
    link.file_name().and_then(|name| name.to_str()).and_then(|id| id.parse().ok()).expect("a number")
}

/// All threads of this process. One that ends meanwhile may be missing.
pub fn all() -> Vec<Thread> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux, with /proc mounted");
    tasks.filter_map(|entry| look_at(&entry.ok()?.path())).collect()
}

/// None if the thread has ended.
fn look_at(task: &Path) -> Option<Thread> {
    let name = fs::read_to_string(task.join("comm")).ok()?;
    // Three numbers, the first of which is the time on a processor in nanoseconds.
    let times = fs::read_to_string(task.join("schedstat")).ok()?;
    let used = times.split(' ').next()?.parse().map(Duration::from_nanos).ok()?;
    Some(Thread { id: task.file_name()?.to_str()?.parse().ok()?, name: name.trim_end().to_owned(), used })
}

/// Whether two of these times are worth the name: each a tenth of the sum or more.
pub fn two_have_worked(used: &[Duration]) -> bool {
    let sum: Duration = used.iter().sum();
    used.iter().filter(|part| **part * 10 >= sum).count() >= 2
}

/// The times in milliseconds.
pub fn in_millis(used: &[Duration]) -> String {
    let texts: Vec<String> = used.iter().map(|part| format!("{:.0}", part.as_secs_f64() * 1e3)).collect();
    texts.join(" + ")
}

/// What each thread has used of the processor since [`start`](Self::start): for crates that run none of our code in
/// their loops.
pub struct Usage {
    before: BTreeMap<u32, Duration>,
}

impl Usage {
    /// Starts counting.
    pub fn start() -> Self {
        Usage { before: table() }
    }

    /// How much the main thread has used, and how much each of the global pool's workers.
    pub fn so_far(&self) -> (Duration, Vec<Duration>) {
        let now = table();
        let of = |table: &BTreeMap<u32, Duration>, id| table.get(&id).copied().unwrap_or_default();
        let since = |id| of(&now, id).saturating_sub(of(&self.before, id));
        // Asked of the pool itself, so that these are its workers and nobody else.
        let workers = filch::broadcast(|_| current());
        (since(std::process::id()), workers.into_iter().map(since).collect())
    }

    /// Calls `work`, which computes on the global pool, until its workers have used 100 ms and two of them have had a
    /// share of it worth the name. Returns the time of the main thread, and theirs.
    ///
    /// # Panics
    /// If that has not come about after 500 calls. Says by whom what was used.
    pub fn of_workers(mut work: impl FnMut()) -> (Duration, Vec<Duration>) {
        let usage = Usage::start();
        for _ in 0..500 {
            work();
            let (main, workers) = usage.so_far();
            let sum: Duration = workers.iter().sum();
            if sum >= Duration::from_millis(100) && two_have_worked(&workers) {
                return (main, workers);
            }
        }
        panic!("two workers should have used time: (main, workers) = {:?}", usage.so_far());
    }
}

fn table() -> BTreeMap<u32, Duration> {
    all().into_iter().map(|thread| (thread.id, thread.used)).collect()
}
