//! Cancellation tokens: what is cancelled with what, who is woken and how often, deadlines, guards, races, deep trees,
//! and that the dead leave no memory behind.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashSet;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use filch::{CancellationToken, Cancelled};
use support::{Drops, Rng, Wakes, catch, lock, plan, pool, with_deadline, within, yield_once};

// ----- memory ----------------------------------------------------------------------------------------------------

/// Counts what each thread has allocated and not freed.
struct Counting;

thread_local! {
    static BALANCE: Cell<isize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does the work; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BALANCE.set(BALANCE.get() + layout.size() as isize);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        BALANCE.set(BALANCE.get() - layout.size() as isize);
        // SAFETY: passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

/// How many bytes `f` has left allocated.
fn left_behind(f: impl FnOnce()) -> isize {
    let before = BALANCE.get();
    f();
    BALANCE.get() - before
}

#[test]
fn a_long_lived_parent_does_not_grow() {
    let parent = CancellationToken::new();
    drop(parent.child_token());
    let left = left_behind(|| {
        for _ in 0..1_000_000 {
            drop(parent.child_token());
        }
    });
    assert_eq!(left, 0, "bytes of a million dropped children");
    let left = left_behind(|| {
        for i in 0..100_000 {
            let child = parent.child_token();
            let grandchild = child.child_token();
            child.cancel();
            if i % 2 == 0 {
                drop(child);
                drop(grandchild);
            }
        }
    });
    assert_eq!(left, 0, "bytes of cancelled children");
    assert!(!parent.is_cancelled());
}

#[test]
fn many_children_at_once_leave_nothing() {
    let parent = CancellationToken::new();
    let left = left_behind(|| {
        let children: Vec<_> = (0..50_000).map(|_| parent.child_token()).collect();
        drop(children);
    });
    // A short table is kept.
    assert!(left < 2_000, "{left} bytes");
}

#[test]
fn a_chain_of_dropped_ancestors_does_not_grow() {
    let root = CancellationToken::new();
    let mut newest = root.child_token();
    let mut step = || newest = newest.child_token();
    (0..100).for_each(|_| step());
    let left = left_behind(|| (0..100_000).for_each(|_| step()));
    assert_eq!(left, 0, "bytes of 100,000 ancestors without handles");
    root.cancel();
    assert!(newest.is_cancelled(), "it is still the root's descendant");
}

#[test]
fn waiters_leave_nothing() {
    let (token, wakes) = (CancellationToken::new(), Wakes::default());
    let left = left_behind(|| {
        for _ in 0..100_000 {
            let mut waiter = pin!(token.cancelled());
            assert!(wakes.poll(waiter.as_mut()).is_pending());
        }
    });
    assert!(left < 2_000, "{left} bytes of 100,000 dropped waiters");
    assert_eq!((wakes.held(), wakes.count()), (0, 0));
}

#[test]
fn a_forgotten_waiter_is_freed_with_its_token() {
    let (token, wakes) = (CancellationToken::new(), Wakes::default());
    let parent = CancellationToken::new();
    for token in [token, parent.child_token()] {
        let mut waiter = Box::pin(token.cancelled());
        assert!(wakes.poll(waiter.as_mut()).is_pending());
        std::mem::forget(waiter);
        assert_eq!(wakes.held(), 1);
        drop(token);
        assert_eq!(wakes.held(), 0);
    }
}

#[test]
fn a_token_is_freed_while_its_relatives_live() {
    for levels in [0, 1, 2] {
        let (wakes, root) = (Wakes::default(), CancellationToken::new());
        let token = (0..levels).fold(root.clone(), |token, _| token.child_token());
        let children: Vec<_> = (0..3).map(|_| token.child_token()).collect();
        let mut waiter = Box::pin(token.cancelled());
        assert!(wakes.poll(waiter.as_mut()).is_pending());
        std::mem::forget(waiter);
        let root = Some(root).filter(|root| *root != token);
        drop(token);
        assert_eq!(wakes.held(), 0, "level {levels}");
        assert!(children.iter().all(|child| !child.is_cancelled()));
        if let Some(root) = root {
            root.cancel();
            assert!(children.iter().all(CancellationToken::is_cancelled));
        }
    }
}

// ----- one token -------------------------------------------------------------------------------------------------

fn assert_everywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + 'static>() {}

#[test]
fn the_basics() {
    assert_everywhere::<CancellationToken>();
    let token = CancellationToken::new();
    let clone = token.clone();
    assert!(!token.is_cancelled() && token.check().is_ok() && token.deadline().is_none());
    assert!(format!("{token:?}").contains("cancelled: false"));
    clone.cancel();
    clone.cancel();
    assert!(token.is_cancelled() && clone.is_cancelled());
    assert!(format!("{token:?}").contains("cancelled: true"));
    let error: Cancelled = token.check().unwrap_err();
    assert_eq!(error.to_string(), "the work has been cancelled");
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    assert!(boxed.source().is_none());
    assert!(!CancellationToken::default().is_cancelled());
}

#[test]
#[allow(clippy::mutable_key_type)] // Its hash is its identity.
fn handles_of_one_token_are_equal() {
    let (a, b) = (CancellationToken::new(), CancellationToken::new());
    let child = a.child_token();
    assert!(a == a.clone() && a != b && a != child);
    let set: HashSet<_> = [a.clone(), b.clone(), a.clone(), child].into_iter().collect();
    assert_eq!(set.len(), 3);
    assert!(set.contains(&a) && set.contains(&b));
}

#[test]
fn each_waiter_is_woken_once() {
    let token = CancellationToken::new();
    let all: Vec<Wakes> = (0..100).map(|_| Wakes::default()).collect();
    let mut waiters: Vec<_> = all.iter().map(|_| Box::pin(token.cancelled())).collect();
    for (wakes, waiter) in all.iter().zip(&mut waiters) {
        assert!(wakes.poll(waiter.as_mut()).is_pending());
        assert!(wakes.poll(waiter.as_mut()).is_pending());
        assert_eq!(wakes.held(), 1);
    }
    // One of them loses interest.
    drop(waiters.remove(40));
    assert_eq!(all[40].held(), 0);
    token.cancel();
    token.cancel();
    for (i, wakes) in all.iter().enumerate() {
        assert_eq!((wakes.count(), wakes.held()), (usize::from(i != 40), 0), "waiter {i}");
    }
    for waiter in &mut waiters {
        assert!(all[0].poll(waiter.as_mut()).is_ready());
        assert!(all[0].poll(waiter.as_mut()).is_ready(), "it stays ready");
    }
    drop(waiters);
    assert_eq!((all[0].count(), all[0].held()), (1, 0));
}

#[test]
fn the_newest_waker_counts() {
    let token = CancellationToken::new();
    let (old, new) = (Wakes::default(), Wakes::default());
    let mut waiter = pin!(token.clone().cancelled_owned());
    assert!(old.poll(waiter.as_mut()).is_pending());
    assert!(new.poll(waiter.as_mut()).is_pending());
    assert_eq!((old.held(), new.held()), (0, 1));
    assert!(format!("{:?}", *waiter).contains("WaitForCancellationFutureOwned"));
    token.cancel();
    assert_eq!((old.count(), new.count()), (0, 1));
    assert!(old.poll(waiter.as_mut()).is_ready());
}

#[test]
fn a_cancelled_token_is_ready_at_once() {
    let (token, wakes) = (CancellationToken::new(), Wakes::default());
    token.cancel();
    assert!(wakes.poll(pin!(token.cancelled())).is_ready());
    assert!(wakes.poll(pin!(token.cancelled_owned())).is_ready());
    assert_eq!((wakes.count(), wakes.held()), (0, 0));
}

// ----- trees -----------------------------------------------------------------------------------------------------

#[test]
fn what_is_below_is_cancelled_and_nothing_else() {
    let root = CancellationToken::new();
    let (left, right) = (root.child_token(), root.child_token());
    let (below_left, below_right) = (left.child_token(), right.child_token());
    let wakes = Wakes::default();
    let mut waiter = pin!(below_left.cancelled());
    assert!(wakes.poll(waiter.as_mut()).is_pending());
    left.cancel();
    assert!(left.is_cancelled() && below_left.is_cancelled());
    assert_eq!(wakes.count(), 1);
    assert!(!root.is_cancelled() && !right.is_cancelled() && !below_right.is_cancelled());
    assert!(left.child_token().is_cancelled(), "a child of a cancelled token");
    assert!(below_left.child_token().child_token().is_cancelled());
    root.cancel();
    assert!(root.is_cancelled() && right.is_cancelled() && below_right.is_cancelled());
    assert_eq!(wakes.count(), 1, "it had been woken");
}

#[test]
fn descendants_are_cancelled_before_the_first_waiter_wakes() {
    struct Look(Vec<CancellationToken>, AtomicUsize);
    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            self.1.fetch_add(self.0.iter().filter(|token| token.is_cancelled()).count(), Ordering::SeqCst);
        }
    }
    let root = CancellationToken::new();
    let mut all = vec![root.clone()];
    for i in 0..30 {
        all.push(all[i / 2].child_token());
    }
    let look = Arc::new(Look(all.clone(), AtomicUsize::new(0)));
    let waker = Waker::from(look.clone());
    let mut waiters: Vec<_> = all.iter().map(|token| Box::pin(token.cancelled())).collect();
    for waiter in &mut waiters {
        assert!(waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    root.cancel();
    assert_eq!(look.1.load(Ordering::SeqCst), 31 * 31, "each of 31 wakes saw 31 cancelled tokens");
}

#[test]
fn grandchildren_stay_connected() {
    for cancel_first in [true, false] {
        let root = CancellationToken::new();
        let middle = root.child_token();
        let leaves: Vec<_> = (0..100).map(|_| middle.child_token()).collect();
        let wakes = Wakes::default();
        let mut waiter = Box::pin(leaves[50].cancelled());
        assert!(wakes.poll(waiter.as_mut()).is_pending());
        let clone = middle.clone();
        drop(middle);
        drop(clone);
        assert!(leaves.iter().all(|leaf| !leaf.is_cancelled()), "a dropped handle cancels nothing");
        if cancel_first {
            root.cancel();
            assert!(leaves.iter().all(CancellationToken::is_cancelled));
            assert_eq!(wakes.count(), 1);
        } else {
            drop(root);
            assert!(leaves.iter().all(|leaf| !leaf.is_cancelled()));
            leaves[50].cancel();
            assert_eq!((wakes.count(), leaves.iter().filter(|leaf| leaf.is_cancelled()).count()), (1, 1));
        }
    }
}

/// On a stack that is too small for any recursion.
fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    with_deadline(60, || {
        thread::Builder::new().stack_size(64 * 1024).spawn(body).unwrap().join().unwrap();
    });
}

