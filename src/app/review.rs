//! The recording that is open, as the panels read it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::backend::OpenedSession;
use super::camera_side::RecordingNews;
use super::coder::waiting::Waiting;
use super::coding::{Coding, SAME_IOU, SpotKey, key_of};
use super::coverage::Coverage;
use super::disagreements::Disagreements;
use super::ghosts::Ghosts;
use super::time_view::TimeView;
use super::trace;
use super::views_wanted::ViewsBehind;
use crate::base::Timestamp;
use crate::face::crop::HeldCrop;
use crate::media::recall::RECALL_SECS;
use crate::media::{Compared, FilmStrip, Frame, StillShelf};
use crate::session::SessionStatus;
use crate::session::facts::AnalysisFacts;
use crate::session::moment_attention::MomentAttention;
use crate::session::views::Views;
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::decimate::MinMaxSeries;
use crate::timeline::event::{FaceRecord, Recognised, UnitSample};
use crate::timeline::{Annotation, AnnotationId, Event, Recording};

/// What is played, and what of it is on the screen.
#[derive(Debug, Clone, Default)]
pub struct Playback {
    pub playing: bool,
    /// The frame asked for; the picture may still be a little behind.
    pub frame: u64,
    /// The frame that was asked for and is not there yet.
    pub sought: Option<u64>,
    /// Frames that are played over and over.
    pub looped: Option<(u64, u64)>,
    pub picture: Option<Frame>,
    /// Increases whenever the picture changes: the texture follows it.
    pub picture_count: u64,
}

/// How the timeline is looked at.
#[derive(Debug, Clone, Default)]
pub struct TimelineState {
    /// `None` shows the whole recording, or the last half minute of a camera.
    pub view: Option<TimeView>,
    /// Selected by dragging, in seconds, start before end.
    pub selection: Option<(f64, f64)>,
    /// Scores below are hidden in list and timeline; moved by dragging the line.
    pub floors: BTreeMap<ExpressionKind, f64>,
}

#[derive(Debug, Clone)]
pub struct Review {
    pub session: OpenedSession,
    /// Shared with what is written of it on other threads.
    pub recording: Arc<Recording>,
    pub coverage: Coverage,
    /// The recording's last frame, where the player has come to it; of a camera none is.
    pub last_frame: Option<u64>,
    /// The furthest frame that was decoded for playing, and when it is shown: a recording may
    /// be longer than it says. Of a camera none is.
    pub decoded: Option<(u64, Timestamp)>,
    pub status: SessionStatus,
    pub playback: Playback,
    pub views: Views,
    /// Whether the magnified one of [`Review::views`] is to be taken with care.
    pub ghosts: Ghosts,
    /// Whether [`Review::views`] are of another frame than the one on the screen.
    pub views_behind: ViewsBehind,
    /// The frames beside the one on the screen.
    pub strip: Option<FilmStrip>,
    /// Increases with every new strip.
    pub strip_count: u64,
    /// Small pictures of single frames.
    pub stills: StillShelf,
    /// Increases with every still that arrives and every other wish.
    pub stills_count: u64,
    /// The candidates that the list shows.
    pub in_sight: Vec<SpotKey>,
    /// The frame on the screen, or one just before, beside the onset of what is looked at.
    pub compared: Option<Compared>,
    /// Increases with every new [`Review::compared`].
    pub compared_count: u64,
    /// Increases with every new [`Review::views`].
    pub views_count: u64,
    /// Where the network looked at a moment that was on the screen.
    pub moment: Option<MomentAttention>,
    /// Increases with every new [`Review::moment`].
    pub moment_count: u64,
    pub timeline: TimelineState,
    /// The candidate that is looked at.
    pub selected: Option<SpotKey>,
    /// The annotation that is worked on; of a decided candidate its own.
    pub marked: Option<AnnotationId>,
    pub coding: Coding,
    /// A blind pass of it runs, wherever it was last seen.
    pub blind_pass: bool,
    /// Whose blind pass of it has ended since it was opened: what it hid has been seen.
    pub seen: BTreeSet<String>,
    /// Whose blind pass the project was told to have begun.
    pub(super) pass_told: Option<String>,
    /// Keys that wait for the picture of the frame that was gone to.
    pub waiting: Option<Waiting>,
    /// The camera's numbers of what can be gone back to while its picture stands; `None`
    /// for a recording, and while the camera runs.
    pub frozen: Option<(u64, u64)>,
    /// How the camera's recording gets on, or how the last one ended.
    pub recorded: Option<RecordingNews>,
    /// Something was said that is on no disk yet.
    pub unsaved: bool,
    /// The project file; `None` until it is known where it is to be.
    pub project: Option<std::path::PathBuf>,
    /// It lies there already.
    pub project_there: bool,
    /// The whole analysis has gone to whoever keeps it.
    pub handed_over: bool,
    /// It lies in the project.
    pub analysis_kept: bool,
    /// Two coders side by side, where somebody looks at them so.
    pub disagreements: Option<Disagreements>,
    /// Why the last change is on no disk.
    pub not_kept: Option<String>,
    /// The scores as they are drawn, per kind.
    pub curves: BTreeMap<ExpressionKind, MinMaxSeries>,
    /// Lowest and highest finite score that was not masked, per kind.
    pub score_range: BTreeMap<ExpressionKind, (f64, f64)>,
    /// Decoded intervals with the decisions laid over them, in time order.
    pub spots: Vec<SpottedInterval>,
    /// Increases with everything that is told of what moved.
    pub recognised_count: u64,
}

