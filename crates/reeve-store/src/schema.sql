-- Format 1. Times are UTC milliseconds unless they stand inside a JSON body; money is nano-USD.

-- The chain. `record` is the canonical text that `hash` was made of; `stamp` never goes back, also when the clock does.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL,
    operation TEXT,
    record TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_operation ON events (operation) WHERE operation IS NOT NULL;
CREATE TABLE seals (seq INTEGER PRIMARY KEY, seal TEXT NOT NULL) STRICT;

-- One row per operation, made from its events: what facets and sums read, narrow, so that ten thousand rows are few pages.
CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL,
    open INTEGER NOT NULL,
    operation TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    kind TEXT NOT NULL,
    decision TEXT NOT NULL,
    risk TEXT,
    host TEXT NOT NULL,
    rules TEXT NOT NULL,
    model TEXT,
    credentials TEXT NOT NULL,
    cost INTEGER NOT NULL,
    latency INTEGER
) STRICT;
-- The whole row, as JSON.
CREATE TABLE bodies (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
-- What is under way or held is not in the full-text index yet: few rows, filtered one by one.
CREATE INDEX operations_open ON operations (id) WHERE open = 1;
CREATE INDEX operations_cost ON operations (stamp, agent, cost) WHERE cost > 0;

-- `text` is what free text matches; `words` holds every field as a word of the index, so that agent, decision, time and
-- text are one look-up. Rows carry the operation's id, so newest first is the index's own order.
CREATE VIRTUAL TABLE operations_fts USING fts5 (
    text, words, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 0"
);
-- Merging happens in idle time: automatic merging makes single commits wait for it.
INSERT INTO operations_fts (operations_fts, rank) VALUES ('automerge', 0);
INSERT INTO operations_fts (operations_fts, rank) VALUES ('crisismerge', 64);

-- Every value of the keys that have few, for patterns with a leading star and for comparisons.
CREATE TABLE dictionary (key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key, value)) STRICT, WITHOUT ROWID;
CREATE TABLE reached (agent TEXT NOT NULL, host TEXT NOT NULL, PRIMARY KEY (agent, host)) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    budget TEXT NOT NULL,
    key TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    settled_nano INTEGER NOT NULL DEFAULT 0,
    reserved_nano INTEGER NOT NULL DEFAULT 0,
    settled_tokens INTEGER NOT NULL DEFAULT 0,
    reserved_tokens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (budget, key, window_start)
) STRICT, WITHOUT ROWID;
-- Open holds only; a closed one is in the events.
CREATE TABLE reservations (operation TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

CREATE TABLE agents (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, token_hash TEXT NOT NULL, open INTEGER NOT NULL, cwd TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_open ON sessions (id) WHERE open = 1;
CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    session TEXT NOT NULL,
    user TEXT NOT NULL,
    cwd TEXT NOT NULL,
    question TEXT NOT NULL,
    resolution TEXT,
    resolved_at INTEGER,
    uses INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_of_question ON approvals (question, agent);
CREATE INDEX approvals_open ON approvals (id) WHERE resolution IS NULL;
CREATE TABLE grants (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE bindings (credential TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
