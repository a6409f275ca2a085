//! The record of a profile as it stands in its database, read from outside the engine.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use crate::machine::{Machine, SOON};

/// Bodies of all events so far, oldest first.
pub fn bodies(machine: &Machine) -> Vec<Value> {
    let conn = Connection::open(machine.database()).unwrap();
    let mut statement = conn.prepare("SELECT record FROM events ORDER BY seq").unwrap();
    let records = statement.query_map((), |row| row.get::<_, String>(0)).unwrap();
    records.map(|record| serde_json::from_str::<Value>(&record.unwrap()).unwrap()["body"].clone()).collect()
}

/// Those with this name, once there are `count` of them: what is recorded beside an answer may come a moment after it.
pub async fn named(machine: &Machine, name: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found: Vec<Value> = bodies(machine).into_iter().filter(|body| body["event"] == name).collect();
        if found.len() >= count || begun.elapsed() > SOON {
            assert_eq!(found.len(), count, "{found:?}");
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
