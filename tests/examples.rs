//! Tests of the examples that are one file each: what they print is what they measure, and that is looked at here.
//! (`treehash` has a file of its own.)

mod support;

use std::time::Duration;

use filch::Pool;

use support::{alone, at_best, pool, with_deadline};

// All of each but `main` is used or tested.
#[allow(dead_code)]
#[path = "../examples/countdown.rs"]
mod countdown;
#[allow(dead_code)]
#[path = "../examples/deep_await.rs"]
mod deep_await;
#[allow(dead_code)]
#[path = "../examples/project_plan.rs"]
mod project_plan;
#[allow(dead_code)]
#[path = "../examples/trace_await.rs"]
mod trace_await;

// ----- project_plan ----------------------------------------------------------------------------------------------

const DAY: Duration = Duration::from_millis(10);

/// From when to when, in whole days.
type Span = (i64, i64);

const ONE_AFTER_ANOTHER: [Span; 5] = [(0, 10), (10, 24), (24, 54), (54, 64), (64, 124)];
const TOGETHER: [Span; 5] = [(0, 10), (10, 24), (10, 40), (10, 20), (10, 70)];

/// Never early, and at most `late` days late.
fn compare(bars: &[project_plan::Bar], expected: [Span; 5], late: i64) -> Result<(), String> {
    let names: Vec<_> = bars.iter().map(|bar| bar.name).collect();
    assert_eq!(names, project_plan::PROJECT.map(|dependency| dependency.name));
    let measured: Vec<Span> = bars.iter().map(|bar| (bar.begin.round() as i64, bar.end.round() as i64)).collect();
    let fits = |day: i64, expected: i64| (expected..=expected + late).contains(&day);
    for (&(begin, end), (expected_begin, expected_end)) in measured.iter().zip(expected) {
        assert!(begin >= expected_begin && end >= expected_end, "early: {measured:?}");
        if !(fits(begin, expected_begin) && fits(end, expected_end)) {
            return Err(format!("late: {measured:?}"));
        }
    }
    Ok(())
}

#[test]
fn by_a_stopped_clock_the_project_takes_124_days_or_70_exactly() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = Pool::builder().workers(workers).start_paused(true).build().unwrap();
            let one_after_another = pool.spawn(project_plan::one_after_another(DAY)).join().unwrap();
            compare(&one_after_another, ONE_AFTER_ANOTHER, 0).unwrap();
            compare(&pool.spawn(project_plan::together(DAY)).join().unwrap(), TOGETHER, 0).unwrap();
        }
    });
}

#[test]
fn the_project_takes_124_days_or_70() {
    let _alone = alone();
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            at_best(5, "a project", || {
                compare(&pool.spawn(project_plan::one_after_another(DAY)).join().unwrap(), ONE_AFTER_ANOTHER, 4)
            });
            at_best(5, "a project", || compare(&pool.spawn(project_plan::together(DAY)).join().unwrap(), TOGETHER, 4));
        }
    });
}

#[test]
fn the_timeline_has_a_bar_for_each_dependency() {
    let names = project_plan::PROJECT.map(|dependency| dependency.name);
    let bars: Vec<_> = names
        .iter()
        .zip(TOGETHER)
        .map(|(name, (begin, end))| project_plan::Bar { name, begin: begin as f64, end: end as f64 })
        .collect();
    assert_eq!(project_plan::days(&bars), 70.0);
    let expected = "  design   |=====  0 to 10
  database |     =======  10 to 24
  server   |     ===============  10 to 40
  icons    |     =====  10 to 20
  client   |     ==============================  10 to 70
";
    assert_eq!(project_plan::timeline(&bars), expected);
}

// ----- countdown -------------------------------------------------------------------------------------------------

use countdown::Counter::{self, Down, Up};
use countdown::Said;

const PAUSE: Duration = Duration::from_millis(50);

fn numbers_of(counter: Counter, said: &[Said]) -> Vec<u32> {
    said.iter().filter(|said| said.counter == counter).map(|said| said.number).collect()
}

/// Each counts rightly; all on that worker, if any.
fn check_counts(said: &[Said], worker: Option<usize>) {
    assert_eq!(numbers_of(Down, said), [5, 4, 3, 2, 1]);
    assert_eq!(numbers_of(Up, said), [1, 2, 3, 4, 5]);
    assert!(said.iter().all(|said| said.worker == worker), "{said:?}");
}

/// Both say their first number, in any order, then both their second, and so on, in the time of one.
fn side_by_side((said, took): (Vec<Said>, Duration), worker: Option<usize>) -> Result<(), String> {
    check_counts(&said, worker);
    let one = countdown::time_of_one(PAUSE);
    assert!(took >= one, "{took:?} for what takes {one:?}");
    // The numbers of a pair add up to 6: that they are each one's next is checked above.
    let interleaved = said.chunks(2).all(|pair| pair[0].counter != pair[1].counter);
    if interleaved && took < one * 3 / 2 { Ok(()) } else { Err(format!("{took:?}: {said:?}")) }
}

#[test]
fn one_count_after_the_other_takes_the_time_of_both() {
    let (said, took) = countdown::one_after_the_other(Duration::from_millis(5));
    check_counts(&said, None);
    assert!(said[..5].iter().all(|said| said.counter == Down), "{said:?}");
    assert!(took >= 2 * countdown::time_of_one(Duration::from_millis(5)), "{took:?}");
}

