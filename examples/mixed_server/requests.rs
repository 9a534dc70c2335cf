//! What is asked, and what has to be answered: some requests of each kind, with the digests of the right answers, which
//! are computed here without any pool; and when each is to be sent.

use super::jobs::{self, mix};
use super::loops::{Plain, Reason};
use std::time::Duration;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ping,
    /// Thumbnail, hash, or sort.
    Computing,
}

/// A request as it goes over the wire, and the right answer.
pub struct Request {
    pub kind: Kind,
    pub bytes: Vec<u8>,
    pub digest: blake3::Hash,
}

/// The requests there are. Of ten that are sent four are pings, and two each of the others.
pub struct Requests {
    all: Vec<Request>,
}

/// Of each kind but pings.
const VARIANTS: usize = 4;
const PINGS: u64 = 4;

impl Requests {
    pub fn new(pictures: &[Vec<u8>]) -> Result<Self, Reason> {
        let request = |kind, head: &str, body: &[u8], answer: &[u8]| {
            let mut bytes = format!("{head} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
            if !body.is_empty() {
                bytes.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
            }
            bytes.extend(b"\r\n");
            bytes.extend(body);
            Request { kind, bytes, digest: blake3::hash(answer) }
        };
        let mut all = vec![request(Kind::Ping, "GET /ping", b"", b"pong")];
        for number in 0..VARIANTS {
            let picture = number % pictures.len();
            let answer = jobs::thumbnail::<Plain>(&pictures[picture])?;
            all.push(request(Kind::Computing, &format!("GET /thumbnail?picture={picture}"), b"", &answer));
            let body: Vec<u8> = (0..jobs::BODY).map(|place| (place * (number + 3) / 7) as u8).collect();
            all.push(request(Kind::Computing, "POST /hash", &body, jobs::hash::<Plain>(&body).as_bytes()));
            let answer = jobs::sorted::<Plain>(jobs::numbers(number as u64));
            all.push(request(Kind::Computing, &format!("GET /sort?seed={number}"), b"", answer.as_bytes()));
        }
        Ok(Requests { all })
    }

    /// One at random.
    pub fn draw(&self, random: &mut Random) -> &Request {
        let computing = self.all.len() as u64 - 1;
        match random.next_u64() % 10 {
            0..PINGS => &self.all[0],
            _ => &self.all[1 + (random.next_u64() % computing) as usize],
        }
    }

    /// Requests that come at random and independently of each other and of the answers (a Poisson process), so many
    /// a second on average, and exactly as many as are expected in that time. The same ones for the same seed.
    pub fn arrivals(&self, per_second: f64, time: Duration, seed: u64) -> Vec<Arrival<'_>> {
        let mut random = Random(seed);
        let count = (per_second * time.as_secs_f64()).round().max(1.0) as usize;
        // Given their number, the moments of a Poisson process are independent and uniform.
        let mut moments: Vec<Duration> = (0..count).map(|_| time.mul_f64(random.unit())).collect();
        moments.sort_unstable();
        moments.into_iter().map(|due| Arrival { due, request: self.draw(&mut random) }).collect()
    }
}

/// A request, and when it is to be sent.
pub struct Arrival<'a> {
    /// Since the beginning.
    pub due: Duration,
    pub request: &'a Request,
}

/// Pseudo-random numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Uniform in `[0, 1)`.
    fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
