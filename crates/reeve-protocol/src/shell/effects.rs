//! What well-known programs do when they are called like this. Only what is certain is said to read; what is not in these
//! tables has no effects, which means that nothing is known.

use reeve_domain::operation::Effect;

use super::words::Command;

/// What is known of one command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub effects: Vec<Effect>,
    pub touches: Vec<String>,
    pub hosts: Vec<String>,
}

/// Change nothing, however they are called.
const READERS: &[&str] = &[
    "basename",
    "cat",
    "cd",
    "cmp",
    "comm",
    "cut",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "egrep",
    "false",
    "fgrep",
    "free",
    "grep",
    "groups",
    "head",
    "id",
    "jq",
    "ls",
    "md5sum",
    "nl",
    "od",
    "paste",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "sha256sum",
    "stat",
    "strings",
    "sleep",
    "tail",
    "test",
    "tr",
    "true",
    "type",
    "uname",
    "uptime",
    "wc",
    "which",
    "whoami",
];

/// Those whose arguments are no files.
const WORDS: &[&str] = &["basename", "dirname", "echo", "false", "printf", "sleep", "tr", "true", "type", "which"];

/// Run what they are given, or code from elsewhere.
const RUNNERS: &[&str] = &[
    "awk",
    "bash",
    "bun",
    "dash",
    "deno",
    "eval",
    "exec",
    "fish",
    "gawk",
    "ksh",
    "lua",
    "make",
    "node",
    "nohup",
    "osascript",
    "parallel",
    "perl",
    "php",
    "powershell",
    "pwsh",
    "python",
    "python3",
    "ruby",
    "screen",
    "setsid",
    "sh",
    "source",
    ".",
    "timeout",
    "tmux",
    "watch",
    "xargs",
    "zsh",
    "npx",
    "bunx",
    "pnpx",
    "uvx",
    "env",
    "command",
    "nice",
    "time",
];

const PRIVILEGED: &[&str] =
    &["sudo", "doas", "su", "pkexec", "chown", "setfacl", "visudo", "passwd", "usermod", "systemctl"];

const NETWORK: &[&str] = &[
    "curl", "wget", "ssh", "scp", "sftp", "rsync", "nc", "ncat", "netcat", "socat", "telnet", "ftp", "gh", "glab",
    "aws", "gcloud", "az", "kubectl",
];

const WRITERS: &[&str] =
    &["cp", "install", "ln", "mkdir", "mv", "patch", "rename", "tee", "touch", "chmod", "unzip", "tar"];

const DELETERS: &[&str] = &["rm", "rmdir", "shred", "unlink", "truncate", "dd"];

/// Sub-commands of git that change nothing, as long as no flag says otherwise.
const GIT_READS: &[&str] = &["blame", "describe", "diff", "log", "ls-files", "rev-parse", "shortlog", "show", "status"];

/// `argv` decides what the program does; `shown`, the same without what looks like a secret, is what is told of it.
pub fn of(program: &str, argv: &[String], shown: &[String], command: &Command) -> Known {
    let mut known = Known::default();
    let sub = argv.iter().find(|word| !word.starts_with('-')).map_or("", String::as_str);
    // What a pattern becomes is not known, nor whether it is an option.
    let plain = !command.has_patterns;
    let bare = plain && argv.iter().all(|word| !word.starts_with('-'));
    match program {
        _ if READERS.contains(&program) => known.add(Effect::Reads),
        "git" => git(&mut known, argv, plain),
        "find" if argv.iter().any(|word| word == "-delete") => known.add(Effect::DeletesTree),
        "find" if argv.iter().any(|word| is_find_action(word)) => known.add(Effect::RunsCode),
        "find" if plain => known.add(Effect::Reads),
        "sort" | "rg" | "file" | "tree" if bare => known.add(Effect::Reads),
        // The second is what it writes into.
        "uniq" if bare && argv.len() <= 1 => known.add(Effect::Reads),
        // Anything else sets the clock or the name.
        "date" if plain && argv.iter().all(|word| word.starts_with('+')) => known.add(Effect::Reads),
        "hostname" if argv.is_empty() => known.add(Effect::Reads),
        "npm" | "pnpm" | "yarn" | "pip" | "pip3" | "pipx" | "uv" | "cargo" | "gem" | "go" | "brew" | "apt"
        | "apt-get" | "dnf" | "pacman" | "apk"
            if matches!(sub, "install" | "i" | "add" | "ci" | "get" | "update" | "upgrade" | "sync") =>
        {
            known.add(Effect::Installs);
            known.add(Effect::Network);
        }
        "npm" | "cargo" | "yarn" | "pnpm" | "gem" | "twine" if matches!(sub, "publish" | "upload") => {
            known.add(Effect::Pushes);
            known.add(Effect::Network);
        }
        "docker" | "podman" if sub == "push" => {
            known.add(Effect::Pushes);
            known.add(Effect::Network);
        }
        "sed" if has(argv, &["--in-place"], 'i') => known.add(Effect::Writes),
        // A program of the project, or from anywhere else.
        _ if program.contains('/') => known.add(Effect::RunsCode),
        _ if RUNNERS.contains(&program) => known.add(Effect::RunsCode),
        _ if PRIVILEGED.contains(&program) => known.add(Effect::Privilege),
        _ if NETWORK.contains(&program) => known.add(Effect::Network),
        _ if DELETERS.contains(&program) => deletes(&mut known, program, argv),
        _ if WRITERS.contains(&program) => known.add(Effect::Writes),
        _ => {}
    }
    let files = matches!(known.effects.as_slice(), [Effect::Deletes | Effect::Writes | Effect::Reads, ..]);
    if program != "git" && !WORDS.contains(&program) && (files || known.destroys()) {
        known.touches.extend(shown.iter().filter(|word| !word.starts_with('-')).cloned());
    }
    known.hosts = shown.iter().filter_map(|word| host(word)).collect();
    redirected(&mut known, command);
    known.hosts.dedup();
    known
}

