//! The experiments, one file each, and the list of all sheets.

mod calls;
pub mod chart;
pub mod conditions;
pub mod contenders;
mod crowd;
mod load;
mod phases;
mod quantiles;
pub mod report;
mod requests;
mod targets;
mod ticks;
mod wake;

use conditions::Conditions;

use crate::support::sheet::Sheet;

/// Every sheet, in the table's order. Making one is cheap; pools are made when a trial runs.
pub fn all(conditions: Conditions) -> Vec<Sheet> {
    let mut sheets = wake::sheets(conditions);
    sheets.extend(requests::sheets(conditions));
    sheets.push(phases::sheet(conditions));
    sheets.extend(calls::sheets(conditions));
    sheets.push(crowd::sheet(conditions));
    sheets.extend(requests::quota_sheets(conditions));
    sheets
}

/// Environment variables of every trial.
pub fn variables(conditions: &Conditions) -> Vec<(&'static str, String)> {
    vec![(contenders::SMOL_LIMIT, conditions.cores.to_string())]
}
