//! Serial code and rayon behind the traits that the workloads are written against, and a stand-in for the libraries that
//! are not here.

use super::fork::{Fork, Library};

/// The name of all contenders that must not run.
pub const ABSENT: &str = "absent";

/// Plain calls, no pool.
pub struct Serial;

impl Fork for Serial {
    type Handle<'x, 'y>
        = ()
    where
        'y: 'x;

    #[inline(always)]
    fn join<'x, 'y: 'x, A: Send, B: Send>(
        (): (),
        left: impl FnOnce(()) -> A + Send,
        right: impl FnOnce(()) -> B + Send,
    ) -> (A, B) {
        (left(()), right(()))
    }

    #[inline(always)]
    fn again<'s, 'x: 's, 'y: 'x>((): &'s mut ()) {}
}

impl Library for Serial {
    const NAME: &'static str = "serial";

    fn start(_workers: usize) -> Self {
        Serial
    }

    fn enter<R: Send>(&self, body: impl FnOnce(()) -> R + Send) -> R {
        body(())
    }
}

/// rayon on whichever core it has, entered by `install`.
pub struct Rayon(rayon::ThreadPool);

impl Fork for Rayon {
    type Handle<'x, 'y>
        = ()
    where
        'y: 'x;

    #[inline(always)]
    fn join<'x, 'y: 'x, A: Send, B: Send>(
        (): (),
        left: impl FnOnce(()) -> A + Send,
        right: impl FnOnce(()) -> B + Send,
    ) -> (A, B) {
        rayon::join(|| left(()), || right(()))
    }

    #[inline(always)]
    fn again<'s, 'x: 's, 'y: 'x>((): &'s mut ()) {}

    fn fan_out<T: Send, E>((): (), items: &mut [T], each: &E)
    where
        E: Fn((), &mut T) + Sync,
    {
        rayon::scope(|scope| {
            for item in items {
                scope.spawn(|_| each((), item));
            }
        });
    }
}

impl Library for Rayon {
    const NAME: &'static str = "rayon";

    fn start(workers: usize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build();
        Rayon(pool.expect("a rayon pool"))
    }

    fn enter<R: Send>(&self, body: impl FnOnce(()) -> R + Send) -> R {
        self.0.install(|| body(()))
    }
}

/// A library that is not here. The lists of contenders name it, and nobody starts it.
pub enum Absent {}

pub use Absent as Chili;
pub use Absent as Filch;
pub use Absent as FilchOnWorker;
pub use Absent as FilchWorker;

impl Fork for Absent {
    type Handle<'x, 'y>
        = ()
    where
        'y: 'x;

    fn join<'x, 'y: 'x, A: Send, B: Send>(
        (): (),
        _left: impl FnOnce(()) -> A + Send,
        _right: impl FnOnce(()) -> B + Send,
    ) -> (A, B) {
        unreachable!("nobody is inside of a library that is not here")
    }

    fn again<'s, 'x: 's, 'y: 'x>((): &'s mut ()) {}
}

impl Library for Absent {
    const NAME: &'static str = ABSENT;

    fn start(_workers: usize) -> Self {
        unreachable!("contenders that are not here are taken from the lists")
    }

    fn enter<R: Send>(&self, _body: impl FnOnce(()) -> R + Send) -> R {
        match *self {}
    }
}
