//! Who codes a project, with which words, and its settings.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Coder, EmotionLabels};

pub(super) fn coder(conn: &Connection, name: &str) -> rusqlite::Result<Option<Coder>> {
    conn.prepare_cached("SELECT name, colour, blind, created_ms FROM coder WHERE name = ?1")?
        .query_row([name], read_coder)
        .optional()
}

/// In the order in which they came.
pub(super) fn coders(conn: &Connection) -> rusqlite::Result<Vec<Coder>> {
    conn.prepare_cached(
        "SELECT name, colour, blind, created_ms FROM coder ORDER BY created_ms, name",
    )?
    .query_map([], read_coder)?
    .collect()
}

fn read_coder(row: &Row) -> rusqlite::Result<Coder> {
    Ok(Coder {
        name: row.get(0)?,
        colour: row.get(1)?,
        blind: row.get(2)?,
        created_ms: row.get(3)?,
    })
}

pub(super) fn put_coder(conn: &Connection, coder: &Coder) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO coder VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            coder.name,
            coder.colour,
            coder.blind,
            coder.created_ms
        ])?;
    Ok(())
}

pub(super) fn remove_coder(conn: &Connection, name: &str) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM coder WHERE name = ?1", [name])?;
    Ok(())
}

pub(super) fn emotions(conn: &Connection) -> rusqlite::Result<EmotionLabels> {
    let name: Option<String> = conn
        .query_row("SELECT name FROM emotions", [], |row| row.get(0))
        .optional()?;
    let labels = conn
        .prepare_cached("SELECT label FROM emotion_label ORDER BY place")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(EmotionLabels {
        name: name.unwrap_or_default(),
        labels,
    })
}

pub(super) fn set_emotions(conn: &Connection, set: &EmotionLabels) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM emotion_label", [])?;
    conn.execute(
        "INSERT OR REPLACE INTO emotions VALUES (1, ?1)",
        [&set.name],
    )?;
    for (place, label) in set.labels.iter().enumerate() {
        conn.prepare_cached("INSERT INTO emotion_label VALUES (?1, ?2)")?
            .execute(params![place, label])?;
    }
    Ok(())
}

pub(super) fn setting(conn: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM setting WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

pub(super) fn settings(conn: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    conn.prepare_cached("SELECT key, value FROM setting")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

pub(super) fn set(conn: &Connection, key: &str, value: Option<&str>) -> rusqlite::Result<()> {
    match value {
        Some(value) => conn
            .prepare_cached("INSERT OR REPLACE INTO setting VALUES (?1, ?2)")?
            .execute([key, value])?,
        None => conn.execute("DELETE FROM setting WHERE key = ?1", [key])?,
    };
    Ok(())
}
