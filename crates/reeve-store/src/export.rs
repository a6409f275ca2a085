//! Exports of a query: records of the chain as JSON lines, or operations as CSV, each with a signed manifest.

use std::io::Write;

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use reeve_domain::chain::{ExportFormat, Head, Manifest, Redacted, Scanner, VERSION, is_hazardous, read, record_line};
use reeve_domain::event::Event;
use reeve_domain::operation::Digest;
use reeve_domain::query::{Key, OperationRow, Query};
use rusqlite::Connection;
use sha2::Digest as _;

use crate::Store;
use crate::error::StoreError;
use crate::search::{BODY, Plan, Visit, body, for_each};
use crate::tables::events;

impl Store {
    /// Writes what matches, oldest first, and hands back the manifest that belongs beside it. Nothing secret should be in
    /// the record; what the scanner finds there all the same is taken out before its line is written.
    ///
    /// # Errors
    /// When there is no key to sign with, a secret stands where it cannot be taken out, or reading or writing fails; what
    /// was written until then is not an export.
    pub async fn export<W: Write + Send + 'static>(
        &self,
        query: &Query,
        format: ExportFormat,
        scanner: Scanner,
        writer: W,
    ) -> Result<Manifest, StoreError> {
        let key = self.0.key.clone().ok_or(StoreError::NoKey)?;
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| export(conn, &query, format, now, &key, scanner, writer)).await
    }
}

fn stands_firm(record: u64) -> StoreError {
    StoreError::Export(format!(
        "record #{record} holds a secret where it cannot be taken out; leave it out of the query"
    ))
}

/// What was written so far.
struct Sink<W> {
    writer: W,
    scanner: Scanner,
    redacted: Redacted,
    digest: sha2::Sha256,
    count: u64,
    first: Option<(Head, DateTime<Utc>)>,
    last: Option<(Head, DateTime<Utc>)>,
    contiguous: bool,
}

impl<W: Write> Sink<W> {
    fn line(&mut self, line: &str) -> Result<(), StoreError> {
        self.digest.update(line);
        self.digest.update("\n");
        let written = self.writer.write_all(line.as_bytes()).and_then(|()| self.writer.write_all(b"\n"));
        written.map_err(|e| StoreError::Export(e.to_string()))
    }

    /// Writes a line that was looked through, once no stored secret stands in it any more.
    fn checked(&mut self, line: &str, record: u64, redacted: bool) -> Result<(), StoreError> {
        if self.scanner.holds_known(line.as_bytes()) {
            return Err(stands_firm(record));
        }
        if redacted {
            self.redacted.add(record);
        }
        self.line(line)
    }

    fn note(&mut self, head: Head, at: DateTime<Utc>) {
        self.count += 1;
        self.contiguous &= self.last.as_ref().is_none_or(|(last, _)| last.seq + 1 == head.seq);
        self.first.get_or_insert_with(|| (head.clone(), at));
        self.last = Some((head, at));
    }

    fn event(&mut self, event: &Event) -> Result<(), StoreError> {
        let clean = self.scanner.clean_event(event).map_err(|_| stands_firm(event.seq))?;
        self.checked(&record_line(clean.as_ref().unwrap_or(event))?, event.seq, clean.is_some())?;
        self.note(Head { seq: event.seq, hash: event.hash.clone() }, event.at);
        Ok(())
    }

    fn row(&mut self, row: &OperationRow) -> Result<(), StoreError> {
        let mut redacted = false;
        let cells: Vec<String> = COLUMNS
            .iter()
            .map(|(_, cell)| {
                let plain = cell(row);
                let clean = self.scanner.clean(&plain);
                redacted |= clean.is_some();
                text(clean.as_ref().unwrap_or(&plain))
            })
            .collect();
        self.checked(&cells.join(","), row.record, redacted)?;
        self.note(Head { seq: row.record, hash: row.hash.clone() }, row.at);
        Ok(())
    }
}

