-- Calls that are to have their effect once, by the hash that makes two of them the same, and what each session asked models
-- for, by the question: the numbers that session limits bound.
CREATE TABLE slots (
    key TEXT PRIMARY KEY, reserved INTEGER NOT NULL, keep_until INTEGER NOT NULL, body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_reserved ON slots (key) WHERE reserved = 1;
CREATE INDEX slots_kept ON slots (keep_until);
CREATE TABLE asked (
    session TEXT NOT NULL,
    question TEXT NOT NULL,
    answers INTEGER NOT NULL,
    candidates INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    PRIMARY KEY (session, question)
) STRICT, WITHOUT ROWID;
