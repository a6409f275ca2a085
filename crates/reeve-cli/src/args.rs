//! What can be typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use reeve_api::contract::budgets::{OnExhaustedDto, WindowDto};
use reeve_api::contract::operations::ExportFormatDto;
use reeve_api::contract::status::ModeDto;

/// Governs the AI agents on this machine: decides, pays for, records and shows what they do.
#[derive(Debug, Parser)]
#[command(name = "reeve", version, disable_help_subcommand = true)]
pub struct Args {
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Never ask anything.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Say less.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say on stderr what is done on the way; `REEVE_LOG` chooses more finely.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a command governed; the exit status is the command's.
    Run(RunArgs),
    /// Open a session and print its environment, for what Reeve does not start itself.
    Env(EnvArgs),
    /// Stand in for an MCP server, started by its command or registered with `reeve mcp add`, so that each of its tool calls
    /// passes Reeve.
    Mcp(McpArgs),
    /// Registered agents and their sessions.
    Agents(AgentsArgs),
    /// The Inbox: held actions.
    Approve(ApproveArgs),
    /// The Timeline, newest last.
    Log(LogArgs),
    /// Rules in force, checks and case files.
    Policy(PolicyArgs),
    /// Credentials; secrets come from a prompt or stdin, never from arguments.
    Cred(CredArgs),
    /// Limits and what is left of them.
    Budget(BudgetArgs),
    /// Protection in one line.
    Status,
    /// Record rules, asks and budgets without enforcing them, for a while.
    Pause {
        /// For example `15m` or `1h`; left out: until resumed.
        duration: Option<String>,
    },
    /// End every session and deny everything until `reeve resume`.
    Stop,
    /// End a pause or a stop.
    Resume,
    /// Prove the audit chain, or an export.
    Verify {
        /// An exported JSONL file; its manifest is looked for beside it.
        export: Option<PathBuf>,
    },
    /// Write what a query matches to a file, with a manifest.
    Export(ExportArgs),
    /// How long the record is kept, what it takes, and wiping it.
    Data(DataArgs),
    /// Show a record, question or session in the console.
    Open {
        /// For example `op_…`, `ask_…` or `ses_…`.
        id: String,
    },
    /// End what still governs and remove what was laid out for it; settings of tools were never changed.
    Restore {
        /// Do it; left out: say what would be done.
        #[arg(long)]
        all: bool,
    },
    /// Check everything protection needs.
    Doctor {
        /// Repair what is safe to repair, and say each step before it is done. Secrets are never touched.
        #[arg(long)]
        fix: bool,
    },
    /// Show a governed run from end to end in a throw-away profile.
    Demo(DemoArgs),
    /// Run the engine in this terminal.
    Serve(ServeArgs),
    /// Print completions for a shell.
    Completions { shell: clap_complete::Shell },
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Man {
        #[arg(long)]
        dir: PathBuf,
    },
    /// The scripted agent of the demo.
    #[command(hide = true)]
    DemoAgent,
    /// The demo's tool server.
    #[command(hide = true)]
    DemoOffice,
}

#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// Which agent it is; left out: known by the program's name.
    #[arg(long)]
    pub agent: Option<String>,
    /// For this session alone; left out: the mode of everything.
    #[arg(long)]
    pub mode: Option<Mode>,
    /// The command and its arguments, after `--`.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct McpArgs {
    /// Name of the server, as rules call it; left out: by the command. Without a command: a registered server, which Reeve
    /// starts or reaches, for clients that speak over standard input and output only.
    #[arg(long)]
    pub server: Option<String>,
    /// Which agent it serves, where no governed session is around; it then has one of its own.
    #[arg(long)]
    pub agent: Option<String>,
    /// The server's command and its arguments, after `--`.
    #[arg(last = true)]
    pub command: Vec<String>,
    #[command(subcommand)]
    pub verb: Option<McpVerb>,
}

