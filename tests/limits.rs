//! What the system grants a process is what a pool uses: the number of workers follows the affinity mask and, where
//! the machine lets one set it, the cgroup's quota; and no more threads run than that.
#![cfg(target_os = "linux")]

#[path = "support/processors.rs"]
mod processors;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, fs};

use processors::{cpus, restrict_to};
use support::{alone, spin, with_deadline};

/// Set in a child: the processors it restricts itself to, if any.
const CHILD: &str = "FILCH_LIMITS_CHILD";

/// What a child does: restricts itself, makes a pool with nothing said, and tells how many workers it has and how many
/// bodies have run at once.
#[test]
fn child() {
    let Ok(wanted) = env::var(CHILD) else { return };
    let cpus: Vec<usize> = wanted.split(',').filter_map(|cpu| cpu.parse().ok()).collect();
    if !cpus.is_empty() {
        restrict_to(&cpus);
    }
    let pool = filch::Pool::builder().build().unwrap();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let handles: Vec<_> = (0..100)
        .map(|i| {
            let (running, most) = (running.clone(), most.clone());
            let body = move || {
                most.fetch_max(1 + running.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                spin(Duration::from_micros(500));
                running.fetch_sub(1, Ordering::SeqCst);
            };
            if i % 2 == 0 { pool.spawn_cpu(body) } else { pool.spawn(async move { body() }) }
        })
        .collect();
    handles.into_iter().for_each(|handle| handle.join().unwrap());
    println!("CHILD {} {} {}", pool.num_workers(), filch::current_num_threads(), most.load(Ordering::SeqCst));
}

/// Runs the child, perhaps moved into a cgroup first; gives the number of its workers.
fn workers_of_child(cpus: &[usize], cgroup: Option<&Path>) -> usize {
    let list = cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let test = env::current_exe().expect("a test has a path");
    let mut command = match cgroup {
        None => Command::new(&test),
        Some(group) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", "echo $$ > \"$1/cgroup.procs\" && shift && exec \"$@\"", "sh"]).arg(group).arg(&test);
            shell
        }
    };
    let output = command
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, list)
        .env_remove("FILCH_NUM_THREADS")
        .stdin(Stdio::null())
        .output()
        .expect("a child can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split("CHILD ").nth(1));
    let Some(line) = line else { panic!("no answer: {text}\n{}", String::from_utf8_lossy(&output.stderr)) };
    let numbers: Vec<usize> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [own, global, most] = numbers[..] else { panic!("{line}") };
    assert_eq!(own, global, "the global pool goes by the same limits");
    assert!(most <= own + 1, "{most} bodies at once with {own} workers");
    own
}

#[test]
fn workers_follow_the_affinity_mask() {
    let _alone = alone();
    with_deadline(100, || {
        let cpus = cpus();
        // A quota may be below the mask already.
        let all = workers_of_child(&[], None);
        assert!(all <= cpus.len() && all >= 1);
        for most in 1..=cpus.len().min(3) {
            assert_eq!(workers_of_child(&cpus[..most], None), most.min(all), "a mask of {most}");
            assert_eq!(workers_of_child(&cpus[cpus.len() - most..], None), most.min(all), "another of {most}");
        }
    });
}

/// A cgroup with a quota, taken away at the end.
struct Group(PathBuf);

impl Group {
    /// An error is why there can be none.
    fn new(percent: u64) -> Result<Group, String> {
        let name = format!("filch-limits-{}-{percent}", std::process::id());
        let said = |what: &str, error: std::io::Error| format!("{what}: {error}");
        for (root, v2) in [("/sys/fs/cgroup", true), ("/sys/fs/cgroup/cpu", false)] {
            let root = Path::new(root);
            if root.join("cgroup.controllers").exists() != v2 {
                continue;
            }
            let group = Group(root.join(&name));
            fs::create_dir(&group.0).map_err(|error| said("a cgroup cannot be made", error))?;
            let quota = percent * 1000;
            if v2 {
                fs::write(group.0.join("cpu.max"), format!("{quota} 100000"))
                    .map_err(|error| said("cpu.max cannot be set", error))?;
            } else {
                fs::write(group.0.join("cpu.cfs_period_us"), "100000")
                    .and_then(|()| fs::write(group.0.join("cpu.cfs_quota_us"), quota.to_string()))
                    .map_err(|error| said("cpu.cfs_quota_us cannot be set", error))?;
            }
            return Ok(group);
        }
        Err("no cgroup file system with a cpu controller".to_owned())
    }

    /// One without a quota of its own, inside. It goes before this one.
    fn inner(&self) -> Result<Group, String> {
        let inner = self.0.join("inner");
        fs::create_dir(&inner).map_err(|error| format!("a cgroup cannot be made in another: {error}"))?;
        Ok(Group(inner))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes have ended, but the system may need a moment to see it.
        support::within(Duration::from_secs(5), || fs::remove_dir(&self.0).is_ok() || !self.0.exists());
    }
}

/// Says why a part of a test was left out: not by println, which the test harness holds back.
fn skipped(what: &str, reason: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped {what}: {reason}");
}

#[test]
fn workers_follow_the_cgroups_quota() {
    let _alone = alone();
    with_deadline(100, || {
        let all = workers_of_child(&[], None);
        for percent in [50, 100, 150, 250] {
            match Group::new(percent) {
                Ok(group) => {
                    let quota = percent.div_ceil(100) as usize;
                    assert_eq!(workers_of_child(&[], Some(&group.0)), quota.min(all), "a quota of {percent} %");
                }
                Err(reason) => return skipped(&format!("the quota of {percent} %"), &reason),
            }
        }
    });
}

/// As a service in a slice, or a container in a pod: the process's own cgroup has no quota, but one around it has.
#[test]
fn workers_follow_the_quota_of_an_outer_cgroup() {
    let _alone = alone();
    with_deadline(100, || {
        let all = workers_of_child(&[], None);
        if all < 2 {
            return skipped("the quota of an outer cgroup", "there is one core only");
        }
        let outer = match Group::new(99) {
            Ok(outer) => outer,
            Err(reason) => return skipped("the quota of an outer cgroup", &reason),
        };
        match outer.inner().and_then(|inner| Ok((inner.inner()?, inner))) {
            Ok((innermost, _inner)) => assert_eq!(workers_of_child(&[], Some(&innermost.0)), 1),
            Err(reason) => skipped("the quota of an outer cgroup", &reason),
        }
    });
}
