//! Real databases behind real MCP servers: what would change too many rows is counted, held, refused and not done, and what a
//! person approved changes exactly what was counted, once. `cargo xtask ci --only packages --only databases` installs what
//! they need; without it they say so and leave it at that.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

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

/// How long a real server may take to start: one in Python reads some hundred files, the first time from a cold disk and
/// beside whatever else the machine does.
const START: Duration = Duration::from_secs(180);

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

/// A real server that the set-up installed.
fn server(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["target/mcp-servers/bin", "tests/servers/node_modules/.bin"];
    places.iter().map(|place| root.join(place).join(name)).find(|path| path.exists())
}

/// A program of the system.
fn program(name: &str) -> Option<PathBuf> {
    let search = std::env::var_os("PATH")?;
    std::env::split_paths(&search).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Says that a test is left out, because this is not there. Where it must run, that is an error.
fn left_out(what: &str) {
    assert!(std::env::var_os("REEVE_DATABASES").is_none(), "{what} is not installed");
    println!("left out, because {what} is not installed: cargo xtask ci --only packages --only databases");
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
        let greeted = tokio::time::timeout(START, wire.agent.rx.recv()).await.expect("the server does not start");
        assert!(greeted.is_some_and(|line| line.starts_with(b"{")), "the server ended");
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

/// 5000 customers, of whom 4000 are of the lowest tier. `ask` reads from the database beside the server.
async fn proven(kind: Kind, command: Command, ask: impl AsyncFn(&str) -> String) {
    let mut scene = Scene::new(kind, command).await;
    scene.write(1, "UPDATE customers SET tier = 'gold'").await;
    let held = scene.world.held().await;
    assert_eq!(held.view["rows"]["rows"], 5000, "{}", held.view);
    scene.world.answer(&held, Resolution::Refused { reason: None }).await;
    assert_eq!(scene.answer().await["result"]["isError"], true);
    assert_eq!(ask("SELECT count(*) FROM customers WHERE tier = 'gold'").await, "0", "nothing changed");

    // Every row, and some of them: each once, however often the call is made before the first one is over.
    let whole = ("UPDATE customers SET changes = changes + 1", 5000, "5000 1 1");
    let some = ("UPDATE customers SET changes = changes + 1 WHERE tier = 'basic'", 4000, "9000 1 2");
    for ((statement, rows, after), first) in [whole, some].into_iter().zip([2, 5]) {
        for id in first..first + 3 {
            scene.write(id, statement).await;
        }
        let held = scene.world.held_for(3).await;
        assert_eq!(held.view["rows"]["rows"], rows, "{}", held.view);
        let before = ask("SELECT sum(changes) FROM customers").await;
        assert_eq!(before, if first == 2 { "0" } else { "5000" }, "nothing changes while a person thinks");
        scene.world.approve(&held).await;
        let made = scene.answer().await;
        assert_ne!(made["result"]["isError"], true, "{made}");
        for _ in 1..3 {
            let again = scene.answer().await;
            assert_eq!(text(&again), text(&made), "a repeat hears what the first one heard");
        }
        let counted = "SELECT sum(changes) || ' ' || min(changes) || ' ' || max(changes) FROM customers";
        assert_eq!(ask(counted).await, after, "exactly what was counted, once");
    }
    let others = "SELECT count(*) FROM customers WHERE tier <> 'basic' AND changes <> 1";
    assert_eq!(ask(others).await, "0", "none beside them");
}

const CUSTOMERS: &str =
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, tier TEXT, changes INTEGER NOT NULL DEFAULT 0);";

/// The standard output of a program that must succeed.
async fn said(mut command: Command, arguments: &[&str]) -> String {
    let output = command.args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn an_sqlite_file_changes_as_it_was_counted_and_approved_and_once() {
    let Some(server) = server("mcp-server-sqlite") else { return left_out("mcp-server-sqlite") };
    let Some(sqlite) = program("sqlite3") else { return left_out("sqlite3") };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.db").display().to_string();
    let fill = format!(
        "{CUSTOMERS} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
         INSERT INTO customers (id, tier) SELECT i, CASE WHEN i <= 4000 THEN 'basic' ELSE 'silver' END FROM n;"
    );
    said(Command::new(&sqlite), &[&file, &fill]).await;
    let mut command = Command::new(server);
    command.args(["--db-path", &file]);
    proven(SQLITE, command, async |question: &str| said(Command::new(&sqlite), &[&file, question]).await).await;
}

/// A PostgreSQL of its own in a temporary folder, reached through a socket there and nowhere else.
struct Cluster {
    /// Where its programs are.
    programs: PathBuf,
    _server: Child,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// The programs of the newest PostgreSQL here: Debian keeps each release in a folder of its own.
    fn programs() -> Option<PathBuf> {
        let release = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
        let releases = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
        let newest =
            releases.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists()).max_by_key(release);
        newest.map(|path| path.join("bin")).or_else(|| Some(program("initdb")?.parent()?.to_owned()))
    }

    async fn new(programs: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
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
        let cluster = Self { programs, _server: server, folder };
        let socket = cluster.socket();
        for _ in 0..1200 {
            let ready = Command::new(cluster.programs.join("pg_isready")).args(["-q", "-h", &socket]).status().await;
            if ready.unwrap().success() {
                return cluster;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
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

    /// Killed, it would leave memory of the system behind.
    async fn stop(self) {
        let data = self.folder.path().join("data").display().to_string();
        said(unprivileged(&self.programs.join("pg_ctl")), &["stop", "-s", "-D", &data, "-m", "immediate"]).await;
    }
}

#[tokio::test]
async fn a_postgresql_changes_as_it_was_counted_and_approved_and_once() {
    let Some(server) = server("mcp-postgres") else { return left_out("mcp-postgres") };
    let Some(programs) = Cluster::programs() else { return left_out("PostgreSQL") };
    let cluster = Cluster::new(programs).await;
    cluster.sql(CUSTOMERS).await;
    let fill = "INSERT INTO customers (id, tier) SELECT i, CASE WHEN i <= 4000 THEN 'basic' ELSE 'silver' END \
                FROM generate_series(1, 5000) AS i";
    cluster.sql(fill).await;
    let mut command = Command::new(server);
    command.env("PG_HOST", cluster.socket()).env("PG_USER", "reeve").env("PG_PASSWORD", "unused");
    command.env("PG_DATABASE", "postgres").env("PG_SSLMODE", "disable").env("PG_ALLOW_WRITE", "true");
    proven(POSTGRES, command, async |question: &str| cluster.sql(question).await).await;
    cluster.stop().await;
}