#[derive(Debug, Subcommand)]
pub enum McpVerb {
    /// MCP servers with what waits for you.
    List,
    /// One server with its tools, what changed, and what looks odd in their texts.
    Show { server: String },
    /// Let a server and its tools be used as they are now, after they were shown; only on a terminal.
    Approve {
        server: String,
        /// Only these; left out: everything that waits.
        tools: Vec<String>,
    },
    /// Forget a server with its pins: the next time it is a new one.
    Forget { server: String },
    /// Register a server for the endpoint: `reeve mcp add git -- uvx mcp-server-git`, or with `--url`.
    Add {
        server: String,
        /// Of a server that is reached over Streamable HTTP.
        #[arg(long, conflicts_with = "command")]
        url: Option<String>,
        /// `NAME=VALUE` for the environment, or for the headers with `--url`; placeholders of credentials, never secrets.
        #[arg(long)]
        set: Vec<String>,
        /// The server's command and its arguments, after `--`.
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Take a server out of the file of registered ones; its pins stay.
    Remove { server: String },
}

/// What happens to verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Decide and record, do not enforce.
    Observe,
    Enforce,
}

impl From<Mode> for ModeDto {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Observe => Self::Observe,
            Mode::Enforce => Self::Enforce,
        }
    }
}

#[derive(Debug, ClapArgs)]
pub struct EnvArgs {
    #[arg(long)]
    pub agent: Option<String>,
    /// Hours until the session ends by itself, at most 12.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=12))]
    pub hours: u32,
}

#[derive(Debug, ClapArgs)]
pub struct AgentsArgs {
    #[command(subcommand)]
    pub verb: Option<AgentsVerb>,
}

#[derive(Debug, Subcommand)]
pub enum AgentsVerb {
    List,
    /// Register an agent before its first run.
    Add {
        agent: String,
    },
    /// Forget an agent; its records stay.
    Remove {
        agent: String,
    },
    /// End all sessions of an agent, or one session.
    Stop {
        agent_or_session: String,
    },
    /// Deny everything it does, until it is resumed; its sessions stay.
    Pause {
        agent: String,
    },
    /// End a pause.
    Resume {
        agent: String,
    },
    /// Running and recent sessions.
    Sessions,
    /// What Reeve has put on this machine, where, and what undoes it.
    Changes,
}

#[derive(Debug, ClapArgs)]
pub struct ApproveArgs {
    #[command(subcommand)]
    pub verb: Option<ApproveVerb>,
}

#[derive(Debug, Subcommand)]
pub enum ApproveVerb {
    /// What waits.
    List,
    /// One question, whole.
    Show { id: String },
    /// Let it through; only on a terminal.
    Allow {
        id: String,
        /// Also for the rest of the session.
        #[arg(long, conflicts_with_all = ["for_", "always"])]
        session: bool,
        /// Also for a while, for example `1h`.
        #[arg(long = "for", conflicts_with = "always")]
        for_: Option<String>,
        /// Write a rule that allows it for 30 days; the console offers other terms.
        #[arg(long)]
        always: bool,
    },
    /// Refuse it.
    Deny {
        id: String,
        /// What the agent hears.
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, ClapArgs)]
pub struct LogArgs {
    /// A query as in the Timeline, for example `decision:denied since:7d`.
    pub query: Vec<String>,
    /// Keep printing as things happen.
    #[arg(short, long)]
    pub follow: bool,
    /// Most rows.
    #[arg(short = 'n', long, default_value_t = 50)]
    pub limit: u32,
    /// Which ones: the newest, or what cost the most; the last line is the first of them.
    #[arg(long, value_enum, default_value_t = Sort::Time, conflicts_with = "follow")]
    pub sort: Sort,
    /// How the tool calls among them ended, counted by tool and agent, instead of the rows.
    #[arg(long, conflicts_with_all = ["follow", "limit", "sort"])]
    pub stats: bool,
}

/// What the rows of a list are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sort {
    Time,
    Cost,
}

