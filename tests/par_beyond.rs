//! What filch's parallel iterators have beyond rayon's: stopping a loop, awaiting it, its progress, fixed pieces,
//! tiles. (What has to do with order is in `par_ordered.rs`.)

mod support;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use filch::CancellationToken;
use filch::iter::{Affinity, Partitioning, par_for};
use filch::prelude::*;
use support::{Drops, Event, at_best, catch, lock, note, plan, pool, spin, with_deadline};

const LENS: [usize; 7] = [0, 1, 2, 3, 77, 1000, 100_000];
const WORKERS: [usize; 4] = [1, 2, 4, 8];

/// Runs `body` inside of pools of several sizes.
fn in_pools(body: impl Fn(usize) + Send + Sync + 'static) {
    with_deadline(120, move || {
        for workers in WORKERS {
            note(format!("{workers} workers"));
            pool(workers).install(|| body(workers));
        }
    });
}

// ----- with_cancel, with_deadline ----------------------------------------------------------------------------------

#[test]
fn a_token_that_is_not_cancelled_changes_nothing() {
    in_pools(|_| {
        let token = CancellationToken::new();
        let far = Instant::now() + Duration::from_secs(3600);
        for len in LENS {
            let all: Vec<usize> = (0..len).into_par_iter().with_cancel(&token).collect();
            assert!(all.iter().copied().eq(0..len));
            let all: Vec<usize> = (0..len).into_par_iter().with_deadline(far).map(|i| i + 1).collect();
            assert!(all.iter().copied().eq(1..len + 1));
            assert_eq!((0..len).into_par_iter().map(|i| i * 3).with_cancel(&token).count(), len);
        }
        token.check().unwrap();
    });
}

#[test]
fn a_token_that_is_cancelled_before_lets_nothing_begin() {
    in_pools(|_| {
        let token = CancellationToken::new();
        token.cancel();
        for len in LENS {
            // Twice: the second loop is of a kind that is known to be short.
            for _ in 0..20 {
                let sum: usize = (0..len).into_par_iter().map(|_| 1).with_cancel(&token).sum();
                assert_eq!(sum, 0);
            }
            let past = Instant::now();
            assert_eq!((0..len).into_par_iter().with_deadline(past).count(), 0);
        }
    });
}

#[test]
fn the_result_is_that_of_the_items_that_were_taken() {
    in_pools(|workers| {
        for at in [0, 5, 5_000] {
            let (token, ran) = (CancellationToken::new(), AtomicUsize::new(0));
            let len = 4_000_000;
            let taken: Vec<usize> = (0..len)
                .into_par_iter()
                .with_cancel(&token)
                .map(|i| {
                    if i == at {
                        token.cancel();
                    }
                    ran.fetch_add(1, Ordering::Relaxed);
                    std::hint::black_box(i)
                })
                .collect();
            assert_eq!(taken.len(), ran.into_inner());
            assert!(taken.windows(2).all(|pair| pair[0] < pair[1]), "in order, and none twice");
            assert!(taken.contains(&at));
            assert!(taken.len() < len, "at {at}, {workers} workers: all have run");
            if workers == 1 {
                assert!(taken.iter().copied().eq(0..taken.len()), "one worker goes from left to right");
            }
            assert!(token.check().is_err());
        }
    });
}

#[test]
fn hardly_any_slow_item_begins_after_the_cancelling() {
    in_pools(|workers| {
        let (token, late) = (CancellationToken::new(), AtomicUsize::new(0));
        (0..10_000usize).into_par_iter().with_cancel(&token).for_each(|i| {
            if token.is_cancelled() {
                late.fetch_add(1, Ordering::Relaxed);
            }
            spin(Duration::from_micros(300));
            if i == 20 {
                token.cancel();
            }
        });
        let late = late.into_inner();
        assert!(late <= 2 * workers, "{late} items have begun too late");
    });
}

#[test]
fn a_deadline_is_kept_also_by_a_token_that_has_one() {
    in_pools(|_| {
        for with_token in [true, false] {
            let began = Instant::now();
            let deadline = began + Duration::from_millis(20);
            let token = CancellationToken::with_deadline(deadline);
            let slow = (0..1_000_000usize).into_par_iter().map(|_| spin(Duration::from_micros(50)));
            let count =
                if with_token { slow.with_cancel(&token).count() } else { slow.with_deadline(deadline).count() };
            assert!(count > 0 && count < 1_000_000);
            let took = began.elapsed();
            assert!(took >= Duration::from_millis(20), "{took:?}");
            // 50 s of work: far from it.
            assert!(took < Duration::from_secs(3), "{took:?}");
        }
    });
}

