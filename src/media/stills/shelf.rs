//! Stills that have arrived, bounded in bytes.

use std::collections::HashMap;
use std::sync::Arc;

use image::RgbImage;

use super::{Still, StillKey};

/// What is known of a still.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place<'a> {
    Awaited,
    There(&'a Arc<RgbImage>),
    /// The frame cannot be read.
    Unreadable,
}

/// Keeps what has arrived; over its budget, what has not been wanted for longest goes
/// first, and what is wanted now stays whatever its size.
#[derive(Debug, Clone)]
pub struct StillShelf {
    kept: HashMap<StillKey, Kept>,
    wanted: Vec<StillKey>,
    bytes: usize,
    budget: usize,
    /// Counts the lists of wishes.
    turn: u64,
}

#[derive(Debug, Clone)]
struct Kept {
    picture: Option<Arc<RgbImage>>,
    /// When it was wanted last.
    turn: u64,
}

impl StillShelf {
    /// Bytes of pictures that are kept: the strips of a few hundred candidates.
    pub const BUDGET: usize = 24 << 20;

    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self {
            kept: HashMap::new(),
            wanted: Vec::new(),
            bytes: 0,
            budget,
            turn: 0,
        }
    }

    /// A new list of wishes in place of the old one; gives those that are still to be
    /// read, in the same order.
    pub fn want(&mut self, wanted: Vec<StillKey>) -> Vec<StillKey> {
        self.turn += 1;
        for key in &wanted {
            if let Some(kept) = self.kept.get_mut(key) {
                kept.turn = self.turn;
            }
        }
        self.wanted = wanted;
        let missing = |key: &&StillKey| !self.kept.contains_key(key);
        self.wanted.iter().filter(missing).copied().collect()
    }

    /// What was wanted last.
    #[must_use]
    pub fn wanted(&self) -> &[StillKey] {
        &self.wanted
    }

    pub fn put(&mut self, still: Still) {
        // What is wanted no more arrives late, and goes first.
        let late = !self.wanted.contains(&still.key);
        let kept = Kept {
            picture: still.picture,
            turn: self.turn.saturating_sub(u64::from(late)),
        };
        self.bytes += size(&kept);
        if let Some(old) = self.kept.insert(still.key, kept) {
            self.bytes -= size(&old);
        }
        while self.bytes > self.budget {
            let old = self.kept.iter().filter(|(_, k)| k.turn < self.turn);
            let Some(oldest) = old.min_by_key(|(_, k)| k.turn).map(|(key, _)| *key) else {
                return;
            };
            if let Some(gone) = self.kept.remove(&oldest) {
                self.bytes -= size(&gone);
            }
        }
    }

    #[must_use]
    pub fn place(&self, key: &StillKey) -> Place<'_> {
        match self.kept.get(key) {
            None => Place::Awaited,
            Some(Kept { picture: None, .. }) => Place::Unreadable,
            Some(Kept {
                picture: Some(picture),
                ..
            }) => Place::There(picture),
        }
    }

    #[must_use]
    pub fn get(&self, key: &StillKey) -> Option<&Arc<RgbImage>> {
        self.kept.get(key)?.picture.as_ref()
    }
}

impl Default for StillShelf {
    fn default() -> Self {
        Self::new(Self::BUDGET)
    }
}

fn size(kept: &Kept) -> usize {
    kept.picture.as_ref().map_or(0, |p| p.as_raw().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(frame: u64) -> StillKey {
        StillKey {
            frame,
            region: None,
            height: 10,
        }
    }

    /// 300 bytes.
    fn still(frame: u64) -> Still {
        Still {
            key: key(frame),
            picture: Some(Arc::new(RgbImage::new(10, 10))),
        }
    }

    #[test]
    fn what_is_there_is_not_asked_for_again_nor_what_cannot_be_read() {
        let mut shelf = StillShelf::new(3000);
        assert_eq!(shelf.want(vec![key(1), key(2), key(3)]).len(), 3);
        shelf.put(still(2));
        shelf.put(Still {
            key: key(3),
            picture: None,
        });
        assert_eq!(shelf.place(&key(1)), Place::Awaited);
        assert!(matches!(shelf.place(&key(2)), Place::There(_)));
        assert_eq!(shelf.place(&key(3)), Place::Unreadable);
        let again = shelf.want(vec![key(4), key(3), key(2), key(1)]);
        assert_eq!(again, [key(4), key(1)]);
    }

    #[test]
    fn over_the_budget_the_longest_unwanted_go_and_the_wanted_stay() {
        let mut shelf = StillShelf::new(3 * 300);
        for frame in 0..3 {
            shelf.want(vec![key(frame)]);
            shelf.put(still(frame));
        }
        // 0 is looked at again, so 1 has waited for longest.
        shelf.want(vec![key(0), key(9)]);
        shelf.put(still(9));
        assert!(shelf.get(&key(0)).is_some() && shelf.get(&key(1)).is_none());
        assert!(shelf.get(&key(2)).is_some() && shelf.get(&key(9)).is_some());
        let all: Vec<_> = (20..25).map(key).collect();
        shelf.want(all.clone());
        (20..25).for_each(|frame| shelf.put(still(frame)));
        assert!(all.iter().all(|k| shelf.get(k).is_some()));
        assert_eq!(shelf.bytes, 5 * 300);
        // One that nobody waits for any more.
        shelf.put(still(30));
        assert!(shelf.get(&key(30)).is_none());
    }
}
