//! What is known of the intervals that the live decoding has believed in, by onset and
//! apex.

use std::collections::{BTreeMap, VecDeque};

use super::second_looking::Key;
use crate::base::Timestamp;
use crate::recognition::SecondOpinion;
use crate::timeline::event::Recognised;

/// What was decoded at the end is the same as what was believed before if onset and
/// apex lie no further apart, seconds, and no more than a quarter of the rise.
const SAME_SECS: f64 = 0.1;

/// What is known of one interval.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// Believed in since then: it may still be moving.
    Since(Timestamp),
    /// Waits to be measured.
    Waiting,
    Read(Box<Recognised>),
    /// The face did not allow it, and why.
    Unread(String),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct KnownIntervals {
    all: BTreeMap<Key, Known>,
    /// Stream time for which the pictures of what was read are kept; `None` for ever.
    pictures_secs: Option<f64>,
    /// Of which there are some, and since when, the oldest first; empty where they are kept
    /// for ever.
    pictured: VecDeque<(Timestamp, Key)>,
}

impl KnownIntervals {
    /// From now on pictures are kept for so long after they came, the numbers for ever.
    pub(super) fn keep_pictures_for(&mut self, secs: f64) {
        self.pictures_secs = Some(secs);
    }

    pub(super) fn get(&self, key: Key) -> Option<&Known> {
        self.all.get(&key)
    }

    pub(super) fn put(&mut self, key: Key, known: Known) {
        self.all.insert(key, known);
    }

    /// What is not believed in any more is forgotten, unless it was measured.
    pub(super) fn withdraw(&mut self, believed: impl Fn(&Key) -> bool) {
        self.all
            .retain(|key, known| !matches!(known, Known::Since(_)) || believed(key));
    }

    /// What moved in it was read now.
    pub(super) fn read(&mut self, key: Key, recognised: Box<Recognised>, now: Timestamp) {
        self.put(key, Known::Read(recognised));
        self.pictures_came(key, now);
    }

    /// It was looked at a second time, with what is known of it now; `None` where it was not
    /// read.
    pub(super) fn looked_at(
        &mut self,
        key: Key,
        opinions: Vec<SecondOpinion>,
        now: Timestamp,
    ) -> Option<Box<Recognised>> {
        let Some(Known::Read(recognised)) = self.all.get_mut(&key) else {
            return None;
        };
        recognised.second_look = opinions;
        let recognised = recognised.clone();
        self.pictures_came(key, now);
        Some(recognised)
    }

    fn pictures_came(&mut self, key: Key, now: Timestamp) {
        let Some(secs) = self.pictures_secs else {
            return;
        };
        self.pictured.push_back((now, key));
        while let Some(&(since, old)) = self.pictured.front()
            && now.secs_since(since) > secs
        {
            self.pictured.pop_front();
            if let Some(Known::Read(recognised)) = self.all.get_mut(&old) {
                recognised.let_go_of_pictures();
            }
        }
    }

    /// What was read of nearly the same interval while it could be.
    pub(super) fn nearest(
        &self,
        (onset, apex): Key,
        time_of: &impl Fn(u64) -> Option<Timestamp>,
    ) -> Option<&Recognised> {
        let secs = |frame| time_of(frame).map(Timestamp::secs);
        let (onset, apex) = (secs(onset)?, secs(apex)?);
        let off = |recognised: &Recognised| {
            let first = (secs(recognised.onset)? - onset).abs();
            Some(first.max((secs(recognised.apex)? - apex).abs()))
        };
        self.all
            .values()
            .filter_map(|known| match known {
                Known::Read(recognised) => Some((off(recognised)?, &**recognised)),
                _ => None,
            })
            .filter(|(off, _)| *off <= SAME_SECS.min(0.25 * (apex - onset)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, recognised)| recognised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs as f64)
    }

    /// One candidate every two seconds, looked at a second time a second later.
    fn shown_for(known: &mut KnownIntervals, secs: u64) {
        for now in (0..secs).step_by(2) {
            let key = (30 * now, 30 * now + 5);
            let mut recognised = Recognised::with_pictures(key);
            let opinions = std::mem::take(&mut recognised.second_look);
            known.read(key, Box::new(recognised), at(now));
            assert!(known.looked_at(key, opinions, at(now + 1)).is_some());
        }
    }

    fn read(known: &KnownIntervals) -> Vec<&Recognised> {
        let read = known.all.values().filter_map(|known| match known {
            Known::Read(recognised) => Some(&**recognised),
            _ => None,
        });
        read.collect()
    }

    #[test]
    fn hours_of_a_camera_keep_the_numbers_and_the_pictures_of_the_last_half_minute() {
        let mut known = KnownIntervals::default();
        known.keep_pictures_for(30.0);
        shown_for(&mut known, 2 * 3600);
        let read = read(&known);
        assert_eq!(read.len(), 3600);
        let pictured = read.iter().filter(|r| r.has_pictures()).count();
        assert!((15..=17).contains(&pictured), "{pictured}");
        assert!(known.pictured.len() <= 34, "{}", known.pictured.len());
        let first = read[0];
        assert!(!first.has_pictures() && read[3599].has_pictures());
        // What is a number of the pictures stays.
        let newest = read[3599];
        let of = |r: &Recognised| {
            let rebuilt = r.second_look[1].rebuilt.as_ref().unwrap();
            let gamma = r.second_look[0].magnified.as_ref().unwrap().gamma;
            (rebuilt.error(), rebuilt.change(), gamma)
        };
        assert_eq!(of(first), of(newest));
        assert_eq!(first.recognition, newest.recognition);
    }

    #[test]
    fn a_file_keeps_all_of_its_pictures() {
        let mut known = KnownIntervals::default();
        shown_for(&mut known, 600);
        assert!(read(&known).iter().all(|r| r.has_pictures()));
        assert!(known.pictured.is_empty());
    }

    #[test]
    fn a_late_look_at_what_has_let_its_pictures_go_keeps_them_as_long() {
        let mut known = KnownIntervals::default();
        known.keep_pictures_for(30.0);
        let pictured = |known: &KnownIntervals| match known.get((3, 8)) {
            Some(Known::Read(recognised)) => recognised.has_pictures(),
            _ => panic!("it was read"),
        };
        let late = Recognised::with_pictures((3, 8));
        known.read((3, 8), Box::new(late.clone()), at(0));
        known.read(
            (9, 12),
            Box::new(Recognised::with_pictures((9, 12))),
            at(40),
        );
        assert!(!pictured(&known));
        known.looked_at((3, 8), late.second_look, at(45));
        assert!(pictured(&known));
        known.read(
            (19, 22),
            Box::new(Recognised::with_pictures((19, 22))),
            at(90),
        );
        assert!(!pictured(&known));
    }
}
