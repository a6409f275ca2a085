//! The tools that Reeve knows: how they are called, which variables carry their keys, what they need when governed, and how
//! much of what they do Reeve can see. One file per tool; the facts were measured on the versions named there.

mod claude_code;
mod claude_desktop;
mod codex;
mod copilot;
mod cursor;
mod gemini_cli;
mod opencode;
mod version;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reeve_domain::credential::Slot;

/// One known tool.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its key in files and as agent id, for example `claude-code`.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Names of its program, without an extension.
    pub programs: &'static [&'static str],
    /// The version its facts were measured with; `None` where they are only read in documentation.
    pub measured: Option<&'static str>,
    /// Its settings file, relative to the home directory.
    pub config: &'static str,
    /// Variables in which it looks for a key, the first one preferred.
    pub credentials: &'static [CredentialVariable],
    /// What it needs besides the common variables when started governed.
    pub needs: &'static [Need],
    pub coverage: Coverage,
}

/// A variable that holds a key, and where the tool sends that key.
#[derive(Debug, PartialEq, Eq)]
pub struct CredentialVariable {
    pub variable: &'static str,
    pub host: &'static str,
    pub header: KeyHeader,
}

/// The header in which a key travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHeader {
    Bearer,
    Named(&'static str),
}

impl KeyHeader {
    /// The slot that a binding for this key needs.
    #[must_use]
    pub fn slot(self) -> Slot {
        match self {
            KeyHeader::Bearer => Slot::Bearer,
            KeyHeader::Named(name) => Slot::Header { name: name.to_owned() },
        }
    }
}

/// A variable that one tool needs when it is started governed.
#[derive(Debug, PartialEq, Eq)]
pub struct Need {
    pub variable: &'static str,
    pub value: NeedValue,
    pub why: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedValue {
    /// This text, unless the person has set the variable.
    Default(&'static str),
    /// The path of the session's trust bundle.
    Bundle,
}

/// What Reeve sees of a tool that it started with `reeve run`, kind by kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Coverage {
    pub llm: Sight,
    pub http: Sight,
    pub mcp: Sight,
    pub shell: Sight,
}

/// How far Reeve sees and can stop one kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    Full,
    /// Seen with an exception that a person should know.
    Partial(&'static str),
    /// Not seen, and why.
    None(&'static str),
    /// Nobody has tried.
    Unknown(&'static str),
}

impl Sight {
    /// The reason that stands beside anything but full sight.
    #[must_use]
    pub fn note(self) -> Option<&'static str> {
        match self {
            Sight::Full => None,
            Sight::Partial(note) | Sight::None(note) | Sight::Unknown(note) => Some(note),
        }
    }

    /// One word for tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Sight::Full => "full",
            Sight::Partial(_) => "partial",
            Sight::None(_) => "none",
            Sight::Unknown(_) => "unknown",
        }
    }
}

/// True of every tool: only what stands behind the gateway passes it.
const LOCAL_MCP: Sight = Sight::Partial(
    "servers behind `reeve mcp` or the endpoint and remote ones are governed; one that it starts itself, without `reeve mcp` \
     in front, is not seen",
);
/// The same of a tool that strips the environment of the servers it starts.
const STRIPPED_MCP: Sight = Sight::Partial(
    "servers behind `reeve mcp` or the endpoint and remote ones are governed; one that it starts itself gets no proxy \
     variables, so its traffic is not seen either",
);
/// What is governed of an agent of which Reeve sees nothing but servers behind `reeve mcp`.
pub const ONLY_TOOLS: Coverage = Coverage {
    llm: Sight::None("it was not started by Reeve: `reeve run` governs its model calls too"),
    http: Sight::None("only what its servers behind `reeve mcp` send is seen"),
    mcp: Sight::Partial("servers behind `reeve mcp` are governed, others are not seen"),
    shell: SHELL,
};
/// True of every tool as long as there is no hook.
const SHELL: Sight = Sight::None("commands are not judged; what they do on the network is");
const DESKTOP_APP: Sight = Sight::Unknown("a desktop app; not tried under Reeve so far");

