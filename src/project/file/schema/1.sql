-- Frames count from 0, times are nanoseconds on the recording's clock where a name ends
-- in _ns and milliseconds since 1970 where it ends in _ms.

CREATE TABLE project (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    id            TEXT NOT NULL,
    created_ms    INTEGER NOT NULL,
    onset_version TEXT NOT NULL
) STRICT;

CREATE TABLE source (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    absolute_path TEXT,
    -- To the folder of the project file, with '/' between its parts.
    relative_path TEXT,
    size_bytes    INTEGER NOT NULL,
    hash          TEXT NOT NULL,
    frame_count   INTEGER,
    nominal_fps   REAL,
    first_ns      INTEGER,
    last_ns       INTEGER
) STRICT;

CREATE TABLE analysis (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    onset_version TEXT NOT NULL,
    -- JSON.
    parameters    TEXT NOT NULL
) STRICT;

CREATE TABLE weights (
    name   TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL
) STRICT;

-- 64-bit signed numbers, little-endian, 4096 to a row: when each frame was shown.
CREATE TABLE frame_times (
    place INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    times_ns BLOB NOT NULL
) STRICT;

CREATE TABLE track (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    unit  TEXT NOT NULL,
    -- The frame of the first value, and how many follow frame by frame.
    first INTEGER NOT NULL,
    count INTEGER NOT NULL
) STRICT;

-- 32-bit floats, little-endian, 4096 to a row; not-a-number where nothing was measured.
CREATE TABLE track_part (
    id     INTEGER PRIMARY KEY,
    track  INTEGER NOT NULL REFERENCES track (id) ON DELETE CASCADE,
    place  INTEGER NOT NULL,
    floats BLOB NOT NULL,
    UNIQUE (track, place)
) STRICT;

CREATE TABLE proposed_interval (
    place       INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    onset       INTEGER NOT NULL,
    apex        INTEGER NOT NULL,
    offset      INTEGER NOT NULL,
    score       REAL,
    -- JSON.
    recognition TEXT
) STRICT;

CREATE TABLE annotation (
    id               TEXT PRIMARY KEY,
    coder            TEXT NOT NULL,
    kind             TEXT NOT NULL,
    onset            INTEGER NOT NULL,
    apex             INTEGER,
    offset           INTEGER NOT NULL,
    -- As AU4B+AU12LC.
    units            TEXT NOT NULL,
    emotion          TEXT,
    confidence       INTEGER,
    note             TEXT NOT NULL,
    status           TEXT NOT NULL,
    candidate_kind   TEXT,
    candidate_onset  INTEGER,
    candidate_apex   INTEGER,
    candidate_offset INTEGER,
    candidate_score  REAL
) STRICT;

CREATE TABLE coder (
    name       TEXT PRIMARY KEY,
    colour     INTEGER,
    blind      INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE emotions (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    name     TEXT NOT NULL
) STRICT;

CREATE TABLE emotion_label (
    place INTEGER PRIMARY KEY,
    label TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    -- JSON.
    value TEXT NOT NULL
) STRICT;

-- Every change ever made. What it replaced and what it put there are JSON, NULL where
-- there was or is nothing.
CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The same in every copy of the project that knows of this change.
    id      TEXT NOT NULL UNIQUE,
    -- Changes that were made together.
    batch   INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    coder   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    before  TEXT,
    after   TEXT,
    -- The batch that this one takes back.
    undoes  INTEGER,
    -- 'here': made in this file or one it was copied from; 'taken': made elsewhere and
    -- taken over by a merge; 'aside': made elsewhere and known, but what stands here is
    -- another version.
    origin  TEXT NOT NULL CHECK (origin IN ('here', 'taken', 'aside'))
) STRICT;

CREATE INDEX journal_by_subject ON journal (kind, subject, seq);
CREATE INDEX journal_by_batch ON journal (batch);
