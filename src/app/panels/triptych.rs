//! Under the picture: the onset of what is looked at, the frame on the screen, the apex,
//! and what has changed since the onset.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align, Color32, ComboBox, FontId, Galley, Label, Layout, Painter, Rect, RichText, Role,
    ScrollArea, Sense, Stroke, StrokeKind, TextStyle, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::app::arrangement::TriptychView;
use crate::app::command::Command;
use crate::app::keys;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::stills::{self, Moments};
use crate::app::theme::{self, Palette};
use crate::app::widgets::textures::Textures;
use crate::app::widgets::{row, still};
use crate::media::StillKey;

/// Under each picture: what it is, and when.
const CAPTIONS: f32 = 32.0;
/// Right of the pictures at least so much is left for words.
const WORDS: f32 = 128.0;
/// A head that has moved by more than this part of the face's box shows in the
/// difference at every edge: with a face of 128 px, more than a pixel.
const STILL_HEAD: f64 = 0.01;

const DOES: &str = "Onset, apex and difference";

/// Instead of the row: how to get it.
pub fn bar(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    ui.horizontal_centered(|ui| {
        if state.settings.triptych.shown {
            let text = "Select a candidate to see its onset, its apex and what changes between.";
            ui.add(Label::new(row::weak(ui, text)).truncate());
        } else if ui
            .small_button("Show onset, apex and difference")
            .on_hover_text(keys::tip(ui, DOES))
            .clicked()
        {
            out.push(Command::ToggleTriptych);
        }
    });
}

pub fn show(
    ui: &mut Ui,
    state: &AppState,
    moments: Moments,
    textures: &Textures,
    out: &mut Vec<Command>,
) {
    let Some(review) = &state.review else {
        return;
    };
    let area = ui.available_rect_before_wrap();
    let (onset, apex) = stills::triptych(review, moments);
    let aspect = aspect(review, onset);
    let high = area.height() - CAPTIONS;
    let widest = (area.width() - WORDS - 4.0 * theme::GAP) / 4.0;
    let wide = (high * aspect).min(widest).max(24.0).floor();
    let size = vec2(wide, (wide / aspect).floor());
    let cell = |i: f32| {
        let left = area.left() + i * (wide + theme::GAP);
        let top = area.top() + (0.5 * (high - size.y)).max(0.0).floor();
        Rect::from_min_size(pos2(left, top), size)
    };
    let row = Row {
        review,
        textures,
        onset,
    };
    row.still(ui, cell(0.0), "Onset", Some(onset), out);
    row.current(ui, cell(1.0));
    row.still(ui, cell(2.0), "Apex", apex, out);
    row.difference(ui, cell(3.0), state.settings.triptych.gain);
    let words = Rect::from_min_max(pos2(cell(4.0).left(), area.top()), area.max);
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(words)
            .layout(Layout::top_down(Align::Min)),
        |ui| {
            ScrollArea::vertical().show(ui, |ui| row.words(ui, state.settings.triptych, out));
        },
    );
}

/// Width over height of what of the region lies in the picture.
fn aspect(review: &Review, still: StillKey) -> f32 {
    let info = &review.session.info;
    let [x, y, w, h] = still.region.unwrap_or([0, 0, info.width, info.height]);
    let w = w.min(info.width.saturating_sub(x)).max(1);
    let h = h.min(info.height.saturating_sub(y)).max(1);
    (w as f32 / h as f32).clamp(0.25, 4.0)
}

struct Row<'a> {
    review: &'a Review,
    textures: &'a Textures,
    onset: StillKey,
}

