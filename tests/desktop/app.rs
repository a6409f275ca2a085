//! One running app in a world of its own: keyring, provider, WebDriver, and what a person sees and presses.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reeve_demo::Provider;
use reeve_demo::script::{Route, Script};
use reeve_testkit::keyring::Keyring;
use reeve_testkit::world::World;
use reeve_tests::stage::reeve;
use serde_json::json;

/// Longest wait for something that should happen at once on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// The window's title.
const TITLE: &str = "Reeve";

/// The service that the scripted agent talks to.
pub const HOST: &str = "api.acme.example";

/// Asks before anything is written there; a standing approval may lift it.
const POLICY: &str = r#"
@id("ask-writes") @reason("writes to the service wait for a person") @liftable
forbid (principal, action == Action::"http.request", resource == Host::"api.acme.example")
when { context.method == "POST" }
unless { context.approved };
"#;

/// Ends in this order: the browser session (and with it the app), driver, engine, provider, keyring, world.
pub struct App {
    pub browser: Client,
    driver: Child,
    pub provider: Provider,
    _keyring: Keyring,
    pub world: World,
}

impl App {
    /// Starts everything; the app itself starts the engine.
    pub async fn start() -> Result<Self> {
        let script = Script::default().with_route(Route {
            method: "POST".to_owned(),
            host: HOST.to_owned(),
            path: "/v1/notes".to_owned(),
            body: r#"{"note":"kept","you_sent":"{header:authorization}"}"#.to_owned(),
            ..Route::default()
        });
        let provider = Provider::start(script).await?;
        let mut world = World::new()?;
        let root = world.write_config("provider.pem", &provider.root_pem())?;
        let config = format!(
            "[upstream]\nresolve = {{ \"{HOST}:443\" = \"{}\" }}\nextra_roots = [{:?}]\n",
            provider.addr(),
            root.display().to_string()
        );
        world.write_config("config.toml", &config)?;
        world.write_config("policies/mine.cedar", POLICY)?;
        let keyring = Keyring::start(&mut world)?;
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
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut driver = world
            .command("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start WebKitWebDriver (package webkit2gtk-driver)")?;
        match connect(port).await {
            Ok(browser) => Ok(Self { browser, driver, provider, _keyring: keyring, world }),
            Err(error) => {
                let _ = driver.kill();
                let _ = driver.wait();
                Err(error)
            }
        }
    }

