//! Real child processes. Each test starts this test program once more as the launcher (a process of its own, as `reeve run`
//! is), because signals and reaping concern a whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reeve_domain::id::{AgentId, SessionId};
use reeve_sandbox::environment::{self, Inherited, Wiring};
use reeve_sandbox::launch::{Launch, start};

/// Set in the launcher: the program to start and its one argument.
const LAUNCH: &str = "REEVE_TEST_LAUNCH";
/// Set where the launcher stops the child by itself after so many milliseconds.
const STOP_AFTER: &str = "REEVE_TEST_STOP_AFTER";
/// Set where the launcher has a child of its own before.
const BEFORE: &str = "REEVE_TEST_BEFORE";

/// Becomes the launcher, and never returns, when this process was started as one. Each test begins with it.
fn as_launcher() {
    let Ok(what) = std::env::var(LAUNCH) else { return };
    let (program, argument) = what.split_once('\n').unwrap();
    let mut before = std::env::var(BEFORE).ok().map(|_| Command::new("sleep").arg("60").spawn().unwrap());
    let launch = Launch {
        program: program.into(),
        arguments: if argument.is_empty() { vec![] } else { vec!["-c".into(), argument.into()] },
        working_directory: None,
        environment: environment(),
        grace: Duration::from_millis(500),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let code = runtime.block_on(async {
        let running = match start(&launch) {
            Ok(running) => running,
            Err(error) => return error.exit_code().into(),
        };
        if let Some(delay) = std::env::var(STOP_AFTER).ok().and_then(|ms| ms.parse().ok()) {
            let stop = running.stop_handle();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                stop.stop();
            });
        }
        running.wait().await.unwrap().exit_code()
    });
    if let Some(before) = &mut before {
        println!("before: {}", if before.try_wait().unwrap().is_none() { "alive" } else { "gone" });
        before.kill().unwrap();
    }
    std::process::exit(code);
}

fn environment() -> environment::Environment {
    let inherited: Inherited = environment::inherited();
    environment::for_session(&Wiring {
        proxy: "127.0.0.1:4321".parse().unwrap(),
        mcp: Some("http://127.0.0.1:4101/mcp"),
        token: "token",
        bundle: Path::new("/nowhere/trust.pem"),
        agent: &AgentId::parse("tester").unwrap(),
        session: &SessionId::new(),
        tool: None,
        placeholders: &[],
        upstream_proxy: None,
        inherited: &inherited,
    })
    .unwrap()
}

/// The launcher of the test of that name, running a script.
fn launcher(test: &str, script: &str) -> Command {
    program_launcher(test, "sh", script)
}

