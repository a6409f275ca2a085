//! Real database servers behind the gateway: what would change too many rows is counted, held, refused and not done, and what
//! a person approved changes exactly what was counted, once. They need the programs of `tests/databases/requirements.txt`
//! in the folder that `REEVE_DATABASE_SERVERS` names, and PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use bytes::Bytes;
use reeve_domain::approval::Resolution;
use reeve_mcp::Link;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::world::{Wire, World, text};

const RULES: &str = r#"
@id("db-passes")
@reason("the test's own database")
@lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource in McpServer::"db");
"#;

/// A database server with its tools for writing.
struct Kind {
    dialect: &'static str,
    write: &'static str,
    read: &'static str,
    argument: &'static str,
}

const SQLITE: Kind = Kind { dialect: "sqlite", write: "write_query", read: "read_query", argument: "query" };
const POSTGRES: Kind = Kind { dialect: "postgres", write: "execute", read: "query", argument: "sql" };

impl Kind {
    fn rules(&self) -> String {
        let Self { dialect, write, read, argument } = self;
        format!(
            "tool_policies:\n  db/{write}:\n    max_row_count: 100\n    preview: {{ sql: {argument}, reader: {read}, dialect: {dialect} }}\n\
             tool_governance:\n  db/{write}: {{ scope: session }}\n"
        )
    }
}

fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("REEVE_DATABASE_SERVERS").expect("`REEVE_DATABASE_SERVERS` names no folder");
    let places = ["bin", "node_modules/.bin"].map(|place| Path::new(&folder).join(place).join(name));
    places.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("`{name}` is not installed"))
}

/// PostgreSQL does not run as root.
fn unprivileged(program: &Path) -> Command {
    if nobody_but_root() {
        // In its place, so that what ends it ends the program.
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        return command;
    }
    Command::new(program)
}

fn nobody_but_root() -> bool {
    let told = std::process::Command::new("id").arg("-u").output().unwrap();
    told.stdout.trim_ascii() == b"0"
}

/// Carries lines between a connection and a program.
fn carry(mut link: Link, mut command: Command) -> Child {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    tokio::spawn(async move {
        while let Some(message) = link.rx.recv().await {
            let line = [message.as_ref(), b"\n"].concat();
            if input.write_all(&line).await.is_err() || input.flush().await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if link.tx.send(Bytes::from(line)).await.is_err() {
                return;
            }
        }
    });
    child
}

struct Scene {
    world: World,
    wire: Wire,
    kind: Kind,
    _server: Child,
}

