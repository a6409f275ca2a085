//! A person at a terminal: where a human is to be proven, `reeve` asks for the passphrase, shows nothing of it, and does
//! nothing without it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::StatusCode;
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};
use reeve_api::client::Client;
use reeve_api::contract::approvals::ApprovalsPage;
use reeve_api::contract::calls::{ApprovalsCall, StatusCall};
use reeve_api::contract::cards::{PresenceDto, SetPresenceInput};
use reeve_api::contract::credentials::TypedSecret;
use reeve_api::contract::status::{ProtectionDto, StatusDto};
use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_testkit::agent::Speak;

use crate::machine::{Machine, SOON, printed};
use crate::requests::delete;

const PASSPHRASE: &str = "correct horse";
const GRAVE: &str = "@id(\"grave\")\n@reason(\"deletes for good\")\n@risk(\"critical\")\nforbid (principal, action == \
                     Action::\"http.request\", resource)\nwhen { context.method == \"DELETE\" }\nunless { \
                     context.approved };\n";

/// A command of Reeve on a terminal of its own.
pub struct Terminal {
    child: Child,
    keys: File,
    seen: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Terminal {
    pub fn run(machine: &Machine, arguments: &[&str]) -> Self {
        let pty = openpty(None, None).unwrap();
        let side = || Stdio::from(pty.slave.try_clone().unwrap());
        // Prompts without echo are read from the controlling terminal.
        let mut command = machine.world.command("setsid");
        command.args(["--ctty", "--wait"]).arg(reeve_tests::stage::reeve().unwrap()).args(arguments);
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        drop(command);
        drop(pty.slave);
        let keys = File::from(pty.master);
        let seen = Arc::new(Mutex::new(String::new()));
        let (mut screen, kept) = (keys.try_clone().unwrap(), Arc::clone(&seen));
        let reading = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with an error once nobody holds the other side.
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { child, keys, seen, reading }
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until the screen shows the prompt for the so-many-th time, then types a line.
    fn answer(&mut self, prompt: &str, time: usize, line: &str) {
        self.type_once(prompt, time, line, |_| true);
    }

    /// The same once the terminal does not show what is typed.
    pub fn answer_unseen(&mut self, prompt: &str, time: usize, line: &str) {
        self.type_once(prompt, time, line, |keys| !tcgetattr(keys).unwrap().local_flags.contains(LocalFlags::ECHO));
    }

    fn type_once(&mut self, prompt: &str, time: usize, line: &str, ready: impl Fn(&File) -> bool) {
        let begun = Instant::now();
        while self.screen().matches(prompt).count() < time || !ready(&self.keys) {
            assert!(begun.elapsed() < SOON, "no `{prompt}`: {}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < SOON, "it does not end: {}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        };
        // What it printed last is still on its way when it has ended.
        while !self.reading.is_finished() {
            assert!(begun.elapsed() < SOON, "somebody still holds the terminal: {}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
        (status.code(), self.screen())
    }
}

async fn machine() -> (Machine, Provider, Client) {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    machine.world.write_config("policies/mine.cedar", GRAVE).unwrap();
    let client = machine.start().await;
    (machine, provider, client)
}

async fn guard(client: &Client) {
    let new = Some(TypedSecret(PASSPHRASE.to_owned()));
    let input = SetPresenceInput { old: None, new, also_high: None };
    let _: PresenceDto = client.call(&ApprovalsCall::SetPresence(input)).await.unwrap();
}

async fn held(client: &Client) -> String {
    let begun = Instant::now();
    loop {
        let page: ApprovalsPage = client.call(&ApprovalsCall::List).await.unwrap();
        if let Some(first) = page.open.first() {
            return first.id.clone();
        }
        assert!(begun.elapsed() < SOON, "nothing is held");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn is_paused(client: &Client) -> bool {
    let status: StatusDto = client.call(&StatusCall::Get).await.unwrap();
    matches!(status.protection, ProtectionDto::Paused { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_critical_is_allowed_at_a_terminal_with_the_passphrase_which_no_screen_shows() {
    let (machine, _provider, client) = machine().await;
    guard(&client).await;
    let (agent, _) = machine.agent(&client, "tester").await;
    let asking = tokio::spawn(async move { agent.send(Speak::H1, delete("https://api.acme.example/things/7")).await });
    let question = held(&client).await;
    let ended = tokio::task::spawn_blocking(move || {
        let mut terminal = Terminal::run(&machine, &["approve", "allow", &question]);
        terminal.answer("Type yes:", 1, "yes");
        terminal.answer_unseen("Reeve passphrase:", 1, "wrong horse");
        terminal.answer_unseen("Reeve passphrase:", 2, PASSPHRASE);
        (terminal.end(), machine)
    });
    let ((code, screen), _machine) = ended.await.unwrap();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("this is not the passphrase") && screen.contains("approved:"), "{screen}");
    assert!(!screen.contains("horse"), "{screen}");
    let reply = asking.await.unwrap().unwrap();
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(!reply.text().contains("deletes for good"), "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_pause_asks_at_a_terminal_for_the_passphrase_or_a_first_one_and_elsewhere_says_who_can() {
    let (machine, _provider, client) = machine().await;
    let unasked = machine.reeve(&["pause"]);
    assert_eq!(unasked.status.code(), Some(3), "{}", printed(&unasked));
    assert!(printed(&unasked).contains("terminal of your own"), "{}", printed(&unasked));
    assert!(!is_paused(&client).await);
    let ended = tokio::task::spawn_blocking(move || {
        let mut terminal = Terminal::run(&machine, &["pause"]);
        terminal.answer_unseen("New Reeve passphrase", 1, PASSPHRASE);
        terminal.answer_unseen("once more", 1, PASSPHRASE);
        (terminal.end(), machine)
    });
    let ((code, screen), machine) = ended.await.unwrap();
    assert_eq!(code, Some(0), "{screen}");
    assert!(is_paused(&client).await && !screen.contains("horse"), "{screen}");
    assert_eq!(machine.reeve(&["resume"]).status.code(), Some(0));
    assert_eq!(machine.reeve(&["pause", "1h"]).status.code(), Some(0), "an hour needs none");
    assert_eq!(machine.reeve(&["resume"]).status.code(), Some(0));
    assert_eq!(machine.reeve(&["pause", "61m"]).status.code(), Some(3));
    assert!(!is_paused(&client).await);
}