/// Every known tool.
pub const TOOLS: [&Tool; 7] = [
    &claude_code::TOOL,
    &codex::TOOL,
    &gemini_cli::TOOL,
    &opencode::TOOL,
    &copilot::TOOL,
    &cursor::TOOL,
    &claude_desktop::TOOL,
];

/// The tool whose program this is: a bare name or a path, with or without `.exe` or `.cmd`.
#[must_use]
pub fn find(program: &OsStr) -> Option<&'static Tool> {
    let name = Path::new(program).file_name()?.to_str()?.to_ascii_lowercase();
    let name = [".exe", ".cmd"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    TOOLS.into_iter().find(|tool| tool.programs.contains(&name))
}

/// The tool of that key.
#[must_use]
pub fn find_key(key: &str) -> Option<&'static Tool> {
    TOOLS.into_iter().find(|tool| tool.key == key)
}

/// A tool that is on this machine.
#[derive(Debug, PartialEq, Eq)]
pub struct Installed {
    pub tool: &'static Tool,
    pub program: PathBuf,
    /// Its settings file, when there is one.
    pub config: Option<PathBuf>,
}

/// The known tools in the folders of `path` (the value of `PATH`), in the order of the catalog. Starts nothing and reads no
/// settings; it only looks whether they are there.
#[must_use]
pub fn scan(path: &OsStr, home: &Path) -> Vec<Installed> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect();
    TOOLS
        .into_iter()
        .filter_map(|tool| {
            let program = tool
                .programs
                .iter()
                .find_map(|name| folders.iter().find_map(|folder| executable(&folder.join(name))))?;
            let config = Some(home.join(tool.config)).filter(|path| path.is_file());
            Some(Installed { tool, program, config })
        })
        .collect()
}

#[cfg(unix)]
pub(crate) fn executable(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = std::fs::metadata(path).ok()?;
    (found.is_file() && found.permissions().mode() & 0o111 != 0).then(|| path.to_owned())
}

/// Not run on Windows so far.
#[cfg(not(unix))]
pub(crate) fn executable(path: &Path) -> Option<PathBuf> {
    ["exe", "cmd"].iter().map(|end| path.with_extension(end)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_found_by_its_program_however_it_is_written() {
        for program in ["claude", "/usr/local/bin/claude", "claude.exe", "CLAUDE.CMD", "./node_modules/.bin/claude"] {
            assert_eq!(find(OsStr::new(program)).map(|tool| tool.key), Some("claude-code"), "{program}");
        }
        for program in ["claude2", "", "/", "python3", "claude/x"] {
            assert!(find(OsStr::new(program)).is_none(), "{program}");
        }
    }

    #[test]
    fn keys_programs_and_variables_are_each_one_of_a_kind_and_well_formed() {
        let mut programs: Vec<&str> = Vec::new();
        for tool in TOOLS {
            assert_eq!(find_key(tool.key), Some(tool));
            assert!(reeve_domain::id::AgentId::parse(tool.key).is_ok(), "{}", tool.key);
            programs.extend(tool.programs);
            assert!(!tool.programs.is_empty() && !tool.config.starts_with('/'), "{}", tool.key);
            for credential in tool.credentials {
                assert!(credential.host.contains('.'), "{}", tool.key);
            }
        }
        let count = programs.len();
        programs.sort_unstable();
        programs.dedup();
        assert_eq!(programs.len(), count);
    }

    #[test]
    #[cfg(unix)]
    fn a_scan_finds_what_is_executable_and_nothing_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (bin, home) = (folder.path().join("bin"), folder.path().join("home"));
        std::fs::create_dir_all(home.join(".codex")).unwrap();
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(home.join(".codex/config.toml"), "").unwrap();
        for (name, mode) in [("claude", 0o755), ("codex", 0o755), ("gemini", 0o644)] {
            std::fs::write(bin.join(name), "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::fs::create_dir(bin.join("opencode")).unwrap();
        let path = std::env::join_paths([Path::new("relative"), &folder.path().join("missing"), &bin]).unwrap();
        let found = scan(&path, &home);
        let seen: Vec<_> = found.iter().map(|one| (one.tool.key, one.config.is_some())).collect();
        assert_eq!(seen, [("claude-code", false), ("codex", true)]);
    }
}
