//! A coder's own annotations: begun, moved, described.

use super::{Edge, Refused, new_id, own};
use crate::app::coding::Change;
use crate::app::command::Effect;
use crate::app::review::Review;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::Annotation;

/// What lasts no longer is called a micro-expression (users: from onset to offset).
const LONGEST_MICRO_SECS: f64 = 0.5;
/// A key says nothing of an annotation further from the frame shown than this.
const FAR_SECS: f64 = 1.0;
/// But an offset may come later: a macro-expression lasts up to so long.
const LATE_OFFSET_SECS: f64 = 4.0;

impl Review {
    /// Shows the changes everywhere and has them kept.
    pub(super) fn changed(&mut self, changes: Vec<Change>) -> Vec<Effect> {
        if changes.is_empty() {
            return vec![];
        }
        self.unsaved = true;
        self.decided();
        vec![Effect::Keep(changes)]
    }

    pub(super) fn put(&mut self, of: &'static str, annotation: Annotation) -> Vec<Effect> {
        let changes = self.coding.put(of, annotation);
        self.changed(changes)
    }

    /// The annotation worked on, unless it is another coder's; of a candidate on which
    /// nobody has decided, one that accepts it: who corrects it has seen it.
    fn of_coder(&self, coder: &str, to: &str) -> Result<Annotation, Refused> {
        if let Some(annotation) = self.annotation() {
            own(annotation, coder, to)?;
            let mut annotation = annotation.clone();
            // Who corrects it has changed their mind.
            if annotation.status == IntervalStatus::Rejected {
                annotation.status = IntervalStatus::Accepted;
            }
            return Ok(annotation);
        }
        let spot = self.selected_spot().ok_or_else(|| {
            Refused(
                "Select an annotation or a candidate first, or press {Onset is here} where \
                 an onset is."
                    .to_owned(),
            )
        })?;
        let accepted = IntervalStatus::Accepted;
        Ok(Annotation::decided(new_id(), coder, spot, accepted))
    }

    pub(super) fn say(
        &mut self,
        coder: &str,
        of: &'static str,
        change: impl FnOnce(&mut Annotation),
    ) -> Result<Vec<Effect>, Refused> {
        let mut annotation = self.of_coder(coder, "change")?;
        change(&mut annotation);
        self.marked = Some(annotation.id);
        Ok(self.put(of, annotation))
    }

    pub(super) fn begin(&mut self, coder: &str) -> Result<Vec<Effect>, Refused> {
        if self.session.info.live {
            return Err(Refused(
                "A camera's pictures are not kept, so they cannot be coded. Record them first."
                    .to_owned(),
            ));
        }
        let here = self.playback.frame;
        let (onset, offset) = match self.timeline.selection.take() {
            Some((from, to)) => (self.frame_near(from), self.frame_near(to)),
            // At the frames of what is worked on, if that is another's.
            None => match self.annotation().filter(|a| a.coder != coder) {
                Some(theirs) => (theirs.onset, theirs.offset),
                None => (here, here),
            },
        };
        let own = self.coding.annotations().iter();
        let mut own = own.filter(|a| a.coder == coder);
        if own.any(|a| (a.onset, a.offset) == (onset, offset)) {
            return Err(Refused(
                "You have an annotation at exactly these frames already.".to_owned(),
            ));
        }
        let kind = ExpressionKind::Micro;
        let mut found = Annotation::found(new_id(), coder, kind, (onset, offset));
        found.kind = self.kind_by_length(&found);
        self.marked = Some(found.id);
        self.selected = None;
        Ok(self.put("an annotation", found))
    }

    fn kind_by_length(&self, annotation: &Annotation) -> ExpressionKind {
        let (onset, offset) = (
            self.time_of(annotation.onset),
            self.time_of(annotation.offset),
        );
        if offset.secs_since(onset) <= LONGEST_MICRO_SECS {
            ExpressionKind::Micro
        } else {
            ExpressionKind::Macro
        }
    }

