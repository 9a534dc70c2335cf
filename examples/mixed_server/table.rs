//! The table: a line for each step and server, printed as soon as it is measured.

use super::latencies::{Latencies, SHARES};
use super::run::Row;
use std::io::{self, Write};

/// The two lines above it.
pub fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<12}{:>24}   {:<26}   {:<26}", "", "requests a second", "/ping, ms", "computing, ms")?;
    write!(out, "{:<12}{:>8}{:>8}{:>8}", "server", "load", "sent", "done")?;
    for _ in 0..2 {
        write!(out, "  {:>8}{:>9}{:>9}", "p50", "p99", "p99.9")?;
    }
    writeln!(out, "{:>8}{:>8}", "shed", "errors")?;
    out.flush()
}

pub fn line(out: &mut dyn Write, row: &Row) -> io::Result<()> {
    let Row { server, load, per_second, measured } = row;
    write!(out, "{server:<12}{load:>8}{per_second:>8.0}{:>8.0}", measured.per_second())?;
    latencies(out, &measured.ping)?;
    latencies(out, &measured.computing)?;
    writeln!(out, "{:>8}{:>8}", measured.shed, measured.errors)?;
    out.flush()
}

fn latencies(out: &mut dyn Write, latencies: &Latencies) -> io::Result<()> {
    let [half, most, nearly_all] = SHARES.map(|share| match latencies.percentile(share) {
        Some(latency) => format!("{:.2}", latency.as_secs_f64() * 1e3),
        None => "-".to_owned(),
    });
    write!(out, "  {half:>8}{most:>9}{nearly_all:>9}")
}
