//! Changes and the journal that keeps them, each with what it replaced.

use rusqlite::{Connection, Row, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::annotations::{self, unreadable};
use super::{Action, Change, Done, ProjectError, ProjectFile, coding, now_ms};

const ANNOTATION: &str = "annotation";
const EMOTIONS: &str = "emotions";
const CODER: &str = "coder";
const SETTING: &str = "setting";
const MERGE: &str = "merge";

/// Who changes what when; the same for all that is done together.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) time_ms: i64,
    pub(super) coder: String,
    pub(super) undoes: Option<u64>,
    pub(super) origin: Origin,
}

/// Whether somebody did it, or a merge for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Here,
    Taken,
}

impl Batch {
    pub(super) fn next(
        conn: &Connection,
        coder: &str,
        undoes: Option<u64>,
    ) -> rusqlite::Result<Self> {
        let last: Option<u64> =
            conn.query_row("SELECT max(batch) FROM journal", [], |row| row.get(0))?;
        Ok(Self {
            number: last.unwrap_or(0) + 1,
            time_ms: now_ms(),
            coder: coder.to_owned(),
            undoes,
            origin: Origin::Here,
        })
    }
}

impl ProjectFile {
    /// Makes these changes together, in the name of [`Self::sign_as`]. On return they are
    /// on the disk; what changes nothing is not among them.
    ///
    /// # Errors
    /// Then none of them was made: the file cannot be written, its disk is full, it was
    /// moved, or one of them is refused.
    pub fn act(&mut self, actions: &[Action]) -> Result<Vec<Done>, ProjectError> {
        self.act_back(actions, None)
    }

    pub(super) fn act_back(
        &mut self,
        actions: &[Action],
        undoes: Option<u64>,
    ) -> Result<Vec<Done>, ProjectError> {
        actions.iter().try_for_each(Action::check)?;
        self.still_there()?;
        write(&mut self.conn, &self.coder, actions, undoes).map_err(|e| self.said(&e))
    }

    /// The last `count` changes made here, oldest first. What a merge brought is one
    /// entry.
    ///
    /// # Errors
    /// The file is damaged or out of reach.
    pub fn last_actions(&self, count: usize) -> Result<Vec<Done>, ProjectError> {
        let read = || -> rusqlite::Result<Vec<Done>> {
            let mut done: Vec<Done> = self
                .conn
                .prepare_cached(
                    "SELECT seq, batch, time_ms, coder, undoes, kind, subject, before, after
                     FROM journal WHERE origin = 'here' ORDER BY seq DESC LIMIT ?1",
                )?
                .query_map([count], read_done)?
                .collect::<rusqlite::Result<_>>()?;
            done.reverse();
            Ok(done)
        };
        read().map_err(|e| self.said(&e))
    }

    pub(super) fn batch(&self, number: u64) -> rusqlite::Result<Vec<Done>> {
        self.conn
            .prepare_cached(
                "SELECT seq, batch, time_ms, coder, undoes, kind, subject, before, after
                 FROM journal WHERE origin = 'here' AND batch = ?1 ORDER BY seq",
            )?
            .query_map([number], read_done)?
            .collect()
    }
}

fn write(
    conn: &mut Connection,
    coder: &str,
    actions: &[Action],
    undoes: Option<u64>,
) -> rusqlite::Result<Vec<Done>> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let batch = Batch::next(&tx, coder, undoes)?;
    let mut done = Vec::new();
    for action in actions {
        if let Some(change) = apply(&tx, action)? {
            let id = uuid::Uuid::new_v4().simple().to_string();
            done.push(record(&tx, &batch, &id, change)?);
        }
    }
    tx.commit()?;
    Ok(done)
}

/// Makes a change; `None` where everything is so already.
pub(super) fn apply(conn: &Connection, action: &Action) -> rusqlite::Result<Option<Change>> {
    let change = change_of(conn, action)?;
    if !change.changes() {
        return Ok(None);
    }
    match action {
        Action::Put(annotation) => annotations::put(conn, annotation),
        Action::Remove(id) => annotations::remove(conn, *id),
        Action::SetEmotions(set) => coding::set_emotions(conn, set),
        Action::SetCoder(coder) => coding::put_coder(conn, coder),
        Action::RemoveCoder(name) => coding::remove_coder(conn, name),
        Action::Setting { key, value } => coding::set(conn, key, value.as_deref()),
    }?;
    Ok(Some(change))
}

