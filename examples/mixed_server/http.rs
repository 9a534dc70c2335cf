//! The service: what is answered to which request, and a connection's life. The same for both servers.

use super::admission::{Admission, Permit};
use super::jobs;
use super::loops::{Compute, Reason};
use futures::future::{self, Either, FutureExt};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use hyper::rt::{Read, Timer, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

/// Longer bodies are not taken.
pub const LONGEST_BODY: usize = 4 << 20;

/// What is served, and by whose loops.
pub struct Site<C> {
    pub compute: C,
    pub pictures: Arc<Vec<Vec<u8>>>,
    pub admission: Arc<Admission>,
}

pub type Answer = Response<Full<Bytes>>;

/// Answers the requests of one connection until its client ends it; when `stopped`, only the one under way.
pub async fn connection<C, I, T>(site: Arc<Site<C>>, io: I, timer: T, stopped: impl Future<Output = ()>)
where
    C: Compute,
    I: Read + Write + Unpin,
    T: Timer + Send + Sync + 'static,
{
    // In a box, as its type is too much for the compiler otherwise (rust-lang/rust#110338).
    let service = service_fn(move |request| answer(site.clone(), request).boxed());
    // With a timer, a client that keeps its next request to itself for 30 s is sent away.
    let mut connection = pin!(http1::Builder::new().timer(timer).serve_connection(io, service));
    let stopped = pin!(stopped);
    let ended = future::select(connection.as_mut(), stopped).await;
    if let Either::Right(_) = ended {
        connection.as_mut().graceful_shutdown();
        // Here and above an error is the client's: it has gone, or talks no HTTP.
        let _ = connection.await;
    }
}

async fn answer<C: Compute>(site: Arc<Site<C>>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(route(&site, request).await.unwrap_or_else(|reason| text(StatusCode::INTERNAL_SERVER_ERROR, reason.to_string())))
}

async fn route<C: Compute>(site: &Site<C>, request: Request<Incoming>) -> Result<Answer, Reason> {
    let query = |name: &str| -> Option<u64> {
        let pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|pair| pair.0 == name).find_map(|pair| pair.1.parse().ok())
    };
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/ping") => Ok(text(StatusCode::OK, "pong".into())),
        (&Method::GET, "/thumbnail") => match query("picture") {
            Some(number) if number < site.pictures.len() as u64 => thumbnail(site, number as usize).await,
            _ => Ok(text(StatusCode::NOT_FOUND, format!("picture=N, N below {}", site.pictures.len()))),
        },
        (&Method::GET, "/sort") => match query("seed") {
            Some(seed) => sort(site, seed).await,
            None => Ok(text(StatusCode::BAD_REQUEST, "seed=N says which numbers to sort".into())),
        },
        (&Method::POST, "/hash") => hash(site, request.into_body()).await,
        (_, "/ping" | "/thumbnail" | "/sort") => Ok(not_allowed("GET")),
        (_, "/hash") => Ok(not_allowed("POST")),
        _ => Ok(text(StatusCode::NOT_FOUND, "there are /ping, /thumbnail, /hash and /sort".into())),
    }
}

/// Long: the task awaits it.
async fn thumbnail<C: Compute>(site: &Site<C>, number: usize) -> Result<Answer, Reason> {
    let Some(permit) = site.admission.enter() else { return Ok(busy()) };
    let pictures = site.pictures.clone();
    let work = move || inside(permit, || jobs::thumbnail::<C>(&pictures[number]));
    let mut answer = Response::new(Full::new(site.compute.long(work).await??.into()));
    answer.headers_mut().insert(CONTENT_TYPE, "image/jpeg".parse()?);
    Ok(answer)
}

/// Long: the task awaits it.
async fn sort<C: Compute>(site: &Site<C>, seed: u64) -> Result<Answer, Reason> {
    let Some(permit) = site.admission.enter() else { return Ok(busy()) };
    let work = move || inside(permit, || jobs::sorted::<C>(jobs::numbers(seed)));
    Ok(text(StatusCode::OK, site.compute.long(work).await?))
}

/// Short: filch computes it right here, in the handler.
async fn hash<C: Compute>(site: &Site<C>, body: Incoming) -> Result<Answer, Reason> {
    // The body is taken in also when there is no room, or the connection could not be used again.
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Ok(text(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {LONGEST_BODY} bytes")));
        }
        Err(error) => return Ok(text(StatusCode::BAD_REQUEST, error.to_string())),
    };
    let Some(permit) = site.admission.enter() else { return Ok(busy()) };
    let work = move || inside(permit, || jobs::hash::<C>(&body));
    Ok(text(StatusCode::OK, site.compute.short(work).await?))
}

/// Gives the permit back when the work is done, and not before: its client may have gone.
fn inside<R>(permit: Permit, work: impl FnOnce() -> R) -> R {
    let result = work();
    drop(permit);
    result
}

fn busy() -> Answer {
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, "busy".into());
    answer.headers_mut().insert(RETRY_AFTER, 1.into());
    answer
}

fn not_allowed(method: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, format!("only {method}"));
    answer.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static(method));
    answer
}

fn text(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer
}
