//! Tests of the example `mixed_server`: both servers answer rightly, shed, and end without a trace; and the load
//! generator, against servers that are slow or wrong, sees that they are.

mod support;

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use support::{alone, assert_threads_end, at_best, with_deadline};

// All of it but `main` is used or tested.
#[allow(dead_code)]
#[path = "../examples/mixed_server/main.rs"]
mod example;

use example::admission::Admission;
use example::args::{self, Command, Limits, Step};
use example::jobs;
use example::latencies::Latencies;
use example::load::{self, Measured};
use example::on_filch::OnFilch;
use example::on_tokio::OnTokio;
use example::requests::{Arrival, Kind, Request, Requests};
use example::server::{Plan, Server};

fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn plan(workers: usize, at_once: usize) -> Plan {
    Plan { workers, at_once, pictures: Arc::new(jobs::pictures().unwrap()) }
}

/// Calls `test` with each server in turn, stops it, and looks whether threads are left.
fn each_server(workers: usize, at_once: usize, test: impl Fn(&dyn Server, &Plan)) {
    let plan = plan(workers, at_once);
    for tokio in [false, true] {
        let server: Box<dyn Server> = if tokio {
            Box::new(OnTokio::start(listener(), &plan).unwrap())
        } else {
            Box::new(OnFilch::start(listener(), &plan).unwrap())
        };
        assert_eq!(server.workers(), workers);
        test(&*server, &plan);
        server.stop();
    }
    no_threads_are_left();
}

fn no_threads_are_left() {
    ["mixed-filch", "mixed-tokio", "mixed-rayon", "mixed-load"].into_iter().for_each(assert_threads_end);
}

/// Status, headers and body of what the server answers on a connection that ends then.
fn ask(server: SocketAddr, method: &str, target: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let mut connection = TcpStream::connect(server).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    // A server that does not want all of it may have closed already.
    let _ = connection.write_all(body);
    let mut bytes = Vec::new();
    let _ = connection.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the head of an answer");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, bytes.split_off(end + 4))
}

// ----- the service -----------------------------------------------------------------------------------------------

#[test]
fn both_servers_answer_rightly() {
    let _alone = alone();
    with_deadline(120, || {
        for workers in [1, 2] {
            each_server(workers, 4, |server, plan| {
                let answered = |method, target: &str, body: &[u8]| {
                    let (status, _, answer) = ask(server.address(), method, target, body);
                    (status, answer)
                };
                assert_eq!(answered("GET", "/ping", b""), (200, b"pong".to_vec()));
                // Below, at and above the length that is split; an empty one; an odd one.
                for length in [0, 1, 32 << 10, (32 << 10) + 1, 300_001] {
                    let body: Vec<u8> = (0..length).map(|place| (place * 7 / 3) as u8).collect();
                    let expected = blake3::hash(&body).to_hex().as_bytes().to_vec();
                    assert_eq!(answered("POST", "/hash", &body), (200, expected), "{length} bytes");
                }
                let mut numbers = jobs::numbers(5);
                numbers.sort();
                assert_eq!(numbers.len(), jobs::NUMBERS);
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                let (first, middle, last) = (numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1]);
                let expected = format!("{first} {middle} {last} {}", blake3::hash(&bytes)).into_bytes();
                assert_eq!(answered("GET", "/sort?seed=5", b""), (200, expected));

                let (status, thumbnail) = answered("GET", "/thumbnail?picture=3", b"");
                assert_eq!(status, 200);
                let thumbnail = image::load_from_memory(&thumbnail).unwrap().into_rgb8();
                let picture = image::load_from_memory(&plan.pictures[3]).unwrap().into_rgb8();
                assert_eq!((thumbnail.width() * 4, thumbnail.height() * 4), picture.dimensions());
                let mean = |image: &image::RgbImage| {
                    image.pixels().map(|pixel| f64::from(pixel.0[1])).sum::<f64>()
                        / f64::from(image.width() * image.height())
                };
                assert!((mean(&thumbnail) - mean(&picture)).abs() < 3.0, "as bright as the picture");
            });
        }
    });
}

