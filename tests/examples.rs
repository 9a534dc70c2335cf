//! Tests of the smaller examples: what they print is what they measure, and that is looked at here. (`treehash` and
//! `mixed_server` have files of their own.)

mod support;

use std::time::Duration;

use filch::Pool;

use support::{alone, at_best, pool, with_deadline};

// All of each but `main` is used or tested.
#[allow(dead_code)]
#[path = "../examples/array_sums.rs"]
mod array_sums;
#[allow(dead_code)]
#[path = "../examples/countdown.rs"]
mod countdown;
#[allow(dead_code)]
#[path = "../examples/cpu_waster.rs"]
mod cpu_waster;
#[allow(dead_code)]
#[path = "../examples/deep_await.rs"]
mod deep_await;
#[allow(dead_code)]
#[path = "../examples/matmul.rs"]
mod matmul;
#[allow(dead_code)]
#[path = "../examples/project_plan.rs"]
mod project_plan;
#[allow(dead_code)]
#[path = "../examples/thumbnails/main.rs"]
mod thumbnails;
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

// ----- matmul ----------------------------------------------------------------------------------------------------

use matmul::Matrix;

/// By the definition, one element after the other.
fn product(left: &Matrix, right: &Matrix, size: usize) -> Vec<f64> {
    let element = |row: usize, column: usize| {
        let factors = left.row(row).iter().zip((0..size).map(|inner| right.row(inner)[column]));
        factors.fold(0.0, |sum, (left, right)| sum + left * right)
    };
    (0..size * size).map(|place| element(place / size, place % size)).collect()
}

#[test]
fn every_way_to_multiply_gives_the_product() {
    with_deadline(120, || {
        // Below, at and above the length that is not halved any more; more workers than rows.
        for size in [1, 2, 3, 63, 64, 65, 130] {
            let (left, right) = (Matrix::random(size, 3), Matrix::random(size, 4));
            assert!(left != right);
            let expected = product(&left, &right, size);
            for workers in [1, 2, 4, 8] {
                let pool = pool(workers);
                for (name, way) in matmul::WAYS {
                    let found = pool.install(|| way(&left, &right));
                    let found: Vec<f64> = (0..size).flat_map(|row| found.row(row)).copied().collect();
                    assert!(found == expected, "{name}, {size} rows, {workers} workers");
                }
            }
        }
    });
}

// ----- array_sums ------------------------------------------------------------------------------------------------

#[test]
fn every_way_to_add_up_gives_the_sums() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            for length in [0, 1, 2, 1000, 30_001] {
                let arrays = pool.install(|| array_sums::arrays(length));
                let expected: Vec<u64> = (0..8).map(|first| (first..).step_by(8).take(length).sum()).collect();
                assert_eq!(array_sums::expected(length), expected);
                for (name, way) in array_sums::WAYS {
                    assert_eq!(pool.install(|| way(&arrays)), expected, "{name}");
                }
            }
        }
    });
}

// ----- cpu_waster ------------------------------------------------------------------------------------------------

use cpu_waster::{Outcome, Plan, Waster, histogram, measure, percentile};

#[test]
fn no_tick_is_left_out_however_late() {
    let _alone = alone();
    let plan = Plan { wasters: 3, each: Duration::from_millis(40), period: Duration::from_millis(5) };
    with_deadline(60, move || {
        for workers in [1, 2] {
            for waster in [Waster::Nobody, Waster::LongClosure, Waster::ParallelLoop] {
                let Outcome { late, took } = measure(workers, waster, plan);
                // As many workers as there are can spin at a time; the loops have 40 pieces of 1 ms each.
                let least = if waster == Waster::Nobody { plan.each } else { plan.each * 3 / workers as u32 };
                assert!(took >= least, "{waster:?}: {took:?} instead of {least:?}");
                let ticks = took.div_duration_f64(plan.period) as usize;
                // One may become due while the end is written down.
                assert!((ticks..=ticks + 1).contains(&late.len()), "{} ticks in {took:?}", late.len());
                assert!(late.is_sorted());
            }
        }
    });
}