fn chain(length: usize) -> Vec<CancellationToken> {
    let mut chain = vec![CancellationToken::new()];
    for i in 0..length {
        chain.push(chain[i].child_token());
    }
    chain
}

#[test]
fn a_chain_of_100_000_is_cancelled() {
    on_a_small_stack(|| {
        let chain = chain(100_000);
        let wakes = Wakes::default();
        let mut waiter = Box::pin(chain[100_000].cancelled());
        assert!(wakes.poll(waiter.as_mut()).is_pending());
        chain[1].cancel();
        assert!(!chain[0].is_cancelled());
        assert!(chain[1..].iter().all(CancellationToken::is_cancelled));
        assert_eq!(wakes.count(), 1);
    });
}

#[test]
fn a_chain_of_100_000_is_dropped() {
    on_a_small_stack(|| {
        drop(chain(100_000));
        let mut upwards = chain(100_000);
        while upwards.pop().is_some() {}
        // Those in the middle first, at random.
        let (mut mixed, mut rng) = (chain(100_000), Rng(1));
        let leaf = mixed.pop().unwrap();
        let root = mixed.swap_remove(0);
        while !mixed.is_empty() {
            drop(mixed.swap_remove(rng.below(mixed.len() as u64) as usize));
        }
        root.cancel();
        assert!(leaf.is_cancelled());
        // And cancelled ones, from below, one by one.
        let cancelled = chain(100_000);
        cancelled.iter().rev().for_each(CancellationToken::cancel);
        drop(cancelled);
    });
}

