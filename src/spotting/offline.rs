//! From the scores of a whole recording to its expressions.
//!
//! The default decoding departs from the published one (see [`super::compat`]) in
//! what it demands and in what it reads:
//!
//! - **Threshold.** A peak of the smoothed score must reach median + 4·1.4826·MAD
//!   of the recording's quiet part ([`Quiet`](super::quiet::Quiet)) and an absolute
//!   floor in the unit of the score; above a ceiling in that unit nothing more is
//!   asked. The published mean + p·(max − mean) finds
//!   something in every recording, however quiet, and nothing but the largest
//!   expression beside a large one, so it is not asked at all.
//! - **Movements.** The control signal measures *change* over a window: a face that
//!   holds a smile scores nothing. An expression is therefore a movement away and
//!   the movement back, each a lobe of the score; onset is where the first lobe
//!   rises on the windows' last frames, offset where the second has fallen on the
//!   windows' first frames, whatever the window's length.
//! - **Kind.** Both windows' movements make one list, so an event that both see is
//!   one interval; it is micro when it lasts at most half a second from onset to
//!   offset. A movement whose return is not seen is never micro, and left out
//!   where a mask or an end leaves half a second of it or less. Without a short
//!   window (below 15 frames a second) nothing is called micro.
//! - **Parity.** Away and back look alike in strain. Where samples carry the signed
//!   motion of the regions, a return must undo its departure, and the face must be
//!   further from neutral between the two than around them.
//! - **Networks.** Their score marks *presence*: one block an expression. Where the
//!   control signal is given too, its movements place the ends.
//! - **Breaks.** Masked windows and gaps end a stretch; no interval reaches across.

use super::compat;
use super::expression::{Expression, Pairing, merge};
use super::movement::movements;
use super::params::{DecodeMode, DecodeParams, ScoreLevels, ScoreMeaning};
use super::posture::Posture;
use super::presence::{Block, blocks};
use super::probability::decode_probability;
use super::quiet::KindThreshold;
use super::series::Series;
use super::signal::{FrameClock, ScoreSample, Stretch, stretches};
use super::{ExpressionKind, IntervalStatus, SpottedInterval};

/// What is decoded: samples of both kinds in any order.
#[derive(Debug, Clone, Copy)]
pub struct DecodeInput<'a> {
    pub scores: &'a [ScoreSample],
    /// For a network's scores: the control signal (mean strain per ROI pixel), on
    /// which onset, apex and offset are placed. Without it the network's own block
    /// gives them.
    pub control: Option<&'a [ScoreSample]>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoding {
    /// By onset; they do not overlap, except in compat mode.
    pub intervals: Vec<SpottedInterval>,
    /// One for each kind that has scores.
    pub thresholds: Vec<KindThreshold>,
}

impl Decoding {
    /// The threshold of `kind` in the unit of its score; `None` without scores.
    #[must_use]
    pub fn threshold(&self, kind: ExpressionKind) -> Option<f64> {
        self.thresholds
            .iter()
            .find(|t| t.kind == kind)
            .map(|t| t.value)
    }
}

/// Spots the expressions of a recording.
#[must_use]
pub fn decode(input: &DecodeInput, params: &DecodeParams) -> Decoding {
    match (params.mode, params.meaning) {
        (DecodeMode::Compat, _) => decode_compat(input.scores, params),
        (DecodeMode::Default, ScoreMeaning::Change) => decode_change(input.scores, params),
        (DecodeMode::Default, ScoreMeaning::Presence) => decode_presence(input, params),
        (DecodeMode::Default, ScoreMeaning::Probability) => {
            decode_probability(input.scores, params)
        }
    }
}

fn decode_compat(scores: &[ScoreSample], params: &DecodeParams) -> Decoding {
    let mut done = Decoding::default();
    for kind in ExpressionKind::BOTH {
        let Some(series) = Series::new(scores, kind, params) else {
            continue;
        };
        let (intervals, value) = compat::decode_kind(scores, kind, series.span_frames, params.p);
        done.intervals.extend(intervals);
        done.thresholds.extend(value.map(|value| KindThreshold {
            kind,
            value,
            quiet: None,
            floor: None,
            ceiling: None,
        }));
    }
    done.intervals.sort_by_key(|i| (i.onset, i.offset, i.kind));
    done
}

