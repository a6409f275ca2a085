//! Every command: opens the connection it needs, makes the calls, prints.

mod agents;
mod approve;
mod budget;
mod changes;
mod cred;
mod data;
mod demo;
mod doctor;
mod ids;
mod log;
mod mcp;
mod open;
mod papers;
mod policy;
mod proof;
mod run;
mod serve;
mod stats;
mod status;
mod verify;

use reeve_api::client::{Client, StartOptions};
use reeve_api::contract::credentials::TypedSecret;
use reeve_api::contract::{ApiCode, ApiError};
use reeve_api::home::Home;
use reeve_api::{Secret, Surface};

use crate::args::{Args, Command};
use crate::output;

/// What every command has: where the profile is and how to print.
#[derive(Debug)]
pub struct Context {
    pub home: Home,
    pub json: bool,
    pub no_input: bool,
    pub quiet: bool,
}

impl Context {
    /// Connects, and starts the engine when it is absent.
    pub async fn client(&self) -> anyhow::Result<Client> {
        if let Ok(client) = Client::connect(&self.home, Surface::Cli).await {
            return Ok(client);
        }
        let mut options = StartOptions::default();
        if reeve_api::host::uses_passphrase(&self.home)? {
            options.passphrase = Some(self.secrets_passphrase()?);
        }
        Ok(Client::connect_or_start(&self.home, Surface::Cli, &options).await?)
    }

    /// Opens the secrets file, or is chosen for it: then twice, because a slip would lock it for ever.
    fn secrets_passphrase(&self) -> anyhow::Result<Secret> {
        if self.home.secrets_file().exists() || !output::may_ask(self.no_input) {
            return self.ask_secret("Passphrase of the secrets file");
        }
        let new = self.ask_secret("New passphrase for the secrets file (nobody can recover it)")?;
        let again = self.ask_secret("The same once more")?;
        anyhow::ensure!(new.expose() == again.expose(), "these are two different passphrases, so none was chosen");
        Ok(new)
    }

    /// A secret from a prompt without echo, or from stdin when that is no terminal.
    pub fn ask_secret(&self, what: &str) -> anyhow::Result<Secret> {
        let mut text = if output::may_ask(self.no_input) {
            rpassword::prompt_password(format!("{what}: "))?
        } else {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut std::io::stdin().lock(), &mut text)?;
            text
        };
        while text.ends_with(['\n', '\r']) {
            text.pop();
        }
        anyhow::ensure!(!text.is_empty(), "no secret was given: type it at the prompt or pipe it to stdin");
        Ok(Secret::from(text))
    }

    /// The same as text that may travel to the engine.
    pub fn ask_text(&self, what: &str) -> anyhow::Result<TypedSecret> {
        let secret = self.ask_secret(what)?;
        let text = std::str::from_utf8(secret.expose()).map_err(|_| anyhow::anyhow!("the secret is not UTF-8 text"))?;
        Ok(TypedSecret(text.to_owned()))
    }

    /// Says something to the person, beside the data.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}

/// Changing and deciding commands are the person's: inside a governed session they are refused before they reach the engine,
/// which would refuse them as well.
fn refuse_inside_session(what: &str) -> anyhow::Result<()> {
    if std::env::var_os("REEVE_SESSION").is_some() {
        return Err(ApiError::new(
            ApiCode::NotPermitted,
            format!("`reeve {what}` is refused inside a governed session"),
        )
        .hint("run it in a terminal that was not started by an agent")
        .into());
    }
    Ok(())
}

/// Runs the command and returns its exit code.
pub fn run(args: Args) -> anyhow::Result<u8> {
    match &args.command {
        Some(Command::Completions { shell }) => return papers::completions(*shell),
        Some(Command::Man { dir }) => return papers::man(dir),
        _ => {}
    }
    if args.verbose {
        reeve_api::logging::start(reeve_api::logging::Detail::Steps);
    }
    let context = Context { home: Home::find()?, json: args.json, no_input: args.no_input, quiet: args.quiet };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(dispatch(&context, args.command));
    // A child's supervisor or a blocked keychain call must not keep a finished command alive.
    runtime.shutdown_background();
    code
}

async fn dispatch(context: &Context, command: Option<Command>) -> anyhow::Result<u8> {
    match command {
        None | Some(Command::Status) => status::status(context).await,
        Some(Command::Run(args)) => run::run(context, args).await,
        Some(Command::Env(args)) => run::env(context, args).await,
        Some(Command::Mcp(args)) => mcp::mcp(context, args).await,
        Some(Command::Agents(args)) => agents::agents(context, args.verb).await,
        Some(Command::Approve(args)) => approve::approve(context, args.verb).await,
        Some(Command::Log(args)) => log::log(context, args).await,
        Some(Command::Policy(args)) => policy::policy(context, args.verb).await,
        Some(Command::Cred(args)) => cred::cred(context, args.verb).await,
        Some(Command::Budget(args)) => budget::budget(context, args.verb).await,
        Some(Command::Pause { duration }) => status::pause(context, duration.as_deref()).await,
        Some(Command::Stop) => status::stop(context).await,
        Some(Command::Resume) => status::resume(context).await,
        Some(Command::Verify { export }) => verify::verify(context, export).await,
        Some(Command::Data(args)) => data::data(context, args.verb).await,
        Some(Command::Export(args)) => verify::export(context, args).await,
        Some(Command::Open { id }) => open::open(context, &id).await,
        Some(Command::Restore { all }) => changes::restore(context, all).await,
        Some(Command::Doctor { fix }) => doctor::doctor(context, fix).await,
        Some(Command::Demo(args)) => demo::demo(context, args).await,
        Some(Command::Serve(args)) => serve::serve(context, args).await,
        Some(Command::DemoAgent) => demo::agent().await,
        Some(Command::DemoOffice) => demo::office().await,
        Some(Command::Completions { .. } | Command::Man { .. }) => Ok(crate::exit::DONE),
    }
}
