//! Fills a report from what the analysis and the coders know of a recording.

use std::collections::BTreeSet;

use super::expressions::{self, Told};
use super::{
    Apart, Bar, ClassRead, CoderAgreement, Coding, Expression, Facts, KindCounts, Lane, LeftOut,
    Method, Moment, Moments, Pictures, Rated, Reading, Report, Spotted, Tier, Timeline, UnitRead,
    not_measured,
};
use crate::base::{Timestamp, stats};
use crate::metrics::agreement::{self, Agreement, Coded, Presence, Ratings, Shift};
use crate::project::results::Summary;
use crate::recognition::Recognition;
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::annotation::Candidate;
use crate::timeline::{Annotation, Recording, ScoreSource};

/// What a report is made from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub recording: &'a Recording,
    /// Of all coders and any status.
    pub annotations: &'a [Annotation],
    /// Candidates of the analysis. An annotation that was made from one decides on it;
    /// without any, the candidate's own status counts.
    pub candidates: &'a [SpottedInterval],
    pub summary: &'a Summary,
    pub pictures: &'a Pictures,
    /// When the report is written, as it is to be read.
    pub date: &'a str,
}

impl Report {
    #[must_use]
    pub fn of_recording(sources: &Sources) -> Self {
        let filling = Filling {
            from: *sources,
            step_secs: step_secs(sources.recording),
            told: expressions::told(sources.annotations, sources.candidates),
        };
        let summary = sources.summary;
        Self {
            recording: summary.recording.name.clone(),
            date: sources.date.to_owned(),
            limits: summary.limits.clone(),
            facts: filling.facts(),
            timeline: filling.timeline(),
            expressions: filling
                .told
                .iter()
                .map(|told| filling.expression(told))
                .collect(),
            left_out: filling.left_out(),
            agreement: filling.agreement(),
            method: Method::of(summary),
            warnings: summary.warnings.clone(),
        }
    }
}

/// Median distance of frames; a thirtieth of a second where it cannot be known.
fn step_secs(recording: &Recording) -> f64 {
    let steps = recording.frames.windows(2).map(|pair| {
        let frames = pair[1].frame.saturating_sub(pair[0].frame).max(1);
        pair[1].timestamp.secs_since(pair[0].timestamp) / frames as f64
    });
    let steps: Vec<f64> = steps.collect();
    stats::median(&steps)
        .filter(|step| *step > 0.0)
        .unwrap_or(1.0 / 30.0)
}

struct Filling<'a> {
    from: Sources<'a>,
    step_secs: f64,
    told: Vec<Told<'a>>,
}

