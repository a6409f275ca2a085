//! How each shell is told to set and to forget a variable; values are quoted so that nothing in them is ever run.

/// The language of the lines that `reeve env` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh, dash, ksh.
    Posix,
    Fish,
    PowerShell,
}

impl Shell {
    /// The shell that a value of `$SHELL` names; PowerShell on Windows, POSIX where it says nothing.
    #[must_use]
    pub fn from_program(program: Option<&str>) -> Self {
        let name = program.and_then(|path| path.rsplit(['/', '\\']).next()).unwrap_or_default();
        match name.strip_suffix(".exe").unwrap_or(name) {
            "fish" => Shell::Fish,
            "pwsh" | "powershell" => Shell::PowerShell,
            "" if cfg!(windows) => Shell::PowerShell,
            _ => Shell::Posix,
        }
    }

    pub(super) fn set(self, name: &str, value: &str) -> String {
        match self {
            Shell::Posix => format!("export {name}='{}'", value.replace('\'', r"'\''")),
            Shell::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
            Shell::PowerShell => format!("$env:{name} = '{}'", value.replace('\'', "''")),
        }
    }

    pub(super) fn unset(self, name: &str) -> String {
        match self {
            Shell::Posix => format!("unset {name}"),
            Shell::Fish => format!("set -e {name}"),
            Shell::PowerShell => format!("Remove-Item -ErrorAction SilentlyContinue Env:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a'b\"c$(touch x)`id`\\ $HOME;\n'";

    #[test]
    fn a_posix_shell_reads_back_exactly_what_was_quoted() {
        let script = format!("{}\nprintf %s \"$V\"", Shell::Posix.set("V", HOSTILE));
        let out = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), HOSTILE);
    }

    #[test]
    fn each_shell_is_told_in_its_own_words() {
        assert_eq!(Shell::Posix.set("V", "a'b"), r"export V='a'\''b'");
        assert_eq!(Shell::Fish.set("V", r"a'b\"), r"set -gx V 'a\'b\\'");
        assert_eq!(Shell::PowerShell.set("V", "a'b"), "$env:V = 'a''b'");
        assert_eq!(Shell::Posix.unset("V"), "unset V");
        assert_eq!(Shell::Fish.unset("V"), "set -e V");
    }

    #[test]
    fn the_shell_is_known_by_its_program() {
        assert_eq!(Shell::from_program(Some("/usr/bin/fish")), Shell::Fish);
        assert_eq!(Shell::from_program(Some("/bin/zsh")), Shell::Posix);
        assert_eq!(Shell::from_program(Some(r"C:\Program Files\PowerShell\7\pwsh.exe")), Shell::PowerShell);
        assert_eq!(Shell::from_program(Some("")), if cfg!(windows) { Shell::PowerShell } else { Shell::Posix });
    }
}
