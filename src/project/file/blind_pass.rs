//! Blind passes: who coded the recording without seeing what the networks and other coders
//! say of it, when, and whether that has been shown since. What was seen cannot be unseen,
//! so nothing here is taken back, and the journal has no entry of it.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::opening::{absolute, connect_read_only};
use super::schema::{self, MIGRATIONS};
use super::{ProjectError, ProjectFile, now_ms};

/// The first version of the file that knows of them.
const SINCE: usize = 3;

/// One pass of one coder. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindPass {
    /// Empty where nobody gave a name.
    pub coder: String,
    pub began_ms: i64,
    /// When the recording was last left in the middle of it.
    pub left_ms: Option<i64>,
    /// When what it hides was shown.
    pub ended_ms: Option<i64>,
}

impl BlindPass {
    /// What it hides has not been shown.
    #[must_use]
    pub const fn goes_on(&self) -> bool {
        self.ended_ms.is_none()
    }
}

/// What becomes of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassStep {
    /// Or goes on, where the coder's last one has not ended.
    Begun,
    Left,
    Ended,
    /// Those that nobody had signed are this coder's.
    Named,
}

/// A coder's step, and when it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassNews {
    pub coder: String,
    pub step: PassStep,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

impl PassNews {
    #[must_use]
    pub fn now(coder: &str, step: PassStep) -> Self {
        Self {
            coder: coder.to_owned(),
            step,
            at_ms: now_ms(),
        }
    }
}

impl ProjectFile {
    /// In the order in which they began.
    ///
    /// # Errors
    /// The file is damaged or out of reach.
    pub fn blind_passes(&self) -> Result<Vec<BlindPass>, ProjectError> {
        read(&self.conn).map_err(|e| self.said(&e))
    }

    /// Those of the project at `path`, without opening it: however much it holds, nothing
    /// else is read.
    ///
    /// # Errors
    /// As [`Self::source_in`].
    pub fn blind_passes_in(path: &Path) -> Result<Vec<BlindPass>, ProjectError> {
        let path = absolute(path)?;
        let conn = connect_read_only(&path)?;
        if schema::version(&conn, &path, MIGRATIONS)? < SINCE {
            return Ok(Vec::new());
        }
        read(&conn).map_err(|e| ProjectError::of(&e, &path))
    }

    /// Keeps these steps, together and in their order.
    ///
    /// # Errors
    /// Then none of them: the file cannot be written, its disk is full, or it was moved.
    pub fn tell_of_blind_passes(&mut self, news: &[PassNews]) -> Result<(), ProjectError> {
        if news.is_empty() {
            return Ok(());
        }
        self.within(|tx| news.iter().try_for_each(|news| keep(tx, news)))
    }
}

fn read(conn: &Connection) -> rusqlite::Result<Vec<BlindPass>> {
    conn.prepare_cached(
        "SELECT coder, began_ms, left_ms, ended_ms FROM blind_pass ORDER BY began_ms, coder",
    )?
    .query_map([], read_row)?
    .collect()
}

fn read_row(row: &Row) -> rusqlite::Result<BlindPass> {
    Ok(BlindPass {
        coder: row.get(0)?,
        began_ms: row.get(1)?,
        left_ms: row.get(2)?,
        ended_ms: row.get(3)?,
    })
}

fn keep(conn: &Connection, news: &PassNews) -> rusqlite::Result<()> {
    let PassNews { coder, step, at_ms } = news;
    match step {
        PassStep::Begun => conn.execute(
            "INSERT OR REPLACE INTO blind_pass (coder, began_ms) SELECT ?1, ?2 WHERE NOT EXISTS
                 (SELECT 1 FROM blind_pass WHERE coder = ?1 AND ended_ms IS NULL)",
            params![coder, at_ms],
        )?,
        PassStep::Left => conn.execute(
            "UPDATE blind_pass SET left_ms = ?2 WHERE coder = ?1 AND ended_ms IS NULL",
            params![coder, at_ms],
        )?,
        PassStep::Ended => conn.execute(
            "UPDATE blind_pass SET ended_ms = ?2 WHERE coder = ?1 AND ended_ms IS NULL",
            params![coder, at_ms],
        )?,
        PassStep::Named => conn.execute(
            "UPDATE OR REPLACE blind_pass SET coder = ?1 WHERE coder = ''",
            [coder],
        )?,
    };
    Ok(())
}

