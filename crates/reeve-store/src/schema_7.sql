-- Format 7. Records that tell of something beside actions; and of each action how its tool call ended and which loop it was in.
CREATE TABLE notices (seq INTEGER PRIMARY KEY) STRICT;
INSERT INTO notices (seq) SELECT seq FROM events WHERE json_valid(record) AND json_extract(record, '$.body.event') IN (
    'tool.cut_off', 'tool.back', 'credential.refused', 'credential.accepted', 'agent.looped', 'call.lost', 'server.seen',
    'server.approved', 'server.forgotten', 'tools.changed', 'shape.drifted', 'agent.paused', 'agent.resumed',
    'policy.changed', 'policy.rejected', 'mode.changed', 'records.removed', 'clock.went_backwards'
);
ALTER TABLE operations ADD COLUMN ended TEXT;
UPDATE operations SET ended = (SELECT json_extract(body, '$.end') FROM bodies WHERE bodies.id = operations.id AND json_valid(body));
-- Loops from before are lines of the record of their own; as keys of their actions the index does not have them either.
ALTER TABLE operations ADD COLUMN looped TEXT NOT NULL DEFAULT '';
