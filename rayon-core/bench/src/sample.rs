//! What a program prints and the comparison reads: a line for each contender, its parts between tabs.

use crate::core::Core;

/// The samples of one contender from one program.
pub struct Sample {
    pub core: Core,
    pub round: usize,
    pub row: String,
    /// What the row does, with the sizes of this run.
    pub title: String,
    pub contender: String,
    pub workers: usize,
    pub unit: String,
    pub values: Vec<f64>,
}

impl Sample {
    pub fn print(&self) {
        let values: Vec<String> = self.values.iter().map(|value| format!("{value:e}")).collect();
        let Sample { core, round, row, title, contender, workers, unit, .. } = self;
        let core = core.in_words();
        println!("{core}\t{round}\t{row}\t{title}\t{contender}\t{workers}\t{unit}\t{}", values.join(","));
    }

    pub fn parse(line: &str) -> Option<Sample> {
        let parts: Vec<&str> = line.split('\t').collect();
        let [core, round, row, title, contender, workers, unit, values] = parts[..] else {
            return None;
        };
        Some(Sample {
            core: Core::named(core)?,
            round: round.parse().ok()?,
            row: row.to_string(),
            title: title.to_string(),
            contender: contender.to_string(),
            workers: workers.parse().ok()?,
            unit: unit.to_string(),
            values: values.split(',').map(|value| value.parse().ok()).collect::<Option<_>>()?,
        })
    }
}
