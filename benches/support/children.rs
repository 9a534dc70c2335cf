//! Trials in processes of their own: this program with other arguments. So processor time, context switches and
//! threads are those of one contender alone, nobody leaves anything behind for the next, and a contender that hangs or
//! dies is a failure of its own.

use std::process::Command;

use super::cgroup::Cgroup;
use super::sheet::{Entrant, Sheet};
use super::watchdog;

const FLAG: &str = "--trial";
/// Before the figures in the child's output.
const TELLS: &str = "figures:";

/// Whether this process is a child, and if so, which sheet and entrant it is to run and with which further arguments.
pub fn asked(args: &[String]) -> Option<(&str, &str, &[String])> {
    match args {
        [flag, sheet, entrant, _cgroup, rest @ ..] if flag == FLAG => Some((sheet, entrant, rest)),
        _ => None,
    }
}

/// What a child has to do before it makes any thread: enter its cgroup.
pub fn enter_cgroup(args: &[String]) {
    let folder = args[3].as_str();
    if !folder.is_empty() {
        Cgroup::enter(folder);
    }
}

/// What a child does then.
pub fn child(sheets: &[Sheet], sheet: &str, entrant: &str) {
    watchdog::start();
    let found = sheets.iter().find(|known| known.id == sheet).expect("the parent knows the same sheets");
    let run = found.entrants.iter().find(|known| known.name == entrant).expect("and the same entrants");
    let figures = watchdog::watch(&format!("{sheet} ({entrant})"), || (run.trial)());
    assert_eq!(figures.len(), found.figures.len(), "a figure for each column");
    let figures: Vec<String> = figures.iter().map(f64::to_string).collect();
    println!("{TELLS} {}", figures.join(" "));
    // Pools are leaked: what they still hold needs no orderly end.
    std::process::exit(0);
}

/// Runs one trial in a process of its own. `rest` goes to the child as it is.
pub fn run(
    sheet: &Sheet,
    entrant: &Entrant,
    rest: &[String],
    variables: &[(&str, String)],
) -> Result<Vec<f64>, String> {
    let cgroup = sheet.quota.map(Cgroup::with_quota).transpose()?;
    let folder = cgroup.as_ref().map_or_else(String::new, Cgroup::folder);
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args([FLAG, &sheet.id, entrant.name, &folder]).args(rest);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = command.output().map_err(|error| format!("it does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let told = text.lines().find_map(|line| line.strip_prefix(TELLS));
    match told {
        Some(figures) if output.status.success() => {
            figures.split_whitespace().map(|word| word.parse().map_err(|_| format!("{word:?} is no number"))).collect()
        }
        _ => Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())),
    }
}