// ----- wakers with minds of their own ----------------------------------------------------------------------------

struct Panicking(u64, Arc<AtomicUsize>);

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        plan(self.0);
    }
}

#[test]
fn a_panicking_waker_stops_no_other() {
    let root = CancellationToken::new();
    let tokens = [root.clone(), root.child_token(), root.child_token().child_token()];
    let (bad, good) = (Arc::new(AtomicUsize::new(0)), Wakes::default());
    let mut waiters = Vec::new();
    for token in &tokens {
        for i in 0..3 {
            let waker = if i == 1 { Arc::new(Panicking(7, bad.clone())).into() } else { good.waker() };
            let mut waiter = Box::pin(token.clone().cancelled_owned());
            assert!(waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            waiters.push(waiter);
        }
    }
    assert_eq!(catch(|| root.cancel()), Err(7));
    assert_eq!((bad.load(Ordering::SeqCst), good.count()), (3, 6));
    assert!(tokens.iter().all(CancellationToken::is_cancelled));
    assert_eq!(catch(|| root.cancel()), Ok(()), "the second call finds nobody to wake");
}

#[test]
fn a_panicking_waker_in_an_unwinding_guard() {
    let (token, bad, good) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)), Wakes::default());
    let mut waiters = [Box::pin(token.cancelled()), Box::pin(token.cancelled())];
    let waker = Arc::new(Panicking(7, bad.clone())).into();
    assert!(waiters[0].as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(good.poll(waiters[1].as_mut()).is_pending());
    let outcome = catch(|| {
        let _guard = token.drop_guard_ref();
        plan(1)
    });
    assert_eq!(outcome, Err(1), "the process lives, and the first panic goes on");
    assert_eq!((bad.load(Ordering::SeqCst), good.count(), token.is_cancelled()), (1, 1, true));
}

