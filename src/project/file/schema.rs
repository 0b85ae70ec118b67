//! The tables, how they came to be as they are, and how a file is checked before it is
//! trusted.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::ProjectError;

/// Marks a database as ours; "Onst".
pub(super) const APPLICATION_ID: i64 = 0x4f6e_7374;

/// Each makes a file of the next version out of one of the version before; the first
/// makes it out of nothing. What is released is never edited, only added to.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
];

/// The version of the file, 1 to the number of `migrations`, without a look at the rest.
///
/// # Errors
/// It is no project or too new.
pub(super) fn version(
    conn: &Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<usize, ProjectError> {
    let said = |e: rusqlite::Error| ProjectError::of(&e, path);
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("application_id").map_err(said)? != APPLICATION_ID {
        return Err(ProjectError::NotAProject {
            path: path.to_owned(),
            reason: "this is no Onset project",
        });
    }
    let found = number("user_version").map_err(said)?;
    usize::try_from(found)
        .ok()
        .filter(|v| (1..=migrations.len()).contains(v))
        .ok_or_else(|| ProjectError::Newer {
            path: path.to_owned(),
            found,
            known: migrations.len(),
        })
}

/// The version of a file that is whole.
///
/// # Errors
/// As [`version`], or it is damaged.
pub(super) fn check(
    conn: &Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<usize, ProjectError> {
    let version = version(conn, path, migrations)?;
    let verdict: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|e| ProjectError::of(&e, path))?;
    if verdict != "ok" {
        return Err(ProjectError::Damaged {
            path: path.to_owned(),
            // Its first line says which table, the second what; both are for a report.
            reason: verdict.lines().collect::<Vec<_>>().join(" "),
        });
    }
    Ok(version)
}

/// Takes a database from version `from` to the last of `migrations`, each of them whole
/// or not at all.
pub(super) fn migrate(
    conn: &mut Connection,
    from: usize,
    migrations: &[&str],
) -> rusqlite::Result<()> {
    // A table that is replaced by a new one would take with it what refers to it.
    conn.pragma_update(None, "foreign_keys", false)?;
    for (before, sql) in migrations.iter().enumerate().skip(from) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", before + 1)?;
        tx.commit()?;
    }
    conn.pragma_update(None, "foreign_keys", true)
}
