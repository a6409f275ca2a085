//! A message bus of a test's own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::world::World;

/// A bus; it ends when this is dropped.
#[derive(Debug)]
pub struct Bus {
    daemon: Child,
    address: String,
}

/// A bus that starts nothing by itself: a probe that comes before the keyring would else bring up a second,
/// locked one, and the unlocked one would never get the name.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=FOLDER</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"#;

impl Bus {
    /// # Errors
    /// When dbus-daemon is missing, or does not come up.
    pub fn start(world: &World) -> Result<Self> {
        Self::listening_in(world, &world.home())
    }

    /// The same in another folder: a world's is closed to other users.
    ///
    /// # Errors
    /// When dbus-daemon is missing, or does not come up.
    pub fn listening_in(world: &World, folder: &Path) -> Result<Self> {
        let config = world.write_home("bus.conf", &BUS.replace("FOLDER", &folder.display().to_string()))?;
        let daemon = world
            .command("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start dbus-daemon")?;
        let mut bus = Self { daemon, address: String::new() };
        let read = bus.daemon.stdout.take().map(|out| BufReader::new(out).read_line(&mut bus.address));
        if !matches!(read, Some(Ok(1..))) {
            bail!("dbus-daemon gave no address");
        }
        bus.address.truncate(bus.address.trim_end().len());
        Ok(bus)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
