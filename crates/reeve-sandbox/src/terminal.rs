//! A terminal of the person's desktop, opened with a command in it. Linux only so far: which one there is, is found by name.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Terminals by name, the desktop's own choice first, with what stands before the command.
const KNOWN: [(&str, &[&str]); 12] = [
    ("x-terminal-emulator", &["-e"]),
    ("gnome-terminal", &["--"]),
    ("kgx", &["--"]),
    ("ptyxis", &["--"]),
    ("konsole", &["-e"]),
    ("xfce4-terminal", &["-x"]),
    ("kitty", &[]),
    ("alacritty", &["-e"]),
    ("foot", &[]),
    ("wezterm", &["start", "--"]),
    ("ghostty", &["-e"]),
    ("xterm", &["-e"]),
];

/// A terminal that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    program: PathBuf,
    before: &'static [&'static str],
}

impl Terminal {
    /// The person's choice (the value of `TERMINAL`), else the first known one in the folders of `path` (the value of
    /// `PATH`). `None` where there is none, and on systems where none is looked for.
    #[must_use]
    pub fn find(chosen: Option<&OsStr>, path: &OsStr) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let named = |name: &OsStr| -> Option<PathBuf> {
            let own = Path::new(name);
            if own.is_absolute() {
                return crate::catalog::executable(own);
            }
            let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
            folders.map(|folder| folder.join(name)).find_map(|file| crate::catalog::executable(&file))
        };
        if let Some(program) = chosen.filter(|name| !name.is_empty()).and_then(named) {
            let file = program.file_name().unwrap_or_default();
            let before =
                KNOWN.iter().find(|(name, _)| OsStr::new(name) == file).map_or(&["-e"][..], |(_, before)| before);
            return Some(Self { before, program });
        }
        KNOWN.iter().find_map(|(name, before)| Some(Self { program: named(OsStr::new(name))?, before }))
    }

    /// What people see it is.
    #[must_use]
    pub fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Opens a window that runs the command in this folder. It is on its own from then on.
    ///
    /// # Errors
    /// When it does not start.
    pub fn open(&self, folder: &Path, command: &[OsString]) -> std::io::Result<()> {
        let mut terminal = Command::new(&self.program);
        terminal.args(self.before).args(command).current_dir(folder);
        terminal.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut terminal, 0);
        let mut child = terminal.spawn()?;
        // Somebody has to take its end, or it stays in the process table.
        std::thread::Builder::new().name("terminal".to_owned()).spawn(move || child.wait())?;
        Ok(())
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, Instant};

    use super::*;

    fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_persons_choice_comes_first_then_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().as_os_str();
        assert_eq!(Terminal::find(None, path), None);
        script(folder.path(), "xterm", "#!/bin/sh\n");
        script(folder.path(), "konsole", "#!/bin/sh\n");
        let own = script(folder.path(), "mine", "#!/bin/sh\n");
        assert_eq!(Terminal::find(None, path).unwrap().name(), "konsole");
        assert_eq!(Terminal::find(Some(OsStr::new("xterm")), path).unwrap().name(), "xterm");
        assert_eq!(Terminal::find(Some(own.as_os_str()), path).unwrap().before, ["-e"]);
        assert_eq!(Terminal::find(Some(OsStr::new("gone")), path).unwrap().name(), "konsole");
    }

    #[test]
    fn the_command_runs_in_its_folder_as_it_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("told");
        let text =
            format!("#!/bin/sh\npwd > {0}.part\nprintf '%s|' \"$@\" >> {0}.part\nmv {0}.part {0}\n", told.display());
        script(folder.path(), "xterm", &text);
        let work = folder.path().join("a folder");
        std::fs::create_dir(&work).unwrap();
        let terminal = Terminal::find(None, folder.path().as_os_str()).unwrap();
        terminal.open(&work, &["reeve", "run", "--", "a b; c"].map(OsString::from)).unwrap();
        let begun = Instant::now();
        while !told.exists() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let told = std::fs::read_to_string(&told).unwrap();
        assert_eq!(told, format!("{}\n-e|reeve|run|--|a b; c|", work.canonicalize().unwrap().display()));
    }
}