fn program_launcher(test: &str, program: &str, argument: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(LAUNCH, format!("{program}\n{argument}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

struct Lines {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Lines {
    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The rest of the first line with this in it (the test harness may have begun the line with the name of the test).
    fn wait_for(&mut self, start: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "ended before it said `{start}`");
            if let Some((_, rest)) = line.split_once(start) {
                return rest.trim().to_owned();
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    fn end(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), rest)
    }
}

/// A process that is there and no zombie.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_exit_status_is_the_childs_and_a_signal_shows_as_128_and_its_number() {
    as_launcher();
    let test = "the_exit_status_is_the_childs_and_a_signal_shows_as_128_and_its_number";
    for (script, code) in
        [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
    {
        assert_eq!(launcher(test, script).status().unwrap().code(), Some(code), "{script}");
    }
}

#[test]
fn what_is_not_found_is_127_and_what_cannot_be_executed_is_126() {
    as_launcher();
    let test = "what_is_not_found_is_127_and_what_cannot_be_executed_is_126";
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "#!/bin/sh\n").unwrap();
    for (program, code) in [("no-such-program-here", 127), (plain.to_str().unwrap(), 126)] {
        assert_eq!(program_launcher(test, program, "").status().unwrap().code(), Some(code), "{program}");
    }
}

#[test]
fn the_child_has_the_sessions_environment_and_nothing_that_leads_around_it() {
    as_launcher();
    let test = "the_child_has_the_sessions_environment_and_nothing_that_leads_around_it";
    let mut command = launcher(test, r#"echo "see $HTTPS_PROXY [${ALL_PROXY-gone}] [$NO_PROXY] $KEPT""#);
    command.env("ALL_PROXY", "socks5://x:1").env("NO_PROXY", "*").env("KEPT", "kept");
    let mut lines = Lines::of(command);
    assert_eq!(lines.wait_for("see "), "http://reeve:token@127.0.0.1:4321 [gone] [] kept");
    assert_eq!(lines.end().0, 0);
}

#[test]
fn a_signal_sent_to_the_launcher_alone_reaches_the_child_once() {
    as_launcher();
    let test = "a_signal_sent_to_the_launcher_alone_reaches_the_child_once";
    for signal in ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"] {
        let script = format!(
            "trap 'echo got {signal}; n=$((n+1))' {signal}; n=0; echo ready; i=0; \
             while [ $i -lt 200 ] && [ $n -eq 0 ]; do sleep 0.02; i=$((i+1)); done; sleep 0.1; exit $((40+n))"
        );
        let mut lines = Lines::of(launcher(test, &script));
        lines.wait_for("ready");
        lines.signal(format!("SIG{signal}").parse().unwrap());
        let (code, rest) = lines.end();
        assert_eq!((code, rest.matches("got").count()), (41, 1), "{signal}: {rest}");
    }
}

#[test]
fn a_stop_ends_the_child_politely_and_kills_it_when_it_will_not_listen() {
    as_launcher();
    let test = "a_stop_ends_the_child_politely_and_kills_it_when_it_will_not_listen";
    let waits = "while :; do sleep 0.05; done";
    for (script, code) in [(format!("trap 'exit 9' TERM; {waits}"), 9), (format!("trap '' TERM; {waits}"), 137)] {
        let begun = Instant::now();
        let status = launcher(test, &script).env(STOP_AFTER, "1500").status().unwrap();
        assert_eq!(status.code(), Some(code), "{script}");
        assert!(begun.elapsed() < Duration::from_secs(6), "{script}");
    }
}

#[test]
fn a_stop_reaches_a_child_that_is_stopped() {
    as_launcher();
    let test = "a_stop_reaches_a_child_that_is_stopped";
    // In a session without a terminal, where nobody would continue a launcher that stopped itself.
    let mut command = Command::new("setsid");
    let inner = launcher(test, "kill -STOP $$");
    command.arg("--wait").arg(inner.get_program()).args(inner.get_args());
    command.env(LAUNCH, "sh\nkill -STOP $$").env(STOP_AFTER, "300").stdin(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(143));
}

#[test]
fn nothing_that_the_child_started_outlives_it_not_even_what_ran_away() {
    as_launcher();
    let test = "nothing_that_the_child_started_outlives_it_not_even_what_ran_away";
    // Forked twice, in a session of its own, deaf to SIGTERM and SIGHUP.
    let script = "(setsid sh -c 'trap \"\" TERM HUP; echo pid $$; while :; do sleep 0.05; done' &) ; sleep 3; exit 5";
    for stop_after in [None, Some("2000")] {
        let mut command = launcher(test, script);
        if let Some(delay) = stop_after {
            command.env(STOP_AFTER, delay);
        }
        let mut lines = Lines::of(command);
        let pid = lines.wait_for("pid ");
        assert!(lives(&pid));
        let (code, _) = lines.end();
        assert_eq!(code, if stop_after.is_some() { 143 } else { 5 });
        assert!(!lives(&pid), "it is still there, stop after {stop_after:?}");
    }
}

#[test]
fn children_that_the_launcher_had_before_are_left_alone() {
    as_launcher();
    let test = "children_that_the_launcher_had_before_are_left_alone";
    let mut command = launcher(test, "exit 3");
    command.env(BEFORE, "yes");
    let (code, rest) = Lines::of(command).end();
    assert_eq!(code, 3);
    assert!(rest.contains("before: alive"), "{rest}");
}

#[test]
fn what_nohup_ignores_stays_ignored_in_the_child() {
    as_launcher();
    let test = "what_nohup_ignores_stays_ignored_in_the_child";
    let inner = launcher(test, "");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env(LAUNCH, "sh\nkill -HUP $$; echo survived").stdin(Stdio::null()).stdout(Stdio::piped());
    let mut lines = Lines::of(command);
    lines.wait_for("survived");
    assert_eq!(lines.end().0, 0);
}

/// A shell on a terminal of its own, as a person has it.
struct Person {
    shell: Child,
    terminal: std::fs::File,
    said: std::sync::mpsc::Receiver<String>,
    heard: String,
}

impl Person {
    fn at_a_terminal() -> Self {
        let pty = nix::pty::openpty(None, None).unwrap();
        let slave = std::fs::File::from(pty.slave);
        let shell = Command::new("setsid")
            .args(["--ctty", "--wait", "bash", "--norc", "--noprofile", "-i"])
            .env("PS1", "$ ")
            .env("TERM", "dumb")
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn()
            .unwrap();
        let terminal = std::fs::File::from(pty.master);
        let mut reader = terminal.try_clone().unwrap();
        let (tell, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut piece) {
                if tell.send(String::from_utf8_lossy(&piece[..length]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { shell, terminal, said, heard: String::new() }
    }

    fn types(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the terminal shows this, and forgets what was shown up to there.
    fn sees(&mut self, text: &str) {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.heard.find(text) {
                self.heard = self.heard.split_off(at + text.len());
                return;
            }
            let left = Duration::from_secs(20).saturating_sub(begun.elapsed());
            match self.said.recv_timeout(left) {
                Ok(more) => self.heard.push_str(&more),
                Err(_) => panic!("waited for `{text}`, saw: {}", self.heard),
            }
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.terminal.write_all(b"\x03\nexit\n");
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The line a person types to start a script through the launcher.
fn typed(test: &str, folder: &Path, script: &str) -> String {
    let file = folder.join("script.sh");
    std::fs::write(&file, script).unwrap();
    let exe = std::env::current_exe().unwrap();
    format!("{LAUNCH}=$(printf 'sh\\n. {}') {} --exact {test} --nocapture\n", file.display(), exe.display())
}

#[test]
fn a_control_c_at_the_terminal_reaches_the_child_once_and_the_launcher_waits_for_it() {
    as_launcher();
    let test = "a_control_c_at_the_terminal_reaches_the_child_once_and_the_launcher_waits_for_it";
    let folder = tempfile::tempdir().unwrap();
    let mut person = Person::at_a_terminal();
    person.sees("$ ");
    let script = "trap 'n=$((n+1)); echo hit $n' INT; n=0; echo rea\"\"dy; i=0; \
                  while [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done; echo hits=$n; exit 6";
    person.types(&typed(test, folder.path(), script));
    person.sees("ready");
    person.types("\x03");
    person.sees("hits=1");
    person.types("echo status=$?\n");
    person.sees("status=6");
}

#[test]
fn a_control_z_gives_the_terminal_back_to_the_shell_and_fg_goes_on() {
    as_launcher();
    let test = "a_control_z_gives_the_terminal_back_to_the_shell_and_fg_goes_on";
    let folder = tempfile::tempdir().unwrap();
    let mut person = Person::at_a_terminal();
    person.sees("$ ");
    person.types(&typed(test, folder.path(), "echo rea\"\"dy; read line; echo \"got <$line>\"; exit 4"));
    person.sees("ready");
    person.types("\x1a");
    person.sees("Stopped");
    person.types("echo st\"\"ill here\n");
    person.sees("still here");
    person.types("fg\n");
    person.types("hello\n");
    person.sees("got <hello>");
    person.types("echo status=$?\n");
    person.sees("status=4");
}

#[test]
fn a_child_that_stops_only_itself_stops_the_launcher_too() {
    as_launcher();
    let test = "a_child_that_stops_only_itself_stops_the_launcher_too";
    let folder = tempfile::tempdir().unwrap();
    let mut person = Person::at_a_terminal();
    person.sees("$ ");
    person.types(&typed(test, folder.path(), "kill -STOP $$; echo going \"\"on; exit 3"));
    person.sees("Stopped");
    person.types("fg\n");
    person.sees("going on");
    person.types("echo status=$?\n");
    person.sees("status=3");
}

#[test]
fn a_terminal_left_in_raw_mode_is_put_right() {
    as_launcher();
    let test = "a_terminal_left_in_raw_mode_is_put_right";
    let folder = tempfile::tempdir().unwrap();
    let mut person = Person::at_a_terminal();
    person.sees("$ ");
    // Outside of bash, which puts its terminal right by itself: the launcher and the question run in one `sh`.
    let line = typed(test, folder.path(), "stty raw -echo; kill -KILL $$");
    person.types(&format!(
        "sh -c '{}; stty -a | grep -o -- \"-*icanon\" | sed \"s/^/mode=/\"'\n",
        line.trim().replace('\'', "\"")
    ));
    person.sees("mode=icanon");
}

#[test]
fn dropping_a_running_child_stops_it() {
    as_launcher();
    // The launcher of this test is the test itself, so it must not share its process with another.
    let test = "dropping_a_running_child_stops_it";
    if std::env::var(BEFORE).is_err() {
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(BEFORE, "inner")
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        return;
    }
    let launch = Launch {
        program: "sleep".into(),
        arguments: vec!["60".into()],
        working_directory: None,
        environment: environment(),
        grace: Duration::from_secs(1),
    };
    let running = start(&launch).unwrap();
    let pid = running.pid().to_string();
    assert!(lives(&pid));
    drop(running);
    wait_until("the child to end", || !lives(&pid));
}
