//! Pictures to make thumbnails of: parts of the Mandelbrot set, no two the same.

use super::run::Reason;
use filch::prelude::*;
use image::{Rgb, RgbImage};
use std::path::Path;

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// How often a point is followed before it is taken to be inside.
const STEPS: u32 = 40;

/// Makes so many pictures in a folder: `00000.jpg`, `00001.jpg`, and every fourth as a PNG.
pub fn paint_all(folder: &Path, count: usize) -> Result<(), Reason> {
    (0..count).into_par_iter().try_for_each(|number| {
        let kind = if number % 4 == 3 { "png" } else { "jpg" };
        // The system takes a small file in without waiting for the disk, so this may be done on a worker.
        Ok(paint(number).save(folder.join(format!("{number:05}.{kind}")))?)
    })
}

/// Each picture is a little to the right of the one before, and after a hundred they begin anew with a finer view.
fn paint(number: usize) -> RgbImage {
    let scale = 0.01 / (1.0 + (number / 100) as f64);
    let centre = -1.5 + (number % 100) as f64 * 0.01;
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let point = |at: u32, of: u32| (f64::from(at) - f64::from(of) / 2.0) * scale;
        let steps = escape(centre + point(x, WIDTH), point(y, HEIGHT));
        let shade = |factor: u32| (steps * factor % 256) as u8;
        Rgb([shade(5), shade(11), shade(23)])
    })
}

/// After how many steps of `z² + c` a point leaves the circle that no point leaves and comes back to.
fn escape(c_real: f64, c_imaginary: f64) -> u32 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for step in 0..STEPS {
        if real * real + imaginary * imaginary > 4.0 {
            return step;
        }
        (real, imaginary) = (real * real - imaginary * imaginary + c_real, 2.0 * real * imaginary + c_imaginary);
    }
    STEPS
}
