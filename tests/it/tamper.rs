//! The record under attack while the engine is stopped: `reeve verify` names the first event that is not what it was.

use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_testkit::agent::Speak;
use reeve_testkit::world::World;
use rusqlite::Connection;

use crate::machine::{Machine, printed};
use crate::requests::{get, messages};

const BROKEN: Option<i32> = Some(7);

/// A profile with a record of some calls, its engine stopped.
struct Scene {
    machine: Machine,
    /// Number of events.
    last: u64,
    _provider: Provider,
}

impl Scene {
    async fn set() -> Self {
        let provider = Provider::start(Script::default()).await.unwrap();
        let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
        let client = machine.start().await;
        let (agent, _) = machine.agent(&client, "tester").await;
        for number in 0..4 {
            agent.send(Speak::H1, messages(false, 10, &format!("call {number}"))).await.unwrap();
            agent.send(Speak::H2, get(&format!("https://api.acme.example/page/{number}"))).await.unwrap();
        }
        drop(client);
        machine.stop();
        let mut scene = Self { machine, last: 0, _provider: provider };
        scene.last = scene.sql().query_row("SELECT max(seq) FROM events", (), |row| row.get(0)).unwrap();
        assert!(scene.last > 15, "{} events are too few to tamper with", scene.last);
        scene
    }

    fn sql(&self) -> Connection {
        Connection::open(self.machine.database()).unwrap()
    }

    fn tamper(&self, statements: &str) {
        self.sql().execute_batch(statements).unwrap();
    }

    /// What `reeve verify` says, with its exit code.
    async fn verify(&mut self) -> (Option<i32>, String) {
        let client = self.machine.start().await;
        let verified = self.machine.reeve(&["verify"]);
        let status = self.machine.reeve(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(status["data"]["chain"]["ok"], verified.status.success(), "the strip shows another truth");
        drop(client);
        (verified.status.code(), printed(&verified))
    }

    async fn names(mut self, words: &str) {
        let (code, said) = self.verify().await;
        assert_eq!(code, BROKEN, "{said}");
        assert!(said.contains(words), "expected `{words}`: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_record_verifies_over_a_restart() {
    let mut scene = Scene::set().await;
    let (code, said) = scene.verify().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("records verify"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_byte_in_the_file_is_named() {
    let scene = Scene::set().await;
    scene.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
    let record: String =
        scene.sql().query_row("SELECT record FROM events WHERE seq = 9", (), |row| row.get(0)).unwrap();
    let mut bytes = std::fs::read(scene.machine.database()).unwrap();
    // Pages that were split keep old copies: every one that begins like the record is flipped at the same place.
    let start = record.as_bytes()[..record.len().min(60)].to_vec();
    let inside = start.iter().position(u8::is_ascii_digit).unwrap();
    let places: Vec<usize> =
        bytes.windows(start.len()).enumerate().filter(|(_, w)| *w == start).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the record is nowhere in the file");
    for at in places {
        bytes[at + inside] ^= 1;
    }
    std::fs::write(scene.machine.database(), bytes).unwrap();
    scene.names("record #9").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_word_is_named() {
    let scene = Scene::set().await;
    scene.tamper("UPDATE events SET record = replace(record, 'tester', 'Tester') WHERE seq = 8");
    scene.names("record #8 was changed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_event_is_named() {
    let scene = Scene::set().await;
    scene.tamper("DELETE FROM events WHERE seq = 8");
    scene.names("record #8 is missing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reordered_events_are_named() {
    let scene = Scene::set().await;
    scene.tamper(
        "UPDATE events SET seq = -1 WHERE seq = 8; UPDATE events SET seq = 8 WHERE seq = 12; \
         UPDATE events SET seq = 12 WHERE seq = -1",
    );
    scene.names("record #8 is not in its place").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_tail_is_named_also_when_the_seals_in_the_database_went_with_it() {
    let scene = Scene::set().await;
    let cut = scene.last - 4;
    scene.tamper(&format!("DELETE FROM events WHERE seq > {cut}; DELETE FROM seals"));
    let mut scene = scene;
    let (code, said) = scene.verify().await;
    assert_eq!(code, BROKEN, "{said}");
    assert!(said.contains("#"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_file_never_passes_for_a_record() {
    let scene = Scene::set().await;
    scene.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
    let bytes = std::fs::read(scene.machine.database()).unwrap();
    std::fs::write(scene.machine.database(), &bytes[..bytes.len() / 2]).unwrap();
    // Either no engine comes up over it, or it says that the record is broken.
    let verified = scene.machine.reeve(&["verify"]);
    assert!(matches!(verified.status.code(), Some(1 | 6 | 7)), "{}", printed(&verified));
    let stopped = scene.machine.reeve(&["status", "--json"]);
    let text = printed(&stopped);
    assert!(!stopped.status.success() || !text.contains("\"ok\": true"), "{text}");
    end(&scene.machine);
}

/// Ends an engine that a command started by itself.
fn end(machine: &Machine) {
    let lock = machine.world.reeve_home().join("run/engine.lock");
    let holders = std::process::Command::new("fuser").arg(&lock).output();
    let ids = holders.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    for id in ids.split_whitespace().filter_map(|id| id.parse().ok()) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_verify_without_an_engine_and_every_tampering_with_them_is_refused() {
    let mut scene = Scene::set().await;
    let client = scene.machine.start().await;
    let elsewhere = World::new().unwrap();
    for format in ["jsonl", "csv"] {
        let path = scene.machine.world.work().join(format!("all.{format}"));
        let path = path.to_str().unwrap();
        let exported = scene.machine.reeve(&["export", "kind:llm", "--format", format, "-o", path]);
        assert!(exported.status.success(), "{}", printed(&exported));
        let manifest = format!("{path}.manifest.json");
        let (data, about) = (std::fs::read_to_string(path).unwrap(), std::fs::read_to_string(&manifest).unwrap());
        assert!(data.lines().count() >= 4, "{data}");
        // A profile that has neither database nor engine.
        let verify =
            || elsewhere.command(reeve_tests::stage::reeve().unwrap()).args(["verify", path]).output().unwrap();
        let fine = verify();
        assert_eq!(fine.status.code(), Some(0), "{}", printed(&fine));
        let mut lines: Vec<&str> = data.lines().collect();
        lines.swap(1, 2);
        let reordered = format!("{}\n", lines.join("\n"));
        let without = format!("{}\n", [&lines[..1], &lines[2..]].concat().join("\n"));
        let tamperings = [
            ("changed", data.replacen("claude-sonnet-5", "claude-sonnet-4", 1)),
            ("reordered", reordered),
            ("deleted", without),
            ("truncated", data[..data.len() - 20].to_owned()),
            ("emptied", String::new()),
        ];
        for (what, tampered) in tamperings {
            assert_ne!(tampered, data);
            std::fs::write(path, tampered).unwrap();
            let refused = verify();
            assert_eq!(refused.status.code(), BROKEN, "{format} {what}: {}", printed(&refused));
        }
        std::fs::write(path, &data).unwrap();
        std::fs::write(&manifest, about.replacen("kind:llm", "kind:mcp", 1)).unwrap();
        assert_eq!(verify().status.code(), BROKEN, "{format}: the manifest's query was changed");
        std::fs::write(&manifest, &about).unwrap();
        assert_eq!(verify().status.code(), Some(0));
    }
    drop(client);
    assert!(std::fs::read_dir(elsewhere.reeve_home()).unwrap().all(|entry| entry.unwrap().file_name() == "config"));
}
