//! What differs between the reports of two benchmarks: names, what is compared with what, and the targets.

use super::results::Measured;
use super::targets::Target;

/// How one benchmark's table is presented and judged.
pub struct Report {
    /// The benchmark's name in cargo, and of its output folder.
    pub name: &'static str,
    /// The head of the document.
    pub title: &'static str,
    /// The libraries whose versions are told, by their names in the lock file.
    pub libraries: &'static [&'static str],
    /// The contenders to which the table gives everybody's ratio, a column each.
    pub bases: &'static [&'static str],
    /// The contender that the chart compares with.
    pub chart_base: &'static str,
    /// The contenders that the chart shows, in their order, with a colour each.
    pub series: &'static [(&'static str, [u8; 3])],
    /// The targets that can be judged by the measured rows.
    pub judge: fn(&[Measured]) -> Vec<Target>,
}