impl Scene {
    async fn new(kind: Kind, command: Command) -> Self {
        let world = World::with(&[("tools.yaml", &kind.rules()), ("policies/db.cedar", RULES)]).await;
        let mut wire = world.bare_wire_to("claude-code", "db").await;
        let (unused, _) = Link::pair();
        let server = carry(std::mem::replace(&mut wire.server, unused), command);
        let about = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
        wire.ask(json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": about })).await;
        while wire.heard().await["id"] != "hello" {}
        wire.ask(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        wire.ask(json!({ "jsonrpc": "2.0", "id": "list", "method": "tools/list" })).await;
        while wire.heard().await["id"] != "list" {}
        world.approve_all("db").await;
        Self { world, wire, kind, _server: server }
    }

    async fn write(&self, id: i64, statement: &str) {
        self.wire.call(id, self.kind.write, json!({ (self.kind.argument): statement })).await;
    }

    /// The next answer to a call.
    async fn answer(&mut self) -> Value {
        loop {
            let heard = self.wire.heard().await;
            if heard["id"].is_i64() {
                return heard;
            }
        }
    }
}

/// 5000 customers, of whom 4000 are of the lowest tier.
async fn proven(kind: Kind, command: Command, gold: impl AsyncFn() -> String) {
    let mut scene = Scene::new(kind, command).await;
    scene.write(1, "UPDATE customers SET tier = 'gold'").await;
    let held = scene.world.held().await;
    assert_eq!(held.view["rows"]["rows"], 5000, "{}", held.view);
    scene.world.answer(&held, Resolution::Refused { reason: None }).await;
    assert_eq!(scene.answer().await["result"]["isError"], true);
    assert_eq!(gold().await, "0", "nothing changed");

    for id in 2..=4 {
        scene.write(id, "UPDATE customers SET tier = 'gold' WHERE tier = 'basic'").await;
    }
    let held = scene.world.held_for(3).await;
    assert_eq!(held.view["rows"]["rows"], 4000, "{}", held.view);
    scene.world.approve(&held).await;
    let first = scene.answer().await;
    assert_ne!(first["result"]["isError"], true, "{first}");
    for _ in 3..=4 {
        let again = scene.answer().await;
        assert_eq!(text(&again), text(&first), "a repeat hears what the first one heard");
    }
    assert_eq!(gold().await, "4000", "exactly what was counted");
}

const CUSTOMERS: &str = "CREATE TABLE customers (id INTEGER PRIMARY KEY, tier TEXT, changes INTEGER DEFAULT 0);";

/// The standard output of a program that must succeed.
async fn said(mut command: Command, arguments: &[&str]) -> String {
    let output = command.args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
#[ignore = "needs the programs of tests/databases/requirements.txt and sqlite3"]
async fn an_sqlite_file_changes_as_it_was_counted_and_approved_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.db").display().to_string();
    let sqlite = || Command::new("sqlite3");
    let fill = format!(
        "{CUSTOMERS} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
         INSERT INTO customers (id, tier) SELECT i, CASE WHEN i <= 4000 THEN 'basic' ELSE 'silver' END FROM n;"
    );
    said(sqlite(), &[&file, &fill]).await;
    let mut command = Command::new(program("mcp-server-sqlite"));
    command.args(["--db-path", &file]);
    proven(SQLITE, command, async || {
        said(sqlite(), &[&file, "SELECT count(*) FROM customers WHERE tier = 'gold'"]).await
    })
    .await;
}

/// A PostgreSQL of its own in a temporary folder, reached through a socket there and nowhere else.
struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    _server: Child,
}

impl Cluster {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let newest =
            std::fs::read_dir("/usr/lib/postgresql").unwrap().filter_map(Result::ok).map(|entry| entry.path()).max();
        let programs = newest.expect("there is no PostgreSQL").join("bin");
        let data = folder.path().join("data").display().to_string();
        if nobody_but_root() {
            said(Command::new("chown"), &["postgres", &folder.path().display().to_string()]).await;
        }
        said(unprivileged(&programs.join("initdb")), &["-D", &data, "-U", "reeve", "-A", "trust", "--no-sync"]).await;
        let socket = folder.path().display().to_string();
        let server = unprivileged(&programs.join("postgres"))
            .args(["-D", &data, "-k", &socket, "-c", "listen_addresses=", "-c", "fsync=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let cluster = Self { folder, programs, _server: server };
        let socket = cluster.socket();
        for _ in 0..600 {
            let ready = Command::new(cluster.programs.join("pg_isready")).args(["-q", "-h", &socket]).status().await;
            if ready.unwrap().success() {
                return cluster;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL does not answer");
    }

    fn socket(&self) -> String {
        self.folder.path().display().to_string()
    }

    async fn sql(&self, statement: &str) -> String {
        let arguments = ["-h", &self.socket(), "-U", "reeve", "-d", "postgres", "-Atqc", statement];
        said(Command::new(self.programs.join("psql")), &arguments).await
    }
}

#[tokio::test]
#[ignore = "needs the programs of tests/databases/requirements.txt, and PostgreSQL"]
async fn a_postgresql_changes_as_it_was_counted_and_approved_and_once() {
    let cluster = Cluster::new().await;
    cluster.sql(CUSTOMERS).await;
    let fill = "INSERT INTO customers (id, tier) SELECT i, CASE WHEN i <= 4000 THEN 'basic' ELSE 'silver' END \
                FROM generate_series(1, 5000) AS i";
    cluster.sql(fill).await;
    let mut command = Command::new(program("mcp-postgres"));
    command.env("PG_HOST", cluster.socket()).env("PG_USER", "reeve").env("PG_PASSWORD", "unused");
    command.env("PG_DATABASE", "postgres").env("PG_SSLMODE", "disable").env("PG_ALLOW_WRITE", "true");
    proven(POSTGRES, command, async || cluster.sql("SELECT count(*) FROM customers WHERE tier = 'gold'").await).await;
}
