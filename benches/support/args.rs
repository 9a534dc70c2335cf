//! The command line: which of the two modes runs, on inputs of which size.
//!
//! Criterion parses its own arguments; only those of `--table`, which criterion does not know, are ours. A benchmark
//! may have further modes of its own, which it looks for first.

use std::path::PathBuf;

/// How large the inputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The sizes of the published table.
    Full,
    /// Every row in a few milliseconds a run, to see that all is well.
    Quick,
    /// Every row as small as it goes, for `cargo test --benches`.
    Tiny,
}

impl Scale {
    /// The value for this scale.
    pub fn pick<T>(self, full: T, quick: T, tiny: T) -> T {
        match self {
            Scale::Full => full,
            Scale::Quick => quick,
            Scale::Tiny => tiny,
        }
    }
}

/// What `--table` was asked to do.
#[derive(Clone, Debug)]
pub struct TableOptions {
    pub scale: Scale,
    pub rounds: usize,
    /// Only the row of this name, or, if there is none, rows whose names contain it.
    pub filter: String,
    /// Only contenders whose names contain this. Benchmarks of sheets know it.
    pub contender: String,
    /// Where the table goes; cargo's target folder if nothing was said.
    pub out: Option<PathBuf>,
}

/// What the program does.
#[derive(Clone, Debug)]
pub enum Mode {
    Criterion { scale: Scale },
    Table(TableOptions),
}

/// Reads the arguments (without the program's name).
pub fn parse(args: &[String]) -> Result<Mode, String> {
    // Cargo appends `--bench` when it runs a benchmark; it says nothing when it runs one as a test.
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    if has("--table") {
        return parse_table(args, |scale| scale.pick(7, 3, 1)).map(Mode::Table);
    }
    let test = has("--test") || !has("--bench");
    let scale = if test { Scale::Tiny } else { Scale::Full };
    Ok(Mode::Criterion { scale })
}

/// Reads the arguments of a table; `rounds` says how many there are when nobody does.
pub fn parse_table(args: &[String], rounds: fn(Scale) -> usize) -> Result<TableOptions, String> {
    let empty = String::new();
    let mut options =
        TableOptions { scale: Scale::Full, rounds: 0, filter: empty.clone(), contender: empty, out: None };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--table" | "--bench" => {}
            "--quick" => options.scale = Scale::Quick,
            "--rounds" => {
                options.rounds = value()?.parse().map_err(|_| "--rounds wants a number".to_string())?;
            }
            "--contender" => options.contender = value()?.clone(),
            "--filter" => options.filter = value()?.clone(),
            "--out" => options.out = Some(PathBuf::from(value()?)),
            other => return Err(format!("--table does not know {other:?}")),
        }
    }
    if options.rounds == 0 {
        options.rounds = rounds(options.scale);
    }
    Ok(options)
}