#[test]
fn with_nothing_else_to_do_ticks_are_on_time() {
    let _alone = alone();
    let plan = Plan { wasters: 0, each: Duration::from_millis(100), period: Duration::from_millis(10) };
    with_deadline(60, move || {
        at_best(10, "ticks", || {
            let late = measure(1, Waster::Nobody, plan).late;
            if percentile(&late, 1.0) < plan.period { Ok(()) } else { Err(format!("{late:?}")) }
        });
    });
}

#[test]
fn lateness_is_counted_right() {
    let late: Vec<Duration> = [0, 1, 1, 2, 3, 10, 11, 500, 999, 5000].map(Duration::from_millis).into();
    let millis = |share| percentile(&late, share).as_millis();
    assert_eq!([0.0, 0.1, 0.11, 0.5, 0.9, 0.91, 1.0].map(millis), [0, 0, 1, 3, 999, 5000, 5000]);
    assert_eq!(histogram(&late), [3, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
    assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    assert_eq!(histogram(&[]), [0; 11]);
    let text = cpu_waster::report(&Outcome { late, took: Duration::from_millis(1500) });
    assert!(text.starts_with("  1.50 s, 10 ticks; "), "{text}");
    assert!(text.contains("  half <= 3.00  90 % <= 999.00  99 % <= 5000.00  all <= 5000.00\n"), "{text}");
    assert_eq!(text.lines().count(), 2 + 8, "{text}");
    assert!(text.contains("\n      <= 1      3  ###############\n"), "{text}");
    assert!(text.ends_with("\n      more      1  #####\n"), "{text}");
    cpu_waster::report(&Outcome { late: Vec::new(), took: Duration::ZERO });
}

// ----- thumbnails ------------------------------------------------------------------------------------------------

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use image::{DynamicImage, ImageFormat, RgbImage};
use tempfile::TempDir;
use thumbnails::shrink::shrink;

/// What it prints, and whether it had no failures.
fn thumbnails(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Result<(String, bool), String> {
    let arguments: Vec<OsString> = arguments.iter().map(|argument| argument.as_ref().to_owned()).collect();
    let mut out = Vec::new();
    let outcome = thumbnails::thumbnails(arguments, &mut out).map_err(|reason| reason.to_string());
    outcome.map(|everything| (String::from_utf8(out).unwrap(), everything))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 100]));
    let mut bytes = Vec::new();
    let image = DynamicImage::from(image);
    // Two formats have but one kind of pixel.
    let image = match format {
        ImageFormat::Farbfeld => image.into_rgba16().into(),
        ImageFormat::Ico => image.into_rgba8().into(),
        _ => image,
    };
    image.write_to(&mut std::io::Cursor::new(&mut bytes), format).unwrap();
    bytes
}

#[test]
fn pictures_are_made_and_shrunk() {
    with_deadline(120, || {
        let to = TempDir::new().unwrap();
        let (text, everything) =
            thumbnails(&[&"--count", &"9", &"--to", &to.path(), &"--workers", &"2", &"--at-once", &"3"]).unwrap();
        assert!(everything, "{text}");
        let names = names(to.path());
        assert_eq!(names.len(), 9);
        assert_eq!([&names[0], &names[3], &names[8]], ["00000.jpg", "00003.png", "00008.jpg"]);
        for name in names {
            let thumbnail = image::open(to.path().join(name)).unwrap();
            assert_eq!((thumbnail.width(), thumbnail.height()), (128, 96));
        }
        let lines: Vec<&str> = text.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(lines, ["made", "thumbnails", "in", "one", "speed-up"], "{text}");
        assert!(text.contains("thumbnails  9 in ") && text.contains("at most 3 pictures"), "{text}");
    });
}

