//! One running app in a world of its own: a desktop with keyring, tray and notifications, a provider, WebDriver, and what a
//! person sees and presses.

mod agent;
mod page;
mod window;

use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reeve_api::client::Client as Engine;
use reeve_api::contract::audit::{RecordDto, RecordInput};
use reeve_api::contract::calls::{AuditCall, StatusCall};
use reeve_api::contract::operations::EventDto;
use reeve_api::contract::status::StatusDto;
use reeve_api::home::Home;
use reeve_demo::Provider;
use reeve_demo::script::{Route, Script};
use reeve_domain::approval::Surface;
use reeve_testkit::keyring::Keyring;
use reeve_testkit::world::World;
use reeve_tests::stage::{HOSTS, reeve};
use serde_json::json;

use crate::desk::Desk;

/// Longest wait for something that should happen at once on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// The service that the scripted agent talks to.
pub const HOST: &str = "api.acme.example";

/// Asks before anything is written there; a standing approval may lift it.
const ASK_WRITES: &str = r#"
@id("ask-writes") @reason("writes to the service wait for a person") @liftable
forbid (principal, action == Action::"http.request", resource == Host::"api.acme.example")
when { context.method == "POST" }
unless { context.approved };
"#;

/// What is particular to one test.
#[derive(Default)]
pub struct Scene {
    pub script: Script,
    /// Rules beside the one that asks before the service is written to.
    pub policy: &'static str,
}

/// All that is there before the app is: provider, desk, keyring and world, which end in this order.
pub struct Ground {
    pub provider: Provider,
    pub desk: Desk,
    _keyring: Keyring,
    pub world: World,
}

impl Ground {
    /// Makes the world and starts what is around the app.
    pub async fn lay(scene: Scene) -> Result<Self> {
        let notes = Route {
            method: "POST".to_owned(),
            host: HOST.to_owned(),
            path: "/v1/notes".to_owned(),
            body: r#"{"note":"kept","you_sent":"{header:authorization}"}"#.to_owned(),
            ..Route::default()
        };
        let provider = Provider::start(scene.script.with_route(notes)).await?;
        let mut world = World::new()?;
        let root = world.write_config("provider.pem", &provider.root_pem())?;
        let resolve: Vec<String> =
            HOSTS.iter().map(|host| format!("\"{host}:443\" = \"{}\"", provider.addr())).collect();
        // A busy machine may take longer than a person would be given.
        let config = format!(
            "[hold]\nllm_seconds = 600\nhttp_seconds = 600\n[upstream]\nresolve = {{ {} }}\nextra_roots = [{:?}]\n",
            resolve.join(", "),
            root.display().to_string()
        );
        world.write_config("config.toml", &config)?;
        world.write_config("policies/mine.cedar", &format!("{ASK_WRITES}{}", scene.policy))?;
        let keyring = Keyring::start(&mut world)?;
        let desk = Desk::set(keyring.bus_address()).await?;
        let display =
            std::env::var("DISPLAY").context("no display: run this through `cargo xtask ci --only desktop`")?;
        for (name, value) in [
            ("DISPLAY", display.as_str()),
            ("XAUTHORITY", std::env::var("XAUTHORITY").as_deref().unwrap_or_default()),
            // Without it WebDriver waits for ever; the app inherits it.
            ("TAURI_WEBVIEW_AUTOMATION", "true"),
            ("NO_AT_BRIDGE", "1"),
            ("GTK_A11Y", "none"),
            ("GTK_THEME", std::env::var("GTK_THEME").as_deref().unwrap_or("Adwaita")),
            ("XDG_DATA_DIRS", std::env::var("XDG_DATA_DIRS").as_deref().unwrap_or("/usr/local/share:/usr/share")),
        ] {
            world.set(name, value);
        }
        Ok(Self { provider, desk, _keyring: keyring, world })
    }