    /// Stores a credential in the real keyring, as the person does in a terminal.
    pub async fn store_credential(&self, secret: &str) -> Result<()> {
        let mut command = self.world.command(reeve()?);
        command.args(["cred", "add", "acme", "--host", HOST, "--slot", "bearer", "--variable", "ACME_TOKEN"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("no stdin")?.write_all(secret.as_bytes())?;
        let out = tokio::task::spawn_blocking(move || child.wait_with_output()).await??;
        ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        Ok(())
    }

    /// A governed agent that writes a note and prints what it hears.
    pub fn agent(&self, note: &str) -> Result<Agent> {
        let post = format!(
            r#"curl -sS -w ' [%{{http_code}}]' --json '{{"note":"{note}"}}' -H "authorization: Bearer $ACME_TOKEN" https://{HOST}/v1/notes"#
        );
        let mut command = self.world.command(reeve()?);
        command.args(["run", "--agent", "note-taker", "--", "sh", "-c", &post]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        Ok(Agent(child))
    }

    /// Asks the window manager to close the window, as a click on its cross does.
    pub async fn close_window(&self) -> Result<()> {
        let window = self.window().await?.context("there is no window to close")?;
        self.windows(&["-i", "-c", &window]).await.map(drop)
    }

    /// Whether the window manager shows the window.
    pub async fn is_shown(&self) -> Result<bool> {
        Ok(self.window().await?.is_some())
    }

    /// The window of this world's app, by its process: on a shared display there are others of that title.
    async fn window(&self) -> Result<Option<String>> {
        let home = self.world.reeve_home();
        let listed = self.windows(&["-l", "-p"]).await?;
        Ok(listed.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let (window, pid) = (words.next()?, words.nth(1)?.parse().ok()?);
            (line.ends_with(TITLE) && lives_in(pid, &home)).then(|| window.to_owned())
        }))
    }

    async fn windows(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.world.command("wmctrl");
        command.args(arguments).stdin(Stdio::null());
        let out = tokio::task::spawn_blocking(move || command.output()).await?.context("cannot start wmctrl")?;
        ensure!(out.status.success(), "wmctrl: {}", String::from_utf8_lossy(&out.stderr));
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// Starts the app a second time, as a click on its icon does.
    pub async fn start_again(&self) -> Result<()> {
        let mut command = self.world.command(desktop()?);
        command.env_remove("TAURI_WEBVIEW_AUTOMATION").stdin(Stdio::null());
        let out = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        Ok(())
    }

    /// Waits until something is no longer drawn.
    pub async fn gone(&self, css: &str) -> Result<()> {
        self.until(&format!("`{css}` is gone"), async || Ok(self.browser.find_all(Locator::Css(css)).await?.is_empty()))
            .await
    }

    /// Runs a command of Reeve; gives what it printed, or what went wrong.
    pub async fn reeve(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.world.command(reeve()?);
        command.args(arguments).stdin(Stdio::null());
        let out = tokio::task::spawn_blocking(move || command.output()).await??;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        ensure!(out.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
        Ok(text)
    }

    /// Waits until something is drawn.
    pub async fn see(&self, css: &str) -> Result<Element> {
        self.browser
            .wait()
            .at_most(SOON)
            .for_element(Locator::Css(css))
            .await
            .with_context(|| format!("`{css}` was never drawn"))
    }

    /// Waits until the page says something.
    pub async fn read(&self, text: &str) -> Result<()> {
        self.until(&format!("the page says `{text}`"), async || Ok(self.text().await?.contains(text))).await
    }

    pub async fn text(&self) -> Result<String> {
        Ok(self
            .browser
            .execute("return document.body.innerText", vec![])
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Presses a button by its words.
    pub async fn press(&self, words: &str) -> Result<()> {
        let path = format!("//button[starts-with(normalize-space(.), {words:?}) and not(@aria-disabled)]");
        let button = self.browser.wait().at_most(SOON).for_element(Locator::XPath(&path)).await;
        Ok(button.with_context(|| format!("no button `{words}`"))?.click().await?)
    }

    /// Waits for the card of a held action, armed, and puts the focus into it as a person's click does.
    pub async fn card(&self) -> Result<Element> {
        let card = self.see("#card[data-armed=true]").await?;
        self.see("#card h2").await?.click().await?;
        self.browser.execute("document.getElementById('card').focus()", vec![]).await?;
        Ok(card)
    }

    /// Ctrl with another key, pressed inside an element.
    pub async fn chord(&self, element: &Element, key: Key) -> Result<()> {
        let keys = format!("{}{}{}", char::from(Key::Control), char::from(key), char::from(Key::Null));
        Ok(element.send_keys(&keys).await?)
    }

    /// Goes to a place by its link in the sidebar.
    pub async fn press_place(&self, name: &str) -> Result<()> {
        Ok(self.see(&format!("nav a[title={name:?}]")).await?.click().await?)
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

    pub async fn until(&self, what: &str, mut test: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        loop {
            let now = test().await;
            match now {
                Ok(true) => return Ok(()),
                _ if begun.elapsed() < SOON => tokio::time::sleep(Duration::from_millis(30)).await,
                now => bail!("not within {} s: {what} ({now:?}); the page: {}", SOON.as_secs(), self.text().await?),
            }
        }
    }

    /// A picture of the window, for people, where `REEVE_ARTIFACTS` names a folder.
    pub async fn picture(&self, name: &str) -> Result<()> {
        if let Some(folder) = std::env::var_os("REEVE_ARTIFACTS").map(PathBuf::from) {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("{name}.png")), self.browser.screenshot().await?)?;
        }
        Ok(())
    }

    /// What the engine said, for failing tests.
    pub fn engine_log(&self) -> String {
        std::fs::read_to_string(self.world.reeve_home().join("state/engine.log")).unwrap_or_default()
    }

    /// Closes the app and ends the engine.
    pub async fn end(mut self) -> Result<()> {
        // The engine would stay for its ten idle minutes.
        let pid = engine_pid(&self.world.reeve_home());
        let _ = self.browser.clone().close().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        if let Some(pid) = pid {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)?;
        }
        Ok(())
    }
}

/// Every test needs the log of the engine when it fails.
pub async fn with_app(test: impl AsyncFnOnce(&App) -> Result<()>) -> Result<()> {
    let app = App::start().await?;
    let result = test(&app).await;
    let log = app.engine_log();
    app.end().await?;
    result.map_err(|error| error.context(format!("engine log:\n{log}")))
}

/// The engine process of a home: the app started it, and it outlives the app.
fn engine_pid(home: &Path) -> Option<i32> {
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        (holds(pid, "cmdline", "serve") && lives_in(pid, home)).then_some(pid)
    })
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

async fn connect(port: u16) -> Result<Client> {
    let program = desktop()?;
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(begun.elapsed() < SOON, "WebKitWebDriver does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let options = json!({ "webkitgtk:browserOptions": { "binary": program, "args": [] } });
    let capabilities = serde_json::from_value(options)?;
    let builder = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).clone();
    let session = tokio::time::timeout(SOON, builder.connect(&format!("http://127.0.0.1:{port}"))).await;
    Ok(session.context("the app never became ready for WebDriver")??)
}

/// The app of this build, beside the test program.
fn desktop() -> Result<PathBuf> {
    let program = reeve()?.with_file_name("reeve-desktop");
    ensure!(program.is_file(), "`{}` is missing: run `cargo build --package reeve-desktop` first", program.display());
    Ok(program)
}

/// A governed command that goes on in the background.
pub struct Agent(Child);

impl Agent {
    /// What it printed, once it has ended.
    pub async fn heard(self) -> Result<String> {
        let waiting = tokio::task::spawn_blocking(move || self.0.wait_with_output());
        let out = tokio::time::timeout(SOON, waiting).await.context("the agent never went on")???;
        Ok(format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
    }
}

/// Runs a program that shows a window, for its exit code and its words.
pub fn run_bare(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(desktop()?);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    let out = command.envs(variables.iter().copied()).output()?;
    Ok((out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned()))
}
