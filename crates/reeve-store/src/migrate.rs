//! Opening a database: pragmas, and the steps that bring an older format up to the present one.

use rusqlite::Connection;

use crate::error::StoreError;

/// One script per format version; a released one is never edited.
const STEPS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
];

/// Pages of the write-ahead log, 64 MB, after which the commit itself copies it back: only where the thread of the
/// checkpoints fell behind.
const CHECKPOINT_PAGES: u32 = 16_000;
/// Largest file of an older format that is written anew so that it can give back pages: a fraction of a second.
const REWRITTEN_PAGES: u64 = 16_384;

/// Makes a connection the writer's: durable at every commit, one page cache of 8 MB.
pub fn prepare_writer(conn: &Connection) -> Result<(), StoreError> {
    // Before anything else is written: what is free can be given back to the disk bit by bit.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    conn.pragma_update(None, "cache_size", -8000)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.set_prepared_statement_cache_capacity(128);
    migrate(conn)?;
    make_shrinkable(conn);
    Ok(())
}

/// A file made before its pages could be given back is written anew, when that is quick or most of it is free. Where it
/// cannot be, it goes on as it is: what is free is filled again.
fn make_shrinkable(conn: &Connection) {
    let read = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let (Ok(0), Ok(pages), Ok(free)) = (read("auto_vacuum"), read("page_count"), read("freelist_count")) else {
        return;
    };
    if pages > REWRITTEN_PAGES && free < pages / 2 {
        return;
    }
    if let Err(error) = conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;") {
        tracing::warn!(%error, "the record's file could not be written anew");
    }
}

/// Makes a connection a reader's.
pub fn prepare_reader(conn: &Connection) -> Result<(), StoreError> {
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -4000)?;
    conn.pragma_update(None, "mmap_size", 1_u64 << 30)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(conn: &Connection) -> Result<(), StoreError> {
    let found: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, step) in (1..=known).zip(STEPS).skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        conn.execute_batch(&format!("BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {version};\nCOMMIT;"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_newer_format_is_left_alone() {
        let conn = Connection::open_in_memory().unwrap();
        conn.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&conn), Err(StoreError::Newer { found: 99, .. })));
    }

    #[test]
    fn a_host_reached_under_the_first_format_was_not_written_to_as_far_as_is_known() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(&format!("{} PRAGMA user_version = 1;", STEPS[0])).unwrap();
        conn.execute("INSERT INTO reached (agent, host) VALUES ('codex', 'example.org')", ()).unwrap();
        migrate(&conn).unwrap();
        let wrote: bool = conn.query_row("SELECT wrote FROM reached", (), |row| row.get(0)).unwrap();
        assert!(!wrote);
    }

    #[test]
    fn tool_calls_of_an_older_format_are_counted_by_how_they_ended() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(&format!("{} PRAGMA user_version = 6;", STEPS[..6].concat())).unwrap();
        for (id, body) in [(1, r#"{"end":"tool_error"}"#), (2, r#"{"kind":"http"}"#), (3, "damaged")] {
            let sql = "INSERT INTO operations (id, stamp, open, operation, agent, kind, decision, host, rules, \
                       credentials, cost) VALUES (?1, 0, 0, ?1, 'codex', 'mcp', 'allowed', '', '', '', 0)";
            conn.execute(sql, [id]).unwrap();
            conn.execute("INSERT INTO bodies (id, body) VALUES (?1, ?2)", (id, body)).unwrap();
        }
        migrate(&conn).unwrap();
        let mut statement = conn.prepare("SELECT ended FROM operations ORDER BY id").unwrap();
        let ended: Vec<Option<String>> =
            statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(ended, [Some("tool_error".to_owned()), None, None]);
    }

    #[test]
    fn a_file_of_an_older_format_can_give_back_pages_once_it_was_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reeve.db");
        let old = Connection::open(&path).unwrap();
        old.pragma_update(None, "journal_mode", "WAL").unwrap();
        old.execute_batch(&format!("{}{}{} PRAGMA user_version = 3;", STEPS[0], STEPS[1], STEPS[2])).unwrap();
        drop(old);
        for _ in 0..2 {
            let conn = Connection::open(&path).unwrap();
            prepare_writer(&conn).unwrap();
            let mode: u32 = conn.pragma_query_value(None, "auto_vacuum", |row| row.get(0)).unwrap();
            assert_eq!(mode, 2);
        }
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        migrate(&conn).unwrap();
        let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version as usize, STEPS.len());
    }
}
