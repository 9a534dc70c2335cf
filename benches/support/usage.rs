//! What the process has used: processor time, context switches, threads.

use std::fs;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Names of threads that belong to a benchmark and not to the library that it measures.
const OURS: [&str; 4] = ["watchdog", "ticker", "arrivals", "feeder"];

/// Starts a thread of the benchmark's own, and returns when it goes by its name, which [`Threads`] leaves out.
pub fn own_thread(name: &'static str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    assert!(OURS.contains(&name), "{name} would be counted");
    let (begin, begun) = mpsc::channel();
    let named = move || {
        begin.send(()).expect("somebody waits for the beginning");
        work();
    };
    let thread = thread::Builder::new().name(name.to_string()).spawn(named).expect("a thread");
    begun.recv().expect("the thread begins");
    thread
}

/// Counters of the process; only differences mean something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time of all threads, in user and in system mode.
    pub cpu: Duration,
    /// Switches because a thread waited for something.
    pub voluntary: f64,
    /// Switches because somebody else was given the core.
    pub involuntary: f64,
}

impl Usage {
    /// The counters now; zeros where there is no `getrusage`.
    pub fn now() -> Self {
        #[cfg(unix)]
        return Self::of_process();
        #[cfg(not(unix))]
        return Self::default();
    }

    #[cfg(unix)]
    fn of_process() -> Self {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the pointer is valid and writable for the length of the call.
        let status = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
        assert_eq!(status, 0, "getrusage knows the process");
        // SAFETY: numbers only, all zeros before and written by the call.
        let usage = unsafe { usage.assume_init() };
        let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1_000);
        Usage {
            cpu: time(usage.ru_utime) + time(usage.ru_stime),
            voluntary: usage.ru_nvcsw as f64,
            involuntary: usage.ru_nivcsw as f64,
        }
    }

    /// What has been used since `earlier`.
    pub fn since(self, earlier: Usage) -> Usage {
        Usage {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            voluntary: self.voluntary - earlier.voluntary,
            involuntary: self.involuntary - earlier.involuntary,
        }
    }

    /// Both of them together.
    pub fn and(self, other: Usage) -> Usage {
        Usage {
            cpu: self.cpu + other.cpu,
            voluntary: self.voluntary + other.voluntary,
            involuntary: self.involuntary + other.involuntary,
        }
    }
}

/// The threads of the library that is measured: all of the process but the main thread and the benchmark's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads {
    pub all: usize,
    /// Those that run or could run.
    pub runnable: usize,
}

impl Threads {
    /// Counts them now. Nothing where there is no `/proc`.
    pub fn now() -> Option<Self> {
        let mut threads = Threads::default();
        let main = std::process::id().to_string();
        for entry in fs::read_dir("/proc/self/task").ok()?.flatten() {
            // A thread that has ended meanwhile cannot be read any more.
            let Ok(line) = fs::read_to_string(entry.path().join("stat")) else { continue };
            let Some((name, state)) = name_and_state(&line) else { continue };
            if entry.file_name().to_string_lossy() == main || OURS.contains(&name) {
                continue;
            }
            threads.all += 1;
            threads.runnable += usize::from(state == 'R');
        }
        Some(threads)
    }

    /// The greater of both numbers.
    pub fn most(self, other: Threads) -> Threads {
        Threads { all: self.all.max(other.all), runnable: self.runnable.max(other.runnable) }
    }
}

/// From a line as `17 (a name) S 1 …`; the name may hold parentheses itself.
fn name_and_state(line: &str) -> Option<(&str, char)> {
    let (begin, end) = (line.find('(')?, line.rfind(')')?);
    Some((line.get(begin + 1..end)?, line.get(end + 2..)?.chars().next()?))
}
