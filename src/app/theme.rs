//! Every colour, size and distance of the window.
//!
//! Colours carry one meaning each: the tracks' hues are Okabe and Ito's; amber is
//! "provisional" and warnings, red is loss and error, one blue is what can be
//! acted on. Contrast is tested here: 4.5:1 for text and marks alike.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the one file that names colours"
)]

use egui::{Color32, FontFamily, FontId, Stroke, TextStyle, Theme, Visuals};

use crate::base::Severity;
use crate::spotting::ExpressionKind;

/// Every distance is a multiple of this, in points.
pub const GRID: f32 = 4.0;
/// Between things that belong together.
pub const GAP: f32 = 8.0;
/// Between sections.
pub const SECTION: f32 = 16.0;
/// Of a button or a row.
pub const CONTROL: f32 = 24.0;

const BODY: f32 = 13.0;
const LABEL: f32 = 11.0;
const TITLE: f32 = 16.0;

/// The colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palette {
    /// Around the pictures: never bright, so that they are judged by themselves.
    pub surround: Color32,
    /// Under the curves and in fields.
    pub ground: Color32,
    pub panel: Color32,
    /// Buttons, fields, the selected row.
    pub raised: Color32,
    pub hovered: Color32,
    pub hairline: Color32,
    pub text: Color32,
    pub weak: Color32,
    /// What can be acted on, and the cursor.
    pub accent: Color32,
    /// On the accent.
    pub on_accent: Color32,
    /// Behind accented text: what is chosen or switched on.
    pub chosen: Color32,
    pub amber: Color32,
    pub red: Color32,
    /// Macro-expressions: bluish green.
    pub macro_track: Color32,
    /// Micro-expressions: reddish purple.
    pub micro_track: Color32,
    /// What a person says: yellow.
    pub human: Color32,
    /// On it.
    pub on_human: Color32,
    /// What was not measured.
    pub shade: Color32,
    /// Behind text that stands on a picture.
    pub scrim: Color32,
}

const fn grey(v: u8) -> Color32 {
    Color32::from_gray(v)
}

pub const DARK: Palette = Palette {
    surround: grey(0x12),
    ground: grey(0x12),
    panel: grey(0x1c),
    raised: grey(0x2c),
    hovered: grey(0x38),
    hairline: grey(0x34),
    text: grey(0xe4),
    weak: grey(0xa4),
    accent: Color32::from_rgb(0x56, 0xb4, 0xe9),
    on_accent: grey(0x10),
    chosen: Color32::from_rgb(0x1b, 0x36, 0x47),
    amber: Color32::from_rgb(0xe6, 0x9f, 0x00),
    red: Color32::from_rgb(0xff, 0x75, 0x69),
    macro_track: Color32::from_rgb(0x1f, 0xb8, 0x8c),
    micro_track: Color32::from_rgb(0xd9, 0x8b, 0xb6),
    human: Color32::from_rgb(0xe3, 0xd7, 0x4a),
    on_human: grey(0x10),
    shade: grey(0x26),
    scrim: Color32::from_rgb(0x12, 0x12, 0x12),
};

pub const LIGHT: Palette = Palette {
    surround: grey(0xe6),
    ground: grey(0xff),
    panel: grey(0xf5),
    raised: grey(0xe4),
    hovered: grey(0xd8),
    hairline: grey(0xd4),
    text: grey(0x1c),
    weak: grey(0x58),
    accent: Color32::from_rgb(0x00, 0x62, 0x9c),
    on_accent: grey(0xff),
    chosen: Color32::from_rgb(0xd3, 0xe7, 0xf4),
    amber: Color32::from_rgb(0x85, 0x55, 0x00),
    red: Color32::from_rgb(0xb0, 0x24, 0x1c),
    macro_track: Color32::from_rgb(0x00, 0x6b, 0x4e),
    micro_track: Color32::from_rgb(0x96, 0x38, 0x6c),
    human: Color32::from_rgb(0x6b, 0x5f, 0x00),
    on_human: grey(0xff),
    shade: grey(0xea),
    scrim: Color32::from_rgb(0x12, 0x12, 0x12),
};

