//! Two coders of the open recording side by side: how far they agree, and where to look
//! together.

use super::command::{Command, Effect};
use super::review::Review;
use super::state::AppState;
use crate::base::Notice;
use crate::metrics::agreement::{Agreement, Coded, Disagreement, Params, compare, disagreements};
use crate::spotting::IntervalStatus;

/// How long a notice stays, and a little.
const NOTICE_SECS: f64 = 8.1;

/// What is compared is not changed by looking at it.
#[derive(Debug, Clone)]
pub struct Disagreements {
    pub coders: [String; 2],
    pub agreement: Agreement,
    /// In order of time.
    pub list: Vec<Disagreement>,
    /// The one that was gone to last.
    pub at: Option<usize>,
    /// The change and the length of the recording that it was made after.
    after: (u64, u64),
}

impl Review {
    /// Who has decided on anything, by name; two of them can be compared.
    #[must_use]
    pub fn deciders(&self) -> Vec<&str> {
        let decided = self.coding.annotations().iter();
        let mut names: Vec<&str> = decided
            .filter(|a| a.status == IntervalStatus::Accepted)
            .map(|a| a.coder.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn compare(&self, coders: [String; 2]) -> Disagreements {
        let time_of = |frame| self.time_of(frame);
        let frames = self.frame_count();
        let recording = Coded {
            annotations: self.coding.annotations(),
            frames,
            time_of: &time_of,
        };
        let names = coders.each_ref().map(String::as_str);
        let params = Params::default();
        Disagreements {
            agreement: compare(&[recording], names, params),
            list: disagreements(&recording, names, params),
            at: None,
            after: (self.coding.count(), frames),
            coders,
        }
    }
}

impl AppState {
    pub(super) fn compare(&mut self, command: Command) -> Vec<Effect> {
        let blind = self.blind();
        let coder = self.settings.coder.clone();
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        if let Command::CompareCoders(None) = command {
            review.disagreements = None;
            return vec![];
        }
        let refused = |state: &mut Self, why: &str| {
            let why = state.settings.keys.fill(why);
            state.say(Notice::info(why));
            vec![Effect::WakeAfter(NOTICE_SECS)]
        };
        if blind {
            let why =
                "A blind pass hides other coders. {Blind pass} shows them and where you differ.";
            return refused(self, why);
        }
        if let Command::CompareCoders(Some(coders)) = command {
            review.disagreements = Some(review.compare(coders));
            return vec![];
        }
        if review.disagreements.is_none() {
            let Some(pair) = first_pair(&review.deciders(), &coder) else {
                let why = "Two coders are needed to differ: add another coder's project in the \
                           Annotate room.";
                return refused(self, why);
            };
            review.disagreements = Some(review.compare(pair));
        }
        let here = review.playback.frame;
        let Some(compared) = review.disagreements.as_mut() else {
            return vec![];
        };
        let to = match command {
            Command::ToDisagreement(at) => Some(at),
            Command::Disagree(by) => compared.beside(by, here),
            _ => None,
        };
        let Some(found) = to.and_then(|at| compared.list.get(at).cloned()) else {
            let why = match command {
                _ if compared.list.is_empty() => "These two coders agree in everything.",
                Command::Disagree(1) => "There is no later disagreement.",
                _ => "There is no earlier disagreement.",
            };
            return refused(self, why);
        };
        compared.at = to;
        // Who codes now can correct theirs at once.
        let own = |id: &crate::timeline::AnnotationId| {
            let annotation = review.coding.get(*id);
            annotation.is_some_and(|a| a.coder == coder)
        };
        let both = [found.first, found.second];
        let mine = both.into_iter().flatten().find(own);
        let marked = mine.or(found.first).or(found.second);
        review.mark(marked);
        let mut effects = review.pause();
        effects.extend(review.go(found.frame));
        effects.extend(review.loop_on());
        effects
    }

    /// What was said since is compared too.
    pub(super) fn compare_anew(&mut self) {
        let Some(review) = self.review.as_mut() else {
            return;
        };
        let Some(compared) = &review.disagreements else {
            return;
        };
        let now = (review.coding.count(), review.frame_count());
        if compared.after == now {
            return;
        }
        let (at, coders) = (compared.at, compared.coders.clone());
        let looked_at = at.and_then(|at| compared.list.get(at).cloned());
        let mut compared = review.compare(coders);
        // Found again where it still is one.
        let same = |d: &Disagreement| {
            let was = looked_at.as_ref();
            was.is_some_and(|w| (w.what, w.first, w.second) == (d.what, d.first, d.second))
        };
        compared.at = compared.list.iter().position(same);
        review.disagreements = Some(compared);
    }
}

impl Disagreements {
    /// Beside the one that was gone to last, else beside the frame shown.
    fn beside(&self, by: i8, here: u64) -> Option<usize> {
        match (self.at, by > 0) {
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
            (None, true) => self.list.iter().position(|d| d.frame >= here),
            (None, false) => self.list.iter().rposition(|d| d.frame <= here),
        }
    }
}

/// Whoever codes now and another one, or the first two.
#[must_use]
pub fn first_pair(names: &[&str], coder: &str) -> Option<[String; 2]> {
    let mine = names.iter().find(|name| **name == coder);
    let first = mine.or(names.first())?;
    let second = names.iter().find(|name| *name != first)?;
    Some([(*first).to_owned(), (*second).to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_codes_now_is_the_first_of_two() {
        let pair = |names: &[&str], coder| first_pair(names, coder).map(|p| p.join(" "));
        assert_eq!(
            pair(&["Anna", "Ben", "Cem"], "Ben").as_deref(),
            Some("Ben Anna")
        );
        assert_eq!(
            pair(&["Anna", "Cem"], "Nobody").as_deref(),
            Some("Anna Cem")
        );
        assert_eq!(pair(&["Anna"], "Anna"), None);
        assert_eq!(pair(&[], ""), None);
    }
}