#[test]
fn bad_requests_are_told_what_is_wrong_with_them() {
    let _alone = alone();
    with_deadline(60, || {
        each_server(1, 4, |server, plan| {
            let none = format!("/thumbnail?picture={}", plan.pictures.len());
            for (method, target, expected) in [
                ("GET", "/", 404),
                ("GET", "/thumbnail", 404),
                ("GET", &none, 404),
                ("GET", "/sort", 400),
                ("GET", "/sort?seed=x", 400),
                ("GET", "/hash", 405),
                ("POST", "/ping", 405),
                ("DELETE", "/sort?seed=1", 405),
            ] {
                let (status, head, body) = ask(server.address(), method, target, b"");
                assert_eq!(status, expected, "{method} {target}");
                assert!(!body.is_empty());
                assert_eq!(head.contains("\r\nallow: "), status == 405, "{head}");
            }
            // Who is cut off while it sends may lose the answer: the connection is reset.
            at_best(20, "an answer to a long body", || {
                let mut connection = TcpStream::connect(server.address()).unwrap();
                let length = example::http::LONGEST_BODY + 1;
                write!(connection, "POST /hash HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n").unwrap();
                let _ = connection.write_all(&vec![0; length]);
                let mut status = [0; 12];
                connection.read_exact(&mut status).map_err(|error| error.to_string())?;
                assert_eq!(&status, b"HTTP/1.1 413");
                Ok(())
            });
            let mut connection = TcpStream::connect(server.address()).unwrap();
            connection.write_all(b"this is no HTTP\r\n\r\n").unwrap();
            connection.read_to_end(&mut Vec::new()).unwrap();
            assert_eq!(ask(server.address(), "GET", "/ping", b"").0, 200, "the server goes on");
        });
    });
}

#[test]
fn so_many_are_let_in_and_no_more() {
    let admission = Admission::new(2);
    let (one, two) = (admission.enter(), admission.enter());
    assert!(one.is_some() && two.is_some() && admission.enter().is_none());
    drop(one);
    let three = admission.enter();
    assert!(three.is_some() && admission.enter().is_none());
    assert_eq!((admission.inside(), admission.turned_away()), (2, 2));
    drop((two, three));
    assert_eq!(admission.inside(), 0);
}

#[test]
fn what_there_is_no_room_for_is_shed() {
    let _alone = alone();
    with_deadline(120, || {
        each_server(2, 1, |server, plan| {
            let requests = Requests::new(&plan.pictures).unwrap();
            at_best(20, "shedding", || {
                let measured = load::saturate(server.address(), &requests, 8, Duration::from_millis(200)).unwrap();
                assert_eq!((measured.errors, measured.first_error), (0, None));
                assert_eq!(measured.sent, measured.done + measured.shed);
                if measured.shed > 0 { Ok(()) } else { Err(format!("{} done", measured.done)) }
            });
            assert_eq!(ask(server.address(), "GET", "/sort?seed=1", b"").0, 200, "there is room again");
        });
    });
}

#[test]
fn serving_ends_when_it_is_told_to() {
    let _alone = alone();
    with_deadline(60, || {
        let taken = listener().local_addr().unwrap();
        let limits = Limits { workers: 2, at_once: 0 };
        let (stop, stopped) = mpsc::channel();
        let serving = thread::spawn(move || {
            let mut out = Vec::new();
            let right = example::serve(taken, limits, &stopped, &mut out).map_err(|reason| reason.to_string());
            (right, String::from_utf8(out).unwrap())
        });
        let up = support::within(Duration::from_secs(20), || TcpStream::connect(taken).is_ok());
        assert!(up, "nobody listens");
        let (_stop, nobody) = mpsc::channel();
        let error = example::serve(taken, limits, &nobody, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with(&taken.to_string()), "{error}");

        // Kept by its client, with an answer but no further request.
        let mut kept = TcpStream::connect(taken).unwrap();
        kept.write_all(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        kept.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        stop.send(()).unwrap();
        kept.read_to_end(&mut Vec::new()).unwrap();
        let (right, text) = serving.join().unwrap();
        assert_eq!(right, Ok(true));
        let lines: Vec<&str> = text.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(lines, ["listening", "answers", "stopped"], "{text}");
        assert!(text.contains(&format!("http://{taken}, ")), "{text}");
        assert!(TcpStream::connect(taken).is_err(), "somebody still listens");
        no_threads_are_left();
    });
}

// ----- the load generator ----------------------------------------------------------------------------------------

#[test]
fn requests_come_at_random_and_the_same_ones_each_time() {
    let requests = Requests::new(&jobs::pictures().unwrap()).unwrap();
    let time = Duration::from_secs(10);
    let arrivals = requests.arrivals(1000.0, time, 7);
    assert_eq!(arrivals.len(), 10_000);
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.due) && arrivals[9_999].due < time);
    let same = |other: &[Arrival]| {
        let pairs = arrivals.iter().zip(other);
        pairs.filter(|(a, b)| a.due == b.due && a.request.bytes == b.request.bytes).count()
    };
    assert_eq!(same(&requests.arrivals(1000.0, time, 7)), 10_000);
    assert!(same(&requests.arrivals(1000.0, time, 8)) < 10);
    let pings = arrivals.iter().filter(|arrival| arrival.request.kind == Kind::Ping).count();
    assert!((3_700..4_300).contains(&pings), "{pings} pings");
    // The gaps of a Poisson process are longer than their mean in 1 of e cases.
    let gaps = arrivals.windows(2).map(|pair| pair[1].due - pair[0].due);
    let long = gaps.filter(|&gap| gap > Duration::from_millis(1)).count();
    assert!((3_400..3_960).contains(&long), "{long} long gaps");
}