#[derive(Debug, ClapArgs)]
pub struct PolicyArgs {
    #[command(subcommand)]
    pub verb: Option<PolicyVerb>,
}

#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// The rules in force.
    List,
    /// Load the files without an engine and say what is wrong with them.
    Check,
    /// Run case files; left out: those beside the policies and the shipped ones.
    Test { files: Vec<PathBuf> },
    /// Why an operation was decided as it was.
    Explain { record: String },
    /// What other rules would have decided of the last 7 days; exits 3 when something becomes newly allowed.
    Simulate {
        /// A folder: your rules whole. A `.cedar` file: in place of the one of its name.
        candidate: PathBuf,
        /// How far back to look, for example `24h` or `30d`.
        #[arg(long)]
        since: Option<String>,
    },
    /// Rules that other files add, change and remove.
    Diff { candidate: PathBuf },
    /// Put other rules in force: checked, shown, asked about, then written; the version before is kept.
    Apply {
        candidate: PathBuf,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// A sentence for the history.
        #[arg(long)]
        note: Option<String>,
    },
    /// Agree that a project's rules became weaker while somebody works there: only those that are there now bind.
    Acknowledge {
        /// Working directory of the sessions; left out: this one.
        folder: Option<PathBuf>,
        /// The revision that was shown (`reeve policy list`); left out: what binds is shown, and the question is asked.
        #[arg(long)]
        revision: Option<String>,
        /// Your own files instead, where they were changed outside Reeve, may let more pass and wait: load them.
        #[arg(long, conflicts_with = "folder")]
        mine: bool,
        /// Of those: keep what is in force, and write the files as they were.
        #[arg(long, requires = "mine")]
        keep: bool,
    },
}

#[derive(Debug, ClapArgs)]
pub struct CredArgs {
    #[command(subcommand)]
    pub verb: Option<CredVerb>,
}

#[derive(Debug, Subcommand)]
pub enum CredVerb {
    List,
    /// Add a credential; the secret is asked for or read from stdin.
    Add {
        id: String,
        /// `anthropic`, `openai`, `gemini` or `github`: fills in place, slot and variables.
        #[arg(long)]
        kind: Option<String>,
        /// The one host it may go to.
        #[arg(long)]
        host: Option<String>,
        /// `bearer`, `header:NAME`, `basic:USER`, `query:NAME`, `path` or `body`.
        #[arg(long)]
        slot: Option<String>,
        /// Only below this path.
        #[arg(long)]
        path: Option<String>,
        /// Only this method; may be repeated.
        #[arg(long)]
        method: Vec<String>,
        /// Only for this agent; may be repeated.
        #[arg(long)]
        agent: Vec<String>,
        /// Variable that carries the placeholder; may be repeated.
        #[arg(long)]
        variable: Vec<String>,
    },
    /// Replace the secret; asked for or read from stdin.
    Replace {
        id: String,
    },
    /// Add a place to a credential; a place that it has in this slot already is for these agents from now on.
    Bind {
        id: String,
        #[command(flatten)]
        place: PlaceArgs,
        #[arg(long)]
        agent: Vec<String>,
    },
    /// Take a place away from a credential, named as it was bound; the credential stays.
    Unbind {
        id: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Forget a credential and its secret.
    Rm {
        id: String,
    },
    /// Check that the secret can be read and what each place would get; sends nothing unless told to.
    Test {
        id: String,
        /// Send one read to the place of this number, as the test names them, and show what it answers.
        #[arg(long)]
        send: Option<u32>,
    },
}

/// Where a credential may go.
#[derive(Debug, ClapArgs)]
pub struct PlaceArgs {
    #[arg(long)]
    pub host: String,
    /// `bearer`, `header:NAME`, `basic:USER`, `query:NAME`, `path` or `body`.
    #[arg(long)]
    pub slot: String,
    #[arg(long)]
    pub path: Option<String>,
    #[arg(long)]
    pub method: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub struct BudgetArgs {
    #[command(subcommand)]
    pub verb: Option<BudgetVerb>,
}

#[derive(Debug, Subcommand)]
pub enum BudgetVerb {
    /// Every limit with what is settled, reserved and free.
    Show,
    /// Set a limit, for example `reeve budget set daily --scope me --window day 20.00`.
    Set {
        id: String,
        /// Dollars such as `5.00`, or tokens such as `200k`.
        amount: String,
        /// `organisation`, `me`, `team:NAME`, `agent`, `agent:NAME`, `session` or `session:AGENT`.
        #[arg(long, default_value = "me")]
        scope: String,
        /// For how long it counts.
        #[arg(long, default_value = "day")]
        window: Window,
        /// Only this model; `*` at the end matches any rest.
        #[arg(long)]
        model: Option<String>,
        /// What happens when it is used up; left out: `ask-under-floor`.
        #[arg(long)]
        on_exhausted: Option<OnExhausted>,
    },
    /// Raise a limit by an amount.
    Raise { id: String, by: String },
    /// Remove a limit that was set here.
    Rm { id: String },
}

/// What happens to a call that a limit does not afford.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnExhausted {
    /// Refuse it.
    Deny,
    /// Ask a person.
    Ask,
    /// Ask while what is left pays for some answer, refuse when it pays for none.
    AskUnderFloor,
}

impl From<OnExhausted> for OnExhaustedDto {
    fn from(choice: OnExhausted) -> Self {
        match choice {
            OnExhausted::Deny => Self::Deny,
            OnExhausted::Ask => Self::Ask,
            OnExhausted::AskUnderFloor => Self::AskUnderFloor,
        }
    }
}

/// Over what a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Window {
    Call,
    Day,
    Week,
    Month,
    Total,
}

