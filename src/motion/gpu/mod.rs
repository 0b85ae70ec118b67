//! Motion on the graphics card; each kernel has its twin in [`crate::motion::cpu`].

pub mod glmm;
pub mod magnify;

use image::RgbImage;

/// A picture from its read-back: red in each word's first byte, green, blue.
fn unpacked(words: &[f32], width: u32, height: u32) -> RgbImage {
    let mut picture = RgbImage::new(width, height);
    let (pixels, _) = picture.as_chunks_mut::<3>();
    for (pixel, word) in pixels.iter_mut().zip(words) {
        // The read-back carries 32-bit words of any kind.
        let [r, g, b, _] = word.to_ne_bytes();
        *pixel = [r, g, b];
    }
    picture
}