/// A server that gives each connection so many answers, each so late, and then ends it.
fn fake(answer: &'static str, answers: usize, late: Duration) -> (SocketAddr, impl FnOnce()) {
    let listener = listener();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        loop {
            let (mut connection, _) = listener.accept().unwrap();
            for _ in 0..answers {
                let mut request = [0; 1 << 10];
                match connection.read(&mut request) {
                    Ok(0) | Err(_) => break,
                    Ok(length) if request[..length].starts_with(b"GET /stop") => return,
                    Ok(_) => {
                        thread::sleep(late);
                        connection.write_all(answer.as_bytes()).unwrap();
                    }
                }
            }
        }
    });
    let stop = move || {
        TcpStream::connect(address).unwrap().write_all(b"GET /stop").unwrap();
        server.join().unwrap();
    };
    (address, stop)
}

fn ping() -> Request {
    let bytes = b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
    Request { kind: Kind::Ping, bytes, digest: blake3::hash(b"pong") }
}

/// Sends so many pings, which are all due at once, over one connection.
fn send(server: SocketAddr, count: usize) -> Measured {
    let ping = ping();
    let arrivals: Vec<_> = (0..count).map(|_| Arrival { due: Duration::ZERO, request: &ping }).collect();
    let over = AtomicUsize::new(0);
    let measured = load::send(server, &arrivals, 1, &over).unwrap();
    assert_eq!((over.into_inner(), measured.sent), (count, count));
    measured
}

const PONG: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong";

#[test]
fn who_has_to_wait_for_a_connection_is_counted_as_late() {
    let _alone = alone();
    with_deadline(60, || {
        const LATE: Duration = Duration::from_millis(20);
        let (server, stop) = fake(PONG, usize::MAX, LATE);
        let measured = send(server, 10);
        assert_eq!((measured.done, measured.errors, measured.shed), (10, 0, 0), "{measured:?}");
        // Each waits for those before it: the first for one answer, the fifth for five.
        for (share, answers) in [(0.1, 1), (0.5, 5), (1.0, 10)] {
            let latency = measured.ping.percentile(share).unwrap();
            assert!(latency >= LATE * answers, "{share}: {latency:?}");
        }
        assert!(measured.late.percentile(1.0).unwrap() >= LATE * 9);
        assert!(measured.took >= LATE * 10 && measured.computing.percentile(0.5).is_none());
        stop();
    });
}

