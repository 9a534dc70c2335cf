//! oxipng: pictures made smaller by spawned closures with loops in them, while the calling thread yields and then
//! waits at a channel: from the main thread, and from two workers at once. The pixels must stay, and the same file
//! must come out each time. A task naps beside it.

use std::io::Cursor;

use image::{ImageFormat, RgbaImage};
use oxipng::Options;
use programs::input::Numbers;
use programs::pulse;
use programs::threads::{self, Usage};

const SIDE: u32 = 96;

/// Fifty colours in patches, and noise in a corner: there is something to find for each of the filters.
fn picture(seed: u64) -> RgbaImage {
    let mut numbers = Numbers::new(seed);
    let colours: Vec<[u8; 4]> = (0..50).map(|_| (numbers.below(1 << 24) as u32 | 0xff00_0000).to_le_bytes()).collect();
    RgbaImage::from_fn(SIDE, SIDE, |x, y| {
        let noise = if x + y < SIDE / 2 { numbers.below(50) as u32 } else { 0 };
        image::Rgba(colours[((x / 7 + y / 5 + noise) % 50) as usize])
    })
}

fn png(picture: &RgbaImage) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).expect("memory takes it");
    file.into_inner()
}

fn optimised(file: &[u8]) -> Vec<u8> {
    oxipng::optimize_from_memory(file, &Options::from_preset(4)).expect("a sound file")
}

fn main() {
    programs::run("oxipng", || {
        let pictures = [picture(8), picture(9)];
        let files = pictures.each_ref().map(png);
        let small = files.each_ref().map(|file| optimised(file));
        for ((picture, file), small) in pictures.iter().zip(&files).zip(&small) {
            assert!(small.len() < file.len(), "{} bytes became {}", file.len(), small.len());
            let back = image::load_from_memory(small).expect("a sound file").into_rgba8();
            assert!(back == *picture, "the pixels have changed");
        }
        // The main thread has a share of its own: it reduces pictures, and spins while closures have not begun.
        let (_, workers) = Usage::of_workers(|| assert!(optimised(&files[0]) == small[0], "another file came out"));

        // From workers, which yield to what they have spawned themselves.
        for _ in 0..5 {
            let both = rayon::join(|| optimised(&files[0]), || optimised(&files[1]));
            assert!([both.0, both.1] == small, "another file came out");
        }
        let quick = pulse::stays_quick(|| assert!(optimised(&files[1]) == small[1], "another file came out"));
        let saved = files.iter().map(Vec::len).sum::<usize>() - small.iter().map(Vec::len).sum::<usize>();
        format!("{saved} bytes saved; {} ms on the workers; {quick}", threads::in_millis(&workers))
    });
}
