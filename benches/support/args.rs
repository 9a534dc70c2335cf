//! The command line: which of the three modes runs, on inputs of which size.
//!
//! Criterion parses its own arguments; only `--table` and `--callgrind`, which criterion does not know, are ours.

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

/// The kernels that can be run alone under callgrind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallgrindKernel {
    Serial,
    Fib,
    FibWorker,
    FibRayon,
    FibChili,
    FibForte,
}

/// What `--table` was asked to do.
#[derive(Clone, Debug)]
pub struct TableOptions {
    pub scale: Scale,
    pub rounds: usize,
    /// Only the row of this name, or, if there is none, rows whose names contain it.
    pub filter: String,
    pub out: PathBuf,
}

/// What the program does.
#[derive(Clone, Debug)]
pub enum Mode {
    Criterion { scale: Scale },
    Table(TableOptions),
    Callgrind { kernel: CallgrindKernel, n: u64 },
}

/// Reads the arguments (without the program's name).
pub fn parse(args: impl Iterator<Item = String>) -> Result<Mode, String> {
    // Cargo appends `--bench` when it runs a benchmark; it says nothing when it runs one as a test.
    let args: Vec<String> = args.collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    if has("--callgrind") {
        return parse_callgrind(&args);
    }
    if has("--table") {
        return parse_table(&args);
    }
    let test = has("--test") || !has("--bench");
    let scale = if test { Scale::Tiny } else { Scale::Full };
    Ok(Mode::Criterion { scale })
}

fn parse_table(args: &[String]) -> Result<Mode, String> {
    let mut options = TableOptions { scale: Scale::Full, rounds: 0, filter: String::new(), out: default_out() };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--table" | "--bench" => {}
            "--quick" => options.scale = Scale::Quick,
            "--rounds" => {
                options.rounds = value()?.parse().map_err(|_| "--rounds wants a number".to_string())?;
            }
            "--filter" => options.filter = value()?.clone(),
            "--out" => options.out = PathBuf::from(value()?),
            other => return Err(format!("--table does not know {other:?}")),
        }
    }
    if options.rounds == 0 {
        options.rounds = options.scale.pick(7, 3, 1);
    }
    Ok(Mode::Table(options))
}

fn parse_callgrind(args: &[String]) -> Result<Mode, String> {
    const USAGE: &str = "usage: --callgrind serial|fib|fib-worker|fib-rayon|fib-chili|fib-forte N";
    let words: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| *arg != "--bench" && *arg != "--callgrind").collect();
    let [name, n] = words[..] else {
        return Err(USAGE.to_string());
    };
    let kernel = match name {
        "serial" => CallgrindKernel::Serial,
        "fib" => CallgrindKernel::Fib,
        "fib-worker" => CallgrindKernel::FibWorker,
        "fib-rayon" => CallgrindKernel::FibRayon,
        "fib-chili" => CallgrindKernel::FibChili,
        "fib-forte" => CallgrindKernel::FibForte,
        _ => return Err(USAGE.to_string()),
    };
    let n = n.parse().map_err(|_| USAGE.to_string())?;
    Ok(Mode::Callgrind { kernel, n })
}

/// `filch-bench` in cargo's target folder.
fn default_out() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from).join("filch-bench")
}
