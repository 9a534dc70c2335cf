//! exr: pictures compressed and decompressed by pools that exr builds with rayon-core's `ThreadPoolBuilder`, from the
//! main thread, which waits at a channel, and from workers of the global pool; against exr's own way on one thread,
//! and each pixel against what it was.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exr::block::UncompressedBlock;
use exr::block::reader::ParallelBlockDecompressor;
use exr::prelude::*;
use programs::{pool, threads};
use rayon_core::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

const WIDTH: usize = 512;
const HEIGHT: usize = 384;
const METHODS: [Compression; 4] = [Compression::ZIP1, Compression::ZIP16, Compression::PIZ, Compression::PXR24];

/// Smooth in red, wild in green, whole numbers in blue; all of them survive compression without loss, PXR24's too,
/// which keeps 24 bits of a number.
fn pixel(x: usize, y: usize) -> (f16, f16, u32) {
    let wild = (x * 7919 + y * 104_729) % 1009;
    (f16::from_f32((x + y) as f32 / 64.0), f16::from_f32(wild as f32), (x * y) as u32)
}

fn written(method: Compression, parallel: bool) -> Vec<u8> {
    let channels = SpecificChannels::build().with_channel("R").with_channel("G").with_channel("B");
    let channels = channels.with_pixel_fn(|Vec2(x, y)| pixel(x, y));
    let encoding = Encoding { compression: method, blocks: Blocks::ScanLines, line_order: LineOrder::Increasing };
    let layer = Layer::new((WIDTH, HEIGHT), LayerAttributes::named("one"), encoding, channels);
    let image = Image::from_layer(layer);
    let mut file = Cursor::new(Vec::new());
    let writer = image.write();
    let writer = if parallel { writer } else { writer.non_parallel() };
    writer.to_buffered(&mut file).expect("memory takes it");
    file.into_inner()
}

/// Reads with exr's own pool, and compares each pixel.
fn check(file: &[u8]) {
    let channels = read().no_deep_data().largest_resolution_level().specific_channels();
    let channels = channels.required("R").required("G").required("B");
    let pixels = channels.collect_pixels(
        |size, _| vec![vec![(f16::ZERO, f16::ZERO, 0_u32); size.width()]; size.height()],
        |rows, at, (red, green, blue): (f16, f16, u32)| rows[at.y()][at.x()] = (red, green, blue),
    );
    let image = pixels.first_valid_layer().all_attributes().from_buffered(Cursor::new(file)).expect("just written");
    for (y, row) in image.layer_data.channel_data.pixels.iter().enumerate() {
        for (x, found) in row.iter().enumerate() {
            assert_eq!(*found, pixel(x, y), "at {x}, {y}");
        }
    }
}

/// The threads of a pool, as they have told when they started.
type Started = Arc<Mutex<BTreeSet<u32>>>;

/// A pool of two threads that check, when they start, that they are ours.
fn two_threads(started: &Started) -> std::result::Result<ThreadPool, ThreadPoolBuildError> {
    let started = started.clone();
    let builder = ThreadPoolBuilder::new().num_threads(2).thread_name(|index| format!("worker-exr-{index}"));
    let builder = builder.start_handler(move |index| {
        assert_eq!(rayon_core::current_thread_index(), Some(index));
        assert_eq!(filch::current_thread_index(), Some(index), "a pool of rayon-core's builder is one of filch's");
        assert_eq!(filch::current_num_threads(), 2);
        assert_eq!(pool::index(), None, "but not the global one");
        started.lock().expect("nobody has panicked").insert(threads::current());
    });
    builder.build()
}

/// Decompresses on a pool of ours, over and over, until both of its threads have had their share; says what they
/// used.
fn by_own_pool(file: &[u8]) -> String {
    for _ in 0..200 {
        let started = Started::default();
        let reader = exr::block::read(Cursor::new(file), true).expect("just written");
        let chunks = reader.all_chunks(true).expect("just written");
        let mut blocks = ParallelBlockDecompressor::new_with_thread_pool(chunks, true, || two_threads(&started))
            .unwrap_or_else(|_| panic!("the pool was not built"));
        let sound: Result<Vec<UncompressedBlock>> = blocks.by_ref().collect();
        assert_eq!(sound.expect("just written").len(), HEIGHT / 16);
        let started = started.lock().expect("nobody has panicked");
        let used: Vec<Duration> =
            threads::all().iter().filter(|thread| started.contains(&thread.id)).map(|thread| thread.used).collect();
        if started.len() == 2 && threads::two_have_worked(&used) {
            return format!("{} ms on a pool of two", threads::in_millis(&used));
        }
    }
    panic!("a pool of two should have kept both of its threads busy");
}

fn main() {
    programs::run("exr", || {
        let files: Vec<Vec<u8>> = METHODS.iter().map(|method| written(*method, true)).collect();
        for (file, method) in files.iter().zip(METHODS) {
            assert!(*file == written(method, false), "{method}: the file differs from the one by a single thread");
            check(file);
        }
        let used = by_own_pool(&files[1]);
        // A worker of the global pool that waits for a pool of exr's, one by one and all at once.
        rayon::scope(|scope| files.iter().for_each(|file| scope.spawn(|_| check(file))));
        let (again, _) = rayon::join(|| written(Compression::ZIP16, true), || check(&files[2]));
        assert!(again == files[1], "the file differs from the one written before");
        format!("four ways of compression, pools of exr's own; {used}")
    });
}
