//! Copies of a project that were coded apart, joined again.
//!
//! Entries of the journal have names that copies share. The last entry on an annotation
//! stands for its present content; where the other journal knows that entry too, the
//! other coder has gone on from it. Times are not compared: clocks of two computers
//! disagree, and two changes may lie on either side of a copy.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::history::{History, copy_entry, copy_id, held_as_copies};
use super::journal::{Batch, Origin, apply, record};
use super::{Action, Change, Coder, EmotionLabels, ProjectError, ProjectFile, Source};
use super::{annotations, blind_pass, coding, copy};
use crate::timeline::{Annotation, AnnotationId};

/// What a merge brought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Merged {
    /// Annotations that were not here.
    pub added: usize,
    /// Changed there and not here, so taken over.
    pub updated: usize,
    /// The same on both sides, or changed or removed here only.
    pub unchanged: usize,
    /// Changed on both sides: this one's id, and the one under which the other's version
    /// now stands beside it.
    pub conflicts: Vec<(AnnotationId, AnnotationId)>,
    /// Names of coders who were not here.
    pub coders: Vec<String>,
    /// Emotions that annotations from there name and that were not in the set here.
    pub labels: Vec<String>,
}

impl ProjectFile {
    /// Takes over coders, annotations and blind passes from another copy of this project, or
    /// another project of the same recording. Nothing is deleted, the other file stays as it is,
    /// and merging it again changes nothing.
    ///
    /// # Errors
    /// The other file cannot be read or is about another recording, or this one cannot be
    /// written. Then nothing was taken over.
    pub fn merge(&mut self, other: &Path) -> Result<Merged, ProjectError> {
        if copy::same_file(&self.path, other) {
            return Err(ProjectError::Refused {
                reason: "a project cannot be joined with itself".to_owned(),
            });
        }
        let other = Self::open_read_only(other)?;
        self.check_same_source(&other)?;
        self.still_there()?;
        let theirs = other.annotations()?;
        let coders = other.coders()?;
        let from = other.path.file_name().unwrap_or_default();
        let from = from.to_string_lossy().into_owned();
        let join = |conn: &mut Connection| -> rusqlite::Result<Merged> {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let here = Batch::next(&tx, &self.coder, None)?;
            let batch = Batch {
                origin: Origin::Taken,
                ..here.clone()
            };
            let mut join = Join {
                tx: &tx,
                other: &other.conn,
                batch,
                merged: Merged::default(),
                held_as_copies: held_as_copies(&tx)?,
            };
            coders.iter().try_for_each(|coder| join.coder(coder))?;
            theirs.iter().try_for_each(|a| join.annotation(a))?;
            join.labels(&theirs)?;
            blind_pass::join(&tx, &other.conn)?;
            let merged = join.merged;
            let change = Change::Merge {
                from,
                merged: merged.clone(),
            };
            record(&tx, &here, &fresh_name(), change)?;
            tx.commit()?;
            Ok(merged)
        };
        join(&mut self.conn).map_err(|e| ProjectError::of(&e, &self.path))
    }

    /// Whether [`Self::merge`] would take `other` into a project of the recording `ours`
    /// that is still to be made.
    ///
    /// # Errors
    /// The other file cannot be read or is about another recording.
    pub fn check_joins(other: &Path, ours: Option<&Source>) -> Result<(), ProjectError> {
        let other = Self::open_read_only(other)?;
        let theirs = other.source()?;
        match same_content(ours, theirs.as_ref()) {
            Some(true) => Ok(()),
            // A new project is no copy of any.
            Some(false) | None => Err(other_source(&other, ours, theirs.as_ref())),
        }
    }

    fn check_same_source(&self, other: &Self) -> Result<(), ProjectError> {
        let (ours, theirs) = (self.source()?, other.source()?);
        let (ours, theirs) = (ours.as_ref(), theirs.as_ref());
        let same = match same_content(ours, theirs) {
            Some(same) => same,
            None => self.id()? == other.id()?,
        };
        if same {
            return Ok(());
        }
        Err(other_source(other, ours, theirs))
    }
}

