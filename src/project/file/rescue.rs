//! What can still be read of a damaged project, in a new file.

use std::fs;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::copy::{Beside, wal_of};
use super::opening::{absolute, build};
use super::schema::{self, APPLICATION_ID, MIGRATIONS};
use super::{ProjectError, ProjectFile, annotations};
use crate::timeline::Annotation;

/// So many rows are looked for one by one between two that can be read.
const MOST_PROBED: i64 = 100_000;

/// What a rescue brought into the new file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rescued {
    pub annotations: usize,
    /// Of them, those that only the journal still knew.
    pub from_journal: usize,
    /// Changes in the journal.
    pub changes: usize,
    /// Tables that were not read to their end, or of which a row was refused; empty where
    /// everything is likely there.
    pub incomplete: Vec<String>,
}

/// Copies what can be read of the project at `path`, damaged or not, to a new file.
/// Nothing is written to the old one.
///
/// # Errors
/// Nothing can be read at all, there is a file at `to`, or it cannot be written.
pub fn rescue(path: &Path, to: &Path) -> Result<Rescued, ProjectError> {
    let (path, to) = (absolute(path)?, absolute(to)?);
    if to.exists() {
        return Err(ProjectError::Exists { path: to });
    }
    // Reading changes made after the last closing writes them into the file, so a copy
    // of both is read.
    let folder = tempfile::tempdir().map_err(|e| ProjectError::io(&e, &std::env::temp_dir()))?;
    let damaged = folder.path().join("damaged.onset");
    fs::copy(&path, &damaged).map_err(|e| ProjectError::io(&e, &path))?;
    if wal_of(&path).exists() {
        fs::copy(wal_of(&path), wal_of(&damaged)).map_err(|e| ProjectError::io(&e, &path))?;
    }
    let from = Connection::open(&damaged).map_err(|e| ProjectError::of(&e, &path))?;
    // A file that is shorter than it says, or whose list of tables has a hole, is read
    // as far as it goes; without this it is refused as a whole.
    from.pragma_update(None, "trusted_schema", false)
        .and_then(|()| from.pragma_update(None, "writable_schema", true))
        .map_err(|e| ProjectError::of(&e, &path))?;
    let version = readable_version(&from, &path)?;

    let beside = Beside::of(&to)?;
    let said = |e: rusqlite::Error| ProjectError::of(&e, &to);
    build(beside.path(), &MIGRATIONS[..version]).map_err(said)?;
    let mut into = Connection::open(beside.path()).map_err(said)?;
    let mut rescued = Rescued::default();
    copy_tables(&from, &mut into, &mut rescued).map_err(said)?;
    schema::migrate(&mut into, version, MIGRATIONS).map_err(said)?;
    leave_out_broken_tracks(&into, &rescued)
        .and_then(|()| fill_from_journal(&mut into, &mut rescued))
        .map_err(said)?;
    into.close().map_err(|(_, e)| said(e))?;
    beside.put(&to, false)?;
    // What was put together has to pass as a project before it is called one.
    ProjectFile::open_read_only(&to)?;
    Ok(rescued)
}

fn readable_version(from: &Connection, path: &Path) -> Result<usize, ProjectError> {
    let number = |name| from.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let said = |e: rusqlite::Error| ProjectError::of(&e, path);
    if number("application_id").map_err(said)? != APPLICATION_ID {
        return Err(ProjectError::NotAProject {
            path: path.to_owned(),
            reason: "this is no Onset project",
        });
    }
    let found = number("user_version").map_err(said)?;
    // Without the list of tables nothing is found, which is no rescue.
    let tables = "SELECT count(name) FROM sqlite_schema";
    from.query_row(tables, [], |row| row.get::<_, i64>(0))
        .map_err(said)?;
    usize::try_from(found)
        .ok()
        .filter(|v| (1..=MIGRATIONS.len()).contains(v))
        .ok_or_else(|| ProjectError::Newer {
            path: path.to_owned(),
            found,
            known: MIGRATIONS.len(),
        })
}

fn copy_tables(
    from: &Connection,
    into: &mut Connection,
    rescued: &mut Rescued,
) -> rusqlite::Result<()> {
    let tables: Vec<String> = into
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    into.pragma_update(None, "foreign_keys", false)?;
    let tx = into.transaction()?;
    for table in &tables {
        if !copy_table(from, &tx, table)? {
            rescued.incomplete.push(table.clone());
        }
    }
    tx.commit()
}

/// Whether all of it was read and taken.
fn copy_table(from: &Connection, into: &Connection, table: &str) -> rusqlite::Result<bool> {
    let columns: Vec<String> = into
        .prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let (names, places) = (columns.join(", "), vec!["?"; columns.len() + 1].join(", "));
    // Its row numbers come along, since other tables may refer to them.
    let insert = format!("INSERT OR REPLACE INTO {table} (rowid, {names}) VALUES ({places})");
    let mut insert = into.prepare(&insert)?;
    let mut whole = true;
    let mut keep = |row: Vec<Value>| -> rusqlite::Result<()> {
        match insert.execute(params_from_iter(row)) {
            Ok(_) => Ok(()),
            // A row that breaks the table's rules is damaged itself.
            Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                whole = false;
                Ok(())
            }
            Err(e) => Err(e),
        }
    };
    let select = |rest: &str| format!("SELECT rowid, {names} FROM {table} NOT INDEXED {rest}");
    let (up, read) = walk(from, &select("ORDER BY rowid"), &mut keep)?;
    if read {
        return Ok(whole);
    }
    let (down, _) = walk(from, &select("ORDER BY rowid DESC"), &mut keep)?;
    if let (Some(low), Some(high)) = (up, down) {
        for row in (low + 1..high).take(MOST_PROBED as usize) {
            walk(from, &select(&format!("WHERE rowid = {row}")), &mut keep)?;
        }
    }
    Ok(false)
}

