//! Attacks on how a parallel loop gives parts of itself away: producers that panic, join deeply or run loops when they
//! are split, folders that panic when a part of the loop is with another thread, loops in loops, joins, scopes and
//! yields in bodies, folders that are full at some point. Whatever happens, each item is run once at most, results are
//! joined with their neighbours, nothing of a loop runs after it has returned or unwound, and all is dropped once.

mod support;

use std::cell::Cell;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use filch::iter::plumbing::{Consumer, Folder, Place, Producer, UnindexedProducer, bridge_producer, bridge_unindexed};
use filch::prelude::*;
use support::{Drops, Rng, Token, catch, fib, lock, long, note, plan, pool, spin, with_deadline};

// ----- what the loops are made of ---------------------------------------------------------------------------------

/// A range that counts its pieces, and does something whenever it is split.
struct Source<'a, F> {
    range: Range<usize>,
    most: usize,
    drops: &'a Drops,
    token: Token,
    on_split: &'a F,
}

impl<'a, F: Fn() + Sync> Source<'a, F> {
    fn new(len: usize, most: usize, drops: &'a Drops, on_split: &'a F) -> Self {
        Source { range: 0..len, most, drops, token: drops.token(), on_split }
    }

    fn cut(self, at: usize) -> (Self, Self) {
        (self.on_split)();
        let middle = self.range.start + at;
        let right = Source { range: middle..self.range.end, token: self.drops.token(), ..self };
        (Source { range: self.range.start..middle, token: self.token, ..right }, right)
    }
}

/// The items of a [`Source`], each with a token of its own.
struct Items<'a> {
    range: Range<usize>,
    drops: &'a Drops,
    _token: Token,
}

impl Iterator for Items<'_> {
    type Item = (usize, Token);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.range.next()?, self.drops.token()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        Some((self.range.next_back()?, self.drops.token()))
    }
}

impl ExactSizeIterator for Items<'_> {}

impl<'a, F: Fn() + Sync> Producer for Source<'a, F> {
    type Item = (usize, Token);
    type IntoIter = Items<'a>;

    fn into_iter(self) -> Items<'a> {
        Items { range: self.range, drops: self.drops, _token: self.token }
    }

    fn max_len(&self) -> usize {
        self.most
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        self.cut(index)
    }
}

/// The same without a length, and with the front as the only cheap end.
struct Blind<'a, F>(Source<'a, F>);

impl<F: Fn() + Sync> UnindexedProducer for Blind<'_, F> {
    type Item = (usize, Token);

    fn split(self) -> (Self, Option<Self>) {
        let half = self.0.range.len() / 2;
        if half == 0 {
            return (self, None);
        }
        let (left, right) = self.0.cut(half);
        (Blind(left), Some(Blind(right)))
    }

    fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
        if self.0.range.len() <= items {
            return Ok((self, None));
        }
        let (front, rest) = self.0.cut(items);
        Ok((Blind(front), Some(Blind(rest))))
    }

    fn fold_with<G: Folder<Self::Item>>(self, folder: G) -> G {
        folder.consume_iter(self.0.into_iter())
    }
}

/// What the folders of a loop share.
struct Watcher<'a, B> {
    body: B,
    /// Bodies, completions and reductions that run now.
    running: AtomicUsize,
    runs: Vec<AtomicUsize>,
    full: &'a AtomicBool,
    /// Called before a folder completes, and before two results become one.
    on_end: &'a (dyn Fn() + Sync),
    on_reduce: &'a (dyn Fn() + Sync),
    /// From labels to the first item that a folder with it may have had, and the label in the middle of its place.
    labels: Mutex<Vec<(usize, u64, u64)>>,
    drops: &'a Drops,
}

