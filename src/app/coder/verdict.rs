//! Verdicts on candidates, and steps back and forward.

use super::{NOTICE_SECS, Refused, named, new_id};
use crate::app::coding::{Change, Coding, Held, SpotKey, Taken};
use crate::app::command::Effect;
use crate::app::project::MERGE;
use crate::app::state::AppState;
use crate::base::Notice;
use crate::spotting::IntervalStatus;
use crate::timeline::Annotation;

impl AppState {
    pub(super) fn decide(&mut self, status: IntervalStatus) -> Result<Vec<Effect>, Refused> {
        let coder = self.settings.coder.clone();
        let Some(review) = self.review.as_mut() else {
            return Ok(vec![]);
        };
        let Some(spot) = review.selected_spot() else {
            return Err(Refused(
                "Select a candidate first: click it in the list, or press {Next candidate}."
                    .to_owned(),
            ));
        };
        // Another coder's verdict stays theirs.
        let decision = review.coding.own_decision_on(SpotKey::of(spot)).cloned();
        let changes = match decision {
            // The same verdict again takes it back.
            Some(decision) if decision.status == status => {
                if says_more(&decision) {
                    return Err(Refused(
                        "You have said more of this one than a verdict. {Remove the annotation} takes all of it \
                         away."
                            .to_owned(),
                    ));
                }
                review.coding.remove("the verdict", decision.id)
            }
            Some(decision) => {
                let changed = Annotation { status, ..decision };
                review.coding.put("the verdict", changed)
            }
            None => {
                let decided = Annotation::decided(new_id(), &coder, spot, status);
                review.coding.put("the verdict", decided)
            }
        };
        // The verdict taken back leaves the candidate selected, as it was spotted.
        if let [
            Change {
                before: Some(gone),
                after: None,
            },
        ] = changes.as_slice()
            && let Some(candidate) = &gone.candidate
        {
            review.marked = None;
            review.selected = Some(SpotKey {
                kind: candidate.kind,
                onset: candidate.onset,
                apex: candidate.apex,
                offset: candidate.offset,
            });
        }
        let marked = changes.iter().find_map(|c| c.after.as_ref()).map(|a| a.id);
        if marked.is_some() {
            review.marked = marked;
        }
        Ok(review.changed(changes))
    }

    pub(super) fn revise(
        &mut self,
        step: fn(&mut Coding) -> Result<Taken, Held>,
        does: &str,
    ) -> Result<Vec<Effect>, Refused> {
        let blind = self.blind();
        let Some(review) = self.review.as_mut() else {
            return Ok(vec![]);
        };
        let Taken { step, stays } = step(&mut review.coding).map_err(|held| {
            Refused(match held {
                // A blind pass does not tell that others were here.
                Held::Nothing | Held::Others(_) if blind => format!("Nothing of yours to {does}."),
                Held::ChangedSince(_) if blind => {
                    format!("Cannot {does}: the same annotation has been changed since.")
                }
                Held::Nothing => format!("Nothing to {does}."),
                Held::Others(coder) => format!(
                    "Nothing of yours to {does}: what was done last is {}'s. Only who did it can \
                     {does} it.",
                    named(&coder)
                ),
                Held::ChangedSince(coder) => format!(
                    "Cannot {does}: {} has changed the same annotation since.",
                    named(&coder)
                ),
            })
        })?;
        // What came back is what is looked at.
        let back = step.changes.iter().find_map(|c| c.after.as_ref());
        if let Some(back) = back.map(|a| a.id) {
            review.mark(Some(back));
        }
        let merge = step.of == MERGE && does == "undo" && !blind;
        let mut effects = review.changed(step.changes);
        if merge {
            self.say(Notice::warning(self.settings.keys.fill(
                "What came from the other project is taken out again. Only {Redo}, now, brings it \
                 back: what was once taken out here does not come with a second merge.",
            )));
            effects.push(Effect::WakeAfter(NOTICE_SECS));
        }
        if let Some(stays) = stays {
            let since = match stays.since.as_str() {
                _ if blind => "it has been changed since".to_owned(),
                coder => format!("{} has changed the same annotation since", named(coder)),
            };
            self.say(Notice::info(format!(
                "Your last step, {}, stays as it is: {since}. An earlier one, {}, is {does}ne \
                 instead.",
                stays.of, step.of
            )));
            effects.push(Effect::WakeAfter(NOTICE_SECS));
        }
        Ok(effects)
    }
}

/// Whether removing it would lose more than a verdict.
fn says_more(a: &Annotation) -> bool {
    let moved = a.candidate.as_ref().is_some_and(|c| {
        (c.kind, c.onset, Some(c.apex), c.offset) != (a.kind, a.onset, a.apex, a.offset)
    });
    moved
        || !a.units.is_empty()
        || a.emotion.is_some()
        || a.confidence.is_some()
        || !a.note.is_empty()
}