#[test]
fn two_threads_count_side_by_side() {
    let _alone = alone();
    with_deadline(60, || at_best(10, "two threads", || side_by_side(countdown::two_threads(PAUSE), None)));
}

#[test]
fn two_tasks_on_one_worker_count_side_by_side() {
    let _alone = alone();
    with_deadline(60, || {
        at_best(10, "two tasks on one worker", || side_by_side(countdown::two_tasks_on_one_worker(PAUSE), Some(0)));
    });
}

// ----- trace_await -----------------------------------------------------------------------------------------------

use trace_await::{Event, What, polls, traces};

/// As the words of the trace without the worker: `A>` for a poll of A that begins, `A.` for one that ends with Pending,
/// `A!` for one that ends with Ready.
fn in_short(events: &[Event]) -> String {
    let mark = |what| match what {
        What::Enter => '>',
        What::Pending => '.',
        What::Ready => '!',
    };
    let words: Vec<_> = events.iter().map(|event| format!("{}{}", event.future, mark(event.what))).collect();
    words.join(" ")
}

const PLAIN: &str = "A> B> C> C. B. A. A> B> C> C. B. A. A> B> C> C! B! A!";

#[test]
fn on_one_worker_the_trace_is_certain() {
    with_deadline(60, || {
        for _ in 0..100 {
            let [plain, tasks] = traces(1);
            assert_eq!(in_short(&plain), PLAIN);
            assert_eq!(in_short(&tasks), "A> A. B> B. C> C. C> C. C> C! B> B! A> A!");
            assert!(plain.iter().chain(&tasks).all(|event| event.worker == Some(0)), "{plain:?} {tasks:?}");
        }
    });
}

#[test]
fn on_two_workers_what_depends_on_each_other_is_in_order() {
    with_deadline(60, || {
        for _ in 0..100 {
            let [plain, tasks] = traces(2);
            assert_eq!(in_short(&plain), PLAIN, "one task is in one place at a time");
            for future in ['A', 'B', 'C'] {
                let events: Vec<_> = tasks.iter().filter(|event| event.future == future).collect();
                for poll in events.chunks(2) {
                    assert_eq!(poll[0].what, What::Enter);
                    assert_ne!(poll[1].what, What::Enter);
                    assert_eq!(poll[0].worker, poll[1].worker, "a poll stays where it is");
                    assert!(poll[0].worker < Some(2));
                }
                assert_eq!(events.iter().filter(|event| event.what == What::Ready).count(), 1);
                assert_eq!(events.last().unwrap().what, What::Ready);
            }
            assert_eq!(polls(&tasks, 'C'), 3);
            assert!((1..=2).contains(&polls(&tasks, 'A')) && (1..=2).contains(&polls(&tasks, 'B')));
            let order: Vec<_> = tasks.iter().filter(|event| event.what == What::Ready).map(|e| e.future).collect();
            assert_eq!(order, ['C', 'B', 'A']);
        }
    });
}

// ----- deep_await ------------------------------------------------------------------------------------------------

use deep_await::{DEPTH, futures, shuffled, sort, tasks};

#[test]
fn chains_are_awaited_to_their_ends() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = deep_await::pool(workers, DEPTH);
            for depth in [0, 1, 2, 1000, DEPTH] {
                let yielding = filch::task::yield_now();
                assert_eq!(pool.spawn(futures(depth, yielding)).join().unwrap(), depth);
                assert_eq!(pool.spawn(tasks(depth)).join().unwrap(), depth);
            }
        }
    });
}

#[test]
fn a_chain_of_tasks_needs_no_deep_stack() {
    with_deadline(60, || {
        let pool = filch::Pool::builder().workers(2).stack_size(128 << 10).build().unwrap();
        assert_eq!(pool.spawn(tasks(100_000)).join().unwrap(), 100_000);
    });
}

/// Pending for ever; says so when it is polled.
async fn stuck(reached: std::sync::mpsc::Sender<()>) {
    reached.send(()).unwrap();
    std::future::pending().await
}

#[test]
fn a_chain_that_is_half_done_is_dropped() {
    with_deadline(60, || {
        let pool = deep_await::pool(1, DEPTH);
        let (tx, reached) = std::sync::mpsc::channel();
        let aborted = pool.spawn(futures(DEPTH, stuck(tx.clone())));
        let left = pool.spawn(futures(DEPTH, stuck(tx)));
        (0..2).for_each(|_| reached.recv().unwrap());
        aborted.abort();
        assert!(aborted.join().unwrap_err().is_cancelled());
        // The other one is dropped by the pool's end, on a thread of the pool.
        drop(pool);
        assert!(left.join().unwrap_err().is_cancelled());
    });
}

#[test]
fn sorts_as_std_does() {
    with_deadline(120, || {
        for workers in [1, 2] {
            let pool = deep_await::pool(workers, 0);
            let check = |numbers: Vec<u64>| {
                let mut expected = numbers.clone();
                expected.sort();
                assert!(pool.spawn(sort(numbers)).join().unwrap() == expected);
            };
            (0..40).for_each(|count| check(shuffled(count)));
            check((0..10_000).collect());
            check((0..10_000).rev().collect());
            check(shuffled(10_000).into_iter().map(|number| number % 10).collect());
            check(shuffled(if cfg!(debug_assertions) { 100_000 } else { 1_000_000 }));
        }
    });
}
