//! The main function of a benchmark: reads the arguments and runs the rows in the mode that they ask for.

use super::args::{self, Mode, Scale};
use super::report::Report;
use super::row::Row;
use super::{criterion_mode, table_mode};

/// Runs `rows` as the arguments (without the program's name) say.
pub fn run(args: &[String], report: &Report, rows: fn(Scale) -> Vec<Row>) {
    match args::parse(args) {
        Ok(Mode::Criterion { scale }) => criterion_mode::run(rows(scale), scale),
        Ok(Mode::Table(options)) => {
            if let Err(error) = table_mode::run(rows(options.scale), &options, report) {
                eprintln!("cannot write the table: {error}");
                std::process::exit(1);
            }
        }
        Err(message) => refuse(&message),
    }
}

/// Ends the program because its arguments make no sense.
pub fn refuse(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(2);
}
