-- Who coded the recording without seeing what the networks and other coders say of it.
CREATE TABLE blind_pass (
    coder    TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    -- When the recording was last left in the middle of it; NULL where it never was.
    left_ms  INTEGER,
    -- When what it hides was shown; NULL where it has not been.
    ended_ms INTEGER,
    PRIMARY KEY (coder, began_ms)
) STRICT;
