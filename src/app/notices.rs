//! The log: everything that was said, and which of it still stands in the corner.

use crate::base::{Notice, Severity, Timestamp};

/// A piece of information leaves the corner after this long; warnings wait to be dismissed.
const INFO_SECS: f64 = 8.0;
/// The corner shows so many; the rest is in the log.
pub const CORNER: usize = 3;

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: u64,
    pub notice: Notice,
    /// Seconds since the window opened.
    pub at: f64,
    pub dismissed: bool,
    /// The session that it is about and that can be analysed again from here.
    pub analyse_again: Option<u64>,
}

impl Entry {
    /// In the corner, or behind others that are.
    fn stands(&self, now: f64) -> bool {
        let lasts = self.notice.severity > Severity::Info || now - self.at < INFO_SECS;
        !self.dismissed && lasts
    }
}

#[derive(Debug, Clone, Default)]
pub struct NoticeLog {
    entries: Vec<Entry>,
    /// The last that was said in place of another.
    in_place: Option<u64>,
}

impl NoticeLog {
    /// The same sentence again while it stands in the corner is not repeated there.
    pub fn push(&mut self, notice: Notice, now: f64) {
        self.add(notice, None, now);
    }

    /// What is done step by step: the corner keeps the newest of these alone.
    pub fn push_in_place(&mut self, notice: Notice, now: f64) {
        if let Some(before) = self.in_place.replace(self.entries.len() as u64) {
            self.dismiss(before);
        }
        self.add(notice, None, now);
    }

    /// With a button that analyses the session again.
    pub fn push_with_remedy(&mut self, notice: Notice, session: u64, now: f64) {
        self.add(notice, Some(session), now);
    }

    fn add(&mut self, notice: Notice, analyse_again: Option<u64>, now: f64) {
        let repeated = self
            .entries
            .iter()
            .any(|e| e.stands(now) && e.notice == notice);
        self.entries.push(Entry {
            id: self.entries.len() as u64,
            notice,
            at: now,
            dismissed: repeated,
            analyse_again,
        });
    }

    /// The last entry says just this.
    #[must_use]
    pub fn said(&self, text: &str) -> bool {
        self.entries.last().is_some_and(|e| e.notice.text == text)
    }

    pub fn dismiss(&mut self, id: u64) {
        if let Some(e) = self.entries.iter_mut().find(|e| e.id == id) {
            e.dismissed = true;
        }
    }

    pub fn dismiss_all(&mut self) {
        self.entries.iter_mut().for_each(|e| e.dismissed = true);
    }

    /// This no longer holds; the log keeps it.
    pub fn dismiss_said(&mut self, text: &str) {
        let said = |e: &&mut Entry| e.notice.text == text;
        (self.entries.iter_mut().filter(said)).for_each(|e| e.dismissed = true);
    }

    /// Newest last.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What stands in the corner, newest last, and how many more wait behind it.
    #[must_use]
    pub fn corner(&self, now: f64) -> (Vec<&Entry>, usize) {
        let standing: Vec<&Entry> = self.entries.iter().filter(|e| e.stands(now)).collect();
        let more = standing.len().saturating_sub(CORNER);
        (standing[more..].to_vec(), more)
    }

    /// How many are at least so severe.
    #[must_use]
    pub fn count(&self, from: Severity) -> usize {
        let severe = |e: &&Entry| e.notice.severity >= from;
        self.entries.iter().filter(severe).count()
    }

    /// One line each with when it was said, for the clipboard and the disk.
    #[must_use]
    pub fn text(&self) -> String {
        let entries = self.entries.iter();
        entries
            .map(|e| format!("{} {}\n", clock(e), line(&e.notice)))
            .collect()
    }
}

/// When it was said, since the window opened.
#[must_use]
pub fn clock(entry: &Entry) -> String {
    Timestamp::from_secs(entry.at).clock()
}

#[must_use]
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Information",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    }
}

/// The sentence with its severity and, where it has one, its stretch of time.
#[must_use]
pub fn line(notice: &Notice) -> String {
    let name = severity_name(notice.severity);
    match notice.span {
        Some(span) => format!(
            "{name} ({}–{}): {}",
            span.start.clock(),
            span.end.clock(),
            notice.text
        ),
        None => format!("{name}: {}", notice.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_leaves_the_corner_and_stays_in_the_log() {
        let mut log = NoticeLog::default();
        log.push(Notice::info("Opened."), 0.0);
        log.push(Notice::warning("A packet is damaged."), 0.0);
        assert_eq!(log.corner(1.0).0.len(), 2);
        assert_eq!(log.corner(10.0).0.len(), 1);
        log.dismiss(1);
        assert_eq!(log.corner(10.0).0.len(), 0);
        assert_eq!(log.entries().len(), 2);
        assert!(
            log.text()
                .contains("0:00:00.000 Warning: A packet is damaged.")
        );
        assert_eq!(log.count(Severity::Info), 2);
        assert_eq!(log.count(Severity::Warning), 1);
        assert_eq!(log.count(Severity::Error), 0);
    }

    #[test]
    fn a_sentence_is_not_repeated_while_it_stands_and_said_again_afterwards() {
        let mut log = NoticeLog::default();
        for at in [0.0, 1.0] {
            log.push(Notice::info("Select one first."), at);
        }
        assert_eq!(log.corner(1.0).0.len(), 1);
        log.push(Notice::info("Select one first."), 20.0);
        assert_eq!(log.corner(20.0).0.len(), 1);
        assert_eq!(log.entries().len(), 3);
    }

    #[test]
    fn of_what_is_done_step_by_step_the_corner_keeps_the_last_even_when_said_before() {
        let mut log = NoticeLog::default();
        log.push(Notice::info("Opened."), 0.0);
        for text in ["left", "right", "left"] {
            log.push_in_place(Notice::info(text), 1.0);
        }
        let corner = log.corner(1.0).0;
        let texts: Vec<&str> = corner.iter().map(|e| e.notice.text.as_str()).collect();
        assert_eq!(texts, ["Opened.", "left"]);
        assert_eq!(log.entries().len(), 4);
    }

    #[test]
    fn the_corner_never_holds_more_than_three() {
        let mut log = NoticeLog::default();
        for i in 0..7 {
            log.push(Notice::error(format!("{i}")), 0.0);
        }
        let (shown, more) = log.corner(0.0);
        assert_eq!((shown.len(), more), (CORNER, 4));
        assert_eq!(shown[2].notice.text, "6");
    }
}