#[test]
fn wrong_answers_are_errors() {
    let _alone = alone();
    with_deadline(60, || {
        for (answer, reason) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npang", "a wrong answer"),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\npong", "status 404"),
            ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status 503"),
            ("HTTP/1.1 200 OK\r\n\r\npong", "without its length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npongs", "more than an answer"),
            ("no HTTP\r\n\r\n", "invalid"),
        ] {
            let (server, stop) = fake(answer, 1, Duration::ZERO);
            let measured = send(server, 3);
            assert_eq!((measured.done, measured.shed, measured.errors), (0, 0, 3), "{answer}");
            let error = measured.first_error.unwrap();
            assert!(error.contains(reason), "{error}");
            assert!(measured.ping.percentile(0.5).is_some(), "failures count as latencies");
            stop();
        }
        let (server, stop) = fake("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\npong", 1, Duration::ZERO);
        let measured = send(server, 2);
        assert_eq!(measured.errors, 2);
        assert!(measured.first_error.unwrap().contains("ended before"));
        stop();
        // Nobody there.
        let server = listener().local_addr().unwrap();
        assert_eq!(send(server, 2).errors, 2);
    });
}

#[test]
fn shedding_is_no_error_and_a_connection_may_end_between_requests() {
    let _alone = alone();
    with_deadline(60, || {
        let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
        let (server, stop) = fake(busy, usize::MAX, Duration::ZERO);
        let measured = send(server, 3);
        assert_eq!((measured.done, measured.shed, measured.errors), (0, 3, 0));
        assert!(measured.ping.percentile(0.5).is_none(), "what is shed is no latency");
        stop();
        // Each connection is good for two answers, and ends without a word.
        let (server, stop) = fake(PONG, 2, Duration::ZERO);
        let measured = send(server, 9);
        assert_eq!((measured.done, measured.shed, measured.errors), (9, 0, 0), "{:?}", measured.first_error);
        stop();
        // Each answer says that it is the last one.
        let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npong";
        let (server, stop) = fake(last, 1, Duration::ZERO);
        assert_eq!(send(server, 9).done, 9);
        stop();
    });
}

#[test]
fn percentiles_are_those_of_all() {
    let mut latencies = Latencies::default();
    assert_eq!(latencies.percentile(0.5), None);
    (1..=1000).rev().for_each(|millis| latencies.note(Duration::from_millis(millis)));
    latencies.sort();
    let millis = |share| latencies.percentile(share).unwrap().as_millis();
    assert_eq!([0.0, 0.001, 0.5, 0.99, 0.999, 1.0].map(millis), [1, 1, 500, 990, 999, 1000]);
}

// ----- the program -----------------------------------------------------------------------------------------------

fn run(arguments: &[&dyn AsRef<OsStr>]) -> Result<(String, bool), String> {
    let mut out = Vec::new();
    let arguments = arguments.iter().map(|argument| argument.as_ref().to_owned());
    let right = example::mixed_server(arguments, &mut out).map_err(|reason| reason.to_string())?;
    Ok((String::from_utf8(out).unwrap(), right))
}

