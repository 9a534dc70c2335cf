//! The command line.

use lexopt::prelude::*;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
Serves HTTP on this machine, with handlers that compute (thumbnails, hashes,
sorts), puts it under rising load, and measures how long answers take. Prints a
table and draws a chart.

Usage: mixed_server [OPTIONS]

Options:
  -c, --compare        Measure the same server on tokio and rayon too, step by
                       step in turns
  -s, --steps LIST     The loads, with commas between them: requests a second
                       (200), or a share of what the server can do, which is
                       measured first (80%)
                       [default: 25%,50%,75%,90%,100%,125%,150%]
      --seconds S      How long each step takes [default: 5]
  -q, --quick          Steps of 50% and 150%, and half a second for each, if
                       nothing else is asked for
  -w, --workers N      Use N workers [default or 0: what the pool chooses]
  -m, --at-once N      Let so many requests compute or wait to, at most 1024;
                       others are shed, with status 503 [default: 8 for each
                       worker, 16 at least and 256 at most]
      --svg FILE       Where the chart goes [default: mixed_server.svg in the
                       folder for temporary files]
      --serve ADDR     Only serve, at such an address as 127.0.0.1:8080, until
                       Ctrl-C
      --no-progress    Show no progress bar; there is none either if standard
                       error is not a terminal
  -h, --help           Print this help

Of ten requests four are pings, which need no computation, and two each ask for
a thumbnail, a hash, and a sort. They come at random, whatever has become of
those before, and are measured from the moment when they were due. The threads
that send them share the cores with the server.

Exit status: 0 if no answer was wrong or missing, 1 if some were, 2 if nothing
was done.
";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub enum Command {
    Help,
    Serve(SocketAddr, Limits),
    Measure(Options),
}

/// How much the server may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// 0 leaves the choice to the pool.
    pub workers: usize,
    /// 0 for what suits the workers.
    pub at_once: usize,
}

/// What to measure.
#[derive(Debug, PartialEq)]
pub struct Options {
    pub limits: Limits,
    pub compare: bool,
    pub steps: Vec<Step>,
    pub time: Duration,
    /// None for the folder for temporary files.
    pub svg: Option<PathBuf>,
    pub progress: bool,
}

/// How much load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    PerSecond(f64),
    /// Of what the server can do.
    Percent(f64),
}

/// Makes sense of the arguments, without the name of the program.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut limits = Limits { workers: 0, at_once: 0 };
    let (mut compare, mut quick, mut progress) = (false, false, true);
    let (mut given_steps, mut time, mut svg, mut serve) = (None, None, None, None);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('c') | Long("compare") => compare = true,
            Short('s') | Long("steps") => given_steps = Some(parser.value()?.parse_with(steps)?),
            Long("seconds") => time = Some(parser.value()?.parse_with(seconds)?),
            Short('q') | Long("quick") => quick = true,
            Short('w') | Long("workers") => limits.workers = parser.value()?.parse_with(|text| up_to(1024, text))?,
            Short('m') | Long("at-once") => {
                limits.at_once = parser.value()?.parse_with(|text| {
                    text.parse::<NonZeroUsize>().map_err(|error| error.to_string())?;
                    up_to(1024, text)
                })?;
            }
            Long("svg") => svg = Some(parser.value()?.into()),
            Long("serve") => serve = Some(parser.value()?.parse_with(address)?),
            Long("no-progress") => progress = false,
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    if let Some(address) = serve {
        if compare || quick || given_steps.is_some() || time.is_some() || svg.is_some() {
            return Err("--serve measures nothing: it goes with --workers and --at-once only".into());
        }
        return Ok(Command::Serve(address, limits));
    }
    let default = if quick { "50%,150%" } else { "25%,50%,75%,90%,100%,125%,150%" };
    let steps = given_steps.unwrap_or_else(|| steps(default).expect("they are right"));
    let time = time.unwrap_or(Duration::from_millis(if quick { 500 } else { 5000 }));
    Ok(Command::Measure(Options { limits, compare, steps, time, svg, progress }))
}

fn up_to(most: usize, text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= most => Ok(number),
        Ok(_) => Err(format!("more than {most}")),
        Err(error) => Err(std::num::ParseIntError::to_string(&error)),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address looks like 127.0.0.1:8080".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("0.01 to 3600 are possible".to_owned()),
    }
}

fn steps(text: &str) -> Result<Vec<Step>, String> {
    text.split(',').map(|step| self::step(step.trim())).collect()
}

fn step(text: &str) -> Result<Step, String> {
    let number = |text: &str, most: f64| text.parse::<f64>().ok().filter(|number| (0.1..=most).contains(number));
    let step = match text.strip_suffix('%') {
        Some(percent) => number(percent, 1000.0).map(Step::Percent),
        None => number(text, 100_000.0).map(Step::PerSecond),
    };
    step.ok_or_else(|| format!("{text:?} is no load: 0.1 to 100000 requests a second, or 0.1% to 1000%"))
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::PerSecond(number) => write!(f, "{number}"),
            Step::Percent(number) => write!(f, "{number}%"),
        }
    }
}
