//! The contenders behind [`Fork`] and [`Library`]: serial code, filch in its three forms, rayon and chili. (forte,
//! which needs more care, is in `forte_pool`.)

use std::num::NonZero;

use super::fork::{Fork, Library};

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

    fn fan_out<T: Send, E>((): (), items: &mut [T], each: &E)
    where
        E: Fn((), &mut T) + Sync,
    {
        items.iter_mut().for_each(|item| each((), item));
    }
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

/// A filch pool of the given number of workers.
pub fn filch_pool(workers: usize) -> filch::Pool {
    let pool = filch::Pool::builder().workers(workers).build();
    pool.unwrap_or_else(|error| panic!("no pool of {workers} workers: {error:?}"))
}

/// filch by its free functions, entered by `install`: the caller takes a seat and runs in place.
pub struct Filch(filch::Pool);

impl Fork for Filch {
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
        filch::join(|| left(()), || right(()))
    }

    #[inline(always)]
    fn again<'s, 'x: 's, 'y: 'x>((): &'s mut ()) {}

    fn fan_out<T: Send, E>((): (), items: &mut [T], each: &E)
    where
        E: Fn((), &mut T) + Sync,
    {
        filch::scope(|scope| {
            for item in items {
                scope.spawn(|_| each((), item));
            }
        });
    }
}

impl Library for Filch {
    const NAME: &'static str = "filch";

    fn start(workers: usize) -> Self {
        Filch(filch_pool(workers))
    }

    fn enter<R: Send>(&self, body: impl FnOnce(()) -> R + Send) -> R {
        self.0.install(|| body(()))
    }
}

/// filch by its free functions, on a worker thread proper: the caller hands the work over and blocks.
pub struct FilchOnWorker(filch::Pool);

impl Fork for FilchOnWorker {
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
        filch::join(|| left(()), || right(()))
    }

    #[inline(always)]
    fn again<'s, 'x: 's, 'y: 'x>((): &'s mut ()) {}
}

impl Library for FilchOnWorker {
    const NAME: &'static str = "filch on a worker";

    fn start(workers: usize) -> Self {
        FilchOnWorker(filch_pool(workers))
    }

    fn enter<R: Send>(&self, body: impl FnOnce(()) -> R + Send) -> R {
        self.0.install_on_worker(|| body(()))
    }
}

/// filch by `Worker::join`, which takes the worker as an argument.
pub struct FilchWorker(filch::Pool);

impl Fork for FilchWorker {
    type Handle<'x, 'y>
        = &'x filch::Worker
    where
        'y: 'x;

    #[inline(always)]
    fn join<'x, 'y: 'x, A: Send, B: Send>(
        worker: &'x filch::Worker,
        left: impl FnOnce(&filch::Worker) -> A + Send,
        right: impl FnOnce(&filch::Worker) -> B + Send,
    ) -> (A, B) {
        worker.join(left, right)
    }

    #[inline(always)]
    fn again<'s, 'x: 's, 'y: 'x>(worker: &'s mut &'x filch::Worker) -> &'s filch::Worker {
        worker
    }
}

impl Library for FilchWorker {
    const NAME: &'static str = "filch Worker::join";

    fn start(workers: usize) -> Self {
        FilchWorker(filch_pool(workers))
    }

    fn enter<R: Send>(&self, body: impl FnOnce(&filch::Worker) -> R + Send) -> R {
        self.0.with_worker(body)
    }
}

/// rayon, entered by `install`: the work always moves to one of its threads.
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

/// chili, whose caller is one of the computing threads. It has no scopes, so it fans out by joins.
pub struct Chili(chili::ThreadPool);

impl Fork for Chili {
    type Handle<'x, 'y>
        = &'x mut chili::Scope<'y>
    where
        'y: 'x;

    #[inline(always)]
    fn join<'x, 'y: 'x, A: Send, B: Send>(
        scope: &'x mut chili::Scope<'y>,
        left: impl for<'a, 'b> FnOnce(&'a mut chili::Scope<'b>) -> A + Send,
        right: impl for<'a, 'b> FnOnce(&'a mut chili::Scope<'b>) -> B + Send,
    ) -> (A, B) {
        scope.join(|s| left(s), |s| right(s))
    }

    #[inline(always)]
    fn again<'s, 'x: 's, 'y: 'x>(scope: &'s mut &'x mut chili::Scope<'y>) -> &'s mut chili::Scope<'y> {
        scope
    }
}

impl Library for Chili {
    const NAME: &'static str = "chili";

    fn start(workers: usize) -> Self {
        Chili(chili::ThreadPool::with_config(chili::Config {
            thread_count: NonZero::new(workers),
            ..chili::Config::default()
        }))
    }

    fn enter<R: Send>(&self, body: impl for<'x, 'y> FnOnce(&'x mut chili::Scope<'y>) -> R + Send) -> R {
        body(&mut self.0.scope())
    }
}
