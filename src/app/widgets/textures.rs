//! The pictures on the graphics card: kept, and set again only when they change.

use std::collections::HashMap;
use std::sync::Arc;

use egui::{ColorImage, Context, ImageData, TextureHandle, TextureOptions};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::app::review::Review;
use crate::app::{attention, second_look, theme};
use crate::base::Plane;
use crate::media::StillKey;
use crate::motion::flow_color::wheel_image;
use crate::motion::heat::Heat;
use crate::recognition::SecondOpinion;

/// Wider or higher pictures are made smaller for the screen; the analysis has its own.
const MAX_SIDE: u32 = 4096;

#[derive(Default)]
pub struct Textures {
    original: Slot,
    magnified: Slot,
    filmed: Slot,
    led: Slot,
    flow: Slot,
    strain: Slot,
    /// Of attention and second look, as they were drawn.
    heat: Heat,
    attention: Slot,
    second_look: Vec<OpinionTextures>,
    second_look_key: Option<Key>,
    strip: Vec<(u64, TextureHandle)>,
    strip_key: Option<Key>,
    stills: HashMap<StillKey, TextureHandle>,
    stills_key: Option<Key>,
    compared: Slot,
    difference: Slot,
    wheel: Option<TextureHandle>,
}

/// What there is to see of one opinion of the second look.
pub struct OpinionTextures {
    /// By block and head.
    pub matrices: Vec<Vec<TextureHandle>>,
    /// Onset, true apex, rebuilt apex.
    pub pictures: Option<[TextureHandle; 3]>,
    pub differences: Option<[TextureHandle; 3]>,
    /// Grey levels in the differences' full colour.
    pub full_scale: f32,
}

impl OpinionTextures {
    fn of(ctx: &Context, opinion: &SecondOpinion, heat: Heat) -> Self {
        let smooth = |image: ColorImage| {
            let name = "second look";
            ctx.load_texture(name, image, TextureOptions::LINEAR)
        };
        let matrices = opinion.magnified.as_ref().map(|look| {
            let full = second_look::greatest(look);
            let cells = |matrix: &Plane| {
                let picture = second_look::matrix_picture(matrix, full, heat);
                ctx.load_texture("attention matrix", picture, TextureOptions::NEAREST)
            };
            let heads = |heads: &Vec<Plane>| heads.iter().map(cells).collect();
            look.attention.iter().map(heads).collect()
        });
        let rebuilt = opinion.rebuilt.as_ref();
        let rebuilt = rebuilt.and_then(|rebuilt| rebuilt.pictures.as_deref());
        let differences = rebuilt.map(second_look::differences);
        Self {
            matrices: matrices.unwrap_or_default(),
            pictures: rebuilt.map(|rebuilt| second_look::pictures(rebuilt).map(smooth)),
            full_scale: differences.as_ref().map_or(0.0, |(_, full)| *full),
            differences: differences.map(|(images, _)| images.map(smooth)),
        }
    }
}

type Key = (u64, u64, Option<(u64, u64)>);

#[derive(Default)]
struct Slot {
    /// Session generation, count of the picture in it, and what it is of.
    key: Option<Key>,
    handle: Option<TextureHandle>,
    /// Once it is painted its memory takes the next picture: with new memory for each,
    /// a playing recording costs more in pages that are given back and fetched than in
    /// colours.
    painted: Option<Arc<ColorImage>>,
}

impl Slot {
    fn update(&mut self, ctx: &Context, name: &str, key: Key, image: Option<ColorImage>) {
        self.key = Some(key);
        let Some(image) = image else {
            self.handle = None;
            return;
        };
        match &mut self.handle {
            Some(handle) => handle.set(image, TextureOptions::LINEAR),
            None => self.handle = Some(ctx.load_texture(name, image, TextureOptions::LINEAR)),
        }
    }

