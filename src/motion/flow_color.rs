//! Flow and strain as pictures.

use image::{Rgb, RgbImage};

use super::Flow;
use super::heat::Heat;
use crate::base::Plane;

/// A flow by the hue wheel: the hue is the direction (right red, down yellow-green,
/// left cyan, up violet), white is rest, and the colour is full at `full_scale`
/// px and beyond. Vectors that are not finite are black.
#[must_use]
pub fn flow_image(flow: &Flow, full_scale: f32) -> RgbImage {
    let (width, height) = (flow.u.width as u32, flow.u.height as u32);
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as usize, y as usize);
        wheel_color(flow.u.at(x, y) / full_scale, flow.v.at(x, y) / full_scale)
    })
}

/// The legend of [`flow_image`]: a disc of `side` px whose colour at a point is that
/// of the flow from the centre to it, full scale at its edge; `background` outside.
#[must_use]
pub fn wheel_image(side: u32, background: Rgb<u8>) -> RgbImage {
    let center = 0.5 * (side as f32 - 1.0);
    let radius = (0.5 * side as f32).max(1.0);
    RgbImage::from_fn(side, side, |x, y| {
        let (u, v) = ((x as f32 - center) / radius, (y as f32 - center) / radius);
        if u.hypot(v) <= 1.0 {
            wheel_color(u, v)
        } else {
            background
        }
    })
}

/// The colour of a displacement in units of the full scale.
fn wheel_color(u: f32, v: f32) -> Rgb<u8> {
    let length = u.hypot(v);
    if !length.is_finite() {
        return Rgb([0; 3]);
    }
    // Hue in sixths of the circle.
    let hue = v.atan2(u).rem_euclid(std::f32::consts::TAU) / (std::f32::consts::TAU / 6.0);
    let saturation = length.min(1.0);
    Rgb([0.0, 2.0, 4.0].map(|peak| {
        let away = (hue - peak).abs();
        let away = away.min(6.0 - away);
        let pure = (2.0 - away).clamp(0.0, 1.0);
        (255.0 * (1.0 - saturation * (1.0 - pure))).round() as u8
    }))
}

/// A map of values from 0 to `full_scale`, dark at 0; values outside get the ends'
/// colours, those that are not a number black.
#[must_use]
pub fn scalar_image(plane: &Plane, full_scale: f32, heat: Heat) -> RgbImage {
    RgbImage::from_fn(plane.width as u32, plane.height as u32, |x, y| {
        let value = plane.at(x as usize, y as usize) / full_scale;
        if value.is_nan() {
            Rgb([0; 3])
        } else {
            heat.color(value)
        }
    })
}

/// The same in grey, black at 0.
#[must_use]
pub fn gray_image(plane: &Plane, full_scale: f32) -> image::GrayImage {
    image::GrayImage::from_fn(plane.width as u32, plane.height as u32, |x, y| {
        // Not a number becomes black.
        image::Luma([(255.0 * plane.at(x as usize, y as usize) / full_scale).round() as u8])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_their_hues_and_rest_is_white() {
        let mut flow = Flow::zeros(4, 1);
        flow.u.data.copy_from_slice(&[0.0, 2.0, -5.0, f32::NAN]);
        let picture = flow_image(&flow, 2.0);
        let expected = [[255, 255, 255], [255, 0, 0], [0, 255, 255], [0, 0, 0]];
        for (pixel, expected) in picture.pixels().zip(expected) {
            assert_eq!(pixel.0, expected);
        }
        // Downwards lies between yellow and green, upwards between blue and magenta.
        assert_eq!(wheel_color(0.0, 1.0).0, [128, 255, 0]);
        assert_eq!(wheel_color(0.0, -1.0).0, [128, 0, 255]);
    }

    #[test]
    fn the_legend_is_a_disc_on_its_background() {
        let legend = wheel_image(31, Rgb([1, 2, 3]));
        assert_eq!(legend.get_pixel(0, 0).0, [1, 2, 3]);
        assert_eq!(legend.get_pixel(15, 15).0, [255, 255, 255]);
        assert_eq!(wheel_image(0, Rgb([0; 3])).dimensions(), (0, 0));
    }

    #[test]
    fn scalars_run_from_violet_to_yellow() {
        let plane = Plane::from_vec(4, 1, vec![-1.0, 0.0, 3.0, f32::NAN]);
        let colors: Vec<[u8; 3]> = scalar_image(&plane, 2.0, Heat::Viridis)
            .pixels()
            .map(|p| p.0)
            .collect();
        assert_eq!(
            colors,
            [[68, 1, 84], [68, 1, 84], [253, 231, 37], [0, 0, 0]]
        );
        assert_eq!(gray_image(&plane, 6.0).as_raw(), &[0, 0, 128, 0]);
    }
}
