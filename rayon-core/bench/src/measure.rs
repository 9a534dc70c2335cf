//! Takes turns at rows and prints their times. A contender's first turn makes its input, checks its result, warms its
//! pool up, and is not counted. Its further turns fill the budget.

use std::time::{Duration, Instant};

use crate::all;
use crate::core::Core;
use crate::sample::Sample;
use crate::support::args::Scale;
use crate::support::row::{Contender, Row};

/// More turns than this tell nothing new.
const MOST_TURNS: usize = 30;

struct Options {
    row: Option<String>,
    round: usize,
    /// For the turns of one contender.
    budget: Duration,
    scale: Scale,
}

/// Measures what the arguments ask for.
pub fn run(args: &[String], core: Core) -> Result<(), String> {
    let options = parse(args)?;
    let mut found = false;
    for row in rows(options.scale) {
        if options.row.as_ref().is_some_and(|name| row.id != name) {
            continue;
        }
        found = true;
        for contender in &row.contenders {
            let values = turns(&row, contender, options.budget);
            Sample {
                core,
                round: options.round,
                row: row.id.to_string(),
                title: row.title.clone(),
                contender: contender.name.to_string(),
                workers: contender.workers,
                unit: row.unit.label.to_string(),
                values,
            }
            .print();
        }
    }
    if found { Ok(()) } else { Err(format!("there is no row {:?}", options.row.unwrap_or_default())) }
}

/// All rows; those that measure what an idle pool costs are quick ones, for they are rates.
fn rows(scale: Scale) -> Vec<Row> {
    let rates = scale.pick(Scale::Quick, Scale::Quick, Scale::Tiny);
    let pairs = all(scale).into_iter().zip(all(rates));
    pairs.map(|(row, quick)| if row.alone { quick } else { row }).collect()
}

fn turns(row: &Row, contender: &Contender, budget: Duration) -> Vec<f64> {
    let mut bout = contender.start();
    bout.turn();
    let begin = Instant::now();
    let mut values = Vec::new();
    while values.is_empty() || (begin.elapsed() < budget && values.len() < MOST_TURNS) {
        values.push(row.unit.of(bout.turn()));
    }
    values
}

fn parse(args: &[String]) -> Result<Options, String> {
    let mut options = Options { row: None, round: 0, budget: Duration::from_millis(200), scale: Scale::Full };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--row" => options.row = Some(value()?.clone()),
            "--round" => options.round = number(arg, value()?)?,
            "--budget" => options.budget = Duration::from_millis(number(arg, value()?)?),
            "--short" => options.scale = Scale::Quick,
            "--tiny" => options.scale = Scale::Tiny,
            other => return Err(format!("measure does not know {other:?}")),
        }
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(arg: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{arg} wants a number"))
}
