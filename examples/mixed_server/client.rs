//! A client with one connection, which it keeps. It blocks its thread.

use super::loops::Reason;
use super::requests::Request;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Client {
    server: SocketAddr,
    connection: Option<TcpStream>,
    /// The answer as far as it has come.
    received: Vec<u8>,
}

/// What a request has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// With what it should be.
    Right,
    /// The server is busy, and says when to come again.
    Shed,
}

/// An answer.
struct Answer {
    status: u16,
    retry_after: bool,
    body: blake3::Hash,
    keep: bool,
}

impl Client {
    pub fn new(server: SocketAddr) -> Self {
        Client { server, connection: None, received: Vec::new() }
    }

    /// Connects, unless it is connected.
    pub fn connect(&mut self) -> Result<&mut TcpStream, Reason> {
        if self.connection.is_none() {
            let connection = TcpStream::connect_timeout(&self.server, PATIENCE)?;
            connection.set_nodelay(true)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            connection.set_write_timeout(Some(PATIENCE))?;
            self.connection = Some(connection);
        }
        Ok(self.connection.as_mut().expect("it has just been made"))
    }

    /// Sends a request, waits for the answer, and looks whether it is right.
    pub fn ask(&mut self, request: &Request) -> Result<Answered, Reason> {
        let kept = self.connection.is_some();
        let answer = match self.exchange(request) {
            // The server may end a connection that has been silent for long, just when it is used again.
            Err(reason) if kept && self.received.is_empty() && has_ended(&reason) => self.exchange(request)?,
            answer => answer?,
        };
        if !answer.keep {
            self.connection = None;
        }
        match answer.status {
            200 if answer.body == request.digest => Ok(Answered::Right),
            200 => Err("a wrong answer".into()),
            503 if answer.retry_after => Ok(Answered::Shed),
            status => Err(format!("status {status}").into()),
        }
    }

    /// After an error the connection is not used again.
    fn exchange(&mut self, request: &Request) -> Result<Answer, Reason> {
        self.received.clear();
        let answer = self.connect().and_then(|connection| Ok(connection.write_all(&request.bytes)?));
        let answer = answer.and_then(|()| self.receive());
        if answer.is_err() {
            self.connection = None;
        }
        answer
    }

    fn receive(&mut self) -> Result<Answer, Reason> {
        loop {
            if let Some((answer, length)) = parse(&self.received)? {
                if length != self.received.len() {
                    return Err("more than an answer".into());
                }
                return Ok(answer);
            }
            let mut part = [0; 16 << 10];
            let connection = self.connection.as_mut().expect("it has just been used");
            let length = match connection.read(&mut part) {
                Ok(0) => return Err(ended_early().into()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(format!("no answer within {PATIENCE:?}").into());
                }
                length => length?,
            };
            self.received.extend(&part[..length]);
        }
    }
}

fn ended_early() -> std::io::Error {
    std::io::Error::new(ErrorKind::UnexpectedEof, "the connection has ended before the answer")
}

fn has_ended(reason: &Reason) -> bool {
    let ended = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    reason.downcast_ref::<std::io::Error>().is_some_and(|error| ended.contains(&error.kind()))
}

/// The answer that the bytes begin with, and its length; none if it is not complete.
fn parse(bytes: &[u8]) -> Result<Option<(Answer, usize)>, Reason> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(begin) = head.parse(bytes)? else { return Ok(None) };
    let header = |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let length = header("content-length").ok_or("an answer without its length")?;
    let end = begin + std::str::from_utf8(length.value)?.trim().parse::<usize>()?;
    let Some(body) = bytes.get(begin..end) else { return Ok(None) };
    let answer = Answer {
        status: head.code.ok_or("an answer without a status")?,
        retry_after: header("retry-after").is_some(),
        body: blake3::hash(body),
        keep: header("connection").is_none_or(|header| !header.value.eq_ignore_ascii_case(b"close")),
    };
    Ok(Some((answer, end)))
}
