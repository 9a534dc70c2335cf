//! The load generator. It has threads of its own, one for each connection, so that it needs no pool.
//!
//! The load is open: requests are sent when they are due, whatever has become of those before. And each is measured
//! from the moment when it was due, so that one that had to wait for a connection is not counted as quick (Gil Tene's
//! *coordinated omission*).

use super::client::{Answered, Client, PATIENCE};
use super::latencies::Latencies;
use super::loops::Reason;
use super::requests::{Arrival, Kind, Random, Requests};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Their threads have little to remember.
const STACK: usize = 256 << 10;

/// What came of a step.
#[derive(Debug, Default)]
pub struct Measured {
    /// From the beginning to the last answer.
    pub took: Duration,
    pub sent: usize,
    /// With the right answer.
    pub done: usize,
    /// With `503 Service Unavailable`.
    pub shed: usize,
    /// With a wrong answer or none.
    pub errors: usize,
    /// The reason of one of them.
    pub first_error: Option<String>,
    /// Of all pings; one that failed counts for as long as was waited.
    pub ping: Latencies,
    /// Likewise, of the requests that compute, but for those that were shed.
    pub computing: Latencies,
    /// How late requests were sent, as their threads had no core, or all connections were in use: part of the
    /// latencies.
    pub late: Latencies,
}

/// Sends all arrivals over so many connections. `progress` counts those that are over.
pub fn send(
    server: SocketAddr,
    arrivals: &[Arrival<'_>],
    connections: usize,
    progress: &AtomicUsize,
) -> Result<Measured, Reason> {
    // Relaxed, here and below: each number is given out once, and guards nothing else.
    let next = AtomicUsize::new(0);
    let clients = connect(server, connections);
    // By then all threads are there.
    let begin = Instant::now() + Duration::from_millis(10) + Duration::from_micros(100) * connections as u32;
    let one = |_, mut client: Client| {
        let mut measured = Measured::default();
        while let Some(arrival) = arrivals.get(next.fetch_add(1, Ordering::Relaxed)) {
            measured.one(&mut client, arrival, begin);
            progress.fetch_add(1, Ordering::Relaxed);
        }
        measured.took = begin.elapsed();
        measured
    };
    on_threads(clients, one, || next.store(arrivals.len(), Ordering::Relaxed))
}

/// Sends one request after the other over each of so many connections, for so long: as much as the server can do.
pub fn saturate(
    server: SocketAddr,
    requests: &Requests,
    connections: usize,
    time: Duration,
) -> Result<Measured, Reason> {
    let clients = connect(server, connections);
    let enough = AtomicBool::new(false);
    let begin = Instant::now();
    let one = |number, mut client: Client| {
        let mut measured = Measured::default();
        let mut random = Random(number);
        while begin.elapsed() < time && !enough.load(Ordering::Relaxed) {
            let arrival = Arrival { due: begin.elapsed(), request: requests.draw(&mut random) };
            measured.one(&mut client, &arrival, begin);
        }
        measured.took = begin.elapsed();
        measured
    };
    on_threads(clients, one, || enough.store(true, Ordering::Relaxed))
}

/// If a connection cannot be made here, that is tried again with its first request, and counted there.
fn connect(server: SocketAddr, connections: usize) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..connections).map(|_| Client::new(server)).collect();
    clients.iter_mut().for_each(|client| drop(client.connect()));
    clients
}

/// Runs a thread for each client, with its number. If the system refuses one, `give_up` has to end the others.
fn on_threads(
    clients: Vec<Client>,
    one: impl Fn(u64, Client) -> Measured + Sync,
    give_up: impl Fn(),
) -> Result<Measured, Reason> {
    let one = &one;
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (number, client) in clients.into_iter().enumerate() {
            let builder = thread::Builder::new().name(format!("mixed-load-{number}")).stack_size(STACK);
            match builder.spawn_scoped(scope, move || one(number as u64, client)) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    give_up();
                    return Err(format!("no thread for the load: {error}; fewer --at-once need fewer").into());
                }
            }
        }
        let mut sum = Measured::default();
        threads.into_iter().for_each(|thread| sum.add(thread.join().expect("it panics nowhere")));
        sum.sort();
        Ok(sum)
    })
}

impl Measured {
    /// Answers a second.
    pub fn per_second(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// Sends a request when it is due, and measures how long the answer takes from then on.
    fn one(&mut self, client: &mut Client, arrival: &Arrival<'_>, begin: Instant) {
        let due = begin + arrival.due;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let late = due.elapsed();
        let answered = if late < PATIENCE {
            self.late.note(late);
            client.ask(arrival.request)
        } else {
            Err(format!("not sent within {PATIENCE:?}, as all connections were in use").into())
        };
        self.sent += 1;
        match answered {
            Ok(Answered::Right) => self.done += 1,
            Ok(Answered::Shed) => {
                self.shed += 1;
                return;
            }
            Err(reason) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| reason.to_string());
            }
        }
        match arrival.request.kind {
            Kind::Ping => self.ping.note(due.elapsed()),
            Kind::Computing => self.computing.note(due.elapsed()),
        }
    }

    fn add(&mut self, other: Measured) {
        self.took = self.took.max(other.took);
        self.sent += other.sent;
        self.done += other.done;
        self.shed += other.shed;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        self.ping.add(other.ping);
        self.computing.add(other.computing);
        self.late.add(other.late);
    }

    fn sort(&mut self) {
        [&mut self.ping, &mut self.computing, &mut self.late].into_iter().for_each(Latencies::sort);
    }
}
