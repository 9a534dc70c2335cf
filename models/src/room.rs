//! Room that is waited for: a place that comes free beside somebody who goes to wait, and one who leaves the line
//! beside a place that is given to it.

use std::sync::Arc as StdArc;
use std::task::{Poll, Wake, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::core::room::Room;
use crate::explore;

#[derive(Default)]
struct Count(AtomicUsize);

struct Wakes(Arc<Count>);

impl Wake for Wakes {
    fn wake(self: StdArc<Self>) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counted() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (count.clone(), StdArc::new(Wakes(count)).into())
}

fn give_back(room: &Room) {
    room.give_back().into_iter().for_each(Waker::wake);
}

#[test]
fn a_place_comes_free_while_somebody_goes_to_wait() {
    explore(|| {
        let room = Arc::new(Room::new(1));
        assert!(room.try_take());
        let leaver = {
            let room = room.clone();
            thread::spawn(move || give_back(&room))
        };
        let ((count, waker), mut ticket) = (counted(), None);
        let first = room.poll_take(&mut ticket, &waker);
        leaver.join().unwrap();
        if first.is_pending() {
            assert_eq!(count.0.load(Ordering::Relaxed), 1, "a wake-up is lost");
            assert_eq!(room.poll_take(&mut ticket, &waker), Poll::Ready(Ok(())));
        }
        assert_eq!(room.taken(), 1);
        give_back(&room);
        assert!(room.try_take(), "the flag is down again");
    });
}

#[test]
fn one_leaves_while_a_place_is_given_to_it() {
    explore(|| {
        let room = Arc::new(Room::new(1));
        assert!(room.try_take());
        let ((_, waker), (count, next)) = (counted(), counted());
        let (mut first, mut second) = (None, None);
        assert!(room.poll_take(&mut first, &waker).is_pending());
        assert!(room.poll_take(&mut second, &next).is_pending());
        let leaver = {
            let room = room.clone();
            thread::spawn(move || give_back(&room))
        };
        room.leave(first.take().unwrap()).into_iter().for_each(Waker::wake);
        leaver.join().unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1, "the place is lost");
        assert_eq!(room.poll_take(&mut second, &next), Poll::Ready(Ok(())));
        assert_eq!(room.taken(), 1);
    });
}

#[test]
fn a_close_beside_a_place_that_comes_free() {
    explore(|| {
        let room = Arc::new(Room::new(1));
        assert!(room.try_take());
        let ((count, waker), mut ticket) = (counted(), None);
        assert!(room.poll_take(&mut ticket, &waker).is_pending());
        let closer = {
            let room = room.clone();
            thread::spawn(move || room.close().into_iter().for_each(Waker::wake))
        };
        give_back(&room);
        closer.join().unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        match room.poll_take(&mut ticket, &waker) {
            Poll::Ready(Ok(())) => assert_eq!(room.taken(), 1),
            Poll::Ready(Err(_)) => assert_eq!(room.taken(), 0),
            Poll::Pending => panic!("it waits for ever"),
        }
    });
}