/// Takes over the passes of another copy: what has ended on either side has ended.
pub(super) fn join(here: &Connection, other: &Connection) -> rusqlite::Result<()> {
    let mut insert = here.prepare_cached(
        "INSERT INTO blind_pass VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (coder, began_ms) DO UPDATE SET
             left_ms = max(coalesce(left_ms, excluded.left_ms),
                           coalesce(excluded.left_ms, left_ms)),
             ended_ms = min(coalesce(ended_ms, excluded.ended_ms),
                            coalesce(excluded.ended_ms, ended_ms))",
    )?;
    for pass in read(other)? {
        insert.execute(params![
            pass.coder,
            pass.began_ms,
            pass.left_ms,
            pass.ended_ms
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::file::opening;

    fn news(coder: &str, step: PassStep, at_ms: i64) -> PassNews {
        PassNews {
            coder: coder.to_owned(),
            step,
            at_ms,
        }
    }

    fn pass(
        coder: &str,
        began_ms: i64,
        (left_ms, ended_ms): (Option<i64>, Option<i64>),
    ) -> BlindPass {
        BlindPass {
            coder: coder.to_owned(),
            began_ms,
            left_ms,
            ended_ms,
        }
    }

    #[test]
    fn a_pass_that_was_left_goes_on_when_the_project_is_opened_again_until_it_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.onset");
        let mut file = ProjectFile::create(&path).unwrap();
        assert_eq!(file.blind_passes().unwrap(), []);
        file.tell_of_blind_passes(&[
            news("Anna", PassStep::Begun, 1),
            news("Ben", PassStep::Begun, 2),
            news("Anna", PassStep::Left, 3),
        ])
        .unwrap();
        drop(file);
        let left = [
            pass("Anna", 1, (Some(3), None)),
            pass("Ben", 2, (None, None)),
        ];
        assert_eq!(ProjectFile::blind_passes_in(&path).unwrap(), left);
        let mut file = ProjectFile::open(&path).unwrap();
        assert_eq!(file.blind_passes().unwrap(), left);
        assert!(left.iter().all(BlindPass::goes_on));
        // It goes on, so that it is the same one.
        let on = [
            news("Anna", PassStep::Begun, 4),
            news("Anna", PassStep::Ended, 5),
        ];
        file.tell_of_blind_passes(&on).unwrap();
        let ended = pass("Anna", 1, (Some(3), Some(5)));
        assert_eq!(file.blind_passes().unwrap()[0], ended);
        // And what comes after the end is another one.
        let again = [
            news("Anna", PassStep::Left, 6),
            news("Anna", PassStep::Begun, 7),
        ];
        file.tell_of_blind_passes(&again).unwrap();
        let all = file.blind_passes().unwrap();
        let another = pass("Anna", 7, (None, None));
        assert_eq!((all.len(), &all[0], &all[2]), (3, &ended, &another));
        // Nobody takes it back.
        file.sign_as("Anna");
        assert!(file.undo().unwrap().is_empty());
        assert_eq!(file.last_actions(9).unwrap(), []);
    }

    #[test]
    fn a_pass_that_nobody_signed_is_theirs_who_gives_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = ProjectFile::create(&folder.path().join("a.onset")).unwrap();
        file.tell_of_blind_passes(&[
            news("", PassStep::Begun, 1),
            news("Ben", PassStep::Begun, 1),
            news("Anna", PassStep::Named, 2),
        ])
        .unwrap();
        let named = [pass("Anna", 1, (None, None)), pass("Ben", 1, (None, None))];
        assert_eq!(file.blind_passes().unwrap(), named);
    }

    #[test]
    fn joined_copies_know_each_others_passes_and_an_end_on_either_side() {
        let folder = tempfile::tempdir().unwrap();
        let mut anna = ProjectFile::create(&folder.path().join("anna.onset")).unwrap();
        let begun = [
            news("Anna", PassStep::Begun, 1),
            news("Ben", PassStep::Begun, 2),
        ];
        anna.tell_of_blind_passes(&begun).unwrap();
        let place = folder.path().join("ben.onset");
        anna.save_copy(&place).unwrap();
        anna.tell_of_blind_passes(&[news("Anna", PassStep::Ended, 9)])
            .unwrap();
        let mut ben = ProjectFile::open(&place).unwrap();
        let there = [
            news("Anna", PassStep::Left, 5),
            news("Ben", PassStep::Ended, 6),
            news("Cem", PassStep::Begun, 7),
        ];
        ben.tell_of_blind_passes(&there).unwrap();
        drop(ben);
        for _ in 0..2 {
            anna.merge(&place).unwrap();
            let expected = [
                pass("Anna", 1, (Some(5), Some(9))),
                pass("Ben", 2, (None, Some(6))),
                pass("Cem", 7, (None, None)),
            ];
            assert_eq!(anna.blind_passes().unwrap(), expected);
        }
    }

    #[test]
    fn a_project_of_an_older_version_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.onset");
        opening::build(&path, &MIGRATIONS[..2]).unwrap();
        assert_eq!(ProjectFile::blind_passes_in(&path).unwrap(), []);
        let read = ProjectFile::open_read_only(&path).unwrap();
        assert_eq!(read.blind_passes().unwrap(), []);
        let mut file = ProjectFile::open(&path).unwrap();
        file.tell_of_blind_passes(&[news("Anna", PassStep::Begun, 1)])
            .unwrap();
        assert_eq!(file.blind_passes().unwrap().len(), 1);
        assert!(folder.path().join("old.onset.bak-v2").exists());
    }
}
