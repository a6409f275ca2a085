//! System packages: what is missing is named, then installed by the system's own package manager. Only `apt` was run so far;
//! `dnf` and `pacman` ask before they do anything.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{command, exists, find, output, run, succeeds};

/// What the packages are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Building the engine and the command line.
    Engine,
    /// That, and the desktop app.
    Desktop,
    /// That, and everything the tests start.
    Tests,
}

/// A package manager, and what its packages are called.
#[derive(Debug)]
struct Manager {
    /// Its program.
    program: &'static str,
    /// Asks whether a package is there; the package's name comes last.
    query: &'static [&'static str],
    /// Run before an installation, where the list of packages may be old.
    refresh: Option<&'static [&'static str]>,
    install: &'static [&'static str],
    engine: &'static [&'static str],
    desktop: &'static [&'static str],
    tests: &'static [&'static str],
}

const MANAGERS: &[Manager] = &[
    Manager {
        program: "apt-get",
        query: &["dpkg-query", "-W", "-f", "${Status}"],
        refresh: Some(&["apt-get", "update", "-q"]),
        install: &["apt-get", "install", "-y", "-q", "--no-install-recommends"],
        engine: &["build-essential", "pkg-config"],
        desktop: &[
            "libwebkit2gtk-4.1-dev",
            "libayatana-appindicator3-dev",
            "librsvg2-dev",
            "libxdo-dev",
            "libssl-dev",
            "dbus",
            "gnome-keyring",
        ],
        tests: &[
            "webkit2gtk-driver",
            "xvfb",
            "xauth",
            "openbox",
            "wmctrl",
            "xdotool",
            "libsecret-tools",
            "procps",
            "psmisc",
            "ca-certificates",
            "curl",
            "git",
            "python3-venv",
            "postgresql",
            "sqlite3",
        ],
    },
    Manager {
        program: "dnf",
        query: &["rpm", "-q", "--whatprovides"],
        refresh: None,
        install: &["dnf", "install"],
        engine: &["gcc", "gcc-c++", "make", "pkgconf-pkg-config"],
        desktop: &[
            "webkit2gtk4.1-devel",
            "libayatana-appindicator-gtk3-devel",
            "librsvg2-devel",
            "libxdo-devel",
            "openssl-devel",
            "dbus-daemon",
            "gnome-keyring",
        ],
        // `dnf` knows packages by their files too; the driver's package was renamed between releases.
        tests: &[
            "/usr/bin/WebKitWebDriver",
            "/usr/bin/xvfb-run",
            "xorg-x11-xauth",
            "openbox",
            "wmctrl",
            "xdotool",
            "/usr/bin/secret-tool",
            "procps-ng",
            "psmisc",
            "ca-certificates",
            "curl",
            "git",
            "python3",
            "postgresql-server",
            "sqlite",
        ],
    },
    Manager {
        program: "pacman",
        query: &["pacman", "-Q"],
        refresh: None,
        install: &["pacman", "-S", "--needed"],
        engine: &["base-devel", "pkgconf"],
        // Its WebKitGTK brings the driver.
        desktop: &[
            "webkit2gtk-4.1",
            "libayatana-appindicator",
            "librsvg",
            "xdotool",
            "openssl",
            "dbus",
            "gnome-keyring",
        ],
        tests: &[
            "xorg-server-xvfb",
            "xorg-xauth",
            "openbox",
            "wmctrl",
            "libsecret",
            "procps-ng",
            "psmisc",
            "ca-certificates",
            "curl",
            "git",
            "python",
            "postgresql",
            "sqlite",
        ],
    },
];

/// Installs what is missing for the purpose, after saying which.
pub fn ensure(purpose: Purpose) -> Result<()> {
    if let Some(manager) = MANAGERS.iter().find(|manager| manager.is_here()) {
        return manager.ensure(purpose);
    }
    if has_what_it_takes(purpose) {
        return Ok(());
    }
    if cfg!(target_os = "macos") {
        bail!("the command line tools are missing; type this, then run the command again:\n  xcode-select --install");
    }
    bail!(
        "system libraries are missing and no known package manager (apt, dnf, pacman) is here; needed are a C compiler, pkg-config and WebKitGTK 4.1 with its headers"
    );
}

impl Manager {
    fn is_here(&self) -> bool {
        exists(self.program) && self.query.first().is_some_and(|program| exists(program))
    }