impl Review {
    #[must_use]
    pub fn new(session: OpenedSession) -> Self {
        Self {
            session,
            recording: Arc::default(),
            coverage: Coverage::default(),
            last_frame: None,
            decoded: None,
            status: SessionStatus::default(),
            playback: Playback::default(),
            views: Views::default(),
            ghosts: Ghosts::default(),
            views_behind: ViewsBehind::default(),
            strip: None,
            strip_count: 0,
            stills: StillShelf::default(),
            stills_count: 0,
            in_sight: Vec::new(),
            compared: None,
            compared_count: 0,
            views_count: 0,
            moment: None,
            moment_count: 0,
            timeline: TimelineState::default(),
            selected: None,
            marked: None,
            coding: Coding::default(),
            blind_pass: false,
            seen: BTreeSet::new(),
            pass_told: None,
            waiting: None,
            frozen: None,
            recorded: None,
            unsaved: false,
            project: None,
            project_there: false,
            handed_over: false,
            analysis_kept: false,
            disagreements: None,
            not_kept: None,
            curves: BTreeMap::new(),
            score_range: BTreeMap::new(),
            spots: Vec::new(),
            recognised_count: 0,
        }
    }

    /// Takes what the analysis told.
    pub fn tell(&mut self, event: Event) {
        let mut decoded = false;
        match &event {
            Event::Frame(record) => self.coverage.frame(record),
            Event::Score(sample) => {
                self.coverage.score(sample);
                trace::push(self.curves.entry(sample.kind).or_default(), sample);
                if sample.masked.is_none() && sample.score.is_finite() {
                    let range = self
                        .score_range
                        .entry(sample.kind)
                        .or_insert((sample.score, sample.score));
                    *range = (range.0.min(sample.score), range.1.max(sample.score));
                }
            }
            Event::Provisional(_) | Event::Spotted { .. } => decoded = true,
            Event::Recognised(_) => self.recognised_count += 1,
            _ => {}
        }
        let pictures = matches!(event, Event::Recognised(_));
        Arc::make_mut(&mut self.recording).apply(event);
        if decoded {
            self.decided();
        }
        if pictures && self.session.info.live {
            self.let_go_of_pictures();
        }
    }

