//! How many workers a pool gets when nobody says.

#[cfg(target_os = "linux")]
use std::path::Path;
#[cfg(target_os = "linux")]
use std::sync::OnceLock;

#[cfg(target_os = "linux")]
use crate::ground::quota;

/// The environment variable that sets the default number of workers.
pub(crate) const THREADS_VARIABLE: &str = "FILCH_NUM_THREADS";

/// No pool has more workers than this; larger requests are clamped to it. With its spares that is about as many threads
/// as Linux can map stacks for by default; beyond, the process would abort instead of getting an error.
pub(crate) const MAX_WORKERS: usize = 4_096;

/// Cores this process may use: the affinity mask of the calling thread and the quotas of its cgroups (rounded up) counted
/// in. The quotas are read once in the life of the process.
pub(crate) fn cores() -> usize {
    num_cpus::get().clamp(1, granted())
}

/// What the cgroups grant. `num_cpus` asks the process's own alone, not those around it.
#[cfg(target_os = "linux")]
fn granted() -> usize {
    static GRANTED: OnceLock<usize> = OnceLock::new();
    *GRANTED.get_or_init(|| quota::cores(Path::new("/")).unwrap_or(usize::MAX))
}

/// There are none here.
#[cfg(not(target_os = "linux"))]
fn granted() -> usize {
    usize::MAX
}

/// The variables of rayon, which programs set that run it on a filch pool.
const RAYONS_VARIABLES: [&str; 2] = ["RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS"];

/// The default number of workers: what a variable asks for, else [`cores`].
pub(crate) fn default_workers() -> usize {
    asked_workers().unwrap_or_else(cores).min(MAX_WORKERS)
}

/// How many workers a pool gets that is asked for so many: 0 asks for the default.
pub(crate) fn wanted_workers(asked: usize) -> usize {
    if asked == 0 { default_workers() } else { asked.min(MAX_WORKERS) }
}

/// `FILCH_NUM_THREADS` if it holds a positive number. Where rayon's drop-in is, its variables are asked next; there 0
/// asks for the default.
fn asked_workers() -> Option<usize> {
    let asked = std::env::var(THREADS_VARIABLE).ok().and_then(|text| parse_workers(&text));
    if asked.is_some() || cfg!(not(feature = "rayon-core")) {
        return asked;
    }
    let rayons = RAYONS_VARIABLES.iter().filter_map(|name| std::env::var(name).ok()?.parse().ok()).next();
    rayons.filter(|&workers: &usize| workers > 0)
}

/// A positive number, clamped; anything else counts as not set.
fn parse_workers(text: &str) -> Option<usize> {
    let text = text.trim();
    match text.parse::<usize>() {
        Ok(0) => None,
        Ok(n) => Some(n.min(MAX_WORKERS)),
        // Digits that overflow are an absurd count, not a typing error.
        Err(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => Some(MAX_WORKERS),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORKERS, parse_workers, wanted_workers};

    #[test]
    fn absurd_counts_are_clamped() {
        assert_eq!(MAX_WORKERS, 4_096, "the docs of `PoolBuilder::workers` say so");
        for (asked, given) in [(1, 1), (4_095, 4_095), (4_096, 4_096), (4_097, 4_096), (usize::MAX, 4_096)] {
            assert_eq!(wanted_workers(asked), given);
        }
        assert!((1..=MAX_WORKERS).contains(&wanted_workers(0)));
    }

    #[test]
    fn bad_values_count_as_not_set() {
        for text in ["", "0", "-1", "two", "1.5", "0x4", "\u{0}"] {
            assert_eq!(parse_workers(text), None, "{text:?}");
        }
        assert_eq!(parse_workers(" 3 "), Some(3));
        assert_eq!(parse_workers("99999999999999999999999999"), Some(MAX_WORKERS));
    }
}
