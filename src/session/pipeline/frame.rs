//! What is done with one frame, in order.

use super::Pipeline;
use super::windows::jobs_of;
use crate::base::{Notice, TimeSpan};
use crate::media::Frame;
use crate::motion::cadence::Beat;
use crate::session::SessionError;
use crate::session::recognising::Recognising;
use crate::timeline::Event;

impl Pipeline {
    pub(super) fn take(
        &mut self,
        frame: &Frame,
        events: &mut Vec<Event>,
    ) -> Result<(), SessionError> {
        let beat = self.cadence.push(frame.timestamp);
        let due = if self.at_once || self.waiting.len() < self.motion.engine().batch() {
            Vec::new()
        } else {
            self.due()
        };
        let (tracker, motion) = (&mut self.tracker, &mut self.motion);
        let recognising = self.recognising.as_mut().filter(|r| r.is_due());
        let jobs = jobs_of(&due);
        // What waits is done while the next face is sought.
        let (track, (measured, movements)) = rayon::join(
            || tracker.push(frame),
            || {
                let measured = if jobs.is_empty() {
                    Ok(Vec::new())
                } else {
                    motion.measure(&jobs)
                };
                (measured, recognising.map(Recognising::measure))
            },
        );
        self.tally.count(&track);
        self.tell_face(frame, &track, events);
        let mut taken = Ok(());
        if beat == Beat::Backwards {
            let span = TimeSpan {
                start: frame.timestamp,
                end: frame.timestamp,
            };
            let text = format!(
                "Frame {} is not later than the one before it: it is left out of the motion analysis",
                frame.index
            );
            events.push(Event::Notice(Notice::warning(text).over(span)));
        } else {
            taken = self.take_motion(frame, &track, beat);
            self.pair(frame, events);
            if let Some(recognising) = &mut self.recognising {
                recognising.push(frame, track.face.as_ref());
            }
        }
        self.last_track = Some(track);
        if let (Some(recognising), Some(movements)) = (&mut self.recognising, movements) {
            match recognising.read(&movements) {
                Ok(read) => events.extend(read),
                Err(e) => {
                    // Spotting goes on without it.
                    let text = format!("From here on nothing is said of what moves. {e}");
                    events.push(Event::Notice(Notice::warning(text)));
                    self.recognising = None;
                }
            }
        }
        if let Some(recognising) = &mut self.recognising {
            events.extend(recognising.answers(false));
        }
        self.tell_scores(&due, &measured?, events)?;
        taken?;
        if self.at_once {
            self.measure_waiting(events)?;
        }
        self.forget();
        Ok(())
    }
}