impl<'a, B: Fn(usize) + Sync> Watcher<'a, B> {
    fn new(len: usize, drops: &'a Drops, body: B) -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Watcher {
            body,
            running: AtomicUsize::new(0),
            runs: (0..len).map(|_| AtomicUsize::new(0)).collect(),
            full: &NEVER,
            on_end: &|| (),
            on_reduce: &|| (),
            labels: Mutex::default(),
            drops,
        }
    }

    fn counted<F: Fn() + Sync>(&self, most: usize, on_split: &F) -> Piece {
        let len = self.runs.len();
        bridge_producer(len, Source::new(len, most, self.drops, on_split), Watch(self), Place::whole())
    }

    fn blind<F: Fn() + Sync>(&self, on_split: &F) -> Piece {
        let source = Source::new(self.runs.len(), usize::MAX, self.drops, on_split);
        bridge_unindexed(Blind(source), Watch(self), Place::whole())
    }

    fn assert_still(&self) {
        assert_eq!(self.running.load(Ordering::SeqCst), 0, "a part of the loop runs after its end");
    }

    fn assert_each_once(&self) {
        self.assert_still();
        for (item, runs) in self.runs.iter().enumerate() {
            assert_eq!(runs.load(Ordering::SeqCst), 1, "item {item}");
        }
    }

    fn assert_each_once_at_most(&self) {
        self.assert_still();
        assert!(self.runs.iter().all(|runs| runs.load(Ordering::SeqCst) <= 1), "an item has been run twice");
    }

    /// A piece's label, and all labels that a loop inside of it may be given, are not above those of later pieces.
    fn assert_labels_rise(&self) {
        let mut labels = std::mem::take(&mut *lock(&self.labels));
        labels.sort_by_key(|&(first, ..)| first);
        for pair in labels.windows(2) {
            let ((a, low, inner), (b, next, _)) = (pair[0], pair[1]);
            assert!(low <= next, "the piece from {a} on has the label {low}, that from {b} on only {next}");
            assert!(inner <= next, "a loop inside of the piece from {a} on may have {inner}, that from {b} on {next}");
        }
    }
}

/// Says that something of the loop runs, until it is dropped.
struct Running<'a>(&'a AtomicUsize);

impl<'a> Running<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Running(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Watch<'w, 'a, B>(&'w Watcher<'a, B>);

impl<B> Copy for Watch<'_, '_, B> {}

impl<B> Clone for Watch<'_, '_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

/// What has been run, in the order in which it was joined.
struct Piece {
    items: Vec<usize>,
    _token: Token,
}

struct Watching<'w, 'a, B> {
    watcher: &'w Watcher<'a, B>,
    piece: Piece,
    labels: (u64, u64),
    stopped: bool,
}

impl<'w, 'a, B: Fn(usize) + Sync> Consumer<(usize, Token)> for Watch<'w, 'a, B> {
    type Folder = Watching<'w, 'a, B>;
    type Result = Piece;

    fn into_folder(self, place: Place) -> Self::Folder {
        let labels = (place.label(), place.inside().split().1.label());
        Watching {
            watcher: self.0,
            piece: Piece { items: Vec::new(), _token: self.0.drops.token() },
            labels,
            stopped: false,
        }
    }

    fn reduce(self, mut left: Piece, right: Piece) -> Piece {
        let _running = Running::new(&self.0.running);
        (self.0.on_reduce)();
        left.items.extend(&right.items);
        left
    }

    fn full(self) -> bool {
        self.0.full.load(Ordering::Relaxed)
    }
}

impl<B: Fn(usize) + Sync> Folder<(usize, Token)> for Watching<'_, '_, B> {
    type Result = Piece;

    fn consume(mut self, (item, _token): (usize, Token)) -> Self {
        let _running = Running::new(&self.watcher.running);
        assert!(!self.stopped, "a folder that was full is given another item");
        let last = self.piece.items.last();
        assert!(last.is_none_or(|last| last + 1 == item), "{item} after {last:?}");
        if self.piece.items.is_empty() {
            lock(&self.watcher.labels).push((item, self.labels.0, self.labels.1));
        }
        self.watcher.runs[item].fetch_add(1, Ordering::SeqCst);
        self.piece.items.push(item);
        (self.watcher.body)(item);
        self.stopped = self.watcher.full.load(Ordering::Relaxed);
        self
    }

    fn complete(self) -> Piece {
        let _running = Running::new(&self.watcher.running);
        (self.watcher.on_end)();
        self.piece
    }

    fn full(&self) -> bool {
        self.stopped
    }
}

fn in_order(piece: &Piece, len: usize) {
    assert!(piece.items.iter().copied().eq(0..len), "results out of order: {:?}", piece.items);
}