impl Palette {
    #[must_use]
    pub const fn of(dark: bool) -> Self {
        if dark { DARK } else { LIGHT }
    }

    #[must_use]
    pub fn current(ui: &egui::Ui) -> Self {
        Self::of(ui.visuals().dark_mode)
    }

    #[must_use]
    pub const fn track(&self, kind: ExpressionKind) -> Color32 {
        match kind {
            ExpressionKind::Macro => self.macro_track,
            ExpressionKind::Micro => self.micro_track,
        }
    }

    #[must_use]
    pub const fn severity(&self, severity: Severity) -> Color32 {
        match severity {
            Severity::Info => self.weak,
            Severity::Warning => self.amber,
            Severity::Error => self.red,
        }
    }
}

/// Over a picture the theme does not matter: these are drawn on a dark halo.
pub mod over_picture {
    use egui::Color32;

    pub const FACE: Color32 = Color32::from_rgb(0x56, 0xb4, 0xe9);
    pub const OTHER_FACE: Color32 = Color32::from_rgb(0xc8, 0xc8, 0xc8);
    pub const LANDMARK: Color32 = Color32::from_rgb(0xff, 0xff, 0xff);
    pub const REGION: Color32 = Color32::from_rgb(0xf0, 0xe4, 0x42);
    pub const HALO: Color32 = Color32::from_rgba_premultiplied(0, 0, 0, 150);
    pub const TEXT: Color32 = Color32::from_rgb(0xff, 0xff, 0xff);
    /// Where a map ends.
    pub const EDGE: Color32 = Color32::from_rgba_premultiplied(110, 110, 110, 110);
}

/// A colour of a picture.
#[must_use]
pub const fn from_rgb(rgb: image::Rgb<u8>) -> Color32 {
    let [r, g, b] = rgb.0;
    Color32::from_rgb(r, g, b)
}

/// The name of the 11-point monospace style: times, frames and scores in rows.
#[must_use]
pub fn small_mono() -> TextStyle {
    TextStyle::Name("small mono".into())
}

/// Both themes' styles; call once for every context.
pub fn install(ctx: &egui::Context) {
    for (theme, palette) in [(Theme::Dark, DARK), (Theme::Light, LIGHT)] {
        ctx.style_mut_of(theme, |style| {
            style.visuals = visuals(theme, &palette);
            style.text_styles = [
                (TextStyle::Body, FontId::new(BODY, FontFamily::Proportional)),
                (
                    TextStyle::Button,
                    FontId::new(BODY, FontFamily::Proportional),
                ),
                (
                    TextStyle::Small,
                    FontId::new(LABEL, FontFamily::Proportional),
                ),
                (
                    TextStyle::Heading,
                    FontId::new(TITLE, FontFamily::Proportional),
                ),
                (
                    TextStyle::Monospace,
                    FontId::new(BODY, FontFamily::Monospace),
                ),
                (small_mono(), FontId::new(LABEL, FontFamily::Monospace)),
            ]
            .into();
            let s = &mut style.spacing;
            s.item_spacing = egui::vec2(GAP, GRID);
            s.button_padding = egui::vec2(GAP, GRID);
            s.window_margin = egui::Margin::same(8);
            s.menu_margin = egui::Margin::same(8);
            s.indent = SECTION;
            s.interact_size = egui::vec2(CONTROL, CONTROL);
            s.icon_width = 16.0;
            s.icon_width_inner = 8.0;
            s.icon_spacing = GAP;
            s.menu_spacing = GRID;
            s.scroll.bar_width = 8.0;
            s.scroll.floating_width = 4.0;
            s.scroll.bar_inner_margin = 4.0;
            s.scroll.bar_outer_margin = 0.0;
            style.interaction.tooltip_delay = 0.4;
            style.animation_time = 0.0;
            style.scroll_animation = egui::style::ScrollAnimation::none();
        });
    }
}

