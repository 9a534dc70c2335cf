//! The computation: from the bytes of a picture to those of its thumbnail.

use super::run::Reason;
use image::{ImageFormat, ImageReader};
use std::io::Cursor;

/// Decodes a picture and shrinks it until neither side is longer than `side`. The format is that of the picture,
/// whatever its name says; `named` is for those whose beginning does not tell (TGA).
pub fn shrink(picture: &[u8], named: ImageFormat, side: u32) -> Result<Vec<u8>, Reason> {
    let reader = ImageReader::with_format(Cursor::new(picture), named).with_guessed_format()?;
    let format = reader.format().unwrap_or(named);
    let mut image = reader.decode()?;
    if image.width() > side || image.height() > side {
        image = image.thumbnail(side, side);
    }
    let mut thumbnail = Vec::new();
    image.write_to(&mut Cursor::new(&mut thumbnail), format)?;
    Ok(thumbnail)
}
