//! What the numbers were measured on: processor, kernel, compiler, and the versions of the peers. No host name.

use std::fs;
use std::process::Command;
use std::thread;

/// The machine in words.
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
    pub compiler: String,
    /// Name and version of every library in the table.
    pub versions: Vec<(&'static str, String)>,
}

impl Machine {
    /// Looks around; `libraries` are those whose versions matter.
    pub fn describe(libraries: &[&'static str]) -> Self {
        Machine {
            processor: processor(),
            cores: thread::available_parallelism().map_or(1, |n| n.get()),
            kernel: kernel(),
            compiler: compiler(),
            versions: versions(libraries),
        }
    }

    /// One line for the head of the table.
    pub fn sentence(&self) -> String {
        let versions: Vec<String> = self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        format!(
            "{} cores ({}), {}, {}. {}.",
            self.cores,
            self.processor,
            self.kernel,
            self.compiler,
            versions.join(", ")
        )
    }
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let name = model.and_then(|line| line.split(": ").nth(1));
    name.unwrap_or(std::env::consts::ARCH).to_string()
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // Without what a distribution or a provider adds to the version.
    let version = release.trim().split('-').next().unwrap_or_default();
    format!("{} {version}", std::env::consts::OS).trim_end().to_string()
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string());
    text.unwrap_or_else(|_| "unknown compiler".to_string())
}

/// Reads the versions from the lock file, which cargo's benchmark runner leaves one step away.
fn versions(libraries: &[&'static str]) -> Vec<(&'static str, String)> {
    let lock = fs::read_to_string("Cargo.lock").unwrap_or_default();
    let version = |name: &'static str| {
        let after = lock.split(&format!("\nname = \"{name}\"\n")).nth(1)?;
        let line = after.lines().next()?.strip_prefix("version = \"")?.to_string();
        Some((name, line.trim_end_matches('"').to_string()))
    };
    libraries.iter().copied().filter_map(version).collect()
}