impl Filling<'_> {
    /// By the recording's own times; where a frame has none, counted on from the last
    /// one before it.
    fn time_of(&self, frame: u64) -> Timestamp {
        let frames = &self.from.recording.frames;
        let after = frames.partition_point(|r| r.frame <= frame);
        let last = after.checked_sub(1).map(|at| &frames[at]);
        let (known, since) = last.map_or((0, Timestamp::ZERO), |r| (r.frame, r.timestamp));
        since.plus_secs(frame.saturating_sub(known) as f64 * self.step_secs)
    }

    fn moment(&self, frame: u64) -> Moment {
        Moment {
            frame,
            time: self.time_of(frame),
        }
    }

    fn moments(&self, onset: u64, apex: Option<u64>, offset: u64) -> Moments {
        Moments {
            onset: self.moment(onset),
            apex: apex.map(|apex| self.moment(apex)),
            offset: self.moment(offset),
            end: self.end_of(offset),
        }
    }

    /// When a frame gave way to the next one.
    fn end_of(&self, frame: u64) -> Timestamp {
        let shown = self.from.recording.shown_secs(frame);
        (self.time_of(frame)).plus_secs(shown.unwrap_or(self.step_secs))
    }

    /// To the end of the last frame; as the summary has it where no frame was told.
    fn duration_secs(&self) -> f64 {
        let recording = self.from.recording;
        if recording.frames.is_empty() {
            self.from.summary.recording.duration_secs
        } else {
            recording.length_secs()
        }
    }

    fn coders(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = (self.from.annotations.iter())
            .map(|a| a.coder.as_str())
            .collect();
        names.into_iter().collect()
    }

    fn facts(&self) -> Facts {
        let Summary {
            recording, face, ..
        } = self.from.summary;
        let counts = ExpressionKind::BOTH.map(|kind| {
            let of_kind = self.from.candidates.iter().filter(|c| c.kind == kind);
            let states: Vec<IntervalStatus> = of_kind
                .map(|c| expressions::decision(c, self.from.annotations))
                .collect();
            let count = |status| states.iter().filter(|s| **s == status).count();
            let found = self.from.annotations.iter().filter(|a| {
                a.kind == kind && a.candidate.is_none() && a.status != IntervalStatus::Rejected
            });
            KindCounts {
                kind,
                accepted: count(IntervalStatus::Accepted),
                rejected: count(IntervalStatus::Rejected),
                undecided: count(IntervalStatus::Proposed),
                found_by_people: found.count(),
            }
        });
        Facts {
            duration_secs: self.duration_secs(),
            frames: recording.frames,
            measured_fps: recording.measured_fps,
            nominal_fps: recording.nominal_fps,
            width: recording.width,
            height: recording.height,
            size_bytes: recording.size_bytes,
            fingerprint: recording.fingerprint.clone(),
            found_share: face.found_share,
            others_share: face.others_share,
            dropped: recording.dropped,
            coders: self.coders().into_iter().map(str::to_owned).collect(),
            counts: counts.to_vec(),
        }
    }

    fn timeline(&self) -> Timeline {
        let recording = self.from.recording;
        let lanes = ExpressionKind::BOTH.into_iter().filter_map(|kind| {
            let facts = self.from.summary.scores.get(&kind)?;
            // This kind was not looked for.
            facts.window_frames?;
            let samples = recording.scores.get(&kind).map_or(&[][..], Vec::as_slice);
            let usable = |s: &crate::spotting::signal::ScoreSample| {
                (s.masked.is_none() && s.score.is_finite()).then_some(s.score)
            };
            let of_kind = self.from.candidates.iter().filter(|c| c.kind == kind);
            Some(Lane {
                kind,
                source: facts.source_label.clone(),
                unit: match facts.source {
                    ScoreSource::Control => "strain (px per px)".to_owned(),
                    _ => "network score (no unit)".to_owned(),
                },
                curve: samples
                    .iter()
                    .map(|s| (s.centre_secs(), usable(s)))
                    .collect(),
                threshold: facts.threshold,
                candidates: of_kind.map(|c| self.candidate_bar(c)).collect(),
                not_measured: not_measured::of_scores(samples),
            })
        });
        let tiers = self.coders().into_iter().map(|coder| Tier {
            coder: coder.to_owned(),
            bars: (self.from.annotations.iter())
                .filter(|a| a.coder == coder)
                .map(|a| self.annotation_bar(a))
                .collect(),
        });
        Timeline {
            duration_secs: self.duration_secs(),
            lanes: lanes.collect(),
            tiers: tiers.collect(),
            not_measured: not_measured::of_frames(&recording.frames),
        }
    }

    fn candidate_bar(&self, c: &SpottedInterval) -> Bar {
        let wanted = Candidate::from(c);
        let at = self.told.iter().position(|t| t.is_from(Some(&wanted)));
        Bar {
            kind: c.kind,
            onset: self.time_of(c.onset).secs(),
            apex: Some(self.time_of(c.apex).secs()),
            offset: self.end_of(c.offset).secs(),
            status: expressions::decision(c, self.from.annotations),
            number: at.map(|at| at + 1),
        }
    }

    fn annotation_bar(&self, a: &Annotation) -> Bar {
        let speaks = |t: &Told| t.annotations.iter().any(|known| known.id == a.id);
        Bar {
            kind: a.kind,
            onset: self.time_of(a.onset).secs(),
            apex: a.apex.map(|apex| self.time_of(apex).secs()),
            offset: self.end_of(a.offset).secs(),
            status: a.status,
            number: self.told.iter().position(speaks).map(|at| at + 1),
        }
    }

    fn expression(&self, told: &Told) -> Expression {
        let (onset, apex, offset) = told.frames();
        let lead = told.lead();
        let spotted = told.spotted.as_ref();
        let kind = lead.map(|a| a.kind).or(spotted.map(|c| c.kind));
        let recognised = spotted.and_then(|c| {
            let known = self.from.recording.recognised.get(&(c.onset, c.apex));
            known.map(|r| reading(c, &r.recognition))
        });
        Expression {
            kind: kind.unwrap_or(ExpressionKind::Micro),
            moments: self.moments(onset, apex, offset),
            set_by: lead.map(|a| a.coder.clone()),
            shown: (self.from.pictures).shown(self.from.recording, told.frames()),
            spotted: spotted.map(|c| Spotted {
                kind: c.kind,
                moments: self.moments(c.onset, Some(c.apex), c.offset),
                score: c.score,
            }),
            codings: told.annotations.iter().map(|a| self.coding(a)).collect(),
            reading: recognised,
        }
    }

    fn coding(&self, a: &Annotation) -> Coding {
        Coding {
            coder: a.coder.clone(),
            kind: a.kind,
            status: a.status,
            moments: self.moments(a.onset, a.apex, a.offset),
            units: a.units.clone(),
            emotion: a.emotion.clone(),
            confidence: a.confidence,
            note: a.note.clone(),
            contradiction: a.contradiction().map(str::to_owned),
        }
    }

    fn left_out(&self) -> Vec<LeftOut> {
        let mut list = Vec::new();
        for c in self.from.candidates {
            let status = expressions::decision(c, self.from.annotations);
            if status == IntervalStatus::Accepted {
                continue;
            }
            let about = self
                .from
                .annotations
                .iter()
                .filter(|a| expressions::is_about(a, c));
            let about: Vec<&Annotation> = about.collect();
            list.push(LeftOut {
                kind: c.kind,
                moments: self.moments(c.onset, Some(c.apex), c.offset),
                status,
                coders: about.iter().map(|a| a.coder.clone()).collect(),
                score: Some(c.score),
                note: notes(&about),
            });
        }
        // Rejected without a candidate, or of one that a newer analysis does not know.
        for a in self.from.annotations {
            let listed = self.from.candidates.iter().any(|c| {
                expressions::is_about(a, c)
                    && expressions::decision(c, self.from.annotations) != IntervalStatus::Accepted
            });
            let told = |t: &Told| t.annotations.iter().any(|b| b.id == a.id);
            if a.status == IntervalStatus::Rejected && !listed && !self.told.iter().any(told) {
                list.push(LeftOut {
                    kind: a.kind,
                    moments: self.moments(a.onset, a.apex, a.offset),
                    status: a.status,
                    coders: vec![a.coder.clone()],
                    score: a.candidate.as_ref().map(|c| c.score),
                    note: notes(&[a]),
                });
            }
        }
        list.sort_by_key(|l| (l.moments.onset.frame, l.kind));
        list
    }

    fn agreement(&self) -> Vec<CoderAgreement> {
        let last = self.from.recording.frames.last().map_or(0, |r| r.frame + 1);
        let time_of = |frame| self.time_of(frame);
        let coded = Coded {
            annotations: self.from.annotations,
            frames: last,
            time_of: &time_of,
        };
        let pairs = agreement::pairwise(&[coded], &self.coders(), agreement::Params::default());
        pairs.iter().map(compared).collect()
    }
}

