-- When the analysis was done with the whole recording; NULL where that is not known.
ALTER TABLE analysis ADD COLUMN finished_ms INTEGER;
-- JSON: what scored and read, and where it ran.
ALTER TABLE analysis ADD COLUMN facts TEXT;

-- What the analysis told beside the tracks, in the form of src/project/kept; a part is
-- cut into rows.
CREATE TABLE analysis_part (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL,
    place INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (name, place)
) STRICT;
