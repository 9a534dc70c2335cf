//! The computation: from the bytes of a picture to those of its thumbnail.

use super::run::Reason;
use image::ImageReader;
use std::io::Cursor;

/// Decodes a picture and shrinks it until neither side is longer than `side`. The format is that of the picture,
/// whatever its name says.
pub fn shrink(picture: &[u8], side: u32) -> Result<Vec<u8>, Reason> {
    let reader = ImageReader::new(Cursor::new(picture)).with_guessed_format()?;
    let format = reader.format().ok_or("no picture in a format that is known here")?;
    let mut image = reader.decode()?;
    if image.width() > side || image.height() > side {
        image = image.thumbnail(side, side);
    }
    let mut thumbnail = Vec::new();
    image.write_to(&mut Cursor::new(&mut thumbnail), format)?;
    Ok(thumbnail)
}
