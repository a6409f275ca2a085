-- Format 4. The event that says which part of the record is removed; what is left of that part goes step by step. Hosts that
-- were reached by operations that are gone stay known.
CREATE TABLE removals (seq INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
ALTER TABLE reached ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
