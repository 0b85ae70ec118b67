//! What the analysis told: values frame by frame, proposed intervals, and what produced
//! them. What is in the parts and which tracks there are is the matter of
//! [`crate::project::kept`].
//!
//! Frames lie in parts of 4096 values, because SQLite is as fast with a few large values
//! as with a file, and a thousand times slower with one row a frame.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::annotations::{kind_named, unreadable};
use super::{ProjectError, ProjectFile};
use crate::spotting::ExpressionKind;

const PART: usize = 4096;
/// Bytes of a part in one row.
const PIECE: usize = 1 << 20;

/// One value a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// As `macro_score`; each name once.
    pub name: String,
    /// In words, as shown beside the curve.
    pub unit: String,
    /// The frame of the first value.
    pub first: u64,
    /// Not-a-number where nothing was measured.
    pub values: Vec<f32>,
}

/// A network that took part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedWeights {
    /// Each name once.
    pub name: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

/// A candidate as the analysis proposed it. Frames count from 0, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedInterval {
    pub kind: ExpressionKind,
    pub onset: u64,
    pub apex: u64,
    pub offset: u64,
    /// In the unit of the score track.
    pub score: f64,
    /// What recognition said of it, JSON.
    pub recognition: Option<String>,
}

/// Bytes whose form is not this file's matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Each name once.
    pub name: String,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Analysis {
    /// Of the Onset that analysed.
    pub onset_version: String,
    /// JSON.
    pub parameters: String,
    /// What scored and read, JSON; `None` where an older Onset wrote the file.
    pub facts: Option<String>,
    /// Milliseconds since 1970 when the whole recording was analysed; `None` where that
    /// is not known.
    pub finished_ms: Option<i64>,
    pub weights: Vec<UsedWeights>,
    /// When each frame was shown, nanoseconds on the recording's clock.
    pub times_ns: Vec<i64>,
    pub tracks: Vec<Track>,
    pub intervals: Vec<ProposedInterval>,
    pub parts: Vec<Part>,
}

impl ProjectFile {
    /// Keeps an analysis in place of an older one; annotations stay.
    ///
    /// # Errors
    /// The file cannot be written or a name is there twice.
    pub fn save_analysis(&mut self, analysis: &Analysis) -> Result<(), ProjectError> {
        unique(analysis.weights.iter().map(|w| &w.name))?;
        unique(analysis.tracks.iter().map(|t| &t.name))?;
        unique(analysis.parts.iter().map(|p| &p.name))?;
        self.within(|tx| {
            for table in [
                "analysis",
                "weights",
                "frame_times",
                "track",
                "proposed_interval",
                "analysis_part",
            ] {
                tx.execute(&format!("DELETE FROM {table}"), [])?;
            }
            tx.execute(
                "INSERT INTO analysis (only_row, onset_version, parameters, facts, finished_ms)
                 VALUES (1, ?1, ?2, ?3, ?4)",
                params![
                    analysis.onset_version,
                    analysis.parameters,
                    analysis.facts,
                    analysis.finished_ms
                ],
            )?;
            for w in &analysis.weights {
                tx.execute("INSERT INTO weights VALUES (?1, ?2)", [&w.name, &w.sha256])?;
            }
            for (place, part) in analysis.times_ns.chunks(PART).enumerate() {
                let bytes: Vec<u8> = part.iter().flat_map(|t| t.to_le_bytes()).collect();
                tx.prepare_cached("INSERT INTO frame_times VALUES (?1, ?2, ?3)")?
                    .execute(params![place, part.len(), bytes])?;
            }
            for track in &analysis.tracks {
                put_track(tx, track)?;
            }
            for part in &analysis.parts {
                put_part(tx, part)?;
            }
            put_intervals(tx, &analysis.intervals)
        })
    }

    /// Keeps one track in place of an older one of its name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put_track(&mut self, track: &Track) -> Result<(), ProjectError> {
        self.within(|tx| put_track(tx, track))
    }

    /// Keeps what is proposed in place of what was, as after a second look.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_intervals(&mut self, intervals: &[ProposedInterval]) -> Result<(), ProjectError> {
        self.within(|tx| {
            tx.execute("DELETE FROM proposed_interval", [])?;
            put_intervals(tx, intervals)
        })
    }

    /// `None` before the first analysis.
    ///
    /// # Errors
    /// The file is damaged or out of reach.
    pub fn analysis(&self) -> Result<Option<Analysis>, ProjectError> {
        read(&self.conn).map_err(|e| self.said(&e))
    }

    /// One track by its name.
    ///
    /// # Errors
    /// The file is damaged or out of reach.
    pub fn track(&self, name: &str) -> Result<Option<Track>, ProjectError> {
        let sql = "SELECT id, name, unit, first, count FROM track WHERE name = ?1";
        self.conn
            .query_row(sql, [name], |row| read_track(&self.conn, row))
            .optional()
            .map_err(|e| self.said(&e))
    }

    /// Writes several things, all of them or none.
    ///
    /// # Errors
    /// The file cannot be written or was moved.
    pub(super) fn within(
        &mut self,
        write: impl FnOnce(&Transaction) -> rusqlite::Result<()>,
    ) -> Result<(), ProjectError> {
        self.still_there()?;
        let written = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|tx| {
                write(&tx)?;
                tx.commit()
            });
        written.map_err(|e| self.said(&e))
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), ProjectError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ProjectError::Refused {
                reason: format!("the analysis names '{name}' twice"),
            });
        }
    }
    Ok(())
}

