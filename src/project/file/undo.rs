//! What a coder did last, taken back and done again; also after the program was closed.

use super::{Action, Change, Done, ProjectError, ProjectFile, journal};

/// Batches that can be taken back, and those that took one back; each oldest first.
#[derive(Debug, Default)]
struct Stacks {
    done: Vec<u64>,
    undone: Vec<u64>,
}

impl ProjectFile {
    /// Takes back what the coder of [`Self::sign_as`] did last and has not taken back,
    /// after the last merge. Empty where there is nothing.
    ///
    /// # Errors
    /// Somebody has changed it since, or the file cannot be written.
    pub fn undo(&mut self) -> Result<Vec<Done>, ProjectError> {
        let last = self.stacks()?.done.pop();
        self.take_back(last)
    }

    /// Does again what [`Self::undo`] took back, as long as nothing else was done.
    ///
    /// # Errors
    /// As [`Self::undo`].
    pub fn redo(&mut self) -> Result<Vec<Done>, ProjectError> {
        let last = self.stacks()?.undone.pop();
        self.take_back(last)
    }

    fn take_back(&mut self, batch: Option<u64>) -> Result<Vec<Done>, ProjectError> {
        let Some(batch) = batch else {
            return Ok(Vec::new());
        };
        let done = self.batch(batch).map_err(|e| self.said(&e))?;
        // Of several changes of one thing only the last says how it should stand now.
        for (at, entry) in done.iter().enumerate() {
            let later = |d: &Done| same_thing(&d.change, &entry.change);
            if !done[at + 1..].iter().any(later) && !self.stands(&entry.change)? {
                return Err(ProjectError::Refused {
                    reason: "somebody has changed it since, so it cannot be taken back".to_owned(),
                });
            }
        }
        let back = done.iter().rev().filter_map(|d| d.change.inverse());
        self.act_back(&back.collect::<Vec<Action>>(), Some(batch))
    }

    /// Whether things are as this change left them.
    fn stands(&self, change: &Change) -> Result<bool, ProjectError> {
        let Some(inverse) = change.inverse() else {
            return Ok(false);
        };
        let now = journal::change_of(&self.conn, &inverse).map_err(|e| self.said(&e))?;
        Ok(match (now, change) {
            (Change::Annotation { before, .. }, Change::Annotation { after, .. }) => {
                before == *after
            }
            (Change::Emotions { before, .. }, Change::Emotions { after, .. }) => before == *after,
            (Change::Coder { before, .. }, Change::Coder { after, .. }) => before == *after,
            (Change::Setting { before, .. }, Change::Setting { after, .. }) => before == *after,
            _ => false,
        })
    }

    fn stacks(&self) -> Result<Stacks, ProjectError> {
        let read = || -> rusqlite::Result<Stacks> {
            let mut stacks = Stacks::default();
            let mut batches = self.conn.prepare_cached(
                "SELECT DISTINCT batch, undoes FROM journal
                 WHERE origin = 'here' AND coder = ?1 AND batch >
                     (SELECT coalesce(max(batch), 0) FROM journal WHERE kind = 'merge')
                 ORDER BY batch",
            )?;
            let mut rows = batches.query([&self.coder])?;
            while let Some(row) = rows.next()? {
                stacks.take(row.get(0)?, row.get(1)?);
            }
            Ok(stacks)
        };
        read().map_err(|e| self.said(&e))
    }
}

impl Stacks {
    fn take(&mut self, batch: u64, undoes: Option<u64>) {
        match undoes {
            Some(undone) if self.undone.last() == Some(&undone) => {
                self.undone.pop();
                self.done.push(batch);
            }
            Some(undone) => {
                self.done.retain(|b| *b != undone);
                self.undone.push(batch);
            }
            None => {
                self.done.push(batch);
                self.undone.clear();
            }
        }
    }
}

fn same_thing(a: &Change, b: &Change) -> bool {
    match (a, b) {
        (Change::Annotation { id: a, .. }, Change::Annotation { id: b, .. }) => a == b,
        (Change::Coder { name: a, .. }, Change::Coder { name: b, .. }) => a == b,
        (Change::Setting { key: a, .. }, Change::Setting { key: b, .. }) => a == b,
        (Change::Emotions { .. }, Change::Emotions { .. }) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(file: &mut ProjectFile, key: &str, value: &str) {
        let (key, value) = (key.to_owned(), Some(value.to_owned()));
        file.act(&[Action::Setting { key, value }]).unwrap();
    }

    fn now(file: &ProjectFile) -> String {
        let all = file.settings().unwrap();
        all.iter().map(|(k, v)| format!("{k}{v}")).collect()
    }

    #[test]
    fn steps_are_taken_back_and_done_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.onset");
        let mut file = ProjectFile::create(&path).unwrap();
        for value in ["1", "2", "3"] {
            set(&mut file, "a", value);
        }
        file.undo().unwrap();
        drop(file);
        let mut file = ProjectFile::open(&path).unwrap();
        assert_eq!(now(&file), "a2");
        file.undo().unwrap();
        assert_eq!(now(&file), "a1");
        file.redo().unwrap();
        file.redo().unwrap();
        assert_eq!((now(&file).as_str(), file.redo().unwrap().len()), ("a3", 0));
        file.undo().unwrap();
        set(&mut file, "a", "9");
        assert!(file.redo().unwrap().is_empty());
        for expected in ["a2", "a1", ""] {
            file.undo().unwrap();
            assert_eq!(now(&file), expected);
        }
        assert!(file.undo().unwrap().is_empty());
    }

    #[test]
    fn a_coder_takes_back_only_their_own_and_nothing_that_others_went_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = ProjectFile::create(&folder.path().join("a.onset")).unwrap();
        file.sign_as("Anna");
        set(&mut file, "a", "1");
        file.sign_as("Ben");
        set(&mut file, "b", "1");
        file.sign_as("Anna");
        file.undo().unwrap();
        assert_eq!(now(&file), "b1");
        file.redo().unwrap();
        file.sign_as("Ben");
        set(&mut file, "a", "2");
        file.sign_as("Anna");
        let error = file.undo().expect_err("changed since").to_string();
        assert!(error.contains("changed it since"), "{error}");
        assert_eq!(now(&file), "a2b1");
    }
}