/// Uses its token in every way, when it is woken and when it is dropped.
struct Meddling(CancellationToken);

impl Meddling {
    fn meddle(&self) {
        let child = self.0.child_token();
        let mut waiter = pin!(child.cancelled());
        let _ = waiter.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let _ = pin!(self.0.cancelled()).poll(&mut Context::from_waker(Waker::noop()));
        self.0.cancel();
    }
}

impl Wake for Meddling {
    fn wake(self: Arc<Self>) {
        self.meddle();
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        self.meddle();
    }
}

#[test]
fn wakers_may_use_the_token() {
    with_deadline(20, || {
        for how in 0..4 {
            let token = CancellationToken::new();
            let below = token.child_token();
            let waker = Waker::from(Arc::new(Meddling(token.clone())));
            let mut waiter = Box::pin(below.clone().cancelled_owned());
            assert!(waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            match how {
                // Woken.
                0 => token.cancel(),
                // Dropped with the waiter.
                1 => drop(waiter),
                // Displaced.
                2 => assert!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()),
                // Woken by way of another's drop.
                _ => drop(token.clone().drop_guard()),
            }
            assert!(token.is_cancelled() && below.is_cancelled());
        }
    });
}

// ----- run until cancelled ---------------------------------------------------------------------------------------

#[test]
fn run_until_cancelled() {
    let (token, wakes, drops) = (CancellationToken::new(), Wakes::default(), Drops::default());
    assert_eq!(filch::block_on(token.run_until_cancelled(async { 1 })), Some(1));
    assert_eq!(filch::block_on(token.clone().run_until_cancelled_owned(async { 2 })), Some(2));
    let inner = drops.token();
    let mut running = pin!(token.run_until_cancelled(async move {
        let _inner = inner;
        std::future::pending::<()>().await;
    }));
    assert!(wakes.poll(running.as_mut()).is_pending());
    assert!(wakes.poll(running.as_mut()).is_pending());
    token.cancel();
    assert_eq!((wakes.count(), drops.dropped()), (1, 0));
    assert_eq!(wakes.poll(running.as_mut()), Poll::Ready(None));
    assert_eq!((drops.dropped(), wakes.held()), (1, 0), "the future has gone before the outcome is seen");
    // Cancelled before: never polled, but dropped.
    let (polled, inner) = (Arc::new(AtomicBool::new(false)), drops.token());
    let outcome = filch::block_on(token.clone().run_until_cancelled_owned({
        let polled = polled.clone();
        async move {
            let _inner = inner;
            polled.store(true, Ordering::SeqCst);
        }
    }));
    assert_eq!((outcome, polled.load(Ordering::SeqCst), drops.dropped()), (None, false, 2));
}

#[test]
fn an_output_beats_the_cancelling() {
    let (token, wakes) = (CancellationToken::new(), Wakes::default());
    let cancels = token.clone();
    let mut running = pin!(token.run_until_cancelled(async move {
        yield_once().await;
        cancels.cancel();
        3
    }));
    assert!(wakes.poll(running.as_mut()).is_pending());
    assert_eq!(wakes.poll(running.as_mut()), Poll::Ready(Some(3)));
    assert!(token.is_cancelled());
}