    /// No side longer than `max`.
    fn update_rgb(
        &mut self,
        ctx: &Context,
        (name, key): (&str, Key),
        image: Option<&RgbImage>,
        max: u32,
    ) {
        let fits = |image: &&RgbImage| image.width().max(image.height()) <= max;
        let Some(image) = image.filter(fits) else {
            self.painted = None;
            self.update(ctx, name, key, image.map(|image| rgb(image, max)));
            return;
        };
        let wanted = size(image.width(), image.height());
        let mut painted = self.painted.take().filter(|painted| painted.size == wanted);
        let filled = match painted.as_mut().and_then(Arc::get_mut) {
            Some(before) => {
                let colours = image.as_raw().chunks_exact(3);
                for (pixel, rgb) in before.pixels.iter_mut().zip(colours) {
                    *pixel = theme::from_rgb(Rgb([rgb[0], rgb[1], rgb[2]]));
                }
                painted
            }
            None => None,
        };
        let filled = filled.unwrap_or_else(|| Arc::new(rgb(image, max)));
        self.painted = Some(Arc::clone(&filled));
        self.key = Some(key);
        let filled = ImageData::Color(filled);
        match &mut self.handle {
            Some(handle) => handle.set(filled, TextureOptions::LINEAR),
            None => self.handle = Some(ctx.load_texture(name, filled, TextureOptions::LINEAR)),
        }
    }
}

impl Textures {
    /// Uploads what has changed since the last call; the face as it was filmed only where it
    /// is `wiped` over the magnified one.
    pub fn update(&mut self, ctx: &Context, review: Option<&Review>, (heat, wiped): (Heat, bool)) {
        let Some(review) = review else {
            *self = Self::default();
            return;
        };
        if std::mem::replace(&mut self.heat, heat) != heat {
            (self.attention.key, self.second_look_key) = (None, None);
        }
        let generation = review.session.generation;
        let key = (generation, review.playback.picture_count, None);
        if self.original.key != Some(key)
            && let Some(frame) = &review.playback.picture
        {
            let max =
                MAX_SIDE.min(u32::try_from(ctx.input(|i| i.max_texture_side)).unwrap_or(2048));
            let of = ("original", key);
            (self.original).update_rgb(ctx, of, Some(&frame.picture), max);
        }
        let key = (generation, review.views_count, None);
        if self.led.key != Some(key) {
            let views = &review.views;
            let led = views.led.as_ref().map(|i| {
                ColorImage::from_rgba_unmultiplied(size(i.width(), i.height()), i.as_raw())
            });
            self.led.update(ctx, "led", key, led);
            (self.magnified).update_rgb(
                ctx,
                ("magnified", key),
                views.magnified.as_ref(),
                MAX_SIDE,
            );
            (self.flow).update_rgb(ctx, ("flow", key), views.flow.as_ref(), MAX_SIDE);
            (self.strain).update_rgb(ctx, ("strain", key), views.strain.as_ref(), MAX_SIDE);
        }
        if wiped && self.filmed.key != Some(key) {
            let filmed = review.views.filmed.as_ref();
            (self.filmed).update_rgb(ctx, ("filmed", key), filmed, MAX_SIDE);
        }
        let key = (generation, review.strip_count, None);
        if self.strip_key != Some(key) {
            self.strip_key = Some(key);
            let pictures = review.strip.iter().flat_map(|s| &s.pictures);
            self.strip = pictures
                .map(|(frame, picture)| {
                    let image = rgb(picture, MAX_SIDE);
                    let name = "film strip";
                    (
                        *frame,
                        ctx.load_texture(name, image, TextureOptions::LINEAR),
                    )
                })
                .collect();
        }
        self.update_stills(ctx, review);
        let recognised = review.selected_spot().and_then(|s| review.recognised_in(s));
        let of = (review.selected_spot())
            .map(|s| recognised.map_or((s.onset, s.apex), |r| (r.onset, r.apex)));
        let (count, map) = attention::map(review);
        let key = (generation, count, of);
        if self.attention.key != Some(key) {
            let image = map.map(|map| attention::picture(map, heat));
            self.attention.update(ctx, "attention", key, image);
        }
        let looked = second_look::shown(review);
        let of = looked.map(|r| (r.onset, r.apex));
        let key = (generation, review.recognised_count, of);
        if self.second_look_key != Some(key) {
            self.second_look_key = Some(key);
            let opinions = looked.map_or(&[][..], |r| &r.second_look);
            let textures = opinions.iter().map(|o| OpinionTextures::of(ctx, o, heat));
            self.second_look = textures.collect();
        }
        if self.wheel.is_none() && self.flow.handle.is_some() {
            let wheel = rgb(&wheel_image(96, Rgb([255; 3])), MAX_SIDE);
            self.wheel = Some(ctx.load_texture("flow wheel", wheel, TextureOptions::LINEAR));
        }
    }