/// The table's lines, cut at spaces.
fn table(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().skip_while(|line| !line.starts_with("server ")).skip(1);
    lines.take_while(|line| !line.is_empty()).map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn filch_alone_and_beside_tokio_is_measured_and_drawn() {
    let _alone = alone();
    with_deadline(300, || {
        let folder = tempfile::TempDir::new().unwrap();
        for compare in [false, true] {
            let svg = folder.path().join(format!("{compare}.svg"));
            let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![&"--quick", &"--svg", &svg, &"--workers", &"2"];
            if compare {
                arguments.push(&"--compare");
            }
            let (text, right) = run(&arguments).unwrap();
            assert!(right, "{text}");
            assert!(text.starts_with("servers     2 workers, at most 16 requests inside\n"), "{text}");
            let table = table(&text);
            let heads: Vec<_> = table.iter().map(|line| (line[0], line[1])).collect();
            let expected: &[_] = if compare {
                &[("filch", "50%"), ("tokio+rayon", "50%"), ("tokio+rayon", "150%"), ("filch", "150%")]
            } else {
                &[("filch", "50%"), ("filch", "150%")]
            };
            assert_eq!(heads, expected, "{text}");
            for line in &table {
                // Server, load, sent, done, twice three percentiles, shed, errors.
                assert_eq!(line.len(), 12, "{text}");
                let number = |word: &&str| word.parse::<f64>().unwrap();
                assert!(line[2..4].iter().map(number).all(|number| number > 0.0) && line[11] == "0", "{text}");
                for percentiles in [&line[4..7], &line[7..10]] {
                    // A machine that is very slow is sent very few requests, perhaps none of a kind.
                    let known: Vec<f64> = percentiles.iter().filter(|&&word| word != "-").map(number).collect();
                    assert!([0, 3].contains(&known.len()) && known.is_sorted(), "{text}");
                    assert!(known.iter().all(|&millis| millis > 0.0), "{text}");
                }
            }
            assert!(text.ends_with(&format!("\nchart       {}\n", svg.display())), "{text}");
            let chart = std::fs::read_to_string(&svg).unwrap();
            assert!(chart.starts_with("<svg") && chart.trim_end().ends_with("</svg>"));
            assert!(chart.contains("/ping") && chart.contains("<polyline") && chart.contains("filch"));
            assert_eq!(chart.contains("tokio+rayon"), compare);
        }
        no_threads_are_left();
    });
}

#[test]
fn one_worker_and_a_load_in_requests_a_second() {
    let _alone = alone();
    with_deadline(120, || {
        let svg = tempfile::NamedTempFile::new().unwrap();
        let (text, right) =
            run(&[&"--steps", &"20,40", &"--seconds", &"0.5", &"-w", &"1", &"--svg", &svg.path(), &"-c"]).unwrap();
        assert!(right, "{text}");
        let sent: Vec<_> = table(&text).iter().map(|line| (line[1].to_owned(), line[2].to_owned())).collect();
        assert_eq!(sent, [("20", "20"), ("20", "20"), ("40", "40"), ("40", "40")].map(|(a, b)| (a.into(), b.into())));
    });
}

#[test]
fn the_command_line() {
    let parse = |text: &str| args::parse(text.split_whitespace().map(Into::into));
    let Command::Measure(options) = parse("").unwrap() else { panic!("it measures") };
    assert_eq!((options.steps.len(), options.time), (7, Duration::from_secs(5)));
    let Command::Measure(options) = parse("--quick -s 50,12.5% --seconds 0.25").unwrap() else { panic!("it measures") };
    assert_eq!(options.steps, [Step::PerSecond(50.0), Step::Percent(12.5)]);
    assert_eq!(options.time, Duration::from_millis(250));
    let limits = Limits { workers: 3, at_once: 9 };
    let address = "127.0.0.1:80".parse().unwrap();
    assert_eq!(parse("--serve 127.0.0.1:80 -w 3 -m 9").unwrap(), Command::Serve(address, limits));
    for (wrong, hint) in [
        ("--steps 0", "requests a second"),
        ("--steps 5,,6", "requests a second"),
        ("--steps 1001%", "1000%"),
        ("--steps nan", "requests a second"),
        ("--seconds 0", "0.01 to 3600"),
        ("--seconds inf", "0.01 to 3600"),
        ("--workers 1025", "more than 1024"),
        ("--workers many", "invalid digit"),
        ("--at-once 0", "zero"),
        ("--serve somewhere", "127.0.0.1:8080"),
        ("--serve 127.0.0.1:80 --quick", "measures nothing"),
        ("--serve", "missing"),
        ("--bogus", "--bogus"),
        ("extra", "extra"),
    ] {
        let words: Vec<&str> = wrong.split_whitespace().collect();
        let words: Vec<&dyn AsRef<OsStr>> = words.iter().map(|word| word as _).collect();
        let error = run(&words).unwrap_err();
        assert!(error.contains(hint) && error.ends_with("Try --help."), "{wrong}: {error}");
    }
    let (help, right) = run(&[&"--help"]).unwrap();
    assert!(right && help == args::HELP);
    let error = run(&[&"--quick", &"--svg", &"/no such folder/chart.svg"]).unwrap_err();
    assert!(error.contains("no such folder"), "{error}");
}

/// For the half of a request that is sent when the server stops.
#[test]
fn a_client_that_never_ends_its_request_does_not_keep_the_server() {
    let _alone = alone();
    with_deadline(60, || {
        each_server(1, 4, |server, _| {
            let mut half = TcpStream::connect(server.address()).unwrap();
            half.write_all(b"POST /hash HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").unwrap();
            assert_eq!(ask(server.address(), "GET", "/ping", b"").0, 200);
            // Left open for longer than the server waits.
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(20));
                drop(half.shutdown(Shutdown::Both));
            });
        });
    });
}
