//! The doctor: each thing that protection needs, probed for real, with what was found and what mends it.

mod clock;
#[cfg(target_os = "linux")]
pub mod desktop;
pub(crate) mod profile;
pub mod repair;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use reeve_domain::id::AgentId;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::SessionEnd;
use reeve_engine::settings::SecretsStore;
use reeve_engine::{LiveSession, OpenSession};
use reeve_vault::{Probe, Vault};

use crate::contract::status::{CheckDto, FixDto};
use crate::home::Home;
use crate::host::Host;

/// Longest that one probe may take.
const PROBE_WITHIN: Duration = Duration::from_secs(30);
/// A price table older than this is worth a word.
const PRICES_OLD_AFTER_DAYS: i64 = 120;
/// Less free space than this is worth a word, in bytes.
const SPACE_WANTED: u64 = 500 * 1024 * 1024;

fn check(name: &str, ok: bool, evidence: impl Into<String>, fix: Option<FixDto>) -> CheckDto {
    CheckDto { name: name.to_owned(), ok, evidence: evidence.into(), fix: fix.filter(|_| !ok) }
}

/// What a person types in a terminal.
fn command(line: &str) -> Option<FixDto> {
    Some(FixDto::command(line))
}

/// What a person does elsewhere.
fn advice(text: &str) -> Option<FixDto> {
    Some(FixDto::advice(text))
}

/// Everything, with a running engine.
pub(crate) async fn with_engine(host: &Arc<Host>) -> Vec<CheckDto> {
    let engine = &host.engine;
    let mut checks = vec![
        check("engine", true, format!("version {}", env!("CARGO_PKG_VERSION")), None),
        proxy(host).await,
        vault(engine.vault().probe().await, engine.vault().kind().as_str()),
    ];
    checks.extend(trust(host).await);
    checks.extend(profile::with_engine(host));
    checks.push(disk(&host.home.data));
    checks.push(clock::clock(host).await);
    checks.push(chain(host).await);
    checks.push(policy(host));
    checks.push(presence(host).await);
    checks.push(prices(host));
    checks.push(upstream(host));
    checks.extend(profile::tools(host));
    checks
}

/// What can be said without an engine. `why` it does not start stands only where no other check gives the reason.
pub(crate) async fn without_engine(home: &Home, why: &str) -> Vec<CheckDto> {
    let mut checks = Vec::new();
    let config = reeve_engine::settings::Settings::load(&home.config_file());
    match &config {
        Ok(_) => checks.push(check("configuration", true, format!("{} loads", home.config.display()), None)),
        Err(error) => checks.push(check("configuration", false, error.to_string(), advice("edit config.toml"))),
    }
    match config.map(|settings| settings.secrets).unwrap_or_default() {
        SecretsStore::Keychain => checks.push(match Vault::keychain(&home.profile) {
            Ok(keychain) => vault(keychain.probe().await, "keychain"),
            Err(error) => check("keychain", false, error.to_string(), advice(error.advice())),
        }),
        SecretsStore::File => {
            let path = home.secrets_file();
            let evidence = if path.is_file() { "is there, locked" } else { "is made with the first passphrase" };
            checks.push(check("keychain", true, format!("{} {evidence}", path.display()), None));
        }
        SecretsStore::Memory => checks.push(check("keychain", true, "memory: lost when the engine ends", None)),
    }
    match super::commands::policies::check(home) {
        Ok(found) => checks.push(check("policy", true, found, None)),
        Err(error) => checks.push(check("policy", false, error.to_string(), command("reeve policy check"))),
    }
    checks.push(disk(&home.data));
    let engine = if checks.iter().all(|check| check.ok) {
        check("engine", false, why, command("reeve status"))
    } else {
        check("engine", false, "does not start: see below", None)
    };
    checks.insert(0, engine);
    // What a crash left is no reason that an engine does not start.
    checks.extend(profile::without_engine(home));
    checks
}

async fn proxy(host: &Host) -> CheckDto {
    let address = host.proxy.address();
    let connected = tokio::time::timeout(PROBE_WITHIN, tokio::net::TcpStream::connect(address)).await;
    match connected {
        Ok(Ok(_)) => check("proxy", true, format!("listens on {address}"), None),
        _ => check("proxy", false, format!("does not answer on {address}"), advice("restart the engine")),
    }
}

fn vault(probe: Probe, kind: &str) -> CheckDto {
    match probe.into_result() {
        Ok(()) => check("keychain", true, format!("{kind}: written, read and removed a probe"), None),
        Err(error) => check("keychain", false, error.to_string(), advice(error.advice())),
    }
}