/// The recording as all of the default decoding sees it.
struct Scene {
    macros: Option<Series>,
    micros: Option<Series>,
    stretches: Vec<Stretch>,
    clock: FrameClock,
}

impl Scene {
    fn new(scores: &[ScoreSample], params: &DecodeParams) -> Self {
        Self {
            macros: Series::new(scores, ExpressionKind::Macro, params),
            micros: Series::new(scores, ExpressionKind::Micro, params),
            stretches: stretches(scores),
            clock: FrameClock::new(scores),
        }
    }

    fn series(&self, kind: ExpressionKind) -> Option<&Series> {
        match kind {
            ExpressionKind::Macro => self.macros.as_ref(),
            ExpressionKind::Micro => self.micros.as_ref(),
        }
    }

    fn thresholds(&self, params: &DecodeParams) -> Vec<KindThreshold> {
        ExpressionKind::BOTH
            .into_iter()
            .filter_map(|kind| {
                let quiet = self.series(kind)?.smooth_quiet;
                let (floor, ceiling) = (params.floors.of(kind), params.ceilings.of(kind));
                let own = quiet.level(params.mad_factor);
                let own = ceiling.map_or(own, |c| own.min(c));
                Some(KindThreshold {
                    kind,
                    value: floor.map_or(own, |f| f.max(own)),
                    quiet: Some(quiet),
                    floor,
                    ceiling,
                })
            })
            .collect()
    }

    /// The stretch that holds the moment `secs`; the nearest one when none does.
    fn stretch_at(&self, secs: f64) -> Option<usize> {
        let away = |s: &Stretch| (s.start_secs - secs).max(secs - s.end_secs).max(0.0);
        let after = self.stretches.partition_point(|s| s.end_secs < secs);
        [after.checked_sub(1), Some(after)]
            .into_iter()
            .flatten()
            .filter(|&i| i < self.stretches.len())
            .min_by(|&a, &b| away(&self.stretches[a]).total_cmp(&away(&self.stretches[b])))
    }

    /// In frames, its kind by its duration; `None` when nothing is left of it or
    /// when it is too short for the windows at hand.
    fn interval(
        &self,
        found: &Expression,
        score: Option<f64>,
        params: &DecodeParams,
    ) -> Option<SpottedInterval> {
        let within = &self.stretches[found.stretch];
        let onset = self.clock.frame_at(found.onset, within);
        let offset = self.clock.frame_at(found.offset, within);
        if offset <= onset {
            return None;
        }
        let apex = self.clock.frame_at(found.apex, within).clamp(onset, offset);
        let lasted = match (self.clock.secs_of(onset), self.clock.secs_of(offset)) {
            (Some(a), Some(b)) => b - a,
            _ => found.offset - found.onset,
        };
        let kind = if lasted > params.longest_micro_secs + 1e-6 {
            ExpressionKind::Macro
        } else if found.whole && self.micros.is_some() {
            ExpressionKind::Micro
        } else {
            // Too short for the one and not known to be the other.
            return None;
        };
        let highest = |kind: ExpressionKind| {
            let series = self.series(kind)?;
            let half = 0.5 * series.span_secs;
            series.highest(found.onset - half, found.offset + half)
        };
        let score = score
            .or_else(|| highest(kind))
            .or_else(|| ExpressionKind::BOTH.into_iter().find_map(highest))?;
        Some(SpottedInterval {
            kind,
            onset,
            apex,
            offset,
            score,
            status: IntervalStatus::Proposed,
            provisional: false,
        })
    }

    /// Expressions of a change score, in time order.
    fn expressions(&self, thresholds: &[KindThreshold], params: &DecodeParams) -> Vec<Expression> {
        let of = |kind: ExpressionKind| {
            let threshold = thresholds.iter().find(|t| t.kind == kind);
            self.series(kind)
                .zip(threshold)
                .map_or_else(Vec::new, |(series, t)| movements(series, t.value))
        };
        let all = merge(of(ExpressionKind::Micro), of(ExpressionKind::Macro));
        let posture = self
            .micros
            .as_ref()
            .or(self.macros.as_ref())
            .map(Posture::new);
        let pairing = Pairing {
            posture: posture.as_ref(),
            params,
            // Its own lobes cannot vouch for themselves without a shorter window.
            long: self.macros.as_ref().filter(|_| self.micros.is_some()),
        };
        // Both ascend in time, so each stretch's movements are one slice.
        let mut found = Vec::new();
        let mut from = 0;
        for (index, stretch) in self.stretches.iter().enumerate() {
            let mine = all[from..]
                .iter()
                .take_while(|m| self.stretch_at(m.peak) == Some(index))
                .count();
            found.extend(pairing.expressions(&all[from..from + mine], stretch, index));
            from += mine;
        }
        found
    }
}