/// What an action would change.
pub(super) fn change_of(conn: &Connection, action: &Action) -> rusqlite::Result<Change> {
    let annotation = |id| annotations::get(conn, id).map(|a| a.map(Box::new));
    Ok(match action {
        Action::Put(a) => Change::Annotation {
            id: a.id,
            before: annotation(a.id)?,
            after: Some(Box::new(a.clone())),
        },
        Action::Remove(id) => Change::Annotation {
            id: *id,
            before: annotation(*id)?,
            after: None,
        },
        Action::SetEmotions(set) => Change::Emotions {
            before: coding::emotions(conn)?,
            after: set.clone(),
        },
        Action::SetCoder(coder) => Change::Coder {
            name: coder.name.clone(),
            before: coding::coder(conn, &coder.name)?,
            after: Some(coder.clone()),
        },
        Action::RemoveCoder(name) => Change::Coder {
            name: name.clone(),
            before: coding::coder(conn, name)?,
            after: None,
        },
        Action::Setting { key, value } => Change::Setting {
            key: key.clone(),
            before: coding::setting(conn, key)?,
            after: value.clone(),
        },
    })
}

/// Writes a change that was made into the journal, as the entry `id`.
pub(super) fn record(
    conn: &Connection,
    batch: &Batch,
    id: &str,
    change: Change,
) -> rusqlite::Result<Done> {
    let text = |id: &dyn ToString| id.to_string();
    let (kind, subject, before, after) = match &change {
        Change::Annotation { id, before, after } => {
            (ANNOTATION, text(id), json(before)?, json(after)?)
        }
        Change::Emotions { before, after } => (
            EMOTIONS,
            String::new(),
            json(&Some(before))?,
            json(&Some(after))?,
        ),
        Change::Coder {
            name,
            before,
            after,
        } => (CODER, name.clone(), json(before)?, json(after)?),
        Change::Setting { key, before, after } => {
            (SETTING, key.clone(), before.clone(), after.clone())
        }
        Change::Merge { from, merged } => (MERGE, from.clone(), None, json(&Some(merged))?),
    };
    conn.prepare_cached(
        "INSERT INTO journal (id, batch, time_ms, coder, kind, subject, before, after, undoes, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        id,
        batch.number,
        batch.time_ms,
        batch.coder,
        kind,
        subject,
        before,
        after,
        batch.undoes,
        match batch.origin {
            Origin::Here => "here",
            Origin::Taken => "taken",
        },
    ])?;
    Ok(Done {
        seq: u64::try_from(conn.last_insert_rowid()).unwrap_or_default(),
        batch: batch.number,
        time_ms: batch.time_ms,
        coder: batch.coder.clone(),
        undoes: batch.undoes,
        change,
    })
}

fn read_done(row: &Row) -> rusqlite::Result<Done> {
    let (kind, subject): (String, String) = (row.get(5)?, row.get(6)?);
    let change = match kind.as_str() {
        ANNOTATION => Change::Annotation {
            id: subject.parse().map_err(|e| unreadable(6, e))?,
            before: told(row, 7)?,
            after: told(row, 8)?,
        },
        EMOTIONS => Change::Emotions {
            before: told(row, 7)?.unwrap_or_default(),
            after: told(row, 8)?.unwrap_or_default(),
        },
        CODER => Change::Coder {
            name: subject,
            before: told(row, 7)?,
            after: told(row, 8)?,
        },
        SETTING => Change::Setting {
            key: subject,
            before: row.get(7)?,
            after: row.get(8)?,
        },
        MERGE => Change::Merge {
            from: subject,
            merged: told(row, 8)?.unwrap_or_default(),
        },
        other => return Err(unreadable(5, format!("'{other}' is no kind of change"))),
    };
    Ok(Done {
        seq: row.get(0)?,
        batch: row.get(1)?,
        time_ms: row.get(2)?,
        coder: row.get(3)?,
        undoes: row.get(4)?,
        change,
    })
}

fn json<T: Serialize>(value: &Option<T>) -> rusqlite::Result<Option<String>> {
    (value.as_ref())
        .map(|value| serde_json::to_string(value))
        .transpose()
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

fn told<T: DeserializeOwned>(row: &Row, column: usize) -> rusqlite::Result<Option<T>> {
    row.get::<_, Option<String>>(column)?
        .map(|text| serde_json::from_str(&text).map_err(|e| unreadable(column, e)))
        .transpose()
}
