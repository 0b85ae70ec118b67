//! Luma and chroma to RGB: the kernel against its CPU twin.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use onset::media::yuv::gpu::{YuvGpuError, YuvKernel};
use onset::media::yuv::{Chroma, YuvError, YuvFormat, YuvLayout, YuvMatrix, to_rgb};

/// Repeatable bytes of every value.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 7u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn the_kernel_gives_the_twins_bytes_in_every_format() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let mut kernel = YuvKernel::new(context).unwrap();
    let layouts = [
        YuvLayout::Yuyv,
        YuvLayout::Nv12,
        YuvLayout::Planar420,
        YuvLayout::Planar422,
        YuvLayout::Planar444,
    ];
    // Odd sides, and buffers that end inside a word.
    for (width, height) in [(64, 48), (37, 23), (1, 1), (2, 5)] {
        for layout in layouts {
            for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709] {
                for (full_range, chroma) in [
                    (false, Chroma::Repeated),
                    (true, Chroma::Repeated),
                    (false, Chroma::Interpolated),
                    (true, Chroma::Interpolated),
                ] {
                    let format = YuvFormat {
                        layout,
                        matrix,
                        full_range,
                        chroma,
                        width,
                        height,
                    };
                    // A camera's buffer may be longer than its picture.
                    let buffer = noise(format.bytes() + 3);
                    kernel.submit(&buffer, &format).unwrap();
                    let card = kernel.wait().unwrap().unwrap();
                    assert_eq!(card, to_rgb(&buffer, &format).unwrap(), "{format:?}");
                }
            }
        }
    }
    assert!(kernel.wait().unwrap().is_none());
}

#[test]
fn an_incomplete_picture_is_refused_before_the_card_sees_it() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let mut kernel = YuvKernel::new(context).unwrap();
    let format = YuvFormat::of_camera(YuvLayout::Nv12, 8, 8);
    let error = kernel.submit(&[0; 95], &format).unwrap_err();
    let short = YuvError::Short {
        found: 95,
        wanted: 96,
    };
    assert!(matches!(error, YuvGpuError::Picture(e) if e == short));
    assert!(kernel.wait().unwrap().is_none());
}
