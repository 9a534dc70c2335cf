//! What the benchmark of limits reads of cgroups, and where it makes its own, by files that are made up: version 1,
//! version 2, both at once, and none. (How many workers a pool has under a quota is `num_cpus`' to say:
//! `tests/limits.rs`.)
#![cfg(target_os = "linux")]

#[path = "../benches/support/cgroup.rs"]
#[allow(dead_code)]
mod cgroup;

use std::fs;
use std::path::{Path, PathBuf};

use cgroup::{Cgroup, Throttled};

/// A folder that is removed at the end, with what the system would tell a process in `proc`.
struct Made(tempfile::TempDir);

impl Made {
    /// `cgroups` is the process's file; mounts are pairs of a folder below and what the system says of it.
    fn new(cgroups: &str, mounts: &[(&str, &str)]) -> Made {
        let made = Made(tempfile::tempdir().unwrap());
        let mounts =
            mounts.iter().map(|(folder, kind)| format!("{} {} {kind} 0 0\n", "none", made.at(folder).display()));
        made.file("proc/mounts", &format!("none /proc proc rw 0 0\n{}", mounts.collect::<String>()));
        made.file("proc/cgroup", cgroups);
        made
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn with_quota(&self, cores: f64) -> Result<Cgroup, String> {
        Cgroup::with_quota_by(&self.at("proc"), cores)
    }

    fn throttled(&self) -> Option<(f64, f64)> {
        Throttled::by(&self.at("proc")).map(|throttled| (throttled.times, throttled.seconds))
    }
}

fn read(folder: &str, file: &str) -> String {
    fs::read_to_string(Path::new(folder).join(file)).unwrap()
}

/// A made-up folder has files, which the system's own has not: they go first, so that it can be removed.
fn clear(cgroup: Cgroup) {
    for file in fs::read_dir(cgroup.folder()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let folder = cgroup.folder();
    drop(cgroup);
    assert!(!Path::new(&folder).exists());
}

const VERSION_2: (&str, &str) = ("two", "cgroup2 rw,nosuid");
const VERSION_1: (&str, &str) = ("one", "cgroup rw,cpu,cpuacct");

#[test]
fn version_2_below_the_own_one() {
    let made = Made::new("0::/user/me\n", &[VERSION_2]);
    made.file("two/user/me/cgroup.subtree_control", "memory cpu pids\n");
    made.file("two/user/me/cpu.stat", "usage_usec 7\nnr_periods 9\nnr_throttled 3\nthrottled_usec 2500000\n");
    let cgroup = made.with_quota(1.5).unwrap();
    assert!(Path::new(&cgroup.folder()).starts_with(made.at("two/user/me")));
    assert_eq!(read(&cgroup.folder(), "cpu.max"), "150000 100000");
    assert_eq!(made.throttled(), Some((3.0, 2.5)));
    clear(cgroup);
}

#[test]
fn version_2_beside_the_own_one() {
    // Processes are inside of the own one, so it gives its controllers to none below.
    let made = Made::new("0::/user/me\n", &[VERSION_2]);
    made.file("two/user/me/cgroup.subtree_control", "\n");
    made.file("two/user/cgroup.subtree_control", "cpu\n");
    let cgroup = made.with_quota(0.5).unwrap();
    assert_eq!(Path::new(&cgroup.folder()).parent(), Some(made.at("two/user").as_path()));
    assert_eq!(read(&cgroup.folder(), "cpu.max"), "50000 100000");
    clear(cgroup);
}

#[test]
fn version_2_that_gives_no_controller() {
    let made = Made::new("0::/me\n", &[VERSION_2]);
    made.file("two/me/cgroup.subtree_control", "memory cpuset\n");
    assert!(made.with_quota(1.0).is_err_and(|reason| reason.contains("no cgroup")));
    assert_eq!(made.throttled(), None);
}

#[test]
fn version_1_comes_first_where_both_are() {
    let made = Made::new("5:cpu,cpuacct:/docker/x\n3:cpuset:/other\n0::/me\n", &[VERSION_2, VERSION_1]);
    made.file("one/docker/x/cpu.cfs_quota_us", "-1");
    made.file("one/docker/x/cpu.stat", "nr_periods 0\nnr_throttled 4\nthrottled_time 1500000000\n");
    made.file("two/me/cgroup.subtree_control", "cpu");
    let cgroup = made.with_quota(0.25).unwrap();
    assert!(Path::new(&cgroup.folder()).starts_with(made.at("one/docker/x")));
    assert_eq!(read(&cgroup.folder(), "cpu.cfs_quota_us"), "25000");
    assert_eq!(read(&cgroup.folder(), "cpu.cfs_period_us"), "100000");
    assert_eq!(made.throttled(), Some((4.0, 1.5)));
    clear(cgroup);
}

#[test]
fn version_1_whose_folder_is_not_there_leaves_version_2() {
    // A container may see its path, but not what lies there.
    let made = Made::new("5:cpuacct,cpu:/docker/x\n0::/\n", &[VERSION_1, VERSION_2]);
    made.file("two/cgroup.subtree_control", "cpu");
    made.file("two/cpu.stat", "nr_throttled 1\nthrottled_usec 1\n");
    let cgroup = made.with_quota(2.0).unwrap();
    assert_eq!(Path::new(&cgroup.folder()).parent(), Some(made.at("two").as_path()));
    assert_eq!(made.throttled(), Some((1.0, 1e-6)));
    clear(cgroup);
}

#[test]
fn none_at_all() {
    let made = Made::new("", &[]);
    assert!(made.with_quota(1.0).is_err());
    assert_eq!(made.throttled(), None);
    // Nor where there is nothing to be read, and where it makes no sense.
    assert!(Cgroup::with_quota_by(&made.at("nowhere"), 1.0).is_err());
    let odd = Made::new("0::/me\n", &[VERSION_2]);
    odd.file("two/me/cpu.stat", "nr_throttled many\nthrottled_usec\n");
    assert_eq!(odd.throttled(), None);
}
