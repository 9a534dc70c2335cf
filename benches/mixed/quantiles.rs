//! Quantiles of times.

/// The value of a sorted list below which the given share of it lies, by the nearest rank; nothing if it is empty.
pub fn quantile(sorted: &[u64], share: f64) -> Option<u64> {
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[(last as f64 * share).round() as usize])
}

/// Nanoseconds as microseconds.
pub fn micros(nanoseconds: Option<u64>) -> f64 {
    nanoseconds.map_or(f64::NAN, |time| time as f64 / 1e3)
}

/// Nanoseconds as milliseconds.
pub fn millis(nanoseconds: Option<u64>) -> f64 {
    nanoseconds.map_or(f64::NAN, |time| time as f64 / 1e6)
}