fn notes(annotations: &[&Annotation]) -> String {
    let notes = annotations.iter().map(|a| a.note.trim());
    let notes: Vec<&str> = notes.filter(|note| !note.is_empty()).collect();
    notes.join("\n")
}

fn reading(c: &Candidate, said: &Recognition) -> Reading {
    Reading {
        onset: c.onset,
        apex: c.apex,
        units: (said.units.iter())
            .map(|u| UnitRead {
                unit: u.unit,
                probability: u.probability,
                present: u.present,
                side: u.side,
            })
            .collect(),
        class: said.class.as_ref().map(|class| ClassRead {
            named: class.label().map(|(name, p)| (name.to_owned(), p)),
            ambiguous: class.uncertainty.aleatoric,
            unfamiliar: class.uncertainty.epistemic,
        }),
    }
}

fn compared(a: &Agreement) -> CoderAgreement {
    let Presence {
        per_frame,
        per_interval,
    } = &a.kinds;
    let rated = |r: &Ratings| Rated {
        count: r.total,
        agreement: r.agreement,
        kappa: r.kappa,
    };
    let apart = |s: &Shift| Apart {
        count: s.count,
        frames: s.frames.map(|spread| spread.mean_absolute),
        millis: s.ms.map(|spread| spread.mean_absolute),
    };
    let units = &a.units;
    CoderAgreement {
        coders: a.coders.clone(),
        least_overlap: a.params.least_overlap,
        found: [a.found.both, a.found.first, a.found.second],
        f1: a.found.f1(),
        r: [units.by_number, units.with_side, units.with_intensity].map(|index| index.r()),
        per_frame: rated(per_frame),
        per_interval: rated(per_interval),
        emotions: rated(&a.emotions.ratings),
        apart: [&a.onset, &a.apex, &a.offset].map(apart),
    }
}