#[test]
fn pictures_of_every_format_are_found_and_shrunk() {
    with_deadline(120, || {
        let folder = TempDir::new().unwrap();
        let formats: Vec<ImageFormat> =
            ImageFormat::all().filter(|format| format.reading_enabled() && format.writing_enabled()).collect();
        assert!(formats.len() >= 11, "{formats:?}");
        let name = |format: &ImageFormat| format!("{format:?}.{}", format.extensions_str()[0]);
        for format in &formats {
            fs::write(folder.path().join(name(format)), encoded(200, 100, *format)).unwrap();
        }

        let (text, everything) =
            thumbnails(&[&folder.path(), &"--side", &"30", &"--no-compare", &"--no-progress"]).unwrap();
        assert!(everything && text.contains(&format!("thumbnails  {} in ", formats.len())), "{text}");
        for format in formats {
            let bytes = fs::read(folder.path().join("thumbnails").join(name(&format))).unwrap();
            let thumbnail = image::load_from_memory_with_format(&bytes, format).unwrap();
            assert_eq!((thumbnail.width(), thumbnail.height()), (30, 15), "{format:?}");
        }
    });
}

#[test]
fn what_cannot_be_read_is_listed_and_the_rest_is_done() {
    with_deadline(120, || {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        let png = encoded(60, 300, ImageFormat::Png);
        file("good.png", &png);
        file("GOOD.JPEG", &encoded(300, 60, ImageFormat::Jpeg));
        file("not what it says.jpg", &png);
        file("cut off.png", &png[..png.len() / 2]);
        file("empty.jpg", &[]);
        file("text.png", b"no picture at all");
        file("no picture.txt", b"left alone");
        fs::create_dir(folder.path().join("folder.png")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", folder.path().join("link.png")).unwrap();

        let (text, everything) =
            thumbnails(&[&folder.path(), &"--side", &"30", &"--no-compare", &"--no-progress"]).unwrap();
        assert!(!everything, "{text}");
        let mut failed = vec!["cut off.png", "empty.jpg", "link.png", "text.png"];
        if cfg!(not(unix)) {
            failed.remove(2);
        }
        let listed: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("            \"")?.split('"').next()).collect();
        assert_eq!(listed, failed, "{text}");
        assert!(
            text.contains("thumbnails  3 in ") && text.contains(&format!("failed      {}\n", failed.len())),
            "{text}"
        );
        let to = folder.path().join("thumbnails");
        assert_eq!(names(&to), ["GOOD.JPEG", "good.png", "not what it says.jpg"]);
        let thumbnail = image::open(to.join("GOOD.JPEG")).unwrap();
        assert_eq!((thumbnail.width(), thumbnail.height()), (30, 6));
        assert_eq!(fs::read(to.join("not what it says.jpg")).unwrap(), fs::read(to.join("good.png")).unwrap());
        assert_eq!(fs::read(folder.path().join("good.png")).unwrap(), png, "the pictures themselves stay");
    });
}

#[test]
fn pictures_are_never_replaced_and_an_empty_folder_is_no_mistake() {
    with_deadline(60, || {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let same = folder.path().join("sub").join("..");
        assert!(thumbnails(&[&folder.path(), &"--to", &same]).unwrap_err().contains("replace"));
        let (text, everything) = thumbnails(&[&folder.path()]).unwrap();
        assert!(everything && text.contains("thumbnails  0 in "), "{text}");
        assert!(thumbnails(&[&folder.path().join("none"), &"--to", &folder.path()]).is_err());
        assert!(thumbnails(&[&"--at-once", &"0"]).is_err());
        assert!(thumbnails(&[&"--side", &"0"]).is_err());
        assert!(thumbnails(&[&"one", &"two"]).is_err());
        assert!(thumbnails(&[&"--help"]).unwrap().0.starts_with("Makes a thumbnail"));
    });
}

#[test]
fn small_pictures_are_not_blown_up() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        for (width, height, expected) in
            [(1, 1, (1, 1)), (20, 10, (20, 10)), (21, 10, (20, 10)), (40, 80, (10, 20)), (1, 200, (1, 20))]
        {
            let thumbnail = shrink(&encoded(width, height, format), format, 20).unwrap();
            assert_eq!(image::guess_format(&thumbnail).unwrap(), format);
            let thumbnail = image::load_from_memory(&thumbnail).unwrap();
            assert_eq!((thumbnail.width(), thumbnail.height()), expected);
        }
    }
}