fn visuals(theme: Theme, p: &Palette) -> Visuals {
    let mut v = match theme {
        Theme::Dark => Visuals::dark(),
        Theme::Light => Visuals::light(),
    };
    v.panel_fill = p.panel;
    v.window_fill = p.panel;
    v.window_stroke = Stroke::new(1.0, p.hairline);
    v.extreme_bg_color = p.ground;
    v.faint_bg_color = p.raised;
    v.weak_text_color = Some(p.weak);
    v.hyperlink_color = p.accent;
    v.warn_fg_color = p.amber;
    v.error_fg_color = p.red;
    v.selection.bg_fill = p.chosen;
    v.selection.stroke = Stroke::new(1.0, p.accent);
    let shadow = egui::epaint::Shadow {
        offset: [0, 4],
        blur: 12,
        spread: 0,
        color: Color32::from_black_alpha(if v.dark_mode { 110 } else { 40 }),
    };
    v.window_shadow = shadow;
    v.popup_shadow = shadow;
    let radius = egui::CornerRadius::same(4);
    v.window_corner_radius = radius;
    v.menu_corner_radius = radius;
    v.slider_trailing_fill = true;
    v.disabled_alpha = 0.5;
    let w = &mut v.widgets;
    for (state, fill, line, ink) in [
        (&mut w.noninteractive, p.panel, p.hairline, p.text),
        (&mut w.inactive, p.raised, p.raised, p.text),
        (&mut w.hovered, p.hovered, p.hovered, p.text),
        (&mut w.active, p.hovered, p.accent, p.text),
        (&mut w.open, p.hovered, p.hovered, p.text),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, line);
        state.fg_stroke = Stroke::new(1.0, ink);
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    v
}

/// Contrast of two opaque colours by WCAG 2, 1..21.
#[must_use]
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let luminance = |c: Color32| {
        let linear = |v: u8| {
            let v = f32::from(v) / 255.0;
            if v <= 0.040_45 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b())
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_out_four_and_a_half_to_one_on_every_surface() {
        for (name, p) in [("dark", DARK), ("light", LIGHT)] {
            for (ink, colour) in [
                ("text", p.text),
                ("weak", p.weak),
                ("accent", p.accent),
                ("amber", p.amber),
                ("red", p.red),
                ("macro", p.macro_track),
                ("micro", p.micro_track),
            ] {
                for (on, surface) in [
                    ("surround", p.surround),
                    ("ground", p.ground),
                    ("panel", p.panel),
                    ("raised", p.raised),
                    ("shade", p.shade),
                ] {
                    let c = contrast(colour, surface);
                    assert!(c >= 4.5, "{name}: {ink} on {on} is {c:.2}:1");
                }
            }
            assert!(contrast(p.text, p.hovered) >= 4.5);
            assert!(contrast(p.on_accent, p.accent) >= 4.5);
            assert!(contrast(p.accent, p.chosen) >= 4.5);
            assert!(contrast(p.text, p.chosen) >= 4.5);
        }
    }

    #[test]
    fn kinds_warnings_and_the_accent_are_told_apart() {
        for p in [DARK, LIGHT] {
            let all = [p.accent, p.amber, p.red, p.macro_track, p.micro_track];
            for (i, a) in all.iter().enumerate() {
                for b in &all[i + 1..] {
                    let d = a
                        .to_array()
                        .iter()
                        .zip(b.to_array())
                        .map(|(x, y)| (f32::from(*x) - f32::from(y)).abs())
                        .fold(0.0, f32::max);
                    assert!(d >= 35.0, "{a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn every_distance_is_a_multiple_of_four() {
        let ctx = egui::Context::default();
        install(&ctx);
        for theme in [Theme::Dark, Theme::Light] {
            let style = ctx.style_of(theme);
            let s = &style.spacing;
            for d in [
                s.item_spacing.x,
                s.item_spacing.y,
                s.button_padding.x,
                s.button_padding.y,
                s.interact_size.x,
                s.interact_size.y,
                s.indent,
                s.icon_width,
                s.icon_spacing,
                s.menu_spacing,
                s.window_margin.leftf(),
                s.menu_margin.topf(),
                GAP,
                SECTION,
                CONTROL,
            ] {
                assert_eq!(d % GRID, 0.0, "{d}");
            }
            let sizes: Vec<f32> = style.text_styles.values().map(|f| f.size).collect();
            assert!(sizes.iter().all(|s| [11.0, 13.0, 16.0].contains(s)));
        }
    }
}
