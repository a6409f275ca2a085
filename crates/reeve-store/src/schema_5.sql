-- Format 5. MCP servers and their tools as they were seen and approved, and what their results looked like.
CREATE TABLE servers (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE tools (
    server TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (server, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE shapes (
    server TEXT NOT NULL, tool TEXT NOT NULL, definition TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (server, tool, definition)
) STRICT, WITHOUT ROWID;
