//! An HTTP service whose handlers compute, under rising load.
//!
//! ```text
//! cargo run --release --example mixed_server
//! cargo run --release --example mixed_server -- --compare
//! cargo run --release --example mixed_server -- --help
//! ```
//!
//! The service ([`http`], [`jobs`]) is hyper over async-io, on one pool: each connection is a task, and what its
//! handlers compute runs on the same workers, in parallel loops, either right in the handler or as a closure that it
//! awaits ([`on_filch`]). When too much is asked, it sheds ([`admission`]). Beside it the same service as it is written
//! today, on tokio and rayon ([`on_tokio`]).
//!
//! The load generator ([`load`], [`requests`], [`client`]) has threads of its own, and measures what clients feel; what
//! comes of it is a table and a chart ([`run`], [`table`], [`chart`]).

// Public for `tests/mixed_server.rs`, which includes this file.
pub mod admission;
pub mod args;
pub mod chart;
pub mod client;
pub mod http;
pub mod jobs;
pub mod latencies;
pub mod load;
pub mod loops;
pub mod on_filch;
pub mod on_tokio;
pub mod requests;
pub mod run;
pub mod server;
pub mod table;

use args::{Command, Limits};
use loops::Reason;
use on_filch::OnFilch;
use server::{Plan, Server};
use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

fn main() -> ExitCode {
    match mixed_server(std::env::args_os().skip(1), &mut io::stdout()) {
        Ok(right) => ExitCode::from(u8::from(!right)),
        Err(reason) => {
            eprintln!("mixed_server: {reason}");
            ExitCode::from(2)
        }
    }
}

/// The program: writes to `out`, and tells whether all answers were right.
pub fn mixed_server(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write) -> Result<bool, Reason> {
    match args::parse(arguments).map_err(|error| format!("{error}\nTry --help."))? {
        Command::Help => {
            out.write_all(args::HELP.as_bytes())?;
            Ok(true)
        }
        Command::Serve(address, limits) => {
            let (stop, stopped) = mpsc::channel();
            // A second Ctrl-C finds nobody who listens, and changes nothing.
            ctrlc::set_handler(move || {
                let _ = stop.send(());
            })?;
            serve(address, limits, &stopped, out)
        }
        Command::Measure(options) => run::run(&options, &plan(options.limits)?, out),
    }
}

/// Only serves, until it is told to stop.
pub fn serve(address: SocketAddr, limits: Limits, stopped: &Receiver<()>, out: &mut dyn Write) -> Result<bool, Reason> {
    let server = Box::new(OnFilch::start(server::listen(address)?, &plan(limits)?)?);
    writeln!(out, "listening   http://{}, until Ctrl-C", server.address())?;
    writeln!(out, "answers     GET /ping, /thumbnail?picture=N, /sort?seed=N; POST /hash")?;
    out.flush()?;
    // It ends when it is told to, or when nobody is left who could tell.
    let _ = stopped.recv();
    server.stop();
    writeln!(out, "stopped")?;
    Ok(true)
}

fn plan(limits: Limits) -> Result<Plan, Reason> {
    Ok(Plan { workers: limits.workers, at_once: limits.at_once, pictures: Arc::new(jobs::pictures()?) })
}
