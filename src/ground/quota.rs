//! How many cores' worth of time the control groups of this process grant it (Linux).
//!
//! A group may have a quota, so much time in each period, and it binds whatever lies below: a service's group is often
//! without one, but the slice or the pod around it has one. So all groups from the process's own up to the mount's top
//! are asked, in each hierarchy that may have the processor's controller: `cpu.max` in version 2,
//! `cpu.cfs_quota_us` and `cpu.cfs_period_us` in version 1. What lies above the mount's top cannot be seen.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The period of version 2 where none is named, in microseconds.
const PERIOD: u64 = 100_000;

/// The version of a hierarchy, by which its files are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Where a hierarchy can be seen.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// The group that lies at `place`.
    top: PathBuf,
    place: PathBuf,
}

/// The least quota of all groups that this process is in, in cores, rounded up. None if no group has one, or nothing
/// can be read. `root` is the root of the file system.
pub(crate) fn cores(root: &Path) -> Option<usize> {
    // A path may be any bytes: those of somebody else's mount must not hide ours.
    let read = |file: &str| fs::read(root.join(file)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (groups, mounts) = (read("proc/self/cgroup")?, read("proc/self/mountinfo")?);
    let mounts: Vec<Mount> = mounts.lines().filter_map(mount).collect();
    let groups = groups.lines().filter_map(group);
    let folders = groups.flat_map(|(version, group)| {
        let below = |mount: &Mount| Some((inside(mount, &group)?, mount.place.clone()));
        let ours = mounts.iter().filter(|mount| mount.version == version);
        ours.filter_map(below).map(|(inside, place)| (version, inside, place)).collect::<Vec<_>>()
    });
    let least = |(version, inside, place): (Version, PathBuf, PathBuf)| {
        let place = root.join(place.strip_prefix("/").ok()?);
        inside.ancestors().filter_map(|inside| quota(version, &place.join(inside))).min()
    };
    folders.filter_map(least).min()
}

/// What a line of the process's `cgroup` says: `5:cpu,cpuacct:/a/b` in version 1, `0::/a/b` in version 2.
fn group(line: &str) -> Option<(Version, PathBuf)> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let version = match controllers {
        "" => Version::Two,
        _ if controllers.split(',').any(|name| name == "cpu") => Version::One,
        _ => return None,
    };
    Some((version, PathBuf::from(path)))
}

/// What a line of `mountinfo` says, if it is of a hierarchy that may have the controller: number, number, device, top,
/// place, options, any number of fields, a hyphen, kind, source, options of the file system.
fn mount(line: &str) -> Option<Mount> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(3);
    let (top, place) = (unescaped(head.next()?), unescaped(head.next()?));
    let mut tail = tail.split(' ');
    let (kind, options) = (tail.next()?, tail.nth(1)?);
    let version = match kind {
        "cgroup2" => Version::Two,
        "cgroup" if options.split(',').any(|option| option == "cpu") => Version::One,
        _ => return None,
    };
    Some(Mount { version, top, place })
}

/// The kernel writes a space, tab, line feed or backslash in a path as `\` and three octal digits.
fn unescaped(text: &str) -> PathBuf {
    const ESCAPES: [(&str, &str); 4] = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    // The backslash last, so that no sequence is made of what it brings.
    PathBuf::from(ESCAPES.iter().fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain)))
}

/// The path of a group from the mount's place on. None if it lies outside of what is mounted: seen from within a
/// namespace, such a path goes up by `..`.
fn inside(mount: &Mount, group: &Path) -> Option<PathBuf> {
    let inside = group.strip_prefix(&mount.top).ok()?;
    inside.components().all(|part| matches!(part, Component::Normal(_))).then(|| inside.to_path_buf())
}

/// The quota of the group of that folder, in cores, rounded up.
fn quota(version: Version, folder: &Path) -> Option<usize> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let (quota, period): (u64, u64) = match version {
        // `max 100000` is none, as is -1 below.
        Version::Two => {
            let text = read("cpu.max")?;
            let mut words = text.split_whitespace();
            (words.next()?.parse().ok()?, words.next().map_or(Some(PERIOD), |period| period.parse().ok())?)
        }
        Version::One => {
            (read("cpu.cfs_quota_us")?.trim().parse().ok()?, read("cpu.cfs_period_us")?.trim().parse().ok()?)
        }
    };
    if period == 0 {
        return None;
    }
    Some(usize::try_from(quota.div_ceil(period)).unwrap_or(usize::MAX).max(1))
}