impl Row<'_> {
    /// The onset or the apex: a click goes there.
    fn still(
        &self,
        ui: &mut Ui,
        rect: Rect,
        name: &str,
        key: Option<StillKey>,
        out: &mut Vec<Command>,
    ) {
        let Some(key) = key else {
            still::nothing(ui, rect, "not marked");
            caption(ui, rect, [vec![name.to_owned()], vec![]]);
            return;
        };
        let response = ui.interact(rect, ui.scope_id().with(("still", name)), Sense::click());
        let clock = self.review.time_of(key.frame).clock();
        let frame = grouped(key.frame);
        let says = format!(
            "Go to the {}, frame {frame}, {clock}",
            name.to_ascii_lowercase()
        );
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &says));
        still::show(ui, rect, &key, &self.review.stills, self.textures);
        if self.review.playback.frame == key.frame {
            marked(ui, rect);
        } else if response.hovered() {
            outline(ui, rect, Palette::current(ui).weak);
        }
        let what = vec![format!("{name} {frame}"), name.to_owned()];
        caption(ui, rect, [what, times(&clock)]);
        if response.on_hover_text(says).clicked() {
            out.push(Command::Pause);
            out.push(Command::Seek(key.frame));
        }
    }

    /// What was compared of what is looked at now; a frame behind while it plays.
    fn compared(&self) -> Option<u64> {
        let compared = self.review.compared.as_ref()?;
        (compared.reference == self.onset).then_some(compared.frame)
    }

    fn current(&self, ui: &mut Ui, rect: Rect) {
        let shown = self.compared().zip(self.textures.compared());
        let frame = shown.map_or(self.review.playback.frame, |(frame, _)| frame);
        let clock = self.review.time_of(frame).clock();
        match shown {
            Some((_, texture)) => still::paint(ui, rect, texture),
            None => still::nothing(ui, rect, ""),
        }
        let says = format!("The frame on the screen, {}, {clock}", grouped(frame));
        described(ui, rect, "current", &says);
        let frame = grouped(frame);
        let what = vec![
            format!("Current {frame}"),
            format!("Now {frame}"),
            "Now".to_owned(),
        ];
        caption(ui, rect, [what, times(&clock)]);
    }

    fn difference(&self, ui: &mut Ui, rect: Rect, gain: f32) {
        let texture = self.compared().and(self.textures.difference());
        match (texture, self.compared()) {
            (Some(texture), _) => still::paint(ui, rect, texture),
            (None, Some(_)) => still::nothing(ui, rect, "of two sizes"),
            (None, None) => still::nothing(ui, rect, ""),
        }
        let says = format!(
            "Current minus onset in luminance, {gain} times: grey where nothing changed, lighter \
             where it is brighter now, darker where it was brighter at the onset"
        );
        described(ui, rect, "difference", &says);
        let what = vec![
            format!("Difference ×{gain}"),
            format!("Diff. ×{gain}"),
            format!("×{gain}"),
        ];
        let of = ["current − onset", "now − onset", "− onset"];
        caption(ui, rect, [what, of.map(str::to_owned).to_vec()]);
    }

    fn words(&self, ui: &mut Ui, view: TriptychView, out: &mut Vec<Command>) {
        ui.spacing_mut().item_spacing = vec2(theme::GRID, theme::GRID);
        ui.horizontal(|ui| {
            let label = ui.label(row::weak(ui, "Gain"));
            ComboBox::from_id_salt("difference gain")
                .selected_text(format!("×{}", view.gain))
                .width(56.0)
                .show_ui(ui, |ui| {
                    for gain in TriptychView::GAINS {
                        let text = format!("×{gain}");
                        if ui.selectable_label(gain == view.gain, text).clicked() {
                            out.push(Command::DifferenceGain(gain));
                        }
                    }
                })
                .response
                .labelled_by(label.id)
                .on_hover_text("So many times the difference is shown");
            if ui
                .small_button("Hide")
                .on_hover_text(keys::tip(ui, DOES))
                .clicked()
            {
                out.push(Command::ToggleTriptych);
            }
        });
        ui.add(Label::new(row::weak(ui, "Lighter: brighter now than at the onset.")).wrap());
        let moved = self
            .compared()
            .and_then(|now| self.review.recording.head_shift(self.onset.frame, now));
        if let Some(moved) = moved.filter(|m| *m > STILL_HEAD) {
            let text = format!(
                "The head moved by {:.0} % of the face: its edges show in the difference.",
                100.0 * moved
            );
            let amber = Palette::current(ui).amber;
            let text = RichText::new(text)
                .text_style(TextStyle::Small)
                .color(amber);
            ui.add(Label::new(text).wrap());
        }
    }
}

fn described(ui: &Ui, rect: Rect, name: &str, says: &str) {
    let response = ui.interact(rect, ui.scope_id().with(("still", name)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, says));
    response.on_hover_text(says);
}

