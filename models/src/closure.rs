//! Closures that are cancelled before they begin: who claims one against who takes it from the queue, and against its
//! handle, with the real cell and state word.

use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use loom::sync::Arc;
use loom::thread;

use crate::core::task::{self, Header, Task, TaskRef, Why};
use crate::core::task_cell::{Cell, Fault, Scheduler};
use crate::explore;
use crate::ground::sync::HandOver;
use crate::ground::unwind::Payload;
use crate::task_model::{World, end, take};
use loom::sync::atomic::Ordering;

/// As the closures of a pool.
struct Closures(Arc<World>);

impl Scheduler for Closures {
    fn schedule(&self, task: Task, _: Why) {
        let world = self.0.clone();
        world.queue.lock().unwrap().push(task);
    }

    fn list(&self, _: NonNull<Header>) -> Option<usize> {
        panic!("a closure does not rest")
    }

    fn unlist(&self, _: &Header, _: usize) {}

    type Last = ();

    fn last(&self, _: &Header) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self, _: &Header, _: Payload) {
        panic!("nothing panics in these models");
    }

    const ONCE: bool = true;
    const ENDS_WITH_HANDLE: bool = true;
}

/// What a closure has captured: plain memory, which its run and its drop write to.
struct Once {
    world: Arc<World>,
    captured: HandOver<usize>,
}

impl Future for Once {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
        self.world.polls.fetch_add(1, Ordering::Relaxed);
        unsafe { self.captured.write(7) };
        Poll::Ready(7)
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        unsafe { self.captured.write(0) };
        self.world.drops.fetch_add(1, Ordering::Relaxed);
    }
}

fn spawn(world: &Arc<World>) -> TaskRef {
    let captured = HandOver::new();
    unsafe { captured.write(1) };
    let closure = Once { world: world.clone(), captured };
    let (task, handle) = unsafe { Cell::allocate(closure, Closures(world.clone()), 0) };
    task::schedule(task, Why::Spawned);
    handle
}

/// As a worker: runs what is queued, and counts husks off.
fn work(world: &World) {
    let tasks = std::mem::take(&mut *world.queue.lock().unwrap());
    for task in tasks {
        if !task.run_once(false, |_| ()) {
            world.ended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn worker(world: &Arc<World>) -> thread::JoinHandle<()> {
    let world = world.clone();
    thread::spawn(move || work(&world))
}

/// It has run or not, but it has been dropped once and counted off once.
fn check(world: &Arc<World>) -> usize {
    assert_eq!(world.count(|w| &w.drops), 1, "dropped once");
    assert_eq!(world.count(|w| &w.ended), 1, "counted off once");
    let polls = world.count(|w| &w.polls);
    assert!(polls <= 1, "run at most once");
    polls
}

#[test]
fn a_claim_beside_the_start() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world);
        let worker = worker(&world);
        handle.cancel();
        let at_once = handle.header().state.is_complete();
        worker.join().unwrap();
        assert!(handle.header().state.is_complete());
        match (take(handle), check(&world)) {
            (Ok(7), 1) => {}
            (Err(Fault::Cancelled), 0) => assert!(at_once, "who cancels has it cancelled when the call returns"),
            _ => panic!("the outcome is not what has happened"),
        }
        end(&world);
    });
}

#[test]
fn two_claims_beside_the_start() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world);
        let twin = handle.clone();
        let worker = worker(&world);
        let other = thread::spawn(move || twin.cancel());
        handle.cancel();
        other.join().unwrap();
        worker.join().unwrap();
        assert!(handle.header().state.is_complete());
        assert_eq!(take(handle).is_ok(), check(&world) == 1);
        end(&world);
    });
}

#[test]
fn a_dropped_handle_beside_the_start_and_an_abort() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world);
        let twin = handle.clone();
        let _ = unsafe { handle.header().poll_complete(Waker::noop()) };
        let worker = worker(&world);
        let other = thread::spawn(move || twin.cancel());
        if let Some(complete) = unsafe { task::detach(handle, true) } {
            let _ = take(complete);
        }
        other.join().unwrap();
        worker.join().unwrap();
        check(&world);
        end(&world);
    });
}

#[test]
fn a_claimed_closure_is_awaited() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world);
        let twin = handle.clone();
        let other = thread::spawn(move || twin.cancel());
        let worker = worker(&world);
        let _ = unsafe { handle.header().poll_complete(Waker::noop()) };
        other.join().unwrap();
        worker.join().unwrap();
        assert!(unsafe { handle.header().poll_complete(Waker::noop()) });
        assert_eq!(take(handle).is_ok(), check(&world) == 1);
        end(&world);
    });
}