fn export<W: Write>(
    conn: &Connection,
    query: &Query,
    format: ExportFormat,
    now: DateTime<Utc>,
    key: &SigningKey,
    scanner: Scanner,
    writer: W,
) -> Result<Manifest, StoreError> {
    let digest = sha2::Sha256::new();
    let mut sink = Sink {
        writer,
        scanner,
        redacted: Redacted::default(),
        digest,
        count: 0,
        first: None,
        last: None,
        contiguous: true,
    };
    let plan = Plan::new(conn, query, now)?;
    match format {
        ExportFormat::Csv => {
            let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
            sink.line(&names.join(","))?;
            each_row(conn, &plan, |row| sink.row(row))?;
        }
        ExportFormat::Jsonl => each_event(conn, &plan, |event| sink.event(event))?,
    }
    sink.writer.flush().map_err(|e| StoreError::Export(e.to_string()))?;
    let jsonl = format == ExportFormat::Jsonl;
    let manifest = Manifest {
        v: VERSION,
        format,
        query: query.to_string(),
        made_at: now,
        from: sink.first.as_ref().map(|(_, at)| *at),
        to: sink.last.as_ref().map(|(_, at)| *at),
        count: sink.count,
        first: sink.first.map(|(head, _)| head),
        last: sink.last.map(|(head, _)| head),
        contiguous: jsonl && sink.contiguous,
        redacted: sink.redacted,
        digest: Digest(hex::encode(sink.digest.finalize())),
        public_key: String::new(),
        signature: String::new(),
    };
    Ok(manifest.signed(key))
}

/// Ids of the rows that match, oldest first.
fn matching(conn: &Connection, plan: &Plan) -> Result<Vec<u64>, StoreError> {
    let mut ids: Vec<u64> = plan.open_rows(conn)?.iter().map(|row| row.id).collect();
    for_each(conn, &plan.upper, plan.from..plan.until, &format!("{BODY}, o.id"), |row| {
        let keep = plan.exact || { plan.keeps(&body(row)?) };
        if keep {
            ids.push(row.get(1)?);
        }
        Ok(Visit::Go)
    })?;
    ids.sort_unstable();
    Ok(ids)
}

fn each_row(
    conn: &Connection,
    plan: &Plan,
    mut each: impl FnMut(&OperationRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached("SELECT body FROM bodies WHERE id = ?1")?;
    for id in matching(conn, plan)? {
        let body: String = statement.query_row([id], |row| row.get(0))?;
        each(&serde_json::from_str(&body)?)?;
    }
    Ok(())
}

fn each_event(
    conn: &Connection,
    plan: &Plan,
    mut each: impl FnMut(&Event) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut take = |record: &str, hash: &Digest| each(&read(record, hash.clone())?);
    if let Some((since, before)) = plan.only_time {
        let sql = "SELECT record, hash FROM events WHERE stamp >= ?1 AND stamp < ?2 ORDER BY seq";
        return events::for_each(conn, sql, (since, before), take);
    }
    let mut numbers = Vec::new();
    let sql = "SELECT e.seq FROM operations o JOIN events e ON e.operation = o.operation WHERE o.id = ?1";
    let mut statement = conn.prepare_cached(sql)?;
    for id in matching(conn, plan)? {
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            numbers.push(row.get::<_, u64>(0)?);
        }
    }
    numbers.sort_unstable();
    for seq in numbers {
        events::for_each(conn, "SELECT record, hash FROM events WHERE seq = ?1", [seq], &mut take)?;
    }
    Ok(())
}

type Cell = fn(&OperationRow) -> String;