    /// A camera may run for hours: its candidates have pictures as long as their frames can
    /// be gone back to, and the one that is looked at.
    fn let_go_of_pictures(&mut self) {
        let since = self.recording.end().plus_secs(-RECALL_SECS);
        let frames = &self.recording.frames;
        let newest = frames.get(frames.partition_point(|f| f.timestamp < since));
        let newest = newest.map_or(0, |f| f.frame);
        let stand = self.frozen;
        let looked_at = self.selected_spot().and_then(|s| self.recognised_in(s));
        let looked_at = looked_at.map(|r| (r.onset, r.apex));
        Arc::make_mut(&mut self.recording).keep_pictures(|r| {
            r.apex >= newest
                || stand.is_some_and(|(first, last)| (first..=last).contains(&r.apex))
                || looked_at == Some((r.onset, r.apex))
        });
    }

    /// Lays the decisions over the newest decoding and finds the selection in it again.
    pub fn decided(&mut self) {
        self.spots = self.coding.over(&self.recording.intervals);
        self.marked = self.marked.filter(|id| self.coding.get(*id).is_some());
        if let Some(marked) = self.annotation() {
            // Its frames may be others now.
            self.selected = marked.candidate.is_some().then(|| key_of(marked));
            return;
        }
        let selected = self.selected.and_then(|old| {
            self.spots
                .iter()
                .map(SpotKey::of)
                .filter(|k| k.iou(old) > 0.0)
                .max_by(|a, b| a.iou(old).total_cmp(&b.iou(old)))
        });
        self.select(selected);
    }

    /// A candidate, with the annotation that decides on it.
    pub fn select(&mut self, key: Option<SpotKey>) {
        self.selected = key;
        let decision = key.and_then(|key| self.coding.decision_on(key));
        self.marked = decision.map(|a| a.id);
    }

    /// An annotation, with the candidate it was made from.
    pub fn mark(&mut self, id: Option<AnnotationId>) {
        self.marked = id;
        let marked = self.annotation();
        self.selected = marked.filter(|a| a.candidate.is_some()).map(key_of);
    }

    /// The annotation that is worked on.
    #[must_use]
    pub fn annotation(&self) -> Option<&Annotation> {
        self.coding.get(self.marked?)
    }

    pub fn show_picture(&mut self, frame: Frame) {
        // What is coded is the frame on the screen: a late playback may show one further on
        // after it was paused. What was sought is on its way.
        // Playback that is late may leave it out.
        let playing = self.playback.playing;
        let arrived = |sought| frame.index == sought || playing && frame.index > sought;
        if self.playback.sought.is_some_and(arrived) {
            self.playback.sought = None;
        }
        if self.playback.sought.is_none() {
            self.playback.frame = frame.index;
        }
        self.has_decoded((frame.index, frame.timestamp));
        self.playback.picture = Some(frame);
        self.playback.picture_count += 1;
    }

    /// Candidates at or above the floor of their kind: micro, then macro, each with
    /// its best score first. Scores of two kinds are not in one scale.
    #[must_use]
    pub fn ranked(&self) -> Vec<&SpottedInterval> {
        let mut list: Vec<_> = self.spots.iter().filter(|i| self.above_floor(i)).collect();
        list.sort_by(|a, b| {
            (b.kind.cmp(&a.kind))
                .then(b.score.total_cmp(&a.score))
                .then(a.apex.cmp(&b.apex))
        });
        list
    }

    #[must_use]
    pub fn above_floor(&self, interval: &SpottedInterval) -> bool {
        self.timeline
            .floors
            .get(&interval.kind)
            .is_none_or(|floor| interval.score >= *floor)
    }

    /// The line in a lane: moved by the person, else what the decoding used.
    #[must_use]
    pub fn threshold(&self, kind: ExpressionKind) -> Option<f64> {
        self.timeline
            .floors
            .get(&kind)
            .or_else(|| self.recording.thresholds.get(&kind))
            .copied()
    }

    #[must_use]
    pub fn selected_spot(&self) -> Option<&SpottedInterval> {
        let key = self.selected?;
        self.spots.iter().find(|i| SpotKey::of(i) == key)
    }

