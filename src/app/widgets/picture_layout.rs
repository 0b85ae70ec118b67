//! Where the original and the square views beside it stand. Pure geometry.

use egui::{Rect, Vec2, pos2, vec2};

use crate::app::theme::GAP;

/// Above each picture, for its name.
pub const CAPTION: f32 = 20.0;

#[derive(Debug, Clone, PartialEq)]
pub struct PictureLayout {
    pub original: Rect,
    pub views: Vec<Rect>,
}

/// A view as wide as the crop it shows is worth about three times its area in the
/// original, where the face is a part of the picture.
const VIEW_WORTH: f32 = 3.0;

/// A view lower than this part of the original is a thumbnail: only where nothing else fits.
const SMALLEST_SHARE: f32 = 0.3;

/// As much of `area` as it takes: the original with `aspect` (width over height)
/// and `views` squares in one or two columns beside it or in a row below, whichever
/// leaves the most to see; `stacked` below wherever there is room, as high as the original
/// where they can be. No view stands higher than the original, and every picture has
/// [`CAPTION`] free above it.
#[must_use]
pub fn arrange(area: Rect, aspect: f32, views: usize, stacked: bool) -> PictureLayout {
    if views == 0 {
        return PictureLayout {
            original: fit(area, aspect),
            views: vec![],
        };
    }
    let mut best: Option<PictureLayout> = None;
    let mut side = 24.0;
    while side < area.width().max(area.height()) {
        let columns = if stacked { 0 } else { views.min(2) };
        let beside = (1..=columns).map(|columns| beside(area, aspect, views, columns, side));
        for candidate in beside.chain([below(area, aspect, views, side)]).flatten() {
            // Several views must not make the original the smallest picture.
            if views > 1 && 1.5 * side > candidate.original.height() {
                continue;
            }
            let worth = |l| worth(l, stacked);
            if best.as_ref().is_none_or(|b| worth(&candidate) > worth(b)) {
                best = Some(candidate);
            }
        }
        side += 1.0;
    }
    if stacked && best.is_none() {
        return arrange(area, aspect, views, false);
    }
    // Not even thumbnails fit: the original alone, the views of no size in its corner.
    best.unwrap_or_else(|| {
        let original = fit(area, aspect);
        PictureLayout {
            original,
            views: vec![Rect::from_min_size(original.max, Vec2::ZERO); views],
        }
    })
}

/// First whether the views can be read beside the original, then how much there is to see;
/// stacked the more alike in height the better, for the one is held against the other.
fn worth(l: &PictureLayout, stacked: bool) -> (bool, f32) {
    let side = l.views.first().map_or(0.0, Rect::height);
    let seen = l.original.area() + VIEW_WORTH * l.views.iter().map(|r| r.area()).sum::<f32>();
    let worth = if stacked { side } else { seen };
    (SMALLEST_SHARE * l.original.height() <= side, worth)
}

/// Columns of squares at the right, no higher than the original.
fn beside(
    area: Rect,
    aspect: f32,
    views: usize,
    columns: usize,
    side: f32,
) -> Option<PictureLayout> {
    let rows = views.div_ceil(columns);
    let (c, r) = (columns as f32, rows as f32);
    let width = c * side + (c - 1.0) * GAP;
    let height = r * (side + CAPTION) + (r - 1.0) * GAP;
    let left = area.width() - width - GAP;
    if left < side {
        return None;
    }
    let original = fit(
        Rect::from_min_size(area.min, vec2(left, area.height())),
        aspect,
    );
    if height > original.height() + CAPTION {
        return None;
    }
    let (x0, y0) = (original.right() + GAP, original.top());
    let views = (0..views)
        .map(|i| {
            let (row, column) = ((i / columns) as f32, (i % columns) as f32);
            let at = pos2(
                x0 + column * (side + GAP),
                y0 + row * (side + CAPTION + GAP),
            );
            Rect::from_min_size(at, Vec2::splat(side))
        })
        .collect();
    Some(balanced(area, PictureLayout { original, views }))
}