/// `None` where there is none to compare, as of what a camera showed: only copies of one
/// project go together then.
fn same_content(ours: Option<&Source>, theirs: Option<&Source>) -> Option<bool> {
    let (a, b) = (ours?, theirs?);
    (!a.hash.is_empty() || !b.hash.is_empty()).then(|| a.is_that_of(b))
}

fn other_source(
    other: &ProjectFile,
    ours: Option<&Source>,
    theirs: Option<&Source>,
) -> ProjectError {
    let named = |source: Option<&Source>| {
        source.map_or_else(
            || "no recording yet".to_owned(),
            |s| format!("'{}'", s.name),
        )
    };
    ProjectError::OtherSource {
        path: other.path.clone(),
        ours: named(ours),
        theirs: named(theirs),
    }
}

struct Join<'a> {
    tx: &'a Transaction<'a>,
    other: &'a Connection,
    batch: Batch,
    merged: Merged,
    held_as_copies: BTreeSet<String>,
}

impl Join<'_> {
    fn coder(&mut self, coder: &Coder) -> rusqlite::Result<()> {
        if coding::coder(self.tx, &coder.name)?.is_none() {
            self.make(&Action::SetCoder(coder.clone()))?;
            self.merged.coders.push(coder.name.clone());
        }
        Ok(())
    }

    fn annotation(&mut self, theirs: &Annotation) -> rusqlite::Result<()> {
        let ours = annotations::get(self.tx, theirs.id)?;
        let (here, there) = (
            History::of(self.tx, theirs.id)?,
            History::of(self.other, theirs.id)?,
        );
        match ours {
            Some(ours) if ours == *theirs => {
                self.take_history(theirs.id, false)?;
                self.merged.unchanged += 1;
            }
            // Here it was changed or removed by somebody who knew theirs.
            _ if here.knows_last_of(&there) => self.merged.unchanged += 1,
            None if there
                .last
                .as_ref()
                .is_some_and(|l| self.held_as_copies.contains(l)) =>
            {
                self.merged.unchanged += 1;
            }
            None => {
                self.take(theirs)?;
                self.merged.added += 1;
            }
            Some(_) if there.knows_last_of(&here) => {
                self.take(theirs)?;
                self.merged.updated += 1;
            }
            Some(ours) => self.keep_both(ours.id, theirs, &there)?,
        }
        Ok(())
    }

    fn take(&self, theirs: &Annotation) -> rusqlite::Result<()> {
        annotations::put(self.tx, theirs)?;
        self.take_history(theirs.id, false)
    }

    fn keep_both(
        &mut self,
        ours: AnnotationId,
        theirs: &Annotation,
        there: &History,
    ) -> rusqlite::Result<()> {
        let version = there.last.as_deref().unwrap_or_default();
        let id = copy_id(theirs.id, version);
        let entry = copy_entry(theirs.id, version);
        self.take_history(ours, true)?;
        let beside = Annotation {
            id,
            ..theirs.clone()
        };
        if let Some(change) = apply(self.tx, &Action::Put(beside))? {
            // Signed by the one whose version it is.
            let batch = Batch {
                coder: there.coder.clone(),
                ..self.batch.clone()
            };
            record(self.tx, &batch, &entry, change)?;
        }
        self.merged.conflicts.push((ours, id));
        Ok(())
    }

    /// Copies what the other journal says of an annotation and this one does not know.
    /// With `aside` none of it is what stands here.
    fn take_history(&self, id: AnnotationId, aside: bool) -> rusqlite::Result<()> {
        let mut entries = self.other.prepare_cached(
            "SELECT id, time_ms, coder, before, after, origin FROM journal
             WHERE kind = 'annotation' AND subject = ?1 ORDER BY seq",
        )?;
        let mut insert = self.tx.prepare_cached(
            "INSERT OR IGNORE INTO journal
                 (id, batch, time_ms, coder, kind, subject, before, after, origin)
             VALUES (?1, ?2, ?3, ?4, 'annotation', ?5, ?6, ?7, ?8)",
        )?;
        let subject = id.to_string();
        let mut rows = entries.query([&subject])?;
        while let Some(row) = rows.next()? {
            let stood_aside = row.get::<_, String>(5)? == "aside";
            let origin = if aside || stood_aside {
                "aside"
            } else {
                "taken"
            };
            insert.execute(params![
                row.get::<_, String>(0)?,
                self.batch.number,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
                subject,
                row.get::<_, Option<String>>(3)?,
                row.get::<_, Option<String>>(4)?,
                origin,
            ])?;
        }
        Ok(())
    }

    /// Annotations name labels of the project's set: those that came have to be in it.
    fn labels(&mut self, theirs: &[Annotation]) -> rusqlite::Result<()> {
        let set = coding::emotions(self.tx)?;
        let mut wider = match set.labels.is_empty() {
            true => coding::emotions(self.other)?,
            false => set.clone(),
        };
        for label in theirs.iter().filter_map(|a| a.emotion.as_ref()) {
            if !wider.labels.contains(label) {
                wider.labels.push(label.clone());
            }
        }
        let new = |label: &&String| !set.labels.contains(label);
        self.merged.labels = wider.labels.iter().filter(new).cloned().collect();
        if self.merged.labels.is_empty() {
            return Ok(());
        }
        self.make(&Action::SetEmotions(EmotionLabels { ..wider }))
    }

    fn make(&self, action: &Action) -> rusqlite::Result<()> {
        if let Some(change) = apply(self.tx, action)? {
            record(self.tx, &self.batch, &fresh_name(), change)?;
        }
        Ok(())
    }
}

