//! A real Secret Service for one test: a session bus and an unlocked keyring of its own, with nobody at a display.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::bus::Bus;
use crate::world::World;

/// Longest time the keyring may take until it stores something.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bus and keyring; both end when this is dropped.
#[derive(Debug)]
pub struct Keyring {
    bus: Bus,
    daemon: Child,
}

impl Keyring {
    /// Starts both in the world and sets its bus address for every command from then on.
    ///
    /// # Errors
    /// When a program is missing (packages dbus, gnome-keyring, libsecret-tools), or the keyring does not come up.
    pub fn start(world: &mut World) -> Result<Self> {
        let bus = Bus::start(world)?;
        world.set("DBUS_SESSION_BUS_ADDRESS", bus.address());
        let control = world.home().join("keyring");
        let daemon = world
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .arg(format!("--control-directory={}", control.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start gnome-keyring-daemon");
        let mut keyring = Self { bus, daemon: daemon? };
        // An empty password leaves the keyring locked.
        keyring.daemon.stdin.take().context("no stdin")?.write_all(b"a test's password")?;
        keyring.wait_until_it_stores(world)?;
        Ok(keyring)
    }

    /// Where the bus listens.
    #[must_use]
    pub fn bus_address(&self) -> &str {
        self.bus.address()
    }

    /// Only a write proves that a keyring is there and unlocked.
    fn wait_until_it_stores(&mut self, world: &World) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            ensure!(self.daemon.try_wait()?.is_none(), "gnome-keyring-daemon ended by itself");
            if stores(world.command("secret-tool"))? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        bail!("the keyring stores nothing after {} s", PATIENCE.as_secs())
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn stores(mut secret_tool: Command) -> Result<bool> {
    let mut probe = secret_tool
        .args(["store", "--label=probe", "probe", "probe"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start secret-tool")?;
    if let Some(mut stdin) = probe.stdin.take() {
        stdin.write_all(b"x")?;
    }
    Ok(probe.wait()?.success())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_can_be_read_back() {
        let mut world = World::new().unwrap();
        let keyring = Keyring::start(&mut world).unwrap();
        assert!(keyring.bus_address().starts_with("unix:"));
        let read = world.command("secret-tool").args(["lookup", "probe", "probe"]).output().unwrap();
        assert_eq!(read.stdout, b"x");
    }
}