#[test]
fn a_deadline_is_of_the_pools_clock() {
    with_deadline(60, || {
        let pool = filch::Pool::builder().workers(2).start_paused(true).build().unwrap();
        pool.install(|| {
            let soon = filch::time::Instant::now() + Duration::from_millis(1);
            std::thread::sleep(Duration::from_millis(5));
            let all = (0..100usize).into_par_iter().with_deadline(soon).count();
            assert_eq!(all, 100, "time stands");
        });
    });
}

#[test]
fn skipped_items_are_dropped() {
    with_deadline(60, || {
        for workers in WORKERS {
            let drops = Drops::default();
            pool(workers).install(|| {
                let token = CancellationToken::new();
                let mut tokens: Vec<Option<support::Token>> = (0..10_000).map(|_| Some(drops.token())).collect();
                let kept: Vec<support::Token> = tokens
                    .par_iter_mut()
                    .map(|token| token.take().unwrap())
                    .with_cancel(&token)
                    .map(|item| {
                        spin(Duration::from_micros(2));
                        token.cancel();
                        item
                    })
                    .collect();
                assert!(!kept.is_empty() && kept.len() < 10_000);
                assert_eq!(drops.dropped(), 0);
            });
            drops.assert_all_dropped("tokens");
        }
    });
}

// ----- run_async -----------------------------------------------------------------------------------------------------

#[test]
fn a_task_awaits_a_loop_in_a_pool_of_one() {
    with_deadline(60, || {
        for workers in WORKERS {
            let pool = pool(workers);
            let task = pool.spawn(async {
                let first = (1..1001usize).into_par_iter().run_async(|iter| iter.map(|i| 2 * i).sum::<usize>());
                let second = (0..77usize).into_par_iter().run_async(|iter| iter.count());
                (first.await.unwrap(), second.await.unwrap())
            });
            assert_eq!(task.join().unwrap(), (1_001_000, 77));
        }
    });
}

#[test]
fn an_aborted_loop_does_not_begin() {
    with_deadline(60, || {
        let (pool, begun, go_on) = (pool(1), Event::default(), Event::default());
        let busy = pool.spawn_cpu({
            let (begun, go_on) = (begun.clone(), go_on.clone());
            move || {
                begun.set();
                go_on.wait();
            }
        });
        begun.wait();
        let (ran, drops) = (Event::default(), Drops::default());
        // Not awaited yet. The only worker is busy, so `install` would wait for it.
        #[allow(clippy::async_yields_async)]
        let handle = pool.block_on(async {
            let (ran, held) = (ran.clone(), drops.token());
            (0..10usize).into_par_iter().run_async(move |iter| {
                let _held = &held;
                ran.set();
                iter.count()
            })
        });
        handle.abort();
        go_on.set();
        assert!(handle.join().unwrap_err().is_cancelled());
        busy.join().unwrap();
        assert!(!ran.is_set());
        drops.assert_all_dropped("the closure");
    });
}

#[test]
fn a_loop_that_is_awaited_is_cancelled_by_a_token_inside() {
    with_deadline(60, || {
        for workers in WORKERS {
            let pool = pool(workers);
            let (token, begun) = (CancellationToken::new(), Event::default());
            let handle = pool.spawn(async {}).join().map(|()| {
                let (token, begun) = (token.clone(), begun.clone());
                pool.install(|| {
                    (0..usize::MAX).into_par_iter().run_async(move |iter| {
                        iter.with_cancel(&token).for_each(|_| begun.set());
                        token.check()
                    })
                })
            });
            begun.wait();
            token.cancel();
            assert!(handle.unwrap().join().unwrap().is_err());
        }
    });
}

#[test]
fn a_panic_comes_to_who_awaits() {
    with_deadline(60, || {
        support::quiet_planned_panics();
        let pool = pool(2);
        let handle = pool.install(|| {
            (0..1000usize).into_par_iter().run_async(|iter| {
                iter.for_each(|i| {
                    if i == 500 {
                        plan(7);
                    }
                });
            })
        });
        assert_eq!(support::planned(handle.join().unwrap_err().into_panic()), 7);
    });
}

// ----- with_progress -------------------------------------------------------------------------------------------------

