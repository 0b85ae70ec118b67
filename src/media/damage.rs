//! Gathers damaged packets into notices a person can use: one for each stretch.

use std::path::Path;

use crate::base::{Notice, TimeSpan, Timestamp};

use super::packets::{Damage, DamagedPacket};

/// Packets closer together than this belong to one notice.
const MERGE_SECS: f64 = 0.5;

/// The stretch of damage that is still growing.
#[derive(Debug, Default)]
pub(crate) struct DamageLog {
    span: Option<TimeSpan>,
    lost: u32,
    concealed: u32,
    /// The newest time known, for packets without one.
    latest: Timestamp,
}

impl DamageLog {
    /// Adds packets; `time` turns stream units into the recording's time.
    pub(crate) fn add(&mut self, packets: &[DamagedPacket], time: impl Fn(i64) -> Timestamp) {
        for packet in packets {
            let at = packet.pts.map_or(self.latest, &time).max(Timestamp::ZERO);
            self.latest = self.latest.max(at);
            let span = self.span.get_or_insert(TimeSpan { start: at, end: at });
            span.start = span.start.min(at);
            span.end = span.end.max(at);
            match packet.damage {
                Damage::Lost => self.lost += 1,
                Damage::Concealed => self.concealed += 1,
            }
        }
    }

    /// Whether sound frames have followed for long enough to tell the stretch.
    pub(crate) fn is_settled(&mut self, frame: Timestamp) -> bool {
        self.latest = self.latest.max(frame);
        self.span
            .is_some_and(|s| frame.secs_since(s.end) > MERGE_SECS)
    }

    /// The gathered stretch as notices; nothing without damage.
    pub(crate) fn flush(&mut self, path: &Path) -> Vec<Notice> {
        let Some(span) = self.span.take() else {
            return Vec::new();
        };
        let (lost, concealed) = (
            std::mem::take(&mut self.lost),
            std::mem::take(&mut self.concealed),
        );
        let between = format!("between {} and {}", span.start.clock(), span.end.clock());
        let mut notices = Vec::new();
        if lost > 0 {
            notices.push(
                Notice::warning(format!(
                    "{lost} damaged packet(s) {between} could not be decoded; their frames are missing. Copy the recording again from its source: {}",
                    path.display()
                ))
                .over(span),
            );
        }
        if concealed > 0 {
            notices.push(
                Notice::warning(format!(
                    "{concealed} damaged picture(s) {between} were patched by the decoder; motion there may be false: {}",
                    path.display()
                ))
                .over(span),
            );
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_damage_becomes_one_notice_with_its_span() {
        let mut log = DamageLog::default();
        let lost = |pts| DamagedPacket {
            pts,
            damage: Damage::Lost,
        };
        let secs = |pts: i64| Timestamp::from_secs(pts as f64);
        log.add(&[lost(Some(3)), lost(None), lost(Some(5))], secs);
        assert!(!log.is_settled(Timestamp::from_secs(5.2)));
        assert!(log.is_settled(Timestamp::from_secs(6.0)));
        let notices = log.flush(Path::new("a.mp4"));
        assert_eq!(notices.len(), 1);
        assert!(notices[0].text.starts_with("3 damaged"));
        assert_eq!(notices[0].span.unwrap().start, Timestamp::from_secs(3.0));
        assert_eq!(notices[0].span.unwrap().end, Timestamp::from_secs(5.0));
        assert!(log.flush(Path::new("a.mp4")).is_empty());
    }
}
