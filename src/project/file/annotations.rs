//! Rows of annotations.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::facs::{parse_units, write_units};
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::annotation::Candidate;
use crate::timeline::{Annotation, AnnotationId};

const COLUMNS: &str = "id, coder, kind, onset, apex, offset, units, emotion, confidence, note, \
    status, candidate_kind, candidate_onset, candidate_apex, candidate_offset, candidate_score";

pub(super) fn put(conn: &Connection, a: &Annotation) -> rusqlite::Result<()> {
    let candidate = a.candidate.as_ref();
    let sql = format!(
        "INSERT OR REPLACE INTO annotation ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    );
    conn.prepare_cached(&sql)?.execute(params![
        a.id.to_string(),
        a.coder,
        a.kind.name(),
        a.onset,
        a.apex,
        a.offset,
        write_units(&a.units),
        a.emotion,
        a.confidence,
        a.note,
        status_name(a.status),
        candidate.map(|c| c.kind.name()),
        candidate.map(|c| c.onset),
        candidate.map(|c| c.apex),
        candidate.map(|c| c.offset),
        candidate.map(|c| c.score),
    ])?;
    Ok(())
}

pub(super) fn remove(conn: &Connection, id: AnnotationId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM annotation WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

pub(super) fn get(conn: &Connection, id: AnnotationId) -> rusqlite::Result<Option<Annotation>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM annotation WHERE id = ?1"))?
        .query_row([id.to_string()], read)
        .optional()
}

/// In order of onset.
pub(super) fn all(conn: &Connection) -> rusqlite::Result<Vec<Annotation>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM annotation ORDER BY onset, offset, id"
    ))?
    .query_map([], read)?
    .collect()
}

fn read(row: &Row) -> rusqlite::Result<Annotation> {
    let text = |at: usize| row.get::<_, String>(at);
    let candidate = match row.get::<_, Option<String>>(11)? {
        None => None,
        Some(kind) => Some(Candidate {
            kind: kind_named(&kind).map_err(|e| unreadable(11, e))?,
            onset: row.get(12)?,
            apex: row.get(13)?,
            offset: row.get(14)?,
            score: row.get(15)?,
        }),
    };
    Ok(Annotation {
        id: text(0)?.parse().map_err(|e| unreadable(0, e))?,
        coder: text(1)?,
        kind: kind_named(&text(2)?).map_err(|e| unreadable(2, e))?,
        onset: row.get(3)?,
        apex: row.get(4)?,
        offset: row.get(5)?,
        units: parse_units(&text(6)?).map_err(|e| unreadable(6, e))?,
        emotion: row.get(7)?,
        confidence: row.get(8)?,
        note: text(9)?,
        status: status_named(&text(10)?).map_err(|e| unreadable(10, e))?,
        candidate,
    })
}

/// A value in a row that no Onset wrote.
pub(super) fn unreadable(
    column: usize,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

pub(super) fn kind_named(text: &str) -> Result<ExpressionKind, String> {
    ExpressionKind::BOTH
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| format!("'{text}' is no kind of expression"))
}

const fn status_name(status: IntervalStatus) -> &'static str {
    match status {
        IntervalStatus::Proposed => "proposed",
        IntervalStatus::Accepted => "accepted",
        IntervalStatus::Rejected => "rejected",
    }
}

fn status_named(text: &str) -> Result<IntervalStatus, String> {
    use IntervalStatus::{Accepted, Proposed, Rejected};
    [Proposed, Accepted, Rejected]
        .into_iter()
        .find(|status| status_name(*status) == text)
        .ok_or_else(|| format!("'{text}' is no decision"))
}