/// One row of squares under the original, no wider than it.
fn below(area: Rect, aspect: f32, views: usize, side: f32) -> Option<PictureLayout> {
    let n = views as f32;
    let width = n * side + (n - 1.0) * GAP;
    let left = area.height() - side - CAPTION - GAP;
    if width > area.width() || left < side + CAPTION {
        return None;
    }
    let original = fit(
        Rect::from_min_size(area.min, vec2(area.width(), left)),
        aspect,
    );
    if original.height() < side {
        return None;
    }
    let x0 = (area.center().x - 0.5 * width).round();
    let y0 = original.bottom() + GAP + CAPTION;
    let views = (0..views)
        .map(|i| Rect::from_min_size(pos2(x0 + i as f32 * (side + GAP), y0), Vec2::splat(side)))
        .collect();
    Some(balanced(area, PictureLayout { original, views }))
}

/// The largest rectangle of that aspect under its caption, in the middle.
fn fit(area: Rect, aspect: f32) -> Rect {
    let space = Rect::from_min_max(pos2(area.left(), area.top() + CAPTION), area.max);
    let (w, h) = (space.width().max(1.0), space.height().max(1.0));
    let size = if w / h > aspect {
        vec2(h * aspect, h)
    } else {
        vec2(w, w / aspect)
    };
    let min = pos2(
        (space.center().x - 0.5 * size.x).round(),
        (space.center().y - 0.5 * size.y).round(),
    );
    Rect::from_min_size(min, size.floor())
}

/// Moves the group so that what is left over stands on both sides.
fn balanced(area: Rect, mut l: PictureLayout) -> PictureLayout {
    let all = l.views.iter().fold(l.original, |a, r| a.union(*r));
    let all = Rect::from_min_max(pos2(all.left(), all.top() - CAPTION), all.max);
    let by = vec2(
        (area.center().x - all.center().x).round(),
        (area.center().y - all.center().y).round(),
    );
    l.original = l.original.translate(by);
    for r in &mut l.views {
        *r = r.translate(by);
    }
    l
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stay_inside_and_never_overlap() {
        for (w, h) in [
            (720.0, 430.0),
            (500.0, 700.0),
            (1360.0, 760.0),
            (320.0, 240.0),
        ] {
            let area = Rect::from_min_size(pos2(200.0, 40.0), vec2(w, h));
            for aspect in [4.0 / 3.0, 16.0 / 9.0, 0.5] {
                for views in 0..=4 {
                    let l = arrange(area, aspect, views, false);
                    assert_eq!(l.views.len(), views, "{w}×{h}");
                    let mut all = l.views.clone();
                    all.push(l.original);
                    for (i, a) in all.iter().enumerate() {
                        let with_caption =
                            Rect::from_min_max(pos2(a.left(), a.top() - CAPTION), a.max);
                        assert!(
                            area.expand(1.0).contains_rect(with_caption),
                            "{w}×{h} {aspect} {views}: {with_caption:?}"
                        );
                        for b in &all[i + 1..] {
                            assert!(!a.shrink(0.5).intersects(*b), "{w}×{h} {aspect} {views}");
                        }
                    }
                    let seen = l.original.width() / l.original.height();
                    assert!((seen / aspect - 1.0).abs() < 0.05);
                    assert!(l.views.iter().all(|v| v.height() <= l.original.height()));
                }
            }
        }
    }

    #[test]
    fn stacked_views_stand_below_where_there_is_room_and_beside_where_there_is_none() {
        let area = Rect::from_min_size(pos2(0.0, 0.0), vec2(720.0, 430.0));
        let wide = arrange(area, 4.0 / 3.0, 1, false);
        assert!(wide.views[0].left() > wide.original.right());
        let stacked = arrange(area, 4.0 / 3.0, 1, true);
        assert!(stacked.views[0].top() > stacked.original.bottom());
        // As high as the original, but for a rounding: no thumbnail under it.
        let (original, view) = (stacked.original.height(), stacked.views[0].height());
        assert!(
            view <= original && original < view + 3.0,
            "{original}, {view}"
        );
        let flat = Rect::from_min_size(pos2(0.0, 0.0), vec2(720.0, 90.0));
        assert_eq!(
            arrange(flat, 4.0 / 3.0, 1, true),
            arrange(flat, 4.0 / 3.0, 1, false)
        );
    }
}