/// How a human is proven, and what keeps the system from asking. No passphrase set is nothing broken: it is chosen when it is
/// first needed.
async fn presence(host: &Host) -> CheckDto {
    let presence = host.engine.presence();
    let instead = match presence.system().await {
        Some((name, Ok(()))) => {
            return check("presence", true, format!("a human is proven by {name}, which asks in its own window"), None);
        }
        Some((name, Err(why))) => format!(" ({name} is not used: {why})"),
        None => String::new(),
    };
    match presence.is_set().await {
        Ok(true) => {
            check("presence", true, format!("a human is proven by the Reeve passphrase, which is set{instead}"), None)
        }
        Ok(false) => {
            let later = "none is set yet, you choose it when it is first needed";
            check("presence", true, format!("a human is proven by the Reeve passphrase: {later}{instead}"), None)
        }
        Err(error) => check("presence", false, error.to_string(), advice("unlock the keychain")),
    }
}

/// Starts what each runtime on this machine would start, in one session for all, and lets it fetch Reeve's own probe page
/// through the proxy: only a runtime that trusts the session's CA gets it.
async fn trust(host: &Arc<Host>) -> Vec<CheckDto> {
    let there: Vec<_> = RUNTIMES.iter().filter(|(_, program, _)| on_path(program)).collect();
    if there.is_empty() {
        return Vec::new();
    }
    let (live, token) = match session(host).await {
        Ok(opened) => opened,
        Err(why) => return vec![check("trust", false, why, command("reeve status"))],
    };
    let mut checks = Vec::new();
    for (name, program, arguments) in there {
        checks.push(match fetch_probe(host, &live, &token, program, arguments).await {
            Ok(()) => check(&format!("trust: {name}"), true, "accepts a session's certificate", None),
            Err(why) => check(&format!("trust: {name}"), false, why, advice("see README, trust per runtime")),
        });
    }
    if let Err(error) = host.end_session(live.id(), SessionEnd::Exited).await {
        checks.push(check("trust", false, error.to_string(), command("reeve status")));
    }
    checks
}

/// Node ignores proxies before version 22.21, but what runs on it brings its own tunnel, as this does. It waits for an answer: a
/// handshake that it broke off would be recorded as refused.
const NODE_PROBE: &str = "const proxy = new URL(process.env.HTTPS_PROXY);
const name = 'probe.reeve.invalid';
const login = decodeURIComponent(proxy.username) + ':' + decodeURIComponent(proxy.password);
const basic = Buffer.from(login).toString('base64');
const fail = (error) => { console.error(error.message); process.exit(1); };
const socket = require('net').connect(proxy.port, proxy.hostname, () => socket.write(
  `CONNECT ${name}:443 HTTP/1.1\\r\\nHost: ${name}:443\\r\\nProxy-Authorization: Basic ${basic}\\r\\n\\r\\n`));
socket.on('error', fail);
socket.once('data', () => {
  const inside = require('tls').connect({ socket, servername: name }, () => inside.write(
    `GET / HTTP/1.1\\r\\nHost: ${name}\\r\\nConnection: close\\r\\n\\r\\n`));
  inside.on('error', fail).once('data', () => process.exit(0));
});";

/// At `reeve_proxy::PROBE_HOST`, which the proxy answers itself, whatever the rules say.
const PROBE_URL: &str = "https://probe.reeve.invalid/";

/// Runtime, program, and how it fetches a page: it must exit with 0 when it got an answer over TLS, whatever its status.
const RUNTIMES: &[(&str, &str, &[&str])] = &[
    ("curl", "curl", &["--silent", "--show-error", "--fail", "--max-time", "25", "--output", "/dev/null", PROBE_URL]),
    ("git", "git", &["ls-remote", "https://probe.reeve.invalid/x.git"]),
    ("node", "node", &["-e", NODE_PROBE]),
    (
        "python",
        "python3",
        &["-c", "import urllib.request\nurllib.request.urlopen('https://probe.reeve.invalid/', timeout=25).read()"],
    ),
];

async fn session(host: &Arc<Host>) -> Result<(Arc<LiveSession>, Secret), String> {
    let agent = AgentId::parse("doctor").map_err(|e| e.to_string())?;
    let opening = OpenSession {
        agent,
        user: crate::commands::approvals::whoami(),
        team: None,
        cwd: host.home.data.display().to_string(),
        command: vec!["reeve".to_owned(), "doctor".to_owned()],
        mode: None,
        wraps: None,
        holder: None,
        opener: None,
        expires_at: None,
    };
    host.engine.open_session(opening).await.map_err(|e| e.to_string())
}

