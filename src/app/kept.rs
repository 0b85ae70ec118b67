//! The whole analysis in the project: kept when it is done, shown in place of a new one
//! when the recording is opened again, and done again when somebody asks.

use std::time::{SystemTime, UNIX_EPOCH};

use super::command::Effect;
use super::review::Review;
use super::state::AppState;
use crate::base::Notice;
use crate::project::kept::KeptAnalysis;

/// How long a notice stays, and a little.
const NOTICE_SECS: f64 = 8.1;

/// An analysis of an earlier session that is shown in place of a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// `2026-11-27`
    pub date: String,
    /// Where other settings made it than those chosen now, or that cannot be said: a
    /// sentence for the person.
    pub other: Option<String>,
}

impl Review {
    /// Analysed to its end, now or earlier.
    #[must_use]
    pub fn whole(&self) -> bool {
        // The last events may still be on their way when the status says so.
        self.recording.finished && self.status.finished && self.status.failed.is_none()
    }

    /// A sentence while what the project keeps is still being read: whoever holds the
    /// recording meanwhile would have all of it copied for the next piece.
    #[must_use]
    pub fn still_read(&self) -> Option<&'static str> {
        let reads = self.session.earlier.is_some() && !self.status.finished;
        reads.then_some(
            "The kept analysis is still being read: try again when it is here, in a moment.",
        )
    }

    /// `Analysed 2026-11-27 with MotionTCN, weights motion-tcn`; `None` of an analysis of
    /// this session.
    #[must_use]
    pub fn analysed_earlier(&self) -> Option<String> {
        let earlier = self.session.earlier.as_ref()?;
        let mut with: Vec<String> = Vec::new();
        for source in self.session.sources.values().rev() {
            let label = source.label();
            if !with.contains(&label) {
                with.push(label);
            }
        }
        Some(format!("{} with {}", earlier.date, with.join("; ")))
    }
}

impl AppState {
    /// An analysis that has just become whole goes into the project.
    pub(super) fn keep_analysis(&mut self) -> Vec<Effect> {
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        let session = &review.session;
        let here = session.earlier.is_none() && session.info.path.is_some();
        if !here || session.info.live || review.handed_over || !review.whole() {
            return vec![];
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let analysis = KeptAnalysis {
            onset_version: env!("CARGO_PKG_VERSION").to_owned(),
            finished_ms: since.map_or(0, |since| since.as_millis() as i64),
            params: session.params.clone(),
            facts: review.facts(),
            device: session.device.clone(),
            recording: review.recording.clone(),
        };
        review.handed_over = true;
        vec![Effect::KeepAnalysis(Box::new(analysis))]
    }

    /// The open recording, with the settings as they are now.
    pub(super) fn analyse_again(&mut self) -> Vec<Effect> {
        let Some(review) = &self.review else {
            return vec![];
        };
        let Some(path) = &review.session.info.path else {
            self.say(Notice::info(
                "A camera's pictures are not kept, so they cannot be analysed again.",
            ));
            return vec![Effect::WakeAfter(NOTICE_SECS)];
        };
        // With the project it has.
        let project = review.project.as_ref().filter(|_| review.project_there);
        let input = project.unwrap_or(path).display().to_string();
        self.entrance.path.clone_from(&input);
        self.entrance.opening = Some(input.clone());
        self.entrance.failed = None;
        vec![Effect::AnalyseAgain(input)]
    }

    /// What is to be said of an analysis that was taken from the project.
    pub(super) fn shown_earlier(&mut self) -> Vec<Effect> {
        let now = self.now;
        let Some(review) = &self.review else {
            return vec![];
        };
        let Some(Earlier { date, other }) = &review.session.earlier else {
            return vec![];
        };
        match other {
            Some(why) => {
                let notice = Notice::warning(why.clone());
                let generation = review.session.generation;
                self.notices.push_with_remedy(notice, generation, now);
                vec![]
            }
            None => {
                let said = format!("This analysis is of {date}; it was kept.");
                self.say(Notice::info(said));
                vec![Effect::WakeAfter(NOTICE_SECS)]
            }
        }
    }
}