fn fresh_name() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::project::file::{Source, SourceKind, fresh_id};
    use crate::spotting::ExpressionKind;

    /// A project with one annotation that was copied, so that two people can go on.
    fn copied() -> (TempDir, ProjectFile, ProjectFile, AnnotationId) {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("film.avi");
        std::fs::write(&film, "film").unwrap();
        let mut anna = ProjectFile::create(&folder.path().join("anna.onset")).unwrap();
        let source = Source::of(&film, SourceKind::Video).unwrap();
        anna.set_source(&source).unwrap();
        anna.sign_as("Anna");
        let first = annotation("Anna", 10);
        anna.act(&[Action::Put(first.clone())]).unwrap();
        let place = folder.path().join("ben.onset");
        anna.save_copy(&place).unwrap();
        let mut ben = ProjectFile::open(&place).unwrap();
        ben.sign_as("Ben");
        (folder, anna, ben, first.id)
    }

    fn annotation(coder: &str, onset: u64) -> Annotation {
        let frames = (onset, onset + 5);
        Annotation::found(fresh_id(), coder, ExpressionKind::Micro, frames)
    }

    fn note(file: &mut ProjectFile, id: AnnotationId, note: &str) {
        let mut a = file.annotation(id).unwrap().unwrap();
        note.clone_into(&mut a.note);
        file.act(&[Action::Put(a)]).unwrap();
    }

    /// What a merge brought, with the other file closed for it.
    fn merged(into: &mut ProjectFile, other: ProjectFile) -> (Merged, ProjectFile) {
        let path = other.path().to_owned();
        let coder = other.coder.clone();
        drop(other);
        let merged = into.merge(&path).unwrap();
        let mut other = ProjectFile::open(&path).unwrap();
        other.sign_as(&coder);
        (merged, other)
    }

    fn notes(file: &ProjectFile) -> Vec<String> {
        let all = file.annotations().unwrap();
        let mut notes: Vec<String> = all.into_iter().map(|a| a.note).collect();
        notes.sort();
        notes
    }

    #[test]
    fn what_only_the_other_did_is_taken_once_with_coders_and_labels() {
        let (_folder, mut anna, mut ben, first) = copied();
        let mut new = annotation("Ben", 50);
        new.emotion = Some("surprise".into());
        let coder = Coder {
            name: "Ben".into(),
            colour: Some(2),
            blind: true,
            created_ms: 5,
        };
        let new = Action::Put(new);
        ben.act(&[Action::SetCoder(coder.clone()), new]).unwrap();
        note(&mut ben, first, "seen again");
        let (brought, ben) = merged(&mut anna, ben);
        let expected = Merged {
            added: 1,
            updated: 1,
            coders: vec!["Ben".into()],
            labels: vec!["surprise".into()],
            ..Merged::default()
        };
        assert_eq!(brought, expected);
        assert_eq!(anna.annotations().unwrap(), ben.annotations().unwrap());
        assert_eq!(anna.coders().unwrap(), [coder]);
        assert_eq!(anna.emotions().unwrap().labels, ["surprise"]);
        let last = anna.last_actions(1).unwrap().remove(0).change;
        assert!(matches!(last, Change::Merge { from, .. } if from == "ben.onset"));

        let (again, ben) = merged(&mut anna, ben);
        assert_eq!((again.added, again.updated, again.unchanged), (0, 0, 2));
        // Anna goes on from Ben's version, so he takes hers.
        note(&mut anna, first, "agreed");
        let mut ben = ben;
        let (back, _) = merged(&mut ben, anna);
        assert_eq!((back.updated, back.unchanged), (1, 1));
        assert_eq!(ben.annotation(first).unwrap().unwrap().note, "agreed");
    }

    #[test]
    fn two_versions_of_one_annotation_are_both_kept_and_do_not_multiply() {
        let (_folder, mut anna, mut ben, first) = copied();
        note(&mut anna, first, "A");
        note(&mut ben, first, "B");
        let before = anna.path().with_file_name("anna-before.onset");
        anna.save_copy(&before).unwrap();

        let (brought, ben) = merged(&mut anna, ben);
        assert_eq!(brought.conflicts.len(), 1);
        let (ours, theirs) = brought.conflicts[0];
        assert_eq!(ours, first);
        assert_eq!(anna.annotation(ours).unwrap().unwrap().note, "A");
        assert_eq!(anna.annotation(theirs).unwrap().unwrap().note, "B");
        assert_eq!(notes(&anna), ["A", "B"]);

        let (again, ben) = merged(&mut anna, ben);
        assert!(again.conflicts.is_empty());
        assert_eq!(notes(&anna), ["A", "B"]);

        // The other way round, before Ben has seen what became of it.
        let mut ben = ben;
        assert_eq!(ben.merge(&before).unwrap().conflicts.len(), 1);
        assert_eq!(notes(&ben), ["A", "B"]);
        let (_, ben) = merged(&mut anna, ben);
        assert_eq!(notes(&anna), ["A", "B"]);
        let mut ben = ben;
        let (_, _anna) = merged(&mut ben, anna);
        assert_eq!(notes(&ben), ["A", "B"]);
    }

    #[test]
    fn nothing_is_deleted_and_what_was_removed_here_does_not_come_back_unchanged() {
        let (_folder, mut anna, mut ben, first) = copied();
        ben.act(&[Action::Remove(first)]).unwrap();
        let (_, ben) = merged(&mut anna, ben);
        assert!(anna.annotation(first).unwrap().is_some());
        let mut ben = ben;
        let (brought, anna) = merged(&mut ben, anna);
        assert_eq!((brought.added, ben.annotations().unwrap().len()), (0, 0));
        // Unless there is news of it.
        let mut anna = anna;
        note(&mut anna, first, "look again");
        let (brought, _) = merged(&mut ben, anna);
        assert_eq!((brought.added, notes(&ben).len()), (1, 1));
    }

    #[test]
    fn a_project_of_another_recording_and_the_project_itself_are_refused() {
        let (folder, mut anna, _ben, _) = copied();
        let film = folder.path().join("other.avi");
        std::fs::write(&film, "other").unwrap();
        let path = folder.path().join("carl.onset");
        let mut carl = ProjectFile::create(&path).unwrap();
        carl.act(&[Action::Put(annotation("Carl", 1))]).unwrap();
        carl.set_source(&Source::of(&film, SourceKind::Video).unwrap())
            .unwrap();
        drop(carl);
        let error = anna.merge(&path).expect_err("another film").to_string();
        assert!(error.contains("'other.avi', this one about 'film.avi'"));
        let itself = anna.path().to_owned();
        assert!(anna.merge(&itself).is_err());
        assert_eq!(anna.annotations().unwrap().len(), 1);
    }
}
