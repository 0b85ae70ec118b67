//! What goes out to files and comes in from them.

use super::NOTICE_SECS;
use crate::app::command::{Command, Effect};
use crate::app::exchange::Desk;
use crate::app::report::ReportDesk;
use crate::app::state::AppState;
use crate::base::Notice;
use crate::project::exchange::join;
use crate::timeline::Annotation;

impl AppState {
    pub(in crate::app) fn exchange(&mut self, command: Command) -> Vec<Effect> {
        let coder = self.settings.coder.clone();
        let blind = self.blind();
        let Some(review) = self.review.as_mut() else {
            self.say(Notice::info(
                "Open the recording first; its annotations are read into it.",
            ));
            return vec![Effect::WakeAfter(NOTICE_SECS)];
        };
        // A blind pass exports what the coder has seen.
        let only = blind.then_some(coder.as_str());
        match command {
            Command::Export(format) => {
                vec![Effect::Export(format, Box::new(Desk::of(review, only)))]
            }
            // It would show how much others have found.
            Command::Merge(_) if blind => {
                self.say(Notice::info(self.settings.keys.fill(
                    "A blind pass hides other coders: end it first, {Blind pass}, then add their \
                     project.",
                )));
                vec![Effect::WakeAfter(NOTICE_SECS)]
            }
            Command::Merge(path) => vec![Effect::Merge(path)],
            Command::Import(path) => {
                vec![Effect::Import(path, Box::new(Desk::of(review, None)))]
            }
            Command::Report if blind => {
                self.say(Notice::info(self.settings.keys.fill(
                    "The report shows what the networks and others say: end the blind pass first: \
                     {Blind pass}.",
                )));
                vec![Effect::WakeAfter(NOTICE_SECS)]
            }
            Command::Report => {
                let desk = Box::new(ReportDesk::of(review));
                self.say(Notice::info("The report is being written…"));
                vec![Effect::Report(desk), Effect::WakeAfter(NOTICE_SECS)]
            }
            Command::Imported {
                generation,
                annotations,
            } if generation == review.session.generation => {
                let mut joined = review.coding.annotations().to_vec();
                // Files of other programs have no names for theirs: what is there already is
                // the same one.
                let same = |a: &Annotation, b: &Annotation| {
                    (&a.coder, a.kind, a.onset, a.offset) == (&b.coder, b.kind, b.onset, b.offset)
                        && (&a.units, &a.emotion) == (&b.units, &b.emotion)
                };
                let known = |a: &Annotation| {
                    joined.iter().any(|b| b.id != a.id && same(a, b))
                        && joined.iter().all(|b| b.id != a.id)
                };
                let new = annotations.into_iter().filter(|a| !known(a)).collect();
                join(&mut joined, new);
                let changes = review.coding.put_all("the import", joined);
                review.changed(changes)
            }
            _ => vec![],
        }
    }
}
