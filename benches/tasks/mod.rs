//! The workloads, one file each, and the list of all rows.

mod chained_spawn;
mod countdown;
mod cpu_await;
pub mod memory;
mod ping_pong;
pub mod report;
mod spawn_many_local;
mod spawn_many_remote_busy;
mod spawn_many_remote_idle;
mod targets;
mod tasks_1us;
mod timers;
mod wake_remote_idle;
mod workload;
mod yield_many;

use crate::support::args::Scale;
use crate::support::row::Row;

/// Worker counts of most rows.
const ONE_AND_TWO: &[usize] = &[1, 2];
/// Worker counts of the rest.
const TWO: &[usize] = &[2];

/// Every row, in the table's order. Making a row is cheap; inputs and pools are made when it runs.
pub fn all(scale: Scale) -> Vec<Row> {
    let mut rows = spawn_many_local::rows(scale);
    rows.extend(spawn_many_remote_idle::rows(scale));
    rows.push(spawn_many_remote_busy::row(scale));
    rows.push(yield_many::row(scale));
    rows.push(ping_pong::row(scale));
    rows.push(chained_spawn::row(scale));
    rows.push(tasks_1us::row(scale));
    rows.extend(wake_remote_idle::rows(scale));
    rows.push(timers::row(scale));
    rows.extend(cpu_await::rows(scale));
    rows.extend(memory::rows(scale));
    rows
}