fn decode_change(scores: &[ScoreSample], params: &DecodeParams) -> Decoding {
    let scene = Scene::new(scores, params);
    let thresholds = scene.thresholds(params);
    let intervals = scene
        .expressions(&thresholds, params)
        .iter()
        .filter_map(|e| scene.interval(e, None, params))
        .collect();
    Decoding {
        intervals: apart(intervals),
        thresholds,
    }
}

/// Share of the shorter of two blocks that makes them the same event.
const SAME_EVENT: f64 = 0.3;

fn decode_presence(input: &DecodeInput, params: &DecodeParams) -> Decoding {
    let scene = Scene::new(input.scores, params);
    let thresholds = scene.thresholds(params);
    let mut candidates: Vec<Block> = thresholds
        .iter()
        .filter_map(|t| Some(blocks(scene.series(t.kind)?, t)))
        .flatten()
        .collect();
    candidates.sort_by(|a, b| {
        b.strength
            .total_cmp(&a.strength)
            .then(a.onset.total_cmp(&b.onset))
    });

    // One event seen by both networks: the surer one speaks for it.
    let mut chosen: Vec<Block> = Vec::new();
    for block in candidates {
        if chosen
            .iter()
            .all(|c| shared_part(c.onset, c.offset, block.onset, block.offset) < SAME_EVENT)
        {
            chosen.push(block);
        }
    }

    let refined = input.control.map(|control| {
        let params = DecodeParams {
            meaning: ScoreMeaning::Change,
            floors: ScoreLevels::CONTROL_FLOORS,
            ceilings: ScoreLevels::CONTROL_CEILINGS,
            ..params.clone()
        };
        let scene = Scene::new(control, &params);
        scene.expressions(&scene.thresholds(&params), &params)
    });
    let mut intervals: Vec<SpottedInterval> = chosen
        .iter()
        .filter_map(|block| {
            let own = Expression {
                stretch: scene.stretch_at(block.apex)?,
                onset: block.onset,
                apex: block.apex,
                offset: block.offset,
                whole: true,
            };
            let moved = refined.iter().flatten().filter(|e| e.whole).max_by(|a, b| {
                let part = |e: &Expression| shared_part(e.onset, e.offset, own.onset, own.offset);
                part(a).total_cmp(&part(b))
            });
            let placed = moved
                .filter(|e| shared_part(e.onset, e.offset, own.onset, own.offset) >= SAME_EVENT)
                .map_or(own.clone(), |e| Expression {
                    stretch: own.stretch,
                    ..e.clone()
                });
            scene.interval(&placed, Some(block.score), params)
        })
        .collect();
    intervals.sort_by(|a, b| {
        (a.onset, a.offset)
            .cmp(&(b.onset, b.offset))
            .then(b.score.total_cmp(&a.score))
    });
    Decoding {
        intervals: apart(intervals),
        thresholds,
    }
}

/// Overlap as a part of the shorter one.
fn shared_part(a0: f64, a1: f64, b0: f64, b1: f64) -> f64 {
    let shorter = (a1 - a0).min(b1 - b0).max(f64::MIN_POSITIVE);
    (a1.min(b1) - a0.max(b0)).max(0.0) / shorter
}

/// Makes intervals sorted by onset disjoint: a repeated one is dropped, of two that
/// touch the earlier one gives way at its end.
fn apart(intervals: Vec<SpottedInterval>) -> Vec<SpottedInterval> {
    let mut done: Vec<SpottedInterval> = Vec::with_capacity(intervals.len());
    for mut next in intervals {
        if let Some(before) = done.last_mut()
            && next.onset <= before.offset
        {
            if next.offset <= before.offset {
                continue;
            }
            if next.onset > before.apex {
                before.offset = next.onset - 1;
            } else {
                next.onset = before.offset + 1;
                next.apex = next.apex.max(next.onset);
            }
            if next.onset >= next.offset {
                continue;
            }
        }
        done.push(next);
    }
    done
}