/// A body of random length, with all that may stand in one.
fn mixed_body(seed: u64, depth: u32) -> impl Fn(usize) + Sync {
    move |item| {
        let mut rng = Rng(seed ^ (item as u64).wrapping_mul(0x5851_f42d_4c95_7f2d));
        match rng.below(if depth == 0 { 6 } else { 12 }) {
            0 => thread::sleep(Duration::from_micros(rng.below(400))),
            1 | 2 => spin(Duration::from_micros(rng.below(60))),
            3 => assert_eq!(fib(8), 21),
            4..=7 => (),
            8 => {
                let _ = filch::yield_now();
            }
            9 => filch::scope(|s| {
                s.spawn(|_| spin(Duration::from_micros(30)));
                s.spawn(move |_| inner_loop(seed ^ 7, depth - 1));
            }),
            10 => {
                filch::join(|| inner_loop(seed ^ 9, depth - 1), || spin(Duration::from_micros(20)));
            }
            _ => inner_loop(seed ^ 11, depth - 1),
        }
        if rng.one_in(40) {
            filch::block_on(support::yield_once());
        }
    }
}

fn inner_loop(seed: u64, depth: u32) {
    let drops = Drops::default();
    let watcher = Watcher::new((seed % 97) as usize, &drops, mixed_body(seed, depth));
    let piece = if seed % 2 == 0 { watcher.counted(usize::MAX, &|| ()) } else { watcher.blind(&|| ()) };
    in_order(&piece, watcher.runs.len());
    watcher.assert_each_once();
    drop(piece);
    assert_eq!(drops.made(), drops.dropped());
}

const POOLS: [usize; 4] = [1, 2, 3, 8];

fn rounds(each: u64) -> u64 {
    if long() { 10 * each } else { each }
}

// ----- the ordinary case, in all surroundings -----------------------------------------------------------------------

#[test]
fn each_item_is_run_once_and_results_are_joined_in_order() {
    with_deadline(120, || {
        for workers in POOLS {
            let pool = pool(workers);
            for round in 0..rounds(24) {
                note(format!("{workers} workers, round {round}"));
                let mut rng = Rng(round * 31 + workers as u64);
                let drops = Drops::default();
                let watcher = Watcher::new(rng.below(300) as usize, &drops, mixed_body(round, 2));
                let most = [usize::MAX, 1, 7][rng.below(3) as usize];
                let on_split = || {
                    if round % 4 == 3 {
                        // While the rest is being split, its owner has other forks above it.
                        assert_eq!(fib(7), 13);
                        inner_loop(round * 2, 0);
                    }
                };
                let blind = rng.one_in(3);
                let run = || if blind { watcher.blind(&on_split) } else { watcher.counted(most, &on_split) };
                let piece = match round % 4 {
                    0 => pool.install(run),
                    1 => pool.scope(|_| run()),
                    2 => pool.join(run, || fib(12)).0,
                    _ => pool.install(|| filch::join(|| fib(12), run).1),
                };
                in_order(&piece, watcher.runs.len());
                watcher.assert_each_once();
                drop((piece, watcher));
                drops.assert_all_dropped("pieces, items and results");
            }
        }
    });
}

#[test]
fn many_loops_at_once_from_closures_and_tasks() {
    with_deadline(120, || {
        for workers in POOLS {
            let pool = pool(workers);
            note(format!("{workers} workers"));
            let handles: Vec<_> = (0..rounds(8))
                .map(|i| match i % 2 {
                    0 => pool.spawn_cpu(move || inner_loop(90 + i, 1)),
                    _ => pool.spawn(async move { inner_loop(90 + i, 1) }),
                })
                .collect();
            pool.install(|| (0..12).into_par_iter().for_each(|i| inner_loop(80 + i as u64, 1)));
            handles.into_iter().for_each(|handle| handle.join().expect("no loop here panics"));
        }
    });
}

#[test]
fn more_loops_in_loops_than_the_fork_stack_has_room_for() {
    fn nest(depth: usize, runs: &AtomicUsize) {
        (0..2).into_par_iter().for_each(|i| {
            runs.fetch_add(1, Ordering::Relaxed);
            if i == 0 && depth > 0 {
                nest(depth - 1, runs);
            }
        });
    }
    with_deadline(60, || {
        for workers in POOLS {
            // The frames of an unoptimised build are large.
            let pool =
                filch::Pool::builder().workers(workers).stack_size(64 << 20).build().expect("threads for a test");
            let runs = AtomicUsize::new(0);
            pool.install_on_worker(|| {
                nest(2500, &runs);
                let mut numbers: Vec<usize> = (0..5000).collect();
                numbers.par_iter_mut().for_each(|n| *n += 1);
                assert!(numbers.into_iter().eq(1..5001));
            });
            assert_eq!(runs.into_inner(), 2 * 2501);
        }
    });
}