    fn wanted(&self, purpose: Purpose) -> Vec<&'static str> {
        let desktop = if purpose == Purpose::Engine { &[] } else { self.desktop };
        let tests = if purpose == Purpose::Tests { self.tests } else { &[] };
        [self.engine, desktop, tests].concat()
    }

    fn ensure(&self, purpose: Purpose) -> Result<()> {
        let mut wanted = self.wanted(purpose);
        if purpose == Purpose::Tests && browser().is_none() {
            wanted.push(if is_ubuntu() { "chromium-browser" } else { "chromium" });
        }
        let missing: Vec<&str> = wanted.into_iter().filter(|package| !self.installed(package)).collect();
        if missing.is_empty() {
            println!("system packages: all there");
            return Ok(());
        }
        println!("system packages that are missing and will be installed: {}", missing.join(" "));
        let who = Caller::found()?;
        for line in self.lines(&missing) {
            run(&mut who.to_run(&line)?)
                .with_context(|| format!("these packages could not be installed: {}", missing.join(" ")))?;
        }
        Ok(())
    }

    fn installed(&self, package: &str) -> bool {
        let Some((program, arguments)) = self.query.split_first() else { return false };
        let found = output(command(program, arguments).arg(package));
        // What was removed but not purged is still known to `dpkg`.
        found.is_ok_and(|said| self.program != "apt-get" || said.contains("install ok installed"))
    }

    /// What is run, in this order, as root.
    fn lines(&self, missing: &[&'static str]) -> Vec<Vec<&'static str>> {
        let refresh = self.refresh.map(<[&str]>::to_vec);
        refresh.into_iter().chain([[self.install, missing].concat()]).collect()
    }
}

/// Without a known package manager only the effect can be asked for.
fn has_what_it_takes(purpose: Purpose) -> bool {
    let builds = exists("cc") || cfg!(windows);
    let webkit = !cfg!(target_os = "linux") || succeeds(&mut command("pkg-config", &["--exists", "webkit2gtk-4.1"]));
    let tests = exists("WebKitWebDriver") && exists("xvfb-run") && browser().is_some();
    match purpose {
        Purpose::Engine => builds,
        Purpose::Desktop => builds && webkit,
        Purpose::Tests => builds && webkit && (tests || !cfg!(target_os = "linux")),
    }
}

/// Who runs this, as far as installing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Root,
    WithSudo,
    /// Can only be told what to type.
    Nobody,
}

impl Caller {
    fn found() -> Result<Self> {
        let root = output(&mut command("id", &["-u"]))?.trim() == "0";
        Ok(if root {
            Self::Root
        } else if exists("sudo") {
            Self::WithSudo
        } else {
            Self::Nobody
        })
    }

    /// The line as it stands for root, through `sudo` for everybody else.
    fn to_run(self, line: &[&str]) -> Result<Command> {
        let (program, arguments) = line.split_first().context("no command given")?;
        let mut whole = match self {
            Self::Root => command(program, arguments),
            // `sudo` keeps no variable that it is not told of.
            Self::WithSudo => command("sudo", &[&["DEBIAN_FRONTEND=noninteractive"], line].concat()),
            Self::Nobody => {
                bail!("installing packages needs root and there is no `sudo`; as root type: {}", line.join(" "))
            }
        };
        whole.env("DEBIAN_FRONTEND", "noninteractive");
        Ok(whole)
    }
}

fn is_ubuntu() -> bool {
    std::fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=ubuntu"))
}

/// The browser that the console's tests run in.
pub fn browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(find)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(program: &str) -> &'static Manager {
        MANAGERS.iter().find(|manager| manager.program == program).unwrap()
    }

    #[test]
    fn each_purpose_wants_what_the_one_before_it_wants_and_more() {
        for manager in MANAGERS {
            let [engine, desktop, tests] =
                [Purpose::Engine, Purpose::Desktop, Purpose::Tests].map(|purpose| manager.wanted(purpose));
            assert!(!engine.is_empty() && desktop.starts_with(&engine) && desktop.len() > engine.len());
            assert!(tests.starts_with(&desktop) && tests.len() > desktop.len(), "{}", manager.program);
            let once: std::collections::BTreeSet<_> = tests.iter().collect();
            assert_eq!(once.len(), tests.len(), "{}: a package twice", manager.program);
        }
    }

    #[test]
    fn the_lines_that_are_run_are_those_that_a_person_would_type() {
        let typed = |program: &str| {
            let lines = manager(program).lines(&["one", "two"]);
            lines.iter().map(|line| line.join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(typed("apt-get"), ["apt-get update -q", "apt-get install -y -q --no-install-recommends one two"]);
        assert_eq!(typed("dnf"), ["dnf install one two"]);
        assert_eq!(typed("pacman"), ["pacman -S --needed one two"]);
    }

    #[test]
    fn root_runs_a_line_itself_others_through_sudo_and_without_it_they_are_told() {
        let shown = |who: Caller| {
            let line = who.to_run(&["dnf", "install", "make"])?;
            let words = std::iter::once(line.get_program()).chain(line.get_args());
            Ok::<_, anyhow::Error>(words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(shown(Caller::Root).unwrap(), "dnf install make");
        assert_eq!(shown(Caller::WithSudo).unwrap(), "sudo DEBIAN_FRONTEND=noninteractive dnf install make");
        let told = shown(Caller::Nobody).unwrap_err().to_string();
        assert!(told.ends_with("as root type: dnf install make"), "{told}");
    }
}