fn marked(ui: &Ui, rect: Rect) {
    outline(ui, rect, Palette::current(ui).accent);
}

fn outline(ui: &Ui, rect: Rect, ink: Color32) {
    let stroke = Stroke::new(2.0, ink);
    ui.painter()
        .rect_stroke(rect, 0.0, stroke, StrokeKind::Outside);
}

/// A time as it is written under a picture, the whole first. The hour is left out where there
/// is none.
fn times(clock: &str) -> Vec<String> {
    let whole = clock.strip_prefix("0:").unwrap_or(clock);
    let seconds = whole.split('.').next();
    let all = [Some(whole), seconds].into_iter().flatten();
    all.map(str::to_owned).collect()
}

/// Two lines under a picture, each in the most words that fit its width, the whole first.
/// Where that is not all, it is read by pointing there, and by a screen reader in any case.
fn caption(ui: &Ui, rect: Rect, [what, when]: [Vec<String>; 2]) {
    let p = Palette::current(ui);
    let below = Rect::from_min_size(rect.left_bottom(), vec2(rect.width(), CAPTIONS));
    let painter = ui.painter().with_clip_rect(below.intersect(ui.clip_rect()));
    let whole: Vec<String> = [what.first(), when.first()]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let whole = whole.join(", ");
    let id = ui.scope_id().with(("caption", what.last()));
    let response = ui.interact(below, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &whole));
    let small = TextStyle::Small.resolve(ui.style());
    let mut shortened = false;
    for (line, forms, font, ink) in [
        (2.0, what, small, p.text),
        (18.0, when, theme::small_mono().resolve(ui.style()), p.weak),
    ] {
        if let Some(text) = fitting(&painter, &forms, (font, ink), rect.width()) {
            shortened |= forms.first().is_some_and(|whole| *whole != text.text());
            painter.galley(below.left_top() + vec2(0.0, line), text, ink);
        }
    }
    if shortened {
        response.on_hover_text(whole);
    }
}

/// The first that fits; else as much of the last as does, with a sign that there is more.
fn fitting(
    painter: &Painter,
    forms: &[String],
    (font, ink): (FontId, Color32),
    width: f32,
) -> Option<Arc<Galley>> {
    let laid_out = |form: &String| painter.layout_no_wrap(form.clone(), font.clone(), ink);
    let all = forms.iter().map(laid_out);
    let mut fit = all.filter(|text| text.size().x <= width);
    fit.next().or_else(|| {
        let mut job = LayoutJob::simple_singleline(forms.last()?.clone(), font.clone(), ink);
        job.wrap = TextWrapping::truncate_at_width(width);
        Some(painter.layout_job(job))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_words_are_shown_as_fit_and_only_the_fewest_are_cut() {
        egui::__run_test_ui(|ui| {
            let forms = ["Current 1 204", "Now 1 204", "Now"].map(str::to_owned);
            let font = TextStyle::Small.resolve(ui.style());
            let ink = ui.visuals().text_color();
            let painter = ui.painter();
            let width = |form: &str| {
                let text = painter.layout_no_wrap(form.to_owned(), font.clone(), ink);
                text.size().x
            };
            let shown = |width: f32| {
                let text = fitting(painter, &forms, (font.clone(), ink), width);
                let text = text.expect("there is something to be said");
                (text.text().to_owned(), text.size().x)
            };
            assert_eq!(shown(width("Current 1 204")).0, "Current 1 204");
            assert_eq!(shown(width("Current 1 204") - 0.5).0, "Now 1 204");
            assert_eq!(shown(width("Now 1 204") - 0.5).0, "Now");
            let cut = width("Now") - 2.0;
            assert!(shown(cut).1 <= cut);
            assert!(fitting(painter, &[], (font.clone(), ink), 50.0).is_none());
        });
    }

    #[test]
    fn a_time_leaves_out_the_hour_that_is_none_and_then_the_parts_of_a_second() {
        assert_eq!(times("0:03:06.020"), ["03:06.020", "03:06"]);
        assert_eq!(times("2:03:06.020"), ["2:03:06.020", "2:03:06"]);
    }
}
