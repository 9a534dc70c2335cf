//! image: a Mandelbrot set drawn by `from_par_fn`, blurred by `par_enumerate_pixels_mut`, counted by `par_pixels`,
//! and written to and read from PNG on several workers at once; against the same by plain loops.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};
use programs::crew::Crew;
use rayon::prelude::*;

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// How long the point stays within a circle of radius 2, up to 255 steps.
fn mandelbrot(x: u32, y: u32) -> Luma<u8> {
    let (re, im) = (f64::from(x) * 3.0 / f64::from(WIDTH) - 2.0, f64::from(y) * 2.4 / f64::from(HEIGHT) - 1.2);
    let (mut a, mut b, mut steps) = (0.0, 0.0, 0);
    while steps < 255 && a * a + b * b < 4.0 {
        (a, b) = (a * a - b * b + re, 2.0 * a * b + im);
        steps += 1;
    }
    Luma([steps])
}

/// The mean of the pixels around, where there are such.
fn blurred(image: &GrayImage, x: u32, y: u32) -> Luma<u8> {
    let around = |at: u32, end: u32| at.saturating_sub(1)..=(at + 1).min(end - 1);
    let cells = around(y, HEIGHT).flat_map(|y| around(x, WIDTH).map(move |x| u32::from(image.get_pixel(x, y)[0])));
    let (sum, count) = cells.fold((0, 0), |(sum, count), cell| (sum + cell, count + 1));
    Luma([(sum / count) as u8])
}

fn main() {
    programs::run("image", || {
        let crew = Crew::new();
        let drawn = GrayImage::from_par_fn(WIDTH, HEIGHT, |x, y| {
            crew.meet();
            mandelbrot(x, y)
        });
        let plain = GrayImage::from_fn(WIDTH, HEIGHT, mandelbrot);
        assert!(drawn == plain, "the pictures differ");

        let mut soft = GrayImage::new(WIDTH, HEIGHT);
        soft.par_enumerate_pixels_mut().for_each(|(x, y, pixel)| {
            crew.meet();
            *pixel = blurred(&drawn, x, y);
        });
        assert!(soft == GrayImage::from_fn(WIDTH, HEIGHT, |x, y| blurred(&plain, x, y)), "the blurred pictures differ");

        let inside = drawn.par_pixels().filter(|pixel| pixel[0] == 255).count();
        assert_eq!(inside, plain.pixels().filter(|pixel| pixel[0] == 255).count());
        assert!(inside > 0);
        let middle = drawn.par_enumerate_pixels().map(|(x, y, pixel)| u64::from(x + y) * u64::from(pixel[0])).sum();
        let plainly: u64 = plain.enumerate_pixels().map(|(x, y, pixel)| u64::from(x + y) * u64::from(pixel[0])).sum();
        assert_eq!(plainly, middle);

        let rows: Vec<u32> = (0..HEIGHT).step_by(40).collect();
        let back: Vec<GrayImage> = rows
            .par_iter()
            .map(|&row| {
                let part = image::imageops::crop_imm(&soft, 0, row, WIDTH, 40).to_image();
                let mut file = Cursor::new(Vec::new());
                part.write_to(&mut file, ImageFormat::Png).expect("memory takes it");
                image::load_from_memory(file.get_ref()).expect("just written").into_luma8()
            })
            .collect();
        let together: Vec<u8> = back.into_iter().flat_map(GrayImage::into_raw).collect();
        assert!(together == soft.into_raw(), "the files differ from what was written");
        format!("from_par_fn, par_enumerate_pixels_mut, PNG; {} workers", crew.size())
    });
}