// ----- panics -------------------------------------------------------------------------------------------------------

#[test]
fn a_panic_anywhere_ends_the_loop_when_all_of_it_is_still() {
    with_deadline(240, || {
        for workers in POOLS {
            let pool = pool(workers);
            for round in 0..rounds(60) {
                note(format!("{workers} workers, round {round}"));
                let mut rng = Rng(round * 977 + workers as u64);
                // The how manieth call of what panics.
                let calls: [AtomicUsize; 4] = Default::default();
                let (kind, at) = (rng.below(4) as usize, rng.below(if round % 2 == 0 { 3 } else { 40 }) as usize);
                let step = |of: usize| {
                    if calls[of].fetch_add(1, Ordering::SeqCst) == at && of == kind {
                        plan(of as u64);
                    }
                };
                let drops = Drops::default();
                let slow = rng.below(3);
                let mut watcher = Watcher::new(120, &drops, |item| {
                    step(0);
                    if slow == 0 && item % 8 == 0 {
                        thread::sleep(Duration::from_micros(300));
                    } else {
                        assert_eq!(fib(9), 34);
                    }
                });
                let (on_split, on_end, on_reduce) = (|| step(1), || step(2), || step(3));
                (watcher.on_end, watcher.on_reduce) = (&on_end, &on_reduce);
                let most = [usize::MAX, 1, 16][rng.below(3) as usize];
                let result = catch(|| {
                    pool.install(|| {
                        if round % 3 == 0 { watcher.blind(&on_split) } else { watcher.counted(most, &on_split) }
                    })
                });
                watcher.assert_each_once_at_most();
                let came = calls[kind].load(Ordering::SeqCst) > at;
                match result {
                    Ok(piece) => {
                        assert!(!came, "the panic of {kind} is lost");
                        in_order(&piece, 120);
                    }
                    Err(id) => assert!(came && id == kind as u64),
                }
                drop(watcher);
                drops.assert_all_dropped(&format!("panic {kind} at call {at}, round {round}, all"));
            }
            assert_eq!(pool.install(|| fib(15)), 610);
        }
    });
}

#[test]
fn a_folder_that_panics_at_its_end_waits_for_the_stolen_rest() {
    with_deadline(60, || {
        let pool = pool(2);
        let mut stolen = 0;
        for round in 0..rounds(30) {
            note(format!("round {round}"));
            let (drops, ran_by) = (Drops::default(), Mutex::new(Vec::new()));
            let mut watcher = Watcher::new(2, &drops, |item| {
                lock(&ran_by).push(thread::current().id());
                // Long enough for the other worker to come and take the second item, and then to be at it.
                thread::sleep(Duration::from_millis(if item == 0 { 10 } else { 30 }));
            });
            let owner = Mutex::new(None);
            let on_end = || {
                let first = *lock(&owner).get_or_insert(thread::current().id());
                if first == thread::current().id() {
                    plan(1);
                }
            };
            watcher.on_end = &on_end;
            let result = catch(|| pool.install(|| watcher.counted(usize::MAX, &|| ())).items.len());
            watcher.assert_still();
            assert_eq!(result, Err(1));
            let ran_by = lock(&ran_by);
            stolen += usize::from(ran_by.len() == 2 && ran_by[0] != ran_by[1]);
        }
        assert!(stolen > 0, "the rest was never stolen: the test tests nothing");
    });
}