    /// The frame shown is an onset, apex or offset. An onset behind what is worked on
    /// begins the next one.
    pub(super) fn edge(&mut self, coder: &str, edge: Edge) -> Result<Vec<Effect>, Refused> {
        let here = self.playback.frame;
        let nothing = self.annotation().is_none() && self.selected_spot().is_none();
        if self.session.info.live {
            return Err(Refused(
                "A camera's frames cannot be coded: its pictures are not kept.".to_owned(),
            ));
        }
        // Of what is worked on; nothing lies far from one whose offset is still to come.
        let annotation = self.annotation().map(|a| (a.onset, a.offset));
        let spot = || self.selected_spot().map(|s| (s.onset, s.offset));
        let ends = annotation.or_else(spot).filter(|(a, b)| b > a);
        let far = ends.is_some_and(|(onset, offset)| {
            let t = self.time_of(here);
            let before = self.time_of(onset).secs_since(t) > FAR_SECS;
            let late = match edge {
                Edge::Offset => LATE_OFFSET_SECS,
                Edge::Onset | Edge::Apex => FAR_SECS,
            };
            before || t.secs_since(self.time_of(offset)) > late
        });
        let behind = ends.is_some_and(|(_, offset)| here > offset);
        if edge != Edge::Onset && far {
            let how = match edge {
                Edge::Offset if behind => "ended more than four seconds before this frame",
                _ => "lies more than a second from here",
            };
            return Err(Refused(format!(
                "What is worked on {how}. Press {{Onset is here}} to begin one here, or drag its \
                 end."
            )));
        }
        if edge == Edge::Onset && (nothing || behind || far) {
            self.timeline.selection = None;
            self.mark(None);
            return self.begin(coder);
        }
        let annotation = self.of_coder(coder, "move")?;
        let early = match edge {
            Edge::Onset => None,
            Edge::Apex if here < annotation.onset => Some("The apex would lie before the onset."),
            Edge::Offset if here < annotation.onset => {
                Some("The offset would lie before the onset.")
            }
            Edge::Offset if annotation.apex.is_some_and(|apex| here < apex) => {
                Some("The offset would lie before the apex.")
            }
            _ => None,
        };
        if let Some(early) = early {
            return Err(Refused(format!("{early} Move that one first.")));
        }
        self.marked = Some(annotation.id);
        let moved = self.with_edge(annotation, edge, here);
        Ok(self.put(edge.name(), moved))
    }

    /// The other frames make room: none of an annotation's ever stand out of order.
    pub(in crate::app) fn with_edge(
        &self,
        before: Annotation,
        edge: Edge,
        frame: u64,
    ) -> Annotation {
        let frame = frame.min(self.count_minus_one());
        let kind_was = self.kind_by_length(&before);
        let mut a = before;
        match edge {
            Edge::Onset => {
                a.onset = frame;
                a.offset = a.offset.max(frame);
                a.apex = a.apex.map(|apex| apex.max(frame));
            }
            Edge::Apex => {
                let apex = frame.max(a.onset);
                a.apex = Some(apex);
                a.offset = a.offset.max(apex);
            }
            Edge::Offset => {
                let earliest = a.apex.unwrap_or(a.onset).max(a.onset);
                a.offset = frame.max(earliest);
            }
        }
        // The kind follows the length where it crosses the limit; a kind that was
        // chosen against it stays until then.
        let kind = self.kind_by_length(&a);
        if kind != kind_was {
            a.kind = kind;
        }
        a
    }

    pub(super) fn beside(&mut self, coder: &str, by: i8) -> Result<Vec<Effect>, Refused> {
        let here = self.annotation().map_or(self.playback.frame, |a| a.onset);
        let mut own = self
            .coding
            .annotations()
            .iter()
            .filter(|a| a.coder == coder);
        let next = if by > 0 {
            own.find(|a| a.onset > here)
        } else {
            own.rfind(|a| a.onset < here)
        };
        let Some((id, onset)) = next.map(|a| (a.id, a.onset)) else {
            let where_ = if by > 0 { "after" } else { "before" };
            return Err(Refused(format!(
                "You have no annotation {where_} this one."
            )));
        };
        self.mark(Some(id));
        Ok(self.stop_at(onset))
    }

    pub(super) fn stop_at(&mut self, frame: u64) -> Vec<Effect> {
        if self.session.info.live {
            return vec![];
        }
        let mut effects = self.pause();
        effects.extend(self.go(frame));
        effects.extend(self.loop_on());
        effects
    }
}
