//! System packages: what is missing is named, then installed where that is `apt`; elsewhere the command to type is printed.

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

const ENGINE: [&str; 2] = ["build-essential", "pkg-config"];
const DESKTOP: [&str; 7] = [
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libxdo-dev",
    "libssl-dev",
    "dbus",
    "gnome-keyring",
];
const TESTS: [&str; 8] = ["webkit2gtk-driver", "xvfb", "xauth", "openbox", "wmctrl", "ca-certificates", "curl", "git"];

/// The same on other systems, to be typed by hand: package manager and what its packages are called. Not tried so far.
const ELSEWHERE: [(&str, &str); 3] = [
    (
        "dnf",
        "sudo dnf install gcc gcc-c++ make pkgconf webkit2gtk4.1-devel libayatana-appindicator-gtk3-devel librsvg2-devel libxdo-devel openssl-devel dbus-daemon gnome-keyring",
    ),
    (
        "pacman",
        "sudo pacman -S --needed base-devel pkgconf webkit2gtk-4.1 libayatana-appindicator librsvg xdotool openssl dbus gnome-keyring",
    ),
    ("brew", "xcode-select --install"),
];

/// Installs what is missing for the purpose, after saying which.
pub fn ensure(purpose: Purpose) -> Result<()> {
    if exists("apt-get") && exists("dpkg-query") {
        return with_apt(purpose);
    }
    if has_what_it_takes(purpose) {
        return Ok(());
    }
    for (manager, line) in ELSEWHERE {
        if exists(manager) {
            bail!(
                "system libraries are missing, and `{manager}` is left to you; type this, then run the command again:\n  {line}"
            );
        }
    }
    bail!(
        "system libraries are missing and no known package manager (apt, dnf, pacman, brew) is here; needed are a C compiler, pkg-config and WebKitGTK 4.1 with its headers"
    );
}

/// Without `dpkg` only the effect can be asked for.
fn has_what_it_takes(purpose: Purpose) -> bool {
    let builds = exists("cc");
    let webkit = cfg!(target_os = "macos") || succeeds(&mut command("pkg-config", &["--exists", "webkit2gtk-4.1"]));
    let tests = exists("WebKitWebDriver") && exists("xvfb-run") && browser().is_some();
    match purpose {
        Purpose::Engine => builds,
        Purpose::Desktop => builds && webkit,
        Purpose::Tests => builds && webkit && (tests || cfg!(target_os = "macos")),
    }
}

fn with_apt(purpose: Purpose) -> Result<()> {
    let mut wanted: Vec<&str> = ENGINE.to_vec();
    if purpose != Purpose::Engine {
        wanted.extend(DESKTOP);
    }
    if purpose == Purpose::Tests {
        wanted.extend(TESTS);
        if browser().is_none() {
            wanted.push(if is_ubuntu() { "chromium-browser" } else { "chromium" });
        }
    }
    let missing: Vec<&str> = wanted.into_iter().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        println!("system packages: all there");
        return Ok(());
    }
    println!("system packages that are missing and will be installed: {}", missing.join(" "));
    run(as_root(&["apt-get", "update", "-q"])?.env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = vec!["apt-get", "install", "-y", "-q", "--no-install-recommends"];
    install.extend(&missing);
    run(as_root(&install)?.env("DEBIAN_FRONTEND", "noninteractive"))
        .with_context(|| format!("these packages could not be installed: {}", missing.join(" ")))
}

fn installed(package: &str) -> bool {
    output(&mut command("dpkg-query", &["-W", "-f", "${Status}", package]))
        .is_ok_and(|status| status.contains("install ok installed"))
}

/// The command as it stands for root, through `sudo` for everybody else.
fn as_root(line: &[&str]) -> Result<Command> {
    let is_root = output(&mut command("id", &["-u"]))?.trim() == "0";
    let (program, arguments) = line.split_first().context("no command given")?;
    if is_root {
        return Ok(command(program, arguments));
    }
    if !exists("sudo") {
        bail!("installing packages needs root and there is no `sudo`; as root type: {}", line.join(" "));
    }
    let mut sudo = command("sudo", &["DEBIAN_FRONTEND=noninteractive"]);
    sudo.args(line);
    Ok(sudo)
}

fn is_ubuntu() -> bool {
    std::fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=ubuntu"))
}

/// The browser that the console's tests run in.
pub fn browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(find)
}