/// Reads rows until the first that cannot be; gives the number of the last one and
/// whether there was no such.
fn walk(
    from: &Connection,
    sql: &str,
    keep: &mut impl FnMut(Vec<Value>) -> rusqlite::Result<()>,
) -> rusqlite::Result<(Option<i64>, bool)> {
    let Ok(mut statement) = from.prepare(sql) else {
        return Ok((None, false));
    };
    let columns = statement.column_count();
    let Ok(mut rows) = statement.query([]) else {
        return Ok((None, false));
    };
    let mut last = None;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok((last, true)),
            Err(_) => return Ok((last, false)),
        };
        let values: rusqlite::Result<Vec<Value>> = (0..columns).map(|at| row.get(at)).collect();
        let Ok(values) = values else {
            return Ok((last, false));
        };
        if let Some(Value::Integer(number)) = values.first() {
            last = Some(*number);
        }
        keep(values)?;
    }
}

/// Values with a gap would stand at the wrong frames; an analysis can be done again.
fn leave_out_broken_tracks(into: &Connection, rescued: &Rescued) -> rusqlite::Result<()> {
    into.execute_batch(
        "DELETE FROM track WHERE count <>
             (SELECT coalesce(sum(length(floats) / 4), 0) FROM track_part WHERE track = track.id);
         DELETE FROM track_part WHERE track NOT IN (SELECT id FROM track);",
    )?;
    for table in ["frame_times", "analysis_part"] {
        if rescued.incomplete.iter().any(|found| found == table) {
            into.execute(&format!("DELETE FROM {table}"), [])?;
        }
    }
    Ok(())
}

/// The journal's last word on each annotation, for those whose own row is lost.
fn fill_from_journal(into: &mut Connection, rescued: &mut Rescued) -> rusqlite::Result<()> {
    let tx = into.transaction()?;
    let texts: Vec<Option<String>> = tx
        .prepare(
            "SELECT after FROM journal AS j WHERE kind = 'annotation' AND origin <> 'aside'
             AND NOT EXISTS (SELECT 1 FROM annotation WHERE id = j.subject)
             AND seq = (SELECT max(seq) FROM journal
                        WHERE kind = 'annotation' AND subject = j.subject AND origin <> 'aside')",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for text in texts.into_iter().flatten() {
        if let Ok(annotation) = serde_json::from_str::<Annotation>(&text) {
            annotations::put(&tx, &annotation)?;
            rescued.from_journal += 1;
        }
    }
    // Rows whose words are no longer ours would keep all others from being read.
    let ids: Vec<String> = tx
        .prepare("SELECT id FROM annotation")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids {
        let readable = id.parse().is_ok_and(|id| annotations::get(&tx, id).is_ok());
        if readable {
            rescued.annotations += 1;
        } else {
            tx.execute("DELETE FROM annotation WHERE id = ?1", [id])?;
            rescued.incomplete.push("annotation".to_owned());
        }
    }
    rescued.incomplete.dedup();
    rescued.changes = tx
        .query_row("SELECT count(*) FROM journal", [], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    tx.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::file::{Action, Analysis, Track, fresh_id};
    use crate::spotting::ExpressionKind;

    #[test]
    fn a_truncated_or_overwritten_project_is_said_damaged_and_rescued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.onset");
        let mut file = ProjectFile::create(&path).unwrap();
        for onset in 0..300 {
            let frames = (onset, onset + 4);
            let mut a = Annotation::found(fresh_id(), "R", ExpressionKind::Macro, frames);
            a.note = "seen".repeat(20);
            file.act(&[Action::Put(a)]).unwrap();
        }
        let track = Track {
            name: "macro_score".into(),
            unit: "share".into(),
            first: 0,
            values: vec![0.5; 100_000],
        };
        file.save_analysis(&Analysis {
            times_ns: (0..100_000).collect(),
            tracks: vec![track],
            parameters: "{}".into(),
            ..Analysis::default()
        })
        .unwrap();
        let all = file.annotations().unwrap();
        drop(file);
        let whole = fs::read(&path).unwrap();

        let healthy = rescue(&path, &folder.path().join("whole.onset")).unwrap();
        assert_eq!((healthy.annotations, healthy.changes), (300, 300));
        assert_eq!((healthy.from_journal, healthy.incomplete), (0, vec![]));

        let mut overwritten = whole.clone();
        // Behind the list of tables, without which nothing is found.
        let middle = 60 * 4096..64 * 4096;
        overwritten[middle].fill(0x5a);
        let cut = whole[..whole.len() * 2 / 3].to_vec();
        for (name, bytes) in [("cut", cut), ("overwritten", overwritten)] {
            fs::write(&path, &bytes).unwrap();
            let error = ProjectFile::open(&path).expect_err(name);
            assert!(matches!(error, ProjectError::Damaged { .. }), "{error}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
            let to = folder.path().join(format!("{name}.onset"));
            let rescued = rescue(&path, &to).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert!(!rescued.incomplete.is_empty());
            assert!(rescued.annotations > 250, "{name}: {rescued:?}");
            let file = ProjectFile::open(&to).unwrap();
            file.analysis().unwrap();
            let found = file.annotations().unwrap();
            assert!(found.iter().all(|a| all.contains(a)));
            assert_eq!(found.len(), rescued.annotations);
        }
        let again = rescue(&path, &folder.path().join("cut.onset"));
        assert!(matches!(again, Err(ProjectError::Exists { .. })));
    }
}