/// What is written into and read from by redirection, by files or over the network.
fn redirected(known: &mut Known, command: &Command) {
    let named = |files: &[String]| files.iter().filter(|file| *file != "/dev/null").cloned().collect::<Vec<_>>();
    let (into, from) = (named(&command.into_files), named(&command.from_files));
    if !into.is_empty() {
        known.effects.retain(|effect| *effect != Effect::Reads);
        known.add(Effect::Writes);
    }
    for file in into.into_iter().chain(from) {
        let socket = file.strip_prefix("/dev/tcp/").or_else(|| file.strip_prefix("/dev/udp/"));
        if let Some(place) = socket {
            known.add(Effect::Network);
            let (name, _) = place.split_once('/').unwrap_or((place, ""));
            known.hosts.extend(host(&format!("socket://{name}")));
        }
        known.touches.push(file);
    }
}

impl Known {
    fn add(&mut self, effect: Effect) {
        if !self.effects.contains(&effect) {
            self.effects.push(effect);
            self.effects.sort();
        }
    }

    fn destroys(&self) -> bool {
        self.effects.iter().any(|effect| effect.destroys())
    }
}

fn is_find_action(word: &str) -> bool {
    matches!(word, "-delete" | "-exec" | "-execdir" | "-ok" | "-okdir" | "-fls" | "-fprint" | "-fprint0" | "-fprintf")
}

/// Whether an option is given; a long one also by its first letters, as most programs take it.
fn has(argv: &[String], long: &[&str], letter: char) -> bool {
    argv.iter().take_while(|word| *word != "--").any(|word| {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let begins = |option: &&str| option.starts_with(name) && name.len() >= "--xx".len();
        long.iter().any(begins) || letters.is_some_and(|letters| letters.contains(letter))
    })
}

fn git(known: &mut Known, argv: &[String], plain: bool) {
    let sub = argv.iter().find(|word| *word != "--no-pager").map_or("", String::as_str);
    // Options before the sub-command can point git elsewhere and run what that place says.
    let led = sub.starts_with('-');
    match sub {
        _ if led => known.add(Effect::RunsCode),
        "push" => {
            known.add(Effect::Pushes);
            known.add(Effect::Network);
            let plus = argv.iter().any(|word| word.starts_with('+'));
            let forced = ["--force", "--force-with-lease", "--force-if-includes", "--mirror", "--prune"];
            if plus || has(argv, &forced, 'f') {
                known.add(Effect::RewritesHistory);
            }
            if has(argv, &["--delete"], 'd') || argv.iter().any(|word| word.starts_with(':')) {
                known.add(Effect::Deletes);
            }
        }
        "fetch" | "pull" | "clone" => {
            known.add(Effect::Network);
            known.add(Effect::Writes);
        }
        "clean" => known.add(Effect::DeletesTree),
        "reset" if has(argv, &["--hard"], '\0') => known.add(Effect::Deletes),
        "rebase" | "filter-branch" | "filter-repo" => known.add(Effect::RewritesHistory),
        "commit" if has(argv, &["--amend"], '\0') => known.add(Effect::RewritesHistory),
        _ if GIT_READS.contains(&sub) && !has(argv, &["--output", "--ext-diff", "--textconv"], 'O') => {
            if plain {
                known.add(Effect::Reads);
            }
        }
        "" => {}
        _ => known.add(Effect::Writes),
    }
}

fn deletes(known: &mut Known, program: &str, argv: &[String]) {
    known.add(Effect::Deletes);
    if program == "rm" && (has(argv, &["--recursive"], 'r') || has(argv, &[], 'R')) {
        known.add(Effect::DeletesTree);
    }
}

/// The host of `https://host/…`, `user@host:path` and `ssh://user@host`.
fn host(word: &str) -> Option<String> {
    let authority = match word.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next()?,
        None => {
            let (before, after) = word.split_once(':')?;
            if !before.contains('@') || after.is_empty() {
                return None;
            }
            before
        }
    };
    let host = authority.rsplit('@').next()?;
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')) && !host.is_empty();
    plain.then(|| host.to_ascii_lowercase())
}