/// Columns of a CSV file: the names of a record, flattened with dots.
const COLUMNS: &[(&str, Cell)] = &[
    ("v", |_| VERSION.to_string()),
    ("id", |row| row.operation.as_str().to_owned()),
    ("ts", |row| row.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
    ("agent", |row| row.agent.as_str().to_owned()),
    ("session", |row| row.session.as_str().to_owned()),
    ("parent", |row| texts(row, Key::Parent)),
    ("kind", |row| row.kind.clone()),
    ("summary", |row| row.summary.clone()),
    ("where.host", |row| texts(row, Key::Host)),
    ("where.port", |row| number(row.port.map(u64::from))),
    ("where.method", |row| texts(row, Key::Method)),
    ("where.path", |row| texts(row, Key::Path)),
    ("where.server", |row| texts(row, Key::Server)),
    ("where.tool", |row| if row.server.is_some() { texts(row, Key::Tool) } else { String::new() }),
    ("where.program", |row| texts(row, Key::Program)),
    ("where.model", |row| texts(row, Key::Model)),
    ("where.provider", |row| texts(row, Key::Provider)),
    ("decision.effect", |row| row.decision.as_str().to_owned()),
    ("decision.rules", |row| row.rules.join(" ")),
    ("decision.mode", |row| texts(row, Key::Mode)),
    ("decision.risk", |row| texts(row, Key::Risk)),
    ("approval.id", |row| row.approval.as_ref().map(ToString::to_string).unwrap_or_default()),
    ("approval.by", |row| texts(row, Key::Approver)),
    ("approval.scope", |row| texts(row, Key::Scope)),
    ("approval.surface", |row| texts(row, Key::Surface)),
    ("cost.reserved", |row| row.reserved.map(|cost| cost.0.to_string()).unwrap_or_default()),
    ("cost.settled", |row| row.cost.map(|cost| cost.0.to_string()).unwrap_or_default()),
    ("cost.worth", |row| row.worth.map(|cost| cost.0.to_string()).unwrap_or_default()),
    ("cost.currency", |row| row.cost.or(row.reserved).map(|_| "nano-USD".to_owned()).unwrap_or_default()),
    ("cost.estimated", |row| row.cost.map(|_| row.estimated.to_string()).unwrap_or_default()),
    ("cost.tokens.in", |row| number(row.tokens_in)),
    ("cost.tokens.out", |row| number(row.tokens_out)),
    ("cost.tokens.cached", |row| number(row.tokens_cached)),
    ("timing.total_ms", |row| number(row.latency_ms)),
    ("timing.first_byte_ms", |row| number(row.first_byte_ms)),
    ("status", |row| number(row.status.map(u64::from))),
    ("exit", |row| row.exit.map(|code| code.to_string()).unwrap_or_default()),
    ("error", |row| texts(row, Key::Error)),
    ("credential", |row| texts(row, Key::Credential)),
    ("flags", |row| texts(row, Key::Is)),
    ("bodies.bytes.request", |row| row.request_bytes.to_string()),
    ("bodies.bytes.response", |row| row.response_bytes.to_string()),
    ("chain.record", |row| row.record.to_string()),
    ("chain.hash", |row| row.hash.0.clone()),
];

fn number(n: Option<u64>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}

fn texts(row: &OperationRow, key: Key) -> String {
    row.texts(key).join(" ")
}

/// A cell that no spreadsheet takes for a formula and no terminal for a command: what would begin one is preceded by an
/// apostrophe, and characters that are acted upon instead of shown are escaped.
fn text(value: &str) -> String {
    let mut cell = String::with_capacity(value.len());
    if value.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']) {
        cell.push('\'');
    }
    for c in value.chars() {
        if is_hazardous(c) {
            cell.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            cell.push(c);
        }
    }
    if cell.contains([',', '"', '\n', '\'', ';']) {
        cell = format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn cells_begin_no_formula_and_hold_no_control_characters() {
        assert_eq!(text("plain"), "plain");
        assert_eq!(text("=cmd|'/c calc'!A0"), "\"'=cmd|'/c calc'!A0\"");
        assert_eq!(text("@x"), "\"'@x\"");
        assert_eq!(text("  +1"), "\"'  +1\"");
        assert_eq!(text("a\"b,c"), "\"a\"\"b,c\"");
        assert_eq!(text("a\u{202e}b\u{1b}[0m\nc"), "a\\u{202e}b\\u{1b}[0m\\u{a}c");
    }
}
