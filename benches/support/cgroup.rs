//! A cgroup of our own with a quota of processor time, where the machine lets one be made: version 2 (`cpu.max`) or
//! version 1 (`cpu.cfs_quota_us`). It lies beside or below the one that this process is in, and is removed when it is
//! dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the system tells a process about itself; the functions take it, so that tests can make it up.
const SELF: &str = "/proc/self";

/// The kernel's own default: a tenth of a second.
const PERIOD_US: u64 = 100_000;

/// A cgroup, with nobody inside.
pub struct Cgroup {
    folder: PathBuf,
}

impl Cgroup {
    /// Makes one with so many cores' worth of time.
    ///
    /// # Errors
    /// In words, why there can be none here.
    pub fn with_quota(cores: f64) -> Result<Self, String> {
        Cgroup::with_quota_by(Path::new(SELF), cores)
    }

    /// The same by what that folder says.
    ///
    /// # Errors
    /// As above.
    pub fn with_quota_by(proc: &Path, cores: f64) -> Result<Self, String> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("filch-bench-{}-{number}", std::process::id());
        let quota = (cores * PERIOD_US as f64) as u64;
        match (version_1(proc), version_2(proc)) {
            (Some(parent), _) => {
                let cgroup = Cgroup::make(&parent, &name)?;
                cgroup.write("cpu.cfs_period_us", &PERIOD_US.to_string())?;
                cgroup.write("cpu.cfs_quota_us", &quota.to_string())?;
                Ok(cgroup)
            }
            (None, Some(parent)) => {
                let cgroup = Cgroup::make(&parent, &name)?;
                cgroup.write("cpu.max", &format!("{quota} {PERIOD_US}"))?;
                Ok(cgroup)
            }
            (None, None) => Err("no cgroup file system with a cpu controller is mounted".to_string()),
        }
    }

    fn make(parent: &Path, name: &str) -> Result<Self, String> {
        let folder = parent.join(name);
        fs::create_dir(&folder).map_err(|error| format!("no cgroup can be made: {error}"))?;
        Ok(Cgroup { folder })
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        fs::write(self.folder.join(file), text).map_err(|error| format!("{file} cannot be set: {error}"))
    }

    /// Its folder, to tell a child.
    pub fn folder(&self) -> String {
        self.folder.to_string_lossy().into_owned()
    }

    /// Moves this process into the cgroup of that folder.
    pub fn enter(folder: &str) {
        let file = Path::new(folder).join("cgroup.procs");
        fs::write(file, std::process::id().to_string()).expect("a process may enter a cgroup that its parent has made");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Fails only while somebody is inside, and then it stays.
        if let Err(error) = fs::remove_dir(&self.folder) {
            eprintln!("a cgroup of the benchmark stays behind: {error}");
        }
    }
}

/// How often a cgroup has been throttled, and for how long altogether: those of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Throttled {
    pub times: f64,
    pub seconds: f64,
}

impl Throttled {
    /// The counters of the cgroup that this process is in; nothing where they cannot be read.
    pub fn now() -> Option<Self> {
        Throttled::by(Path::new(SELF))
    }

    /// The same by what that folder says.
    pub fn by(proc: &Path) -> Option<Self> {
        let folder = version_1(proc).or_else(|| own_version_2(proc))?;
        let text = fs::read_to_string(folder.join("cpu.stat")).ok()?;
        let number = |name: &str| -> Option<f64> {
            let line = text.lines().find(|line| line.split_whitespace().next() == Some(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        // Version 1 counts nanoseconds, version 2 microseconds.
        let nanoseconds = number("throttled_time").map(|time| time / 1e9);
        let microseconds = number("throttled_usec").map(|time| time / 1e6);
        Some(Throttled { times: number("nr_throttled")?, seconds: nanoseconds.or(microseconds)? })
    }

    pub fn since(self, earlier: Throttled) -> Throttled {
        Throttled { times: self.times - earlier.times, seconds: self.seconds - earlier.seconds }
    }
}

/// This process's folder in the hierarchy of version 1 that has the cpu controller.
fn version_1(proc: &Path) -> Option<PathBuf> {
    let inside = own_path(proc, |controllers| controllers.split(',').any(|name| name == "cpu"))?;
    let root = mounted(proc, |kind, options| kind == "cgroup" && options.split(',').any(|option| option == "cpu"))?;
    Some(root.join(inside)).filter(|folder| folder.join("cpu.cfs_quota_us").exists())
}

/// The folder in which a cgroup of version 2 can have the cpu controller: this process's, or the one above, since one
/// with processes inside cannot give controllers to others.
fn version_2(proc: &Path) -> Option<PathBuf> {
    let folder = own_version_2(proc)?;
    let gives = |folder: &Path| {
        let given = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
        given.split_whitespace().any(|name| name == "cpu")
    };
    let above = folder.parent().map(Path::to_path_buf);
    [Some(folder), above].into_iter().flatten().find(|folder| gives(folder))
}

/// This process's folder in the hierarchy of version 2.
fn own_version_2(proc: &Path) -> Option<PathBuf> {
    Some(mounted(proc, |kind, _| kind == "cgroup2")?.join(own_path(proc, str::is_empty)?))
}

/// The path in the process's `cgroup` of the line whose controllers are wanted, without its slash.
fn own_path(proc: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let text = fs::read_to_string(proc.join("cgroup")).ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        wanted(controllers).then(|| PathBuf::from(path.trim_start_matches('/')))
    })
}

/// Where the file system of the wanted kind and options is mounted.
fn mounted(proc: &Path, wanted: impl Fn(&str, &str) -> bool) -> Option<PathBuf> {
    let text = fs::read_to_string(proc.join("mounts")).ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (place, kind, options) = (words.next()?, words.next()?, words.next()?);
        wanted(kind, options).then(|| PathBuf::from(place))
    })
}
