//! What the library reads of cgroups, and what the benchmark of limits does, and where that makes its own, by files that
//! are made up: version 1, version 2, both at once, and none. (With the system's own: `tests/limits.rs`.)
#![cfg(target_os = "linux")]

#[path = "../benches/support/cgroup.rs"]
#[allow(dead_code)]
mod cgroup;
#[path = "../src/ground/quota.rs"]
mod quota;

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

// ----- the library: quotas --------------------------------------------------------------------------------------------

/// A mount of the whole hierarchy, of each version.
const MOUNT_1: &str = "33 31 0:30 / /sys/fs/cgroup/cpu rw,nosuid shared:7 master:2 - cgroup cgroup rw,cpu,cpuacct";
const MOUNT_2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";

/// A file system made up of those files.
fn made(groups: &str, mounts: &[&str], files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let mounts = format!("22 1 8:1 / / rw - ext4 /dev/sda rw\n{}\n", mounts.join("\n"));
    let system = [("proc/self/cgroup", groups), ("proc/self/mountinfo", &mounts)];
    for (path, text) in system.iter().chain(files) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn granted(groups: &str, mounts: &[&str], files: &[(&str, &str)]) -> Option<usize> {
    quota::cores(made(groups, mounts, files).path())
}

#[test]
fn the_quota_of_version_2_is_the_least_on_the_way_up() {
    let with = |own: &str, slice: &str, outer: &str| {
        let files = [
            ("sys/fs/cgroup/outer/a.slice/me/cpu.max", own),
            ("sys/fs/cgroup/outer/a.slice/cpu.max", slice),
            ("sys/fs/cgroup/outer/cpu.max", outer),
            // Beside the way and below it.
            ("sys/fs/cgroup/outer/b.slice/cpu.max", "1 100000\n"),
            ("sys/fs/cgroup/outer/a.slice/me/below/cpu.max", "1 100000\n"),
        ];
        granted("0::/outer/a.slice/me\n", &[MOUNT_2], &files)
    };
    let none = "max 100000\n";
    assert_eq!(with(none, none, none), None);
    assert_eq!(with("300000 100000\n", none, none), Some(3));
    assert_eq!(with(none, "300000 100000\n", none), Some(3));
    assert_eq!(with(none, none, "300000 100000\n"), Some(3));
    assert_eq!(with("500000 100000\n", "1500000 1000000\n", "400000 100000\n"), Some(2));
    // No more than none at all.
    assert_eq!(with("1000 100000\n", none, none), Some(1));
    assert_eq!(with("200000\n", none, none), Some(2));
}

#[test]
fn the_quota_of_version_1_is_the_least_on_the_way_up() {
    let with = |own: &str, pod: &str, period: &str| {
        let files = [
            ("sys/fs/cgroup/cpu/pod/me/cpu.cfs_quota_us", own),
            ("sys/fs/cgroup/cpu/pod/me/cpu.cfs_period_us", period),
            ("sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us", pod),
            ("sys/fs/cgroup/cpu/pod/cpu.cfs_period_us", period),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", period),
        ];
        granted("9:memory:/x\n5:cpu,cpuacct:/pod/me\n3:cpuset:/y\n", &[MOUNT_1], &files)
    };
    assert_eq!(with("-1\n", "-1\n", "100000\n"), None);
    assert_eq!(with("150000\n", "-1\n", "100000\n"), Some(2));
    assert_eq!(with("-1\n", "250000\n", "100000\n"), Some(3));
    assert_eq!(with("400000\n", "100001\n", "100000\n"), Some(2));
    // Not a number, and not a period.
    assert_eq!(with("many\n", "\n", "100000\n"), None);
    assert_eq!(with("100000\n", "100000\n", "0\n"), None);
}

#[test]
fn where_both_are_the_quota_of_the_one_with_the_controller_counts() {
    let unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
    let of_one =
        [("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "200000"), ("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000")];
    assert_eq!(granted("1:cpu:/a\n0::/b\n", &[MOUNT_1, unified], &of_one), Some(2));
    let of_two = [("sys/fs/cgroup/unified/b/cpu.max", "500000 100000")];
    assert_eq!(granted("1:name=systemd:/a\n0::/b\n", &[MOUNT_1, unified], &of_two), Some(5));
}

#[test]
fn the_quota_in_a_container_that_sees_a_part() {
    // The top of the mount is the container's group, which lies at the place itself.
    let mount = "33 31 0:30 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup rw";
    let files = [("sys/fs/cgroup/cpu.max", "300000 100000"), ("sys/fs/cgroup/me/cpu.max", "max 100000")];
    assert_eq!(granted("0::/docker/x/me\n", &[mount], &files), Some(3));
    assert_eq!(granted("0::/docker/x\n", &[mount], &files), Some(3));
    // A part in which the process is not, by names and by what a namespace shows.
    for group in ["0::/docker/xy\n", "0::/\n", "0::/docker\n"] {
        assert_eq!(granted(group, &[mount], &files), None, "{group:?}");
    }
    assert_eq!(granted("0::/../me\n", &[MOUNT_2], &files), None);
    assert_eq!(granted("0::/\n", &["33 31 0:30 /.. /sys/fs/cgroup ro - cgroup2 cgroup rw"], &files), None);
    // Its own folder is hidden, or gone: those above still bind.
    assert_eq!(granted("0::/gone (deleted)\n", &[MOUNT_2], &files), Some(3));
}

#[test]
fn the_quota_at_places_with_odd_names() {
    let mount = r"30 23 0:26 /a\040b /my\040\134040\011groups rw - cgroup2 cgroup2 rw";
    let files = [("my \\040\tgroups/c:d/cpu.max", "200000 100000")];
    assert_eq!(granted("0::/a b/c:d\n", &[mount], &files), Some(2));
}

#[test]
fn no_quota_where_nothing_can_be_read() {
    let files = [("sys/fs/cgroup/me/cpu.max", "\n")];
    assert_eq!(granted("0::/me\n", &[MOUNT_2], &files), None);
    assert_eq!(granted("0::/me\n", &[], &files), None);
    assert_eq!(granted("nonsense\n0:\n\n", &["", "30 23", "a - b", "1 2 3 4 5 - cgroup2"], &files), None);
    assert_eq!(quota::cores(Path::new("/nowhere")), None);
}

#[test]
fn the_quota_beside_paths_that_are_no_text() {
    let root = made("", &[], &[("sys/fs/cgroup/me/cpu.max", "300000 100000")]);
    let write =
        |file: &str, lines: &[&[u8]]| fs::write(root.path().join("proc/self").join(file), lines.join(&b'\n')).unwrap();
    write("mountinfo", &[b"44 1 8:1 / /media/caf\xe9 rw - ext4 /dev/sdb rw", MOUNT_2.as_bytes()]);
    write("cgroup", &[b"9:memory:/caf\xe9", b"0::/me"]);
    assert_eq!(quota::cores(root.path()), Some(3));
}

#[test]
fn the_largest_numbers() {
    let with = |max: &str| granted("0::/me\n", &[MOUNT_2], &[("sys/fs/cgroup/me/cpu.max", max)]);
    assert_eq!(with("100000 18446744073709551615\n"), Some(1));
    assert_eq!(with("18446744073709551615 18446744073709551615\n"), Some(1));
    assert_eq!(with("18446744073709551615 2\n"), Some(1 << 63));
    assert_eq!(with("18446744073709551616 2\n"), None);
    assert_eq!(with("100000 0\n"), None);
}