    /// Those that are wanted now; what scrolled out of sight is let go.
    fn update_stills(&mut self, ctx: &Context, review: &Review) {
        let generation = review.session.generation;
        let key = (generation, review.stills_count, None);
        if self.stills_key != Some(key) {
            let same = self.stills_key.is_some_and(|(g, ..)| g == generation);
            let mut before = std::mem::take(&mut self.stills);
            self.stills_key = Some(key);
            for wanted in review.stills.wanted() {
                let kept = before.remove(wanted).filter(|_| same);
                let load = |picture: &Arc<RgbImage>| {
                    ctx.load_texture("still", rgb(picture, MAX_SIDE), TextureOptions::LINEAR)
                };
                if let Some(texture) = kept.or_else(|| review.stills.get(wanted).map(load)) {
                    self.stills.insert(*wanted, texture);
                }
            }
        }
        let key = (generation, review.compared_count, None);
        if self.compared.key != Some(key) {
            let compared = review.compared.as_ref();
            let current = compared.map(|c| rgb(&c.current, MAX_SIDE));
            self.compared.update(ctx, "compared", key, current);
            let difference = compared.and_then(|c| c.difference.as_ref());
            let difference =
                difference.map(|d| ColorImage::from_gray(size(d.width(), d.height()), d.as_raw()));
            self.difference.update(ctx, "difference", key, difference);
        }
    }

    #[must_use]
    pub fn original(&self) -> Option<&TextureHandle> {
        self.original.handle.as_ref()
    }

    #[must_use]
    pub fn magnified(&self) -> Option<&TextureHandle> {
        self.magnified.handle.as_ref()
    }

    /// The face that is magnified, as it was filmed.
    #[must_use]
    pub fn filmed(&self) -> Option<&TextureHandle> {
        self.filmed.handle.as_ref()
    }

    /// Where it is wanted and there.
    #[must_use]
    pub fn still(&self, key: &StillKey) -> Option<&TextureHandle> {
        self.stills.get(key)
    }

    /// The frame of [`Review::compared`], cut as the onset is.
    #[must_use]
    pub fn compared(&self) -> Option<&TextureHandle> {
        self.compared.handle.as_ref()
    }

    /// What changed from the onset to it.
    #[must_use]
    pub fn difference(&self) -> Option<&TextureHandle> {
        self.difference.handle.as_ref()
    }

    #[must_use]
    pub fn led(&self) -> Option<&TextureHandle> {
        self.led.handle.as_ref()
    }

    #[must_use]
    pub fn flow(&self) -> Option<&TextureHandle> {
        self.flow.handle.as_ref()
    }

    #[must_use]
    pub fn strain(&self) -> Option<&TextureHandle> {
        self.strain.handle.as_ref()
    }

    /// To be stretched over the face.
    #[must_use]
    pub fn attention(&self) -> Option<&TextureHandle> {
        self.attention.handle.as_ref()
    }

    /// The frames beside the one on the screen, by their numbers.
    pub fn strip(&self) -> &[(u64, TextureHandle)] {
        &self.strip
    }

    /// Of the selected candidate, in the order of its opinions.
    #[must_use]
    pub fn second_look(&self) -> &[OpinionTextures] {
        &self.second_look
    }

    #[must_use]
    pub fn wheel(&self) -> Option<&TextureHandle> {
        self.wheel.as_ref()
    }
}

fn size(w: u32, h: u32) -> [usize; 2] {
    [w as usize, h as usize]
}

fn rgb(image: &RgbImage, max: u32) -> ColorImage {
    let (w, h) = image.dimensions();
    if w.max(h) > max {
        let scale = f64::from(max) / f64::from(w.max(h));
        let (w, h) = (
            ((f64::from(w) * scale) as u32).max(1),
            ((f64::from(h) * scale) as u32).max(1),
        );
        let small = imageops::resize(image, w, h, FilterType::Triangle);
        return ColorImage::from_rgb(size(w, h), small.as_raw());
    }
    ColorImage::from_rgb(size(w, h), image.as_raw())
}
