//! The table: what rayon takes on its own core, what on filch, and the ratio. The ratio is the median of the rounds' own
//! ratios, each of medians, so that a machine that slows down for a while slows both sides; beside it the least and the
//! greatest round, and the ratio of the quickest turns of all.

use std::collections::BTreeMap;
use std::fs;

use crate::core::Core;
use crate::sample::Sample;
use crate::support::machine::Machine;
use crate::support::results::{median, three_digits};

/// No row may take longer than this times what it takes on rayon's own core.
const LIMIT: f64 = 1.02;

/// The rows of little but joins, which may take this times the original's time. In queens-join the search for the next
/// place is most of the work.
const JOINS: [&str; 7] = ["fib", "tree-1k", "tree-1m", "tree-16m", "skynet", "uts", "dispatch-inside"];
const LIMIT_OF_JOINS: f64 = 0.5;

/// Rows of processor time in an idle pool. What they say is near zero, and ratios of that mean little.
const RATES: [&str; 2] = ["idle-pool", "busy-worker"];

/// Prints the table of all lines in the files.
pub fn run(files: &[String]) -> Result<(), String> {
    let mut lines: Vec<Compared> = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        for line in text.lines() {
            let sample = Sample::parse(line).ok_or_else(|| format!("{file}: not a sample: {line:?}"))?;
            match lines.iter_mut().find(|compared| compared.is_of(&sample)) {
                Some(compared) => compared.add(sample),
                None => lines.push(Compared::new(sample)),
            }
        }
    }
    print(&lines);
    Ok(())
}

/// One contender on both cores.
struct Compared {
    row: String,
    title: String,
    contender: String,
    workers: usize,
    unit: String,
    rayon: Rounds,
    filch: Rounds,
}

/// Samples by round.
type Rounds = BTreeMap<usize, Vec<f64>>;

impl Compared {
    fn new(first: Sample) -> Self {
        let mut compared = Compared {
            row: first.row.clone(),
            title: first.title.clone(),
            contender: first.contender.clone(),
            workers: first.workers,
            unit: first.unit.clone(),
            rayon: Rounds::new(),
            filch: Rounds::new(),
        };
        compared.add(first);
        compared
    }

    fn is_of(&self, sample: &Sample) -> bool {
        self.row == sample.row
            && self.title == sample.title
            && self.contender == sample.contender
            && self.workers == sample.workers
    }

    fn add(&mut self, sample: Sample) {
        let rounds = match sample.core {
            Core::Rayon => &mut self.rayon,
            Core::Filch => &mut self.filch,
        };
        rounds.entry(sample.round).or_default().extend(sample.values);
    }

    /// The rounds' ratios.
    fn ratios(&self) -> Vec<f64> {
        let both = self.filch.iter().filter_map(|(round, mine)| Some((mine, self.rayon.get(round)?)));
        both.map(|(mine, theirs)| median(mine) / median(theirs)).collect()
    }

    fn limit(&self) -> f64 {
        if JOINS.contains(&self.row.as_str()) { LIMIT_OF_JOINS } else { LIMIT }
    }

    fn is_rate(&self) -> bool {
        RATES.contains(&self.row.as_str())
    }

    fn print(&self) {
        let ratios = self.ratios();
        let ratio = median(&ratios);
        let [least, greatest] = spread(&ratios);
        let best = spread(&all(&self.filch))[0] / spread(&all(&self.rayon))[0];
        let place = if self.contender == "rayon inside" { "inside" } else { "" };
        let verdict = match () {
            () if self.is_rate() => "",
            () if ratio <= self.limit() => "yes",
            () if ratio <= LIMIT => "**not twice as fast**",
            () => "**slower**",
        };
        println!(
            "| {} | {} | {place} | {} | {} | {} | {} | **{}** | [{}–{}] | {} | {verdict} |",
            self.row,
            self.title,
            self.workers,
            self.unit,
            in_words(&self.rayon),
            in_words(&self.filch),
            three_digits(ratio),
            three_digits(least),
            three_digits(greatest),
            three_digits(best),
        );
    }
}

fn all(rounds: &Rounds) -> Vec<f64> {
    rounds.values().flatten().copied().collect()
}

/// The least and the greatest.
fn spread(values: &[f64]) -> [f64; 2] {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    [least, greatest]
}

fn in_words(rounds: &Rounds) -> String {
    let all = all(rounds);
    let [least, greatest] = spread(&all);
    format!("{} [{}–{}]", three_digits(median(&all)), three_digits(least), three_digits(greatest))
}

fn print(lines: &[Compared]) {
    println!("{}\n", Machine::describe(&["rayon"]).sentence());
    println!(
        "| row | what it does | called from | workers | unit | rayon | on filch | ratio | rounds | best | target met |"
    );
    println!("|---|---|---|---:|---|---:|---:|---:|---:|---:|---|");
    lines.iter().for_each(Compared::print);
    let judged: Vec<&Compared> = lines.iter().filter(|line| !line.is_rate()).collect();
    let slower = judged.iter().filter(|line| median(&line.ratios()) > LIMIT).count();
    let joins: Vec<&&Compared> = judged.iter().filter(|line| line.limit() == LIMIT_OF_JOINS).collect();
    let twice = joins.iter().filter(|line| median(&line.ratios()) <= LIMIT_OF_JOINS).count();
    println!("\nSlower than {LIMIT} ×: {slower} of {}. Joins twice as fast: {twice} of {}.", judged.len(), joins.len());
    println!(
        "\nThe target is {LIMIT_OF_JOINS} × for the rows of little but joins, which are {}; and {LIMIT} × for all others, \
         queens-join among them, most of whose time goes to boards. {} say what share of a core a pool without work \
         takes; they have no target, and are not counted here.",
        JOINS.join(", "),
        RATES.join(" and "),
    );
}
