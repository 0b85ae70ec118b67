//! Every colour, size and distance of the window.
//!
//! Colours carry one meaning each: amber is "provisional" and warnings, red is loss and
//! error, one blue is what can be acted on. Which they are stands in [`super::palette`].
//! Contrast is tested here: 4.5:1 for text and marks alike.

#![allow(
    clippy::disallowed_methods,
    reason = "this file and palette.rs are the ones that name colours"
)]

use egui::{Color32, Context, FontFamily, FontId, Id, Stroke, TextStyle, Theme, Visuals};

pub use super::palette::{Colours, Palette};

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

/// For whose eyes the context paints.
#[must_use]
pub fn colours(ctx: &Context) -> Colours {
    ctx.data(|d| d.get_temp(place())).unwrap_or_default()
}

/// Makes the context paint for these eyes; nothing happens where it does already.
pub fn follow(ctx: &Context, chosen: Colours) {
    if colours(ctx) == chosen {
        return;
    }
    ctx.data_mut(|d| d.insert_temp(place(), chosen));
    for theme in [Theme::Dark, Theme::Light] {
        let palette = Palette::of(theme == Theme::Dark, chosen);
        ctx.style_mut_of(theme, |style| style.visuals = visuals(theme, &palette));
    }
    ctx.request_repaint();
}

fn place() -> Id {
    Id::unique("colours")
}

/// Both themes' styles; call once for every context.
pub fn install(ctx: &Context) {
    for theme in [Theme::Dark, Theme::Light] {
        let palette = Palette::of(theme == Theme::Dark, Colours::Standard);
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

    /// Every palette by its name.
    fn palettes() -> impl Iterator<Item = (String, Palette)> {
        [true, false].into_iter().flat_map(|dark| {
            let theme = if dark { "dark" } else { "light" };
            Colours::ALL.map(|c| (format!("{theme}, {}", c.name()), Palette::of(dark, c)))
        })
    }

    #[test]
    fn text_and_marks_stand_out_four_and_a_half_to_one_on_every_surface() {
        for (name, p) in palettes() {
            let high = name.ends_with(Colours::HighContrast.name());
            for (ink, colour) in [
                ("text", p.text),
                ("weak", p.weak),
                ("accent", p.accent),
                ("amber", p.amber),
                ("red", p.red),
                ("macro", p.macro_track),
                ("micro", p.micro_track),
                ("human", p.human),
            ] {
                for (on, surface) in [
                    ("surround", p.surround),
                    ("ground", p.ground),
                    ("panel", p.panel),
                    ("raised", p.raised),
                    ("shade", p.shade),
                ] {
                    let c = contrast(colour, surface);
                    let least = if high { 7.0 } else { 4.5 };
                    assert!(c >= least, "{name}: {ink} on {on} is {c:.2}:1");
                }
            }
            for (what, c) in [
                ("text on hovered", contrast(p.text, p.hovered)),
                ("text on the accent", contrast(p.on_accent, p.accent)),
                ("accent on chosen", contrast(p.accent, p.chosen)),
                ("text on chosen", contrast(p.text, p.chosen)),
                ("text on human", contrast(p.on_human, p.human)),
            ] {
                assert!(c >= 4.5, "{name}: {what} is {c:.2}:1");
            }
            if high {
                assert!(contrast(p.hairline, p.panel) >= 3.0, "{name}");
                assert!(contrast(p.text, p.panel) >= 15.0, "{name}");
            }
        }
    }

    #[test]
    fn the_context_follows_the_choice_in_both_themes_and_back() {
        let ctx = Context::default();
        install(&ctx);
        let standard = ctx.style_of(Theme::Dark).visuals.clone();
        follow(&ctx, Colours::RedGreen);
        assert_eq!(colours(&ctx), Colours::RedGreen);
        for theme in [Theme::Dark, Theme::Light] {
            let p = Palette::of(theme == Theme::Dark, Colours::RedGreen);
            let style = ctx.style_of(theme);
            assert_eq!(style.visuals.error_fg_color, p.red);
            assert_eq!(style.spacing.indent, SECTION, "the rest of the style stays");
        }
        follow(&ctx, Colours::Standard);
        assert_eq!(ctx.style_of(Theme::Dark).visuals, standard);
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