#[test]
fn every_item_is_counted_once() {
    in_pools(|_| {
        for len in LENS {
            let done = AtomicUsize::new(0);
            let all: Vec<usize> = (0..len).into_par_iter().with_progress(&done).map(|i| i + 1).collect();
            assert!(all.iter().copied().eq(1..len + 1));
            assert_eq!(done.swap(0, Ordering::Relaxed), len);
            // By way of the producer.
            let mut next = 0;
            (0..len).into_par_iter().with_progress(&done).for_each_ordered(|i| {
                assert_eq!(i, next);
                next += 1;
            });
            assert_eq!(done.swap(0, Ordering::Relaxed), len);
            // Uncounted.
            let token = CancellationToken::new();
            assert_eq!((0..len).into_par_iter().with_cancel(&token).with_progress(&done).count(), len);
            assert_eq!(done.into_inner(), len);
        }
    });
}

#[test]
fn items_are_told_in_blocks_and_on_the_way() {
    in_pools(|_| {
        let (calls, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let progress = |items: usize| {
            assert!(items > 0);
            calls.fetch_add(1, Ordering::Relaxed);
            done.fetch_add(items, Ordering::Relaxed);
        };
        (0..1_000_000usize).into_par_iter().map(std::hint::black_box).with_progress(&progress).for_each(drop);
        assert_eq!(done.swap(0, Ordering::Relaxed), 1_000_000);
        let calls = calls.swap(0, Ordering::Relaxed);
        assert!(calls < 200_000, "{calls} calls");
        // The last item sees that most have been told.
        let seen = AtomicUsize::new(0);
        (0..200usize).into_par_iter().with_progress(&progress).for_each(|_| {
            spin(Duration::from_micros(100));
            seen.fetch_max(done.load(Ordering::Relaxed), Ordering::Relaxed);
        });
        assert!(seen.load(Ordering::Relaxed) > 100, "{seen:?}");
        assert_eq!(done.into_inner(), 200);
    });
}

#[test]
fn a_search_counts_what_it_has_looked_at() {
    in_pools(|workers| {
        let done = AtomicUsize::new(0);
        let found = (0..1_000_000usize).into_par_iter().with_progress(&done).find_any(|i| *i == 10);
        assert_eq!(found, Some(10));
        let done = done.into_inner();
        assert!((1..=1_000_000).contains(&done));
        if workers == 1 {
            assert!((11..900_000).contains(&done), "{done}");
        }
    });
}

#[cfg(feature = "indicatif")]
#[test]
fn a_progress_bar_moves() {
    let bar = indicatif::ProgressBar::hidden();
    bar.set_length(1000);
    (0..1000usize).into_par_iter().with_progress(&bar).for_each(drop);
    assert_eq!(bar.position(), 1000);
}

// ----- with_partitioning, with_affinity ------------------------------------------------------------------------------

#[test]
fn fixed_pieces_change_no_result() {
    in_pools(|_| {
        let mut affinity = Affinity::new();
        for len in LENS {
            let mut numbers: Vec<usize> = (0..len).collect();
            for _ in 0..3 {
                for partitioning in [Partitioning::Static, Partitioning::Adaptive] {
                    numbers.par_iter_mut().with_partitioning(partitioning).for_each(|n| *n += 1);
                }
                numbers.par_iter_mut().with_affinity(&mut affinity).for_each(|n| *n += 1);
            }
            assert!(numbers.iter().copied().eq(9..len + 9));
            let same: Vec<usize> = numbers.par_iter().with_partitioning(Partitioning::Static).map(|n| n - 9).collect();
            assert!(same.iter().copied().eq(0..len));
            let same: Vec<usize> = numbers.par_iter().map(|n| n - 9).with_affinity(&mut affinity).collect();
            assert!(same.iter().copied().eq(0..len));
            let found = numbers.par_iter().with_affinity(&mut affinity).find_first(|n| **n >= 10);
            assert_eq!(found.copied(), (len > 1).then_some(10));
        }
    });
}

#[test]
fn a_static_piece_stays_on_one_thread() {
    in_pools(|workers| {
        let len = 1003;
        let mut who = vec![usize::MAX; len];
        for _ in 0..5 {
            who.par_iter_mut().with_partitioning(Partitioning::Static).for_each(|who| {
                spin(Duration::from_micros(3));
                *who = filch::current_thread_index().unwrap();
            });
            let changes: Vec<usize> = (1..len).filter(|i| who[*i] != who[*i - 1]).collect();
            assert!(changes.len() < workers, "{changes:?}");
            // Pieces of equal length, cut at the same places each time.
            let piece = |i: usize| (0..workers).rev().find(|p| i >= cut(len, workers, *p)).unwrap();
            assert!(changes.iter().all(|i| cut(len, workers, piece(*i)) == *i), "{changes:?}");
        }
    });
}

/// What is told the indexes of the items.
type Body<'b> = &'b (dyn Fn(usize) + Sync);

/// Sweeps 20 times over 400 items, on two workers, each time begun by the other one: so an ordinary loop would exchange
/// its halves each time. Of the beginnings of `PIECES` pieces, most must be run by the worker that `expected` gives for
/// a piece and the worker that had it the time before.
fn sweeps_keep<const PIECES: usize>(expected: fn(usize, usize) -> usize, mut sweep: impl FnMut(Body) + Send) {
    let pool = pool(2);
    let who = [const { AtomicUsize::new(usize::MAX) }; PIECES];
    // By each thread: where a worker waits for a part, a spare one may take its seat.
    let begun: Vec<AtomicUsize> = (0..pool.max_num_threads()).map(|_| AtomicUsize::new(0)).collect();
    let body = |i: usize| {
        if i % (400 / PIECES) == 0 {
            let me = filch::current_thread_index().unwrap();
            who[i * PIECES / 400].store(me, Ordering::Relaxed);
            // In step with the other worker, so that none of them is late, if it comes at all.
            let mine = begun[me].fetch_add(1, Ordering::Relaxed) + 1;
            let waiting = Instant::now();
            let all = || begun.iter().map(|count| count.load(Ordering::Relaxed)).sum::<usize>();
            while all() < 2 * mine && waiting.elapsed() < Duration::from_millis(30) {
                std::thread::yield_now();
            }
        }
    };
    let sweep = Mutex::new(&mut sweep);
    at_best(5, "pieces that stay with their workers", || {
        let (mut kept, mut all) = (0, 0);
        for turn in 0..20 {
            let before: [usize; PIECES] = std::array::from_fn(|piece| who[piece].load(Ordering::Relaxed));
            begun.iter().for_each(|count| count.store(0, Ordering::Relaxed));
            pool.broadcast(|context| {
                if context.index() == turn % 2 {
                    (lock(&sweep))(&body);
                }
            });
            // The first time they come as they come.
            if turn > 0 {
                let now = who.iter().map(|who| who.load(Ordering::Relaxed));
                kept +=
                    now.zip(before).enumerate().filter(|(piece, (now, had))| *now == expected(*piece, *had)).count();
                all += PIECES;
            }
        }
        if 4 * kept >= 3 * all { Ok(()) } else { Err(format!("{kept} of {all}")) }
    });
}

#[test]
fn with_affinity_pieces_go_to_who_had_them_before() {
    with_deadline(120, || {
        let mut affinity = Affinity::new();
        sweeps_keep::<8>(
            |_, before| before,
            |body| (0..400usize).into_par_iter().with_affinity(&mut affinity).for_each(body),
        );
    });
}

#[test]
fn a_static_piece_goes_to_the_worker_with_its_number() {
    with_deadline(120, || {
        sweeps_keep::<2>(
            |piece, _| piece,
            |body| (0..400usize).into_par_iter().with_partitioning(Partitioning::Static).for_each(body),
        );
    });
}

/// Runs a loop of 1003 items, told its indexes, that begins with `iter` and goes on with what stands behind it: each
/// piece must be run by one thread.
macro_rules! check_static {
    ($workers:expr, $($chain:tt)*) => {
        let who: Vec<AtomicUsize> = (0..1003).map(|_| AtomicUsize::new(usize::MAX)).collect();
        $($chain)*.for_each(|i: usize| {
            spin(Duration::from_micros(3));
            who[i].store(filch::current_thread_index().unwrap(), Ordering::Relaxed);
        });
        let who: Vec<usize> = who.into_iter().map(AtomicUsize::into_inner).collect();
        assert!(!who.contains(&usize::MAX));
        assert!(who.windows(2).filter(|pair| pair[0] != pair[1]).count() < $workers, "{}", stringify!($($chain)*));
    };
}

#[test]
fn a_static_loop_stays_static_behind_other_adapters() {
    in_pools(|workers| {
        let fixed = Partitioning::Static;
        let items = vec![7u8; 1003];
        let iter = || items.par_iter().with_partitioning(fixed);
        check_static!(workers, iter().enumerate().map(|(i, _)| i));
        check_static!(workers, iter().zip(0..1003usize).map(|(_, i)| i));
        check_static!(workers, (0..1003usize).into_par_iter().zip(iter()).map(|(i, _)| i));
        check_static!(workers, iter().rev().enumerate().map(|(i, _)| i));
        check_static!(workers, iter().with_max_len(2000).enumerate().with_min_len(2).map(|(i, _)| i));
        check_static!(workers, iter().map(|x| x + 1).inspect(|_| {}).panic_fuse().enumerate().map(|(i, _)| i));
        check_static!(workers, iter().map_init(|| 3, |_, x| x).enumerate().map(|(i, _)| i));
        check_static!(workers, (0..2006usize).into_par_iter().with_partitioning(fixed).step_by(2).map(|i| i / 2));
        check_static!(workers, iter().chain(&[1u8; 0]).enumerate().map(|(i, _)| i));
        check_static!(workers, items.par_chunks(1).with_partitioning(fixed).chunks(1).enumerate().map(|(i, _)| i));
        check_static!(
            workers,
            (0..502usize).into_par_iter().with_partitioning(fixed).intersperse(0).enumerate().map(|(i, _)| i)
        );
        check_static!(workers, iter().with_progress(&AtomicUsize::new(0)).enumerate().map(|(i, _)| i));
    });
}

#[test]
fn loops_in_fixed_pieces_are_indexed() {
    in_pools(|_| {
        let mut affinity = Affinity::new();
        for len in LENS {
            let numbers: Vec<usize> = (0..len).collect();
            let (mut left, mut right) = (vec![5; 3], vec![6; 4]);
            for fixed in [Partitioning::Static, Partitioning::Adaptive] {
                let iter = || numbers.par_iter().copied().with_partitioning(fixed);
                assert_eq!(iter().len(), len);
                iter().zip(iter().rev()).unzip_into_vecs(&mut left, &mut right);
                assert!(left == numbers && right.iter().rev().eq(&numbers));
                iter().enumerate().map(|(i, n)| i + n).collect_into_vec(&mut left);
                assert!(left.iter().copied().eq((0..len).map(|i| 2 * i)));
                assert!(iter().skip(2).take(100).eq(numbers.par_iter().copied().skip(2).take(100)));
                assert_eq!(iter().position_first(|n| n > 0), (len > 1).then_some(1));
                let chunks: Vec<Vec<usize>> = iter().chunks(7).collect();
                assert!(chunks.iter().map(Vec::as_slice).eq(numbers.chunks(7)));
                let mut ordered = Vec::new();
                iter().for_each_ordered(|n| ordered.push(n));
                assert!(ordered == numbers);
                assert!(iter().by_uniform_blocks(10).map(|n| n + 1).sum::<usize>() == (1..=len).sum());
                assert!(iter().sum_deterministic::<usize>() == (0..len).sum());
            }
            for _ in 0..3 {
                let iter = numbers.par_iter().with_affinity(&mut affinity);
                iter.enumerate().map(|(i, n)| i + n).collect_into_vec(&mut left);
                assert!(left.iter().copied().eq((0..len).map(|i| 2 * i)));
            }
        }
    });
}

/// Where piece `p` begins.
fn cut(len: usize, pieces: usize, p: usize) -> usize {
    let mut begin = 0;
    for left in ((pieces - p + 1)..=pieces).rev() {
        begin += (len - begin) / left;
    }
    begin
}

#[test]
fn fixed_pieces_and_panics() {
    in_pools(|_| {
        for at in [0, 1, 499, 999] {
            for fixed in [true, false] {
                let drops = Drops::default();
                let outcome = catch(|| {
                    let mut affinity = Affinity::new();
                    let op = |i: usize| {
                        if i == at {
                            plan(3);
                        }
                        drops.token()
                    };
                    let iter = (0..1000usize).into_par_iter();
                    let made: Vec<support::Token> = if fixed {
                        iter.with_partitioning(Partitioning::Static).map(op).collect()
                    } else {
                        iter.with_affinity(&mut affinity).map(op).collect()
                    };
                    made.len()
                });
                assert_eq!(outcome, Err(3));
                drops.assert_all_dropped("made before the panic");
            }
        }
    });
}

#[test]
fn fixed_pieces_inside_of_each_other() {
    in_pools(|_| {
        let total = AtomicUsize::new(0);
        (0..20usize).into_par_iter().with_partitioning(Partitioning::Static).for_each(|_| {
            let mut affinity = Affinity::new();
            for _ in 0..3 {
                let sum: usize = (0..100usize).into_par_iter().with_affinity(&mut affinity).map(|_| 1).sum();
                total.fetch_add(sum, Ordering::Relaxed);
            }
        });
        assert_eq!(total.into_inner(), 6000);
    });
}

// ----- tiles ---------------------------------------------------------------------------------------------------------

fn cells_of(rows: Range<usize>, cols: Range<usize>, tile: (usize, usize)) -> usize {
    let seen = Mutex::new(HashSet::new());
    let tiles = par_for((rows.clone(), cols.clone())).tile(tile.0, tile.1);
    let (len, count) = (tiles.len(), AtomicUsize::new(0));
    tiles.for_each(|tile_here| {
        count.fetch_add(1, Ordering::Relaxed);
        assert!(tile_here.rows.len() <= tile.0 && tile_here.cols.len() <= tile.1);
        assert_eq!(tile_here.iter().size_hint().1, Some(tile_here.rows.len() * tile_here.cols.len()));
        let (by_next, by_fold) = (tile_here.iter().fuse().step_by(1).count(), tile_here.iter().count());
        assert_eq!(by_next, by_fold);
        for cell in &tile_here {
            assert!(rows.contains(&cell.0) && cols.contains(&cell.1));
            assert!(lock(&seen).insert(cell), "{cell:?} is in two tiles");
        }
    });
    assert_eq!(count.into_inner(), len);
    let seen = lock(&seen).len();
    assert_eq!(seen, rows.len() * cols.len());
    len
}

#[test]
fn tiles_cover_every_cell_once() {
    in_pools(|_| {
        assert_eq!(cells_of(0..0, 0..10, (3, 3)), 0);
        assert_eq!(cells_of(0..10, 4..4, (3, 3)), 0);
        assert_eq!(cells_of(0..1, 0..1, (64, 64)), 1);
        assert_eq!(cells_of(5..12, 3..20, (1, 1)), 7 * 17);
        assert_eq!(cells_of(5..12, 3..20, (3, 5)), 3 * 4);
        assert_eq!(cells_of(5..12, 3..20, (usize::MAX, 2)), 9);
        assert_eq!(cells_of(0..130, 0..65, (64, 64)), 6);
    });
}

#[test]
fn tiles_come_in_order_and_the_sides_have_a_default() {
    let tiles: Vec<_> = par_for((10..110, 0..200)).collect();
    let starts: Vec<_> = tiles.iter().map(|tile| (tile.rows.start, tile.cols.start)).collect();
    assert_eq!(starts, [(10, 0), (10, 64), (10, 128), (10, 192), (74, 0), (74, 64), (74, 128), (74, 192)]);
    let mut ordered = Vec::new();
    par_for((10..110, 0..200)).for_each_ordered(|tile| ordered.push(tile));
    assert_eq!(ordered, tiles);
    assert!(tiles[7].iter().eq((74..110).flat_map(|row| (192..200).map(move |col| (row, col)))));
}

#[test]
#[should_panic(expected = "at least one row")]
fn a_tile_without_rows_is_none() {
    let _ = par_for((0..1, 0..1)).tile(0, 1);
}

// ----- nothing waits for what does not come --------------------------------------------------------------------------

#[test]
fn a_busy_worker_does_not_hold_up_fixed_pieces() {
    with_deadline(60, || {
        let pool = pool(2);
        let (begun, end) = (Event::default(), Event::default());
        let busy = pool.spawn_cpu({
            let (begun, end) = (begun.clone(), end.clone());
            move || {
                begun.set();
                end.wait();
            }
        });
        begun.wait();
        let done = AtomicBool::new(false);
        pool.install(|| {
            let mut affinity = Affinity::new();
            for _ in 0..3 {
                let sum: usize = (0..1000usize).into_par_iter().with_partitioning(Partitioning::Static).sum();
                assert_eq!(sum, 499_500);
                let sum: usize = (0..1000usize).into_par_iter().with_affinity(&mut affinity).sum();
                assert_eq!(sum, 499_500);
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(done.into_inner() && !end.is_set());
        end.set();
        busy.join().unwrap();
    });
}