    /// Starts the app; it starts the engine itself.
    pub async fn open(self, arguments: &[&str]) -> Result<App> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut driver = self
            .world
            .command("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start WebKitWebDriver (package webkit2gtk-driver)")?;
        match connect(port, arguments).await {
            Ok(browser) => Ok(App { browser, driver, ground: self }),
            Err(error) => {
                let _ = driver.kill();
                let _ = driver.wait();
                Err(error)
            }
        }
    }

    /// Runs a command of Reeve; gives what it printed, or what went wrong.
    pub async fn reeve(&self, arguments: &[&str]) -> Result<String> {
        self.reeve_told(arguments, "").await
    }

    /// The same, with something on its stdin.
    pub async fn reeve_told(&self, arguments: &[&str], stdin: &str) -> Result<String> {
        let mut command = self.world.command(reeve()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().context("no stdin")?.write_all(stdin.as_bytes())?;
        let out = tokio::task::spawn_blocking(move || child.wait_with_output()).await??;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        ensure!(out.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
        Ok(text)
    }

    /// Stores a credential of the service in the real keyring, as the person does in a terminal.
    pub async fn store_credential(&self, secret: &str) -> Result<()> {
        let add = ["cred", "add", "acme", "--host", HOST, "--slot", "bearer", "--variable", "ACME_TOKEN"];
        self.reeve_told(&add, secret).await.map(drop)
    }

    /// A connection to the engine as the person's own terminal has it, once there is one.
    pub async fn engine(&self) -> Result<Engine> {
        let home = Home::under(&self.world.reeve_home());
        let begun = Instant::now();
        loop {
            match Engine::connect(&home, Surface::Cli).await {
                Ok(engine) => return Ok(engine),
                Err(error) if begun.elapsed() > SOON => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(30)).await,
            }
        }
    }

    /// The whole record, oldest first.
    pub async fn record(&self) -> Result<Vec<EventDto>> {
        let engine = self.engine().await?;
        let status: StatusDto = engine.call(&StatusCall::Get).await?;
        let mut events = Vec::new();
        for record in 1..=status.chain.head {
            let one: RecordDto = engine.call(&AuditCall::Record(RecordInput { record })).await?;
            events.push(one.event.with_context(|| format!("record {record} cannot be read"))?);
        }
        Ok(events)
    }

    /// Everything that Reeve has written into the person's policies besides the one they started with.
    pub fn written_policies(&self) -> Result<String> {
        let mut all = String::new();
        for entry in std::fs::read_dir(self.world.reeve_home().join("config/policies"))? {
            let path = entry?.path();
            if path.is_file() && !path.ends_with("mine.cedar") {
                all.push_str(&std::fs::read_to_string(path)?);
            }
        }
        Ok(all)
    }

    /// Ends the engine as a crash does.
    pub fn kill_engine(&self) -> Result<()> {
        let pid = engine_pid(&self.world.reeve_home()).context("no engine is running")?;
        Ok(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)?)
    }

    /// Whether an app of this world runs.
    pub fn app_runs(&self) -> bool {
        let home = self.world.reeve_home();
        processes().any(|pid| {
            let program = std::fs::read_link(format!("/proc/{pid}/exe"));
            // One that was built anew meanwhile is named `… (deleted)`.
            program.is_ok_and(|program| program.to_string_lossy().contains(DESKTOP)) && lives_in(pid, &home)
        })
    }

    /// What the engine said, for failing tests.
    fn engine_log(&self) -> String {
        std::fs::read_to_string(self.world.reeve_home().join("state/engine.log")).unwrap_or_default()
    }
}

/// Ends in this order: the browser session (and with it the app), driver, engine, and what it stands on.
pub struct App {
    pub browser: Client,
    driver: Child,
    ground: Ground,
}

impl Deref for App {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl App {
    /// Closes the app and ends the engine.
    async fn end(mut self) -> Result<()> {
        // The engine would stay for its ten idle minutes.
        let pid = engine_pid(&self.world.reeve_home());
        // An app that was quit would never answer.
        if self.app_runs() {
            let _ = tokio::time::timeout(SOON, self.browser.clone().close()).await;
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        if let Some(pid) = pid {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)?;
        }
        Ok(())
    }
}

/// A test with an app that was just started.
pub async fn with_app(test: impl AsyncFnOnce(&App) -> Result<()>) -> Result<()> {
    with_scene(Scene::default(), test).await
}

/// The same with a script or rules of its own.
pub async fn with_scene(scene: Scene, test: impl AsyncFnOnce(&App) -> Result<()>) -> Result<()> {
    on(Ground::lay(scene).await?, &[], test).await
}

/// The same where something happened before the app was started. Every test needs the log of the engine when it fails.
pub async fn on(ground: Ground, arguments: &[&str], test: impl AsyncFnOnce(&App) -> Result<()>) -> Result<()> {
    let app = ground.open(arguments).await?;
    let result = test(&app).await;
    if result.is_err() && app.app_runs() {
        // A second failure would hide the first.
        let _ = app.picture("failed").await;
    }
    let log = app.engine_log();
    app.end().await?;
    result.map_err(|error| error.context(format!("engine log:\n{log}")))
}

/// The engine process of a home: the app started it, and it outlives the app.
fn engine_pid(home: &Path) -> Option<i32> {
    processes().find(|pid| holds(*pid, "cmdline", "serve") && lives_in(*pid, home))
}

fn processes() -> impl Iterator<Item = i32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a process was started with this home.
fn lives_in(pid: i32, home: &Path) -> bool {
    holds(pid, "environ", &format!("REEVE_HOME={}", home.display()))
}

/// Whether a file of `/proc` that lists words between NULs has this one.
fn holds(pid: i32, file: &str, wanted: &str) -> bool {
    let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).any(|word| word == wanted.as_bytes())
}

async fn connect(port: u16, arguments: &[&str]) -> Result<Client> {
    let program = desktop()?;
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(begun.elapsed() < SOON, "WebKitWebDriver does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let options = json!({ "webkitgtk:browserOptions": { "binary": program, "args": arguments } });
    let capabilities = serde_json::from_value(options)?;
    let builder = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).clone();
    let session = tokio::time::timeout(SOON, builder.connect(&format!("http://127.0.0.1:{port}"))).await;
    Ok(session.context("the app never became ready for WebDriver")??)
}

const DESKTOP: &str = "reeve-desktop";

/// The app of this build, beside the test program.
fn desktop() -> Result<PathBuf> {
    let program = reeve()?.with_file_name(DESKTOP);
    ensure!(program.is_file(), "`{}` is missing: run `cargo build --package reeve-desktop` first", program.display());
    Ok(program)
}

/// Runs a program that shows a window, for its exit code and its words.
pub fn run_bare(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(desktop()?);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    let out = command.envs(variables.iter().copied()).output()?;
    Ok((out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned()))
}
