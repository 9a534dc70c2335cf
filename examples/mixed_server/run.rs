//! The measurement: what the servers can do, then step by step what their clients feel.

use super::args::{Options, Step};
use super::chart;
use super::latencies::{Latencies, SHARES};
use super::load::{self, Measured};
use super::loops::Reason;
use super::on_filch::OnFilch;
use super::on_tokio::OnTokio;
use super::requests::Requests;
use super::server::{Plan, Server, listen};
use super::table;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Connections beside those whose requests may be inside: for pings, and for requests that are shed.
const BESIDE: usize = 32;

/// A server under a load.
pub struct Row {
    pub server: &'static str,
    /// As it was asked for.
    pub load: String,
    pub per_second: f64,
    pub measured: Measured,
}

/// Measures, prints and draws; tells whether all answers were right.
pub fn run(options: &Options, plan: &Plan, out: &mut dyn Write) -> Result<bool, Reason> {
    let svg = options.svg.clone().unwrap_or_else(|| std::env::temp_dir().join("mixed_server.svg"));
    // What cannot be written is better known before.
    std::fs::File::create(&svg).map_err(|error| format!("{}: {error}", svg.display()))?;
    let requests = Requests::new(&plan.pictures)?;
    let servers = start(options, plan)?;
    let rows = measure(options, &servers, &requests, out);
    servers.into_iter().for_each(Server::stop);
    let rows = rows?;
    chart::write(&svg, &rows)?;
    summary(&rows, &svg, out)?;
    Ok(rows.iter().all(|row| row.measured.errors == 0))
}

fn start(options: &Options, plan: &Plan) -> Result<Vec<Box<dyn Server>>, Reason> {
    // The system chooses a port that is free.
    let anywhere = || listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let filch = OnFilch::start(anywhere()?, plan)?;
    let plan = Plan { workers: filch.workers(), at_once: filch.at_once(), ..plan.clone() };
    let mut servers: Vec<Box<dyn Server>> = vec![Box::new(filch)];
    if options.compare {
        servers.push(Box::new(OnTokio::start(anywhere()?, &plan)?));
    }
    Ok(servers)
}

fn measure(
    options: &Options,
    servers: &[Box<dyn Server>],
    requests: &Requests,
    out: &mut dyn Write,
) -> Result<Vec<Row>, Reason> {
    let at_once = servers[0].at_once();
    writeln!(out, "servers     {} workers, at most {at_once} requests inside", servers[0].workers())?;
    // The best of them is what the shares are of, so that all get the same load.
    let mut capacity = 0.0_f64;
    for server in servers {
        let connections = at_once.min(4 * server.workers());
        let most = load::saturate(server.address(), requests, connections, options.time.min(Duration::from_secs(3)))?;
        check(server.name(), &most)?;
        writeln!(out, "capacity    {:.0} requests a second, {}", most.per_second(), server.name())?;
        capacity = capacity.max(most.per_second());
    }
    writeln!(out)?;
    table::head(out)?;
    let mut rows = Vec::new();
    for (number, step) in options.steps.iter().enumerate() {
        let per_second = match *step {
            Step::PerSecond(number) => number,
            Step::Percent(percent) => capacity * percent / 100.0,
        };
        let arrivals = requests.arrivals(per_second, options.time, number as u64);
        // In turns, so that none is always the first.
        let mut order: Vec<&Box<dyn Server>> = servers.iter().collect();
        order.rotate_left(number % servers.len());
        for server in order {
            let progress = Progress::new(options.progress, arrivals.len(), format!("{} {step}", server.name()));
            let address = server.address();
            let send = |over: &AtomicUsize| load::send(address, &arrivals, at_once + BESIDE, over);
            let mut measured = progress.during(send)?;
            // The last answer may come before the end of the step.
            measured.took = measured.took.max(options.time);
            let row = Row { server: server.name(), load: step.to_string(), per_second, measured };
            table::line(out, &row)?;
            rows.push(row);
        }
    }
    writeln!(out)?;
    Ok(rows)
}

/// A server that cannot even answer when it has nothing else to do is not worth measuring.
fn check(server: &str, most: &Measured) -> Result<(), Reason> {
    match &most.first_error {
        Some(error) => Err(format!("{server}: {error}").into()),
        None if most.done == 0 => Err(format!("{server}: no answer").into()),
        None => Ok(()),
    }
}

fn summary(rows: &[Row], svg: &Path, out: &mut dyn Write) -> Result<(), Reason> {
    for row in rows {
        if let Some(error) = &row.measured.first_error {
            writeln!(out, "error       {} {}: {error}", row.server, row.load)?;
        }
    }
    let late = |share| {
        let each = rows.iter().filter_map(|row| Latencies::percentile(&row.measured.late, share));
        each.max().unwrap_or_default().as_secs_f64() * 1e3
    };
    let [half, most, _] = SHARES.map(late);
    writeln!(
        out,
        "sent late   by {half:.2} ms (p50) and {most:.2} ms (p99) in the worst step, for want of a core or of a"
    )?;
    writeln!(out, "            connection: part of the latencies")?;
    writeln!(out, "chart       {}", svg.display())?;
    Ok(())
}

/// A bar on standard error; indicatif shows nothing if that is not a terminal.
struct Progress(ProgressBar);

impl Progress {
    fn new(shown: bool, length: usize, what: String) -> Self {
        let target = if shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {per_sec}");
        let bar = ProgressBar::with_draw_target(Some(length as u64), target);
        Progress(bar.with_style(style.expect("the template is right")).with_message(what))
    }

    /// Shows how many requests are over, while they are sent.
    fn during<R: Send>(&self, send: impl FnOnce(&AtomicUsize) -> R + Send) -> R {
        let over = AtomicUsize::new(0);
        let result = thread::scope(|scope| {
            let sender = scope.spawn(|| send(&over));
            while !sender.is_finished() {
                thread::sleep(Duration::from_millis(20));
                self.0.set_position(over.load(Ordering::Relaxed) as u64);
            }
            sender.join().expect("it panics nowhere")
        });
        self.0.finish_and_clear();
        result
    }
}