fn put_track(conn: &Connection, track: &Track) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM track WHERE name = ?1", [&track.name])?;
    conn.execute(
        "INSERT INTO track (name, unit, first, count) VALUES (?1, ?2, ?3, ?4)",
        params![track.name, track.unit, track.first, track.values.len()],
    )?;
    let id = conn.last_insert_rowid();
    let mut insert =
        conn.prepare_cached("INSERT INTO track_part (track, place, floats) VALUES (?1, ?2, ?3)")?;
    for (place, part) in track.values.chunks(PART).enumerate() {
        let bytes: Vec<u8> = part.iter().flat_map(|v| v.to_le_bytes()).collect();
        insert.execute(params![id, place, bytes])?;
    }
    Ok(())
}

fn put_part(conn: &Connection, part: &Part) -> rusqlite::Result<()> {
    let mut insert =
        conn.prepare_cached("INSERT INTO analysis_part (name, place, bytes) VALUES (?1, ?2, ?3)")?;
    for (place, piece) in part.bytes.chunks(PIECE).enumerate() {
        insert.execute(params![part.name, place, piece])?;
    }
    Ok(())
}

/// In the order in which they were put; pieces of one part lie together.
fn read_parts(conn: &Connection) -> rusqlite::Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut pieces = conn.prepare("SELECT name, place, bytes FROM analysis_part ORDER BY id")?;
    let mut rows = pieces.query([])?;
    while let Some(row) = rows.next()? {
        let (name, place): (String, usize) = (row.get(0)?, row.get(1)?);
        let bytes = row.get_ref(2)?.as_blob()?;
        match parts.last_mut().filter(|last| last.name == name) {
            Some(last) if place * PIECE == last.bytes.len() => last.bytes.extend(bytes),
            None if place == 0 => parts.push(Part {
                name,
                bytes: bytes.to_vec(),
            }),
            _ => return Err(unreadable(1, "a piece of the analysis is missing")),
        }
    }
    Ok(parts)
}

fn put_intervals(conn: &Connection, intervals: &[ProposedInterval]) -> rusqlite::Result<()> {
    let mut insert =
        conn.prepare_cached("INSERT INTO proposed_interval VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for (place, i) in intervals.iter().enumerate() {
        insert.execute(params![
            place,
            i.kind.name(),
            i.onset,
            i.apex,
            i.offset,
            i.score,
            i.recognition
        ])?;
    }
    Ok(())
}

fn read(conn: &Connection) -> rusqlite::Result<Option<Analysis>> {
    let told = conn
        .query_row(
            "SELECT onset_version, parameters, facts, finished_ms FROM analysis",
            [],
            |row| {
                Ok(Analysis {
                    onset_version: row.get(0)?,
                    parameters: row.get(1)?,
                    facts: row.get(2)?,
                    finished_ms: row.get(3)?,
                    ..Analysis::default()
                })
            },
        )
        .optional()?;
    let Some(told) = told else {
        return Ok(None);
    };
    let weights = conn
        .prepare("SELECT name, sha256 FROM weights ORDER BY rowid")?
        .query_map([], |row| {
            Ok(UsedWeights {
                name: row.get(0)?,
                sha256: row.get(1)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut times_ns = Vec::new();
    let mut parts = conn.prepare("SELECT times_ns, count FROM frame_times ORDER BY place")?;
    let mut rows = parts.query([])?;
    while let Some(row) = rows.next()? {
        let (numbers, rest) = row.get_ref(0)?.as_blob()?.as_chunks::<8>();
        if numbers.len() != row.get::<_, usize>(1)? || !rest.is_empty() {
            return Err(unreadable(0, "frames are missing"));
        }
        times_ns.extend(numbers.iter().map(|b| i64::from_le_bytes(*b)));
    }
    let tracks = conn
        .prepare("SELECT id, name, unit, first, count FROM track ORDER BY id")?
        .query_map([], |row| read_track(conn, row))?
        .collect::<rusqlite::Result<_>>()?;
    let intervals = conn
        .prepare(
            "SELECT kind, onset, apex, offset, score, recognition
             FROM proposed_interval ORDER BY place",
        )?
        .query_map([], read_interval)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(Analysis {
        weights,
        times_ns,
        tracks,
        intervals,
        parts: read_parts(conn)?,
        ..told
    }))
}

fn read_track(conn: &Connection, row: &Row) -> rusqlite::Result<Track> {
    let count: usize = row.get(4)?;
    let mut values = Vec::new();
    let mut parts =
        conn.prepare_cached("SELECT floats FROM track_part WHERE track = ?1 ORDER BY place")?;
    let mut rows = parts.query([row.get::<_, i64>(0)?])?;
    while let Some(part) = rows.next()? {
        let (numbers, _) = part.get_ref(0)?.as_blob()?.as_chunks::<4>();
        values.extend(numbers.iter().map(|b| f32::from_le_bytes(*b)));
    }
    if values.len() != count {
        return Err(unreadable(4, "frames are missing"));
    }
    Ok(Track {
        name: row.get(1)?,
        unit: row.get(2)?,
        first: row.get(3)?,
        values,
    })
}

fn read_interval(row: &Row) -> rusqlite::Result<ProposedInterval> {
    let kind: String = row.get(0)?;
    Ok(ProposedInterval {
        kind: kind_named(&kind).map_err(|e| unreadable(0, e))?,
        onset: row.get(1)?,
        apex: row.get(2)?,
        offset: row.get(3)?,
        // SQLite keeps no not-a-number.
        score: row.get::<_, Option<f64>>(4)?.unwrap_or(f64::NAN),
        recognition: row.get(5)?,
    })
}
