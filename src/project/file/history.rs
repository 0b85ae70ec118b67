//! What a journal knows of an annotation, and how copies made by a merge are named.

use std::collections::BTreeSet;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::annotations::unreadable;
use crate::timeline::AnnotationId;

/// What a journal knows of one annotation.
pub(super) struct History {
    known: BTreeSet<String>,
    /// The entry that made it what it is in that file.
    pub(super) last: Option<String>,
    /// Who signed that.
    pub(super) coder: String,
}

impl History {
    pub(super) fn of(conn: &Connection, id: AnnotationId) -> rusqlite::Result<Self> {
        let mut history = Self {
            known: BTreeSet::new(),
            last: None,
            coder: String::new(),
        };
        let mut entries = conn.prepare_cached(
            "SELECT id, origin, coder FROM journal
             WHERE kind = 'annotation' AND subject = ?1 ORDER BY seq",
        )?;
        let mut rows = entries.query([id.to_string()])?;
        while let Some(row) = rows.next()? {
            let entry: String = row.get(0)?;
            if row.get::<_, String>(1)? != "aside" {
                history.coder = row.get(2)?;
                history.last = Some(entry.clone());
            }
            history.known.insert(entry);
        }
        Ok(history)
    }

    pub(super) fn knows_last_of(&self, other: &Self) -> bool {
        (other.last.as_ref()).is_some_and(|last| self.known.contains(last))
    }
}

/// What the journal entries would be called with which the annotations here, as they are
/// now, were copied beside another version: where both sides merged each other, each has
/// a copy of what the other holds under the first id.
pub(super) fn held_as_copies(conn: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    conn.prepare(
        "SELECT a.id, j.id FROM annotation AS a JOIN journal AS j ON j.seq =
             (SELECT max(seq) FROM journal
              WHERE kind = 'annotation' AND subject = a.id AND origin <> 'aside')",
    )?
    .query_map([], |row| {
        let id = row.get::<_, String>(0)?.parse();
        let id = id.map_err(|e| unreadable(0, e))?;
        Ok(copy_entry(id, &row.get::<_, String>(1)?))
    })?
    .collect()
}

/// The id of a copy of the annotation `id` as its entry `version` made it: the same
/// wherever a conflict is met, so that copies merged in another order do not multiply.
pub(super) fn copy_id(id: AnnotationId, version: &str) -> AnnotationId {
    AnnotationId(digest("id", id, version))
}

/// The journal entry of a copy of the annotation `id` as its entry `version` made it.
pub(super) fn copy_entry(id: AnnotationId, version: &str) -> String {
    format!("{:032x}", digest("entry", id, version))
}

fn digest(what: &str, id: AnnotationId, version: &str) -> u128 {
    let mut hash = Sha256::new();
    for part in [what, &id.to_string(), version] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    u128::from_be_bytes(first)
}