#[test]
fn a_panic_under_a_token() {
    let token = CancellationToken::new();
    let wakes = Wakes::default();
    let mut running = pin!(token.run_until_cancelled(async { plan(4) }));
    assert_eq!(catch(|| wakes.poll(running.as_mut())), Err(4));
    assert_eq!((wakes.held(), token.is_cancelled()), (0, false));
}

// ----- guards ----------------------------------------------------------------------------------------------------

#[test]
fn guards() {
    let token = CancellationToken::new();
    let guard = token.clone().drop_guard();
    assert!(guard.token() == &token && format!("{guard:?}").contains("DropGuard"));
    assert!(guard.disarm() == token && !token.is_cancelled());
    let guard = token.drop_guard_ref();
    assert!(guard.token() == &token && format!("{guard:?}").contains("DropGuardRef"));
    assert!(guard.disarm() == &token && !token.is_cancelled());
    let below = token.child_token();
    {
        let _guard = below.drop_guard_ref();
        assert!(!below.is_cancelled());
    }
    assert!(below.is_cancelled() && !token.is_cancelled());
    let (first, second) = (token.clone().drop_guard(), token.clone().drop_guard());
    let _ = first.disarm();
    assert!(!token.is_cancelled());
    drop(second);
    assert!(token.is_cancelled());
    // A guard cancels also what has no other handle.
    let root = CancellationToken::new();
    let leaf = root.child_token();
    drop(root.drop_guard());
    assert!(leaf.is_cancelled());
}

// ----- deadlines -------------------------------------------------------------------------------------------------

#[test]
fn a_deadline_needs_no_timer() {
    let now = Instant::now();
    let past = CancellationToken::with_deadline(now);
    assert!(past.is_cancelled() && past.check().is_err());
    assert_eq!(past.deadline(), Some(now));
    let wakes = Wakes::default();
    assert!(wakes.poll(pin!(past.cancelled())).is_ready());
    assert_eq!(filch::block_on(past.run_until_cancelled(async { 1 })), None);
    assert!(past.child_token().is_cancelled());
    assert!(CancellationToken::with_timeout(Duration::ZERO).is_cancelled());
    let soon = CancellationToken::with_timeout(Duration::from_millis(20));
    let deadline = soon.deadline().unwrap();
    while !soon.is_cancelled() {
        assert!(Instant::now() < deadline + Duration::from_secs(20));
    }
    assert!(Instant::now() >= deadline, "and not before");
}

#[test]
fn the_earliest_deadline_on_the_way_up() {
    let hour = Duration::from_secs(3600);
    let now = Instant::now();
    let root = CancellationToken::with_deadline(now + 2 * hour);
    let earlier = root.child_with_deadline(now + hour);
    let later = root.child_with_deadline(now + 3 * hour);
    assert_eq!(earlier.deadline(), Some(now + hour));
    assert_eq!(later.deadline(), Some(now + 2 * hour));
    assert_eq!(later.child_token().deadline(), Some(now + 2 * hour));
    assert_eq!(earlier.child_with_timeout(3 * hour).deadline(), Some(now + hour));
    let short = earlier.child_with_timeout(Duration::from_secs(60)).deadline().unwrap();
    assert!(short >= now + Duration::from_secs(60) && short < now + hour);
    // The ancestors' deadlines hold when they have gone.
    drop((root, earlier));
    assert_eq!(later.deadline(), Some(now + 2 * hour));
    let free = CancellationToken::new();
    let bound = free.child_with_deadline(now);
    assert!(bound.is_cancelled() && !free.is_cancelled() && free.deadline().is_none());
    assert!(bound.child_token().is_cancelled() && bound.child_with_timeout(hour).is_cancelled());
}

#[test]
fn a_timeout_beyond_the_clock_is_none() {
    let token = CancellationToken::with_timeout(Duration::MAX);
    assert!(token.deadline().is_none() && !token.is_cancelled());
    assert!(token.child_with_timeout(Duration::MAX).deadline().is_none());
    let bound = CancellationToken::with_timeout(Duration::from_secs(3600));
    assert_eq!(bound.child_with_timeout(Duration::MAX).deadline(), bound.deadline());
}

