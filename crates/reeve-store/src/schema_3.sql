-- Format 3. When each account was charged, by the quarter of an hour and the agent: what charts and forecasts are made of.
-- Calls that were settled before this format are in `accounts` only.
CREATE TABLE spend (
    budget TEXT NOT NULL,
    key TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    agent TEXT NOT NULL,
    calls INTEGER NOT NULL,
    nano INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (budget, key, window_start, slot, agent)
) STRICT, WITHOUT ROWID;