impl From<Window> for WindowDto {
    fn from(window: Window) -> Self {
        match window {
            Window::Call => Self::Call,
            Window::Day => Self::Day,
            Window::Week => Self::Week,
            Window::Month => Self::Month,
            Window::Total => Self::Total,
        }
    }
}

/// Form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Jsonl,
    Csv,
}

impl From<Format> for ExportFormatDto {
    fn from(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl,
            Format::Csv => Self::Csv,
        }
    }
}

#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// A query as in the Timeline; left out: everything.
    pub query: Vec<String>,
    #[arg(long, default_value = "jsonl")]
    pub format: Format,
    /// The file to write; its manifest is written beside it.
    #[arg(short, long)]
    pub output: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub struct DataArgs {
    #[command(subcommand)]
    pub verb: Option<DataVerb>,
}

#[derive(Debug, Subcommand)]
pub enum DataVerb {
    /// What the record holds and takes, and how long it is kept.
    Show,
    /// Keep so much from now on; what is older or more goes by itself, after it was said what that is.
    Keep {
        /// For example `90d`, or `forever`; left out: as it is.
        age: Option<String>,
        /// What the record may take on disk, 0 for no limit; left out: as it is.
        #[arg(long)]
        megabytes: Option<u32>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take away everything that was recorded. Rules, limits, settings, agents and what budgets have spent stay.
    Wipe {
        /// The credentials and their secrets too.
        #[arg(long)]
        credentials: bool,
        /// The words that are asked for otherwise.
        #[arg(long)]
        confirm: Option<String>,
    },
}

#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// No window: the demo answers the held action by itself and says so.
    #[arg(long)]
    pub headless: bool,
    /// End when stdin closes: the window that started it is gone.
    #[arg(long, hide = true)]
    pub attached: bool,
}

#[derive(Debug, ClapArgs)]
pub struct ServeArgs {
    /// End after this many seconds without client and session.
    #[arg(long)]
    pub idle_exit: Option<u64>,
    /// Read the passphrase of the secrets file from stdin.
    #[arg(long)]
    pub passphrase_stdin: bool,
}