async fn fetch_probe(
    host: &Arc<Host>,
    live: &Arc<LiveSession>,
    token: &Secret,
    program: &str,
    arguments: &[&str],
) -> Result<(), String> {
    let ca = host.proxy.open(live).map_err(|e| e.to_string())?;
    let laid = crate::launch::lay_out(host, live, token, &ca).map_err(|e| e.to_string())?;
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    // Words that are looked for below are those of no translation.
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    // Else git asks without the session's token first, which is recorded as refused.
    command.env("GIT_HTTP_PROXY_AUTHMETHOD", "basic");
    for name in laid.environment.remove() {
        command.env_remove(name);
    }
    command.envs(laid.environment.set().iter().map(|(name, value)| (name, value)));
    let ran = tokio::time::timeout(PROBE_WITHIN, command.output()).await;
    let output = ran.map_err(|_| "did not answer in time".to_owned())?.map_err(|e| e.to_string())?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    // git ends with an error either way: what counts is that it got an answer and no certificate problem.
    let answered = ["requested URL returned error", "not found", "is this a git repository"];
    let reached = output.status.success() || answered.iter().any(|answer| words.contains(answer));
    if reached { Ok(()) } else { Err(words.lines().last().unwrap_or("failed without a word").to_owned()) }
}

fn on_path(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn disk(folder: &Path) -> CheckDto {
    #[cfg(unix)]
    {
        match nix::sys::statvfs::statvfs(folder) {
            Ok(space) => {
                #[allow(clippy::useless_conversion, reason = "32 bits wide on macOS")]
                let free = u64::from(space.blocks_available()).saturating_mul(space.fragment_size());
                let evidence = format!("{} MB free at {}", free / 1_000_000, folder.display());
                check(
                    "disk",
                    free >= SPACE_WANTED,
                    evidence,
                    advice("free some space: without it nothing can be recorded"),
                )
            }
            Err(error) => check("disk", false, error.to_string(), advice("check the data folder")),
        }
    }
    #[cfg(not(unix))]
    check("disk", folder.is_dir(), format!("{}", folder.display()), advice("check the data folder"))
}

async fn chain(host: &Host) -> CheckDto {
    match crate::commands::audit::verify(host).await {
        Ok(found) if found.ok => {
            let keychain = found.keychain.map(|says| format!("; the keychain {says}")).unwrap_or_default();
            check("chain", true, format!("{} records verify{keychain}", found.events), None)
        }
        Ok(found) => check("chain", false, found.problem.unwrap_or_default(), command("reeve verify")),
        Err(error) => check("chain", false, error.to_string(), command("reeve verify")),
    }
}

fn policy(host: &Host) -> CheckDto {
    let in_force = host.engine.policies().in_force();
    let projects = host.engine.policies().project_problems();
    match &in_force.problem {
        None if !projects.is_empty() => {
            let problems: Vec<String> = projects.into_iter().map(|project| project.problem).collect();
            check("policy", false, problems.join("; "), command("reeve policy acknowledge FOLDER"))
        }
        None => check("policy", true, format!("revision {}", in_force.set.revision()), None),
        Some(problem) => {
            let fix = if in_force.waiting.is_some() { "reeve policy acknowledge --mine" } else { "reeve policy check" };
            check("policy", false, problem.clone(), command(fix))
        }
    }
}

fn prices(host: &Host) -> CheckDto {
    let table = host.engine.prices().table();
    let date = table.date();
    let age = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .map_or(0, |day| (host.engine.now().date_naive() - day).num_days());
    let evidence = format!("price table of {date}");
    check("prices", age <= PRICES_OLD_AFTER_DAYS, evidence, advice("update Reeve, or set `prices` in config.toml"))
}

/// Names pointed elsewhere and extra roots are a person's choice, and always visible.
fn upstream(host: &Host) -> CheckDto {
    let upstream = &host.engine.settings().upstream;
    let evidence = format!(
        "{} names pointed elsewhere, {} extra roots, proxy {}",
        upstream.resolve.len(),
        upstream.extra_roots.len(),
        // Its URL may hold a password.
        if upstream.proxy.is_some() { "configured" } else { "none" }
    );
    check("upstream", true, evidence, None)
}