#[test]
fn a_split_that_joins_deeply_does_no_harm() {
    fn deep(depth: usize, count: &AtomicUsize) {
        if depth > 0 {
            filch::join(|| deep(depth - 1, count), || count.fetch_add(1, Ordering::Relaxed));
        }
    }
    thread_local! {
        static IN_BODY: Cell<bool> = const { Cell::new(false) };
    }
    with_deadline(120, || {
        let mut total = 0;
        for workers in [2, 3] {
            let pool =
                filch::Pool::builder().workers(workers).stack_size(64 << 20).build().expect("threads for a test");
            for round in 0..rounds(6) {
                note(format!("{workers} workers, round {round}"));
                let (drops, count, splits) = (Drops::default(), AtomicUsize::new(0), AtomicUsize::new(0));
                let watcher = Watcher::new(60, &drops, |_| {
                    // Forks, so that whoever is hungry makes this thread split the loop from inside of the body.
                    IN_BODY.set(true);
                    spin(Duration::from_micros(300));
                    assert_eq!(fib(12), 144);
                    IN_BODY.set(false);
                });
                let on_split = || {
                    if IN_BODY.get() {
                        splits.fetch_add(1, Ordering::Relaxed);
                        deep(1500, &count);
                    }
                };
                let result = catch_text(|| pool.install_on_worker(|| watcher.counted(usize::MAX, &on_split)));
                watcher.assert_each_once_at_most();
                match result {
                    Ok(piece) => {
                        in_order(&piece, 60);
                        assert_eq!(count.load(Ordering::Relaxed), 1500 * splits.load(Ordering::Relaxed));
                    }
                    // It may refuse, if it does so in order.
                    Err(text) => assert!(text.contains("must not nest a thousand joins"), "{text}"),
                }
                drop(watcher);
                drops.assert_all_dropped("pieces, items and results");
                total += splits.into_inner();
            }
            assert_eq!(pool.install(|| fib(15)), 610);
        }
        assert!(total > 0, "nobody has split a loop from inside of its body: the test tests nothing");
    });
}

/// The array of forks is nearly full, and may not be emptied now: whoever blocks then must not panic for that, for what
/// it waits for has begun.
#[test]
fn a_split_that_joins_deeply_may_block() {
    fn deep(depth: usize, at: &(impl Fn(usize) + Sync)) {
        at(depth);
        if depth < 1030 {
            filch::join(|| deep(depth + 1, at), || ());
        }
    }
    thread_local! {
        static IN_BODY: Cell<bool> = const { Cell::new(false) };
    }
    with_deadline(120, || {
        let other = filch::Pool::builder().workers(1).build().expect("threads for a test");
        let entered = AtomicUsize::new(0);
        for round in rounds_until(20, || entered.load(Ordering::Relaxed) > 0) {
            note(format!("round {round}"));
            let pool = filch::Pool::builder().workers(2).stack_size(64 << 20).build().expect("threads for a test");
            let drops = Drops::default();
            let watcher = Watcher::new(60, &drops, |_| {
                IN_BODY.set(true);
                spin(Duration::from_micros(300));
                assert_eq!(fib(12), 144);
                IN_BODY.set(false);
            });
            let block = |depth| {
                if depth >= 1000 {
                    let result = catch_text(|| other.install(|| entered.fetch_add(1, Ordering::Relaxed)));
                    assert!(result.is_ok(), "at depth {depth}: {result:?}");
                }
            };
            let on_split = || {
                if IN_BODY.replace(false) {
                    deep(0, &block);
                }
            };
            let result = catch_text(|| pool.install_on_worker(|| watcher.counted(usize::MAX, &on_split)));
            match result {
                Ok(piece) => in_order(&piece, 60),
                // It may refuse, if it does so in order.
                Err(text) => assert!(text.starts_with("a producer's `split_at` must not nest"), "{text}"),
            }
            drop(watcher);
            drops.assert_all_dropped("pieces, items and results");
        }
        let entered = entered.into_inner();
        assert!(entered > 0, "nobody has split a loop from inside of its body: the test tests nothing");
    });
}

/// So many [`rounds`], and more of them on a machine that is busy with something else: for half a minute at most, until
/// what the test is about has happened at all.
fn rounds_until(least: u64, happened: impl Fn() -> bool) -> impl Iterator<Item = u64> {
    let began = Instant::now();
    (0..).take_while(move |round| *round < rounds(least) || !happened() && began.elapsed() < Duration::from_secs(30))
}

/// The loop's result, or what its panic says.
fn catch_text<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a panic with a text")
    })
}

// ----- full folders -------------------------------------------------------------------------------------------------