    /// What is known of what moved in a candidate. A decided one keeps its frames when
    /// the recording is decoded anew: then it is what moved in the same one of the new
    /// decoding.
    #[must_use]
    pub fn recognised_in(&self, spot: &SpottedInterval) -> Option<&Recognised> {
        let known = self.recording.recognised_in(spot);
        if known.is_some() || spot.status == IntervalStatus::Proposed {
            return known;
        }
        let key = SpotKey::of(spot);
        let overlap = |i: &SpottedInterval| SpotKey::of(i).iou(key);
        let intervals = self.recording.intervals.iter();
        intervals
            .filter(|i| overlap(i) >= SAME_IOU)
            .max_by(|a, b| overlap(a).total_cmp(&overlap(b)))
            .and_then(|i| self.recording.recognised_in(i))
    }

    /// Whether action units are read at all.
    #[must_use]
    pub fn reads_units(&self) -> bool {
        !self.session.unit_thresholds.is_empty()
    }

    /// The next (or previous) candidate in time from the frame shown.
    #[must_use]
    pub fn spot_beside(&self, forward: bool) -> Option<&SpottedInterval> {
        let here = self
            .selected_spot()
            .map(|s| s.apex)
            .filter(|apex| *apex == self.playback.frame)
            .unwrap_or(self.playback.frame);
        let mut shown = self.spots.iter().filter(|i| self.above_floor(i));
        if forward {
            shown.find(|i| i.apex > here)
        } else {
            shown.rfind(|i| i.apex < here)
        }
    }

    /// Why nothing can be played or stepped through now; `None` where it can.
    #[must_use]
    pub fn only_forward(&self) -> Option<&'static str> {
        let runs = self.session.info.live && self.frozen.is_none();
        runs.then_some("A camera is shown as it comes. Freeze it to go back.")
    }

    /// What moved just before the frame on the screen. While a camera runs the last look
    /// stays for a second, with its frame: where frames are dropped the bars would come and
    /// go.
    #[must_use]
    pub fn units_shown(&self) -> Option<&UnitSample> {
        const STAYS_SECS: f64 = 1.0;
        let t = self.time_of(self.playback.frame);
        match self.only_forward() {
            Some(_) => self.recording.newest_units(t, STAYS_SECS),
            None => self.recording.units_at(t),
        }
    }

    /// The analysed face of the picture on the screen, with its held crop.
    #[must_use]
    pub fn face_shown(&self) -> Option<(&FaceRecord, Option<&HeldCrop>)> {
        let picture = self.playback.picture.as_ref()?;
        let face = self.recording.frame(picture.index)?.face.as_ref()?;
        Some((face, self.recording.crops.get(&face.crop)))
    }

    /// Frames a second as measured so far.
    #[must_use]
    pub fn measured_fps(&self) -> Option<f64> {
        let (first, last) = (
            self.recording.frames.first()?,
            self.recording.frames.last()?,
        );
        let secs = last.timestamp.secs_since(first.timestamp);
        (secs > 0.0).then(|| (last.frame - first.frame) as f64 / secs)
    }

    /// How it was analysed, with what was not known yet when the analysis began.
    #[must_use]
    pub fn facts(&self) -> AnalysisFacts {
        let mut facts = self.session.analysed.clone();
        facts.measured_fps = self.measured_fps();
        for of_kind in &mut facts.scores {
            let looked_for = self.recording.scores.contains_key(&of_kind.kind);
            let window_secs = self.session.params.windows.of(of_kind.kind);
            let fps = facts.measured_fps.filter(|_| looked_for);
            of_kind.window_frames = fps.map(|fps| (window_secs * fps).round() as u64);
        }
        facts
    }

    /// The share of the recording that is analysed, 0..1; `None` where its length is unknown.
    #[must_use]
    pub fn progress(&self) -> Option<f32> {
        let total = self.status.frames_total.or(self.session.info.frame_count)?;
        (total > 0).then(|| (self.status.frames_done as f32 / total as f32).min(1.0))
    }
}