#[test]
fn a_token_with_a_deadline_can_be_cancelled() {
    let token = CancellationToken::with_timeout(Duration::from_secs(3600));
    let (below, wakes) = (token.child_with_timeout(Duration::from_secs(60)), Wakes::default());
    let mut waiter = pin!(below.cancelled());
    assert!(wakes.poll(waiter.as_mut()).is_pending());
    token.cancel();
    assert!(below.is_cancelled());
    assert_eq!(wakes.count(), 1);
    // Cancelling one whose deadline has passed still wakes: nobody may have looked. The timer may have woken as well.
    let token = CancellationToken::with_timeout(Duration::from_millis(1));
    let mut waiter = pin!(token.cancelled());
    let pending = wakes.poll(waiter.as_mut()).is_pending();
    thread::sleep(Duration::from_millis(2));
    assert!(token.is_cancelled());
    token.cancel();
    let last = wakes.count() - 1;
    assert!(if pending { (1..=2).contains(&last) } else { last == 0 }, "{last} wakes");
}

// ----- races -----------------------------------------------------------------------------------------------------

#[test]
fn no_wake_is_lost() {
    with_deadline(60, || {
        let rounds = 3_000;
        let tokens: Arc<Vec<_>> = Arc::new((0..rounds).map(|_| CancellationToken::new()).collect());
        let barrier = Arc::new(Barrier::new(3));
        let waiters: Vec<_> = (0..2)
            .map(|i| {
                let (tokens, barrier) = (tokens.clone(), barrier.clone());
                thread::spawn(move || {
                    for token in tokens.iter() {
                        let token = if i == 0 { token.clone() } else { token.child_token().child_token() };
                        barrier.wait();
                        filch::block_on(token.cancelled());
                    }
                })
            })
            .collect();
        for (round, token) in tokens.iter().enumerate() {
            barrier.wait();
            support::spin(Duration::from_nanos((round as u64 % 64) * 50));
            token.cancel();
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn what_was_done_before_is_seen() {
    with_deadline(60, || {
        for _ in 0..1_000 {
            let (token, flag) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
            let looker = thread::spawn({
                let (token, flag) = (token.child_token(), flag.clone());
                move || {
                    while !token.is_cancelled() {
                        std::hint::spin_loop();
                    }
                    flag.load(Ordering::Relaxed)
                }
            });
            flag.store(1, Ordering::Relaxed);
            token.cancel();
            assert_eq!(looker.join().unwrap(), 1);
        }
    });
}

/// Threads make, clone, cancel and drop tokens of one tree at random. Whatever they do, what descends from the root is
/// cancelled in the end, what had been cancelled has taken its descendants along, and every node is freed.
#[test]
fn a_tree_under_many_hands() {
    with_deadline(120, || {
        for seed in 0..if support::long() { 2_000 } else { 60 } {
            support::note(format!("seed {seed}"));
            let (root, wakes) = (CancellationToken::new(), Wakes::default());
            // Each with its line: the tokens that it descends from.
            type Line = Vec<CancellationToken>;
            let places: Arc<Vec<Mutex<Option<Line>>>> = Arc::new((0..16).map(|_| Mutex::default()).collect());
            let threads: Vec<_> = (0..4)
                .map(|i| {
                    let (root, places, wakes) = (root.clone(), places.clone(), wakes.clone());
                    // A forgotten waiter's waker lives as long as the node.
                    let child = move |token: &CancellationToken| {
                        let child = token.child_token();
                        let mut waiter = Box::pin(child.cancelled());
                        let _ = wakes.poll(waiter.as_mut());
                        std::mem::forget(waiter);
                        child
                    };
                    thread::spawn(move || {
                        let mut rng = Rng(seed * 4 + i);
                        for _ in 0..400 {
                            let from = lock(&places[rng.below(16) as usize]).clone();
                            let line = from.unwrap_or_else(|| vec![root.clone()]);
                            let to = &places[rng.below(16) as usize];
                            let new = match rng.below(8) {
                                0 => {
                                    line.last().unwrap().cancel();
                                    None
                                }
                                1 | 2 => None,
                                // The line's older handles are dropped, so that nodes without handles move.
                                3 => Some(vec![child(line.last().unwrap())]),
                                _ => {
                                    let child = child(line.last().unwrap());
                                    Some(line.into_iter().chain([child]).take(30).collect())
                                }
                            };
                            let old = std::mem::replace(&mut *lock(to), new);
                            drop(old);
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            for place in places.iter() {
                for line in lock(place).iter() {
                    let first = line.iter().position(CancellationToken::is_cancelled).unwrap_or(line.len());
                    assert!(line[first..].iter().all(CancellationToken::is_cancelled), "below a cancelled one");
                }
            }
            let waiters: Vec<_> =
                places.iter().filter_map(|place| Some(lock(place).as_ref()?.last()?.clone())).collect();
            assert!(!root.is_cancelled() || waiters.iter().all(CancellationToken::is_cancelled));
            if seed % 2 == 0 {
                root.cancel();
                assert!(waiters.iter().all(CancellationToken::is_cancelled), "below the root");
            }
            drop((root, waiters, places));
            assert_eq!(wakes.held(), 0, "nodes that have outlived their handles");
        }
    });
}

#[test]
fn cancelling_while_handles_go() {
    with_deadline(60, || {
        for round in 0..500 {
            let root = CancellationToken::new();
            let chain: Vec<_> =
                std::iter::successors(Some(root.child_token()), |token| Some(token.child_token())).take(20).collect();
            let leaf = chain.last().unwrap().child_token();
            let barrier = Arc::new(Barrier::new(3));
            let dropper = |tokens: Vec<CancellationToken>| {
                let barrier = barrier.clone();
                thread::spawn(move || {
                    barrier.wait();
                    drop(tokens);
                })
            };
            let (even, odd): (Vec<_>, Vec<_>) = chain.into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
            let strip = |half: Vec<(usize, CancellationToken)>| half.into_iter().map(|(_, token)| token).collect();
            let droppers = [dropper(strip(even)), dropper(strip(odd))];
            barrier.wait();
            support::spin(Duration::from_nanos(round % 50 * 100));
            root.cancel();
            assert!(leaf.is_cancelled());
            droppers.into_iter().for_each(|dropper| dropper.join().unwrap());
        }
    });
}

#[test]
fn on_a_pool() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let (pool, token, drops) = (pool(workers), CancellationToken::new(), Drops::default());
            let tasks: Vec<_> = (0..500)
                .map(|i| {
                    let (token, drop) = (token.child_token(), drops.token());
                    pool.spawn(async move {
                        let _drop = drop;
                        match i % 3 {
                            0 => token.cancelled().await,
                            1 => assert!(token.run_until_cancelled(std::future::pending::<()>()).await.is_none()),
                            _ => token.cancelled_owned().await,
                        }
                    })
                })
                .collect();
            let closure = pool.spawn_cpu({
                let token = token.child_token();
                move || {
                    for round in 0u64.. {
                        token.check()?;
                        std::hint::black_box(round);
                    }
                    Ok::<(), Cancelled>(())
                }
            });
            token.cancel();
            tasks.into_iter().for_each(|task| task.join().unwrap());
            assert!(closure.join().unwrap().is_err());
            assert!(within(Duration::from_secs(10), || drops.dropped() == 500));
        }
    });
}

#[test]
fn who_awaits_a_token_is_woken_at_its_deadline() {
    with_deadline(60, || {
        let began = Instant::now();
        let token = CancellationToken::with_timeout(Duration::from_millis(20));
        filch::block_on(token.cancelled());
        assert!(began.elapsed() >= Duration::from_millis(20) && token.is_cancelled());
        // The child's deadline, and an earlier one further up; exactly, by a stopped clock.
        let pool = filch::Pool::builder().workers(1).start_paused(true).build().unwrap();
        let took = pool.spawn(async {
            let began = filch::time::Instant::now();
            let root = CancellationToken::with_deadline(began + Duration::from_secs(60));
            let child = root.child_with_timeout(Duration::from_secs(3600));
            let cut = child.run_until_cancelled(std::future::pending::<()>()).await;
            assert!(cut.is_none() && root.is_cancelled());
            child.clone().cancelled_owned().await;
            began.elapsed()
        });
        assert_eq!(took.join().unwrap(), Duration::from_secs(60));
    });
}

#[test]
fn a_cancel_comes_before_the_deadline() {
    with_deadline(60, || {
        let token = CancellationToken::with_timeout(Duration::from_secs(3600));
        let waiter = filch::spawn(token.clone().cancelled_owned());
        token.cancel();
        waiter.join().unwrap();
    });
}