#[test]
fn a_full_folder_ends_the_loop_early_and_all_is_dropped() {
    with_deadline(60, || {
        for workers in POOLS {
            let pool = pool(workers);
            for round in 0..rounds(40) {
                note(format!("{workers} workers, round {round}"));
                let mut rng = Rng(round * 131 + workers as u64);
                let (drops, full, stop) = (Drops::default(), AtomicBool::new(false), rng.below(200) as usize);
                let mut watcher = Watcher::new(200, &drops, |item| {
                    spin(Duration::from_micros((item % 16) as u64));
                    if item == stop {
                        full.store(true, Ordering::Relaxed);
                    }
                });
                watcher.full = &full;
                let most = [usize::MAX, 3][rng.below(2) as usize];
                let piece =
                    pool.install(|| if round % 3 == 0 { watcher.blind(&|| ()) } else { watcher.counted(most, &|| ()) });
                watcher.assert_each_once_at_most();
                assert!(piece.items.is_sorted_by(|a, b| a < b), "results out of order: {:?}", piece.items);
                assert!(piece.items.contains(&stop), "the result with the item that ended the loop is lost");
                drop((piece, watcher));
                drops.assert_all_dropped("pieces, items and results");
            }
        }
    });
}

// ----- labels -------------------------------------------------------------------------------------------------------

#[test]
fn labels_rise_from_piece_to_piece_also_for_loops_inside() {
    with_deadline(60, || {
        for workers in [2, 3, 8] {
            let pool = pool(workers);
            for round in 0..rounds(20) {
                note(format!("{workers} workers, round {round}"));
                let drops = Drops::default();
                let watcher = Watcher::new(64, &drops, |_| spin(Duration::from_micros(100)));
                let piece =
                    pool.install(|| if round % 2 == 0 { watcher.blind(&|| ()) } else { watcher.counted(2, &|| ()) });
                in_order(&piece, 64);
                watcher.assert_labels_rise();
            }
        }
    });
}

/// Whoever gives parts of a loop away keeps an item, or as many as a piece should have, and gives as many.
#[test]
fn no_piece_has_too_few_items() {
    with_deadline(120, || {
        for workers in [2, 4] {
            let pool = pool(workers);
            let pieces = Cell::new(0);
            for round in rounds_until(20, || pieces.get() > 0) {
                for least in [1, 1, 2, 5] {
                    for len in least..4 * least + 2 {
                        let items = (0..len).into_par_iter().with_min_len(least).fold(
                            || 0,
                            |count, _| {
                                spin(Duration::from_micros(20));
                                count + 1
                            },
                        );
                        let counts: Vec<usize> = pool.install(|| items.collect());
                        let what = format!("round {round}, {workers} workers, {len} items, at least {least}");
                        assert_eq!(counts.iter().sum::<usize>(), len, "{what}: {counts:?}");
                        assert!(counts.iter().all(|count| *count >= least), "{what}: {counts:?}");
                        pieces.set(pieces.get() + counts.len() - 1);
                    }
                }
            }
            let cores = thread::available_parallelism().map_or(1, usize::from);
            assert!(pieces.get() > 0 || cores == 1, "nothing has been given away");
        }
    });
}

/// Nor too many: neither because a block is raised to the least, nor because what is left after it is too short. Where
/// both cannot be had, the least counts, as in rayon.
#[test]
fn no_piece_has_too_many_items() {
    with_deadline(120, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            for round in 0..40 {
                for (least, most) in [(100, 1_000), (90, 100), (7, 10), (1, 3), (10, 5)] {
                    let len = least.max(most) * 4 + round * least / 3;
                    let items = (0..len).into_par_iter().with_min_len(least).with_max_len(most).fold(
                        || 0,
                        |count, _| {
                            spin(Duration::from_nanos(200));
                            count + 1
                        },
                    );
                    let counts: Vec<usize> = pool.install(|| items.collect());
                    let what = format!("round {round}, {workers} workers, {len} items, {least} to {most}");
                    assert_eq!(counts.iter().sum::<usize>(), len, "{what}: {counts:?}");
                    assert!(counts.iter().all(|count| *count >= least), "{what}: {counts:?}");
                    let most = if least == 7 || least == 90 || least == 10 { 2 * least - 1 } else { most };
                    assert!(counts.iter().all(|count| *count <= most), "{what}: {counts:?}");
                }
            }
        }
    });
}
