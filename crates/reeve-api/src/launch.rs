//! The client's half of a governed run: the session opened at the engine, its environment laid out here, the child started
//! in this terminal, and the session held open by the connection until the child has ended.

use std::ffi::OsString;
use std::net::SocketAddr;

use reeve_domain::id::{AgentId, SessionId};
use reeve_sandbox::catalog;
use reeve_sandbox::environment::{self, Environment, Wiring};
use reeve_sandbox::launch::{self, Launch};
use reeve_sandbox::trust;

pub use reeve_sandbox::environment::Shell;

use crate::client::Client;
use crate::contract::calls::SessionsCall;
use crate::contract::credentials::TypedSecret;
use crate::contract::sessions::{OpenSessionInput, OpenedSessionDto, PlaceholderDto, SessionDto};
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;

/// A session with its environment; the trust bundle is removed when this is dropped, unless it was kept.
#[derive(Debug)]
pub struct Prepared {
    pub session: SessionDto,
    pub environment: Environment,
    /// What the person should know.
    pub warnings: Vec<String>,
    bundle: Option<trust::Bundle>,
}

impl Prepared {
    /// Leaves the trust bundle in place, for a session that outlives this process.
    pub fn keep(&mut self) {
        if let Some(bundle) = self.bundle.take() {
            bundle.keep();
        }
    }
}

/// Lays out the environment of a session of this very process's engine.
pub(crate) fn lay_out(
    host: &crate::host::Host,
    live: &reeve_engine::LiveSession,
    token: &reeve_domain::sensitive::Secret,
    ca: &str,
) -> Result<Prepared, ApiError> {
    host.engine.credentials().uncontested(&live.session.agent)?;
    let token = String::from_utf8_lossy(token.expose()).into_owned();
    let opened = OpenedSessionDto {
        session: SessionDto::of(&live.session, live.session.agent.as_str()),
        proxy: host.proxy.address().to_string(),
        mcp: host.endpoint.url(),
        token: TypedSecret(token),
        ca: ca.to_owned(),
        placeholders: placeholders(host.engine.placeholders(live)),
        upstream_proxy: host.engine.settings().upstream.proxy.clone(),
    };
    environment_of(&host.home, opened, None)
}

/// Opens a session and lays out its environment.
///
/// # Errors
/// What the engine refuses, or a bundle that cannot be written.
pub async fn prepare(client: &Client, home: &Home, input: OpenSessionInput) -> Result<Prepared, ApiError> {
    let tool = input.command.first().and_then(|program| catalog::find(program.as_ref()));
    let opened: OpenedSessionDto = client.call(&SessionsCall::Open(input)).await?;
    environment_of(home, opened, tool)
}

/// Pairs as they travel.
pub(crate) fn placeholders(pairs: Vec<(String, String)>) -> Vec<PlaceholderDto> {
    pairs.into_iter().map(|(variable, value)| PlaceholderDto { variable, value }).collect()
}

/// Lays out the environment of a further process in a session that somebody else holds open. The trust bundle is the
/// session's own where it is there already.
pub(crate) fn join(home: &Home, opened: OpenedSessionDto) -> Result<Prepared, ApiError> {
    let session = SessionId::parse(&opened.session.id).map_err(|e| failed(&e))?;
    let path = trust::path_of(&home.bundles(), &session);
    if path.exists() {
        return wired(opened, None, &path, None);
    }
    let mut prepared = environment_of(home, opened, None)?;
    prepared.keep();
    Ok(prepared)
}

fn failed(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(ApiCode::Failed, error.to_string())
}

pub(crate) fn environment_of(
    home: &Home,
    opened: OpenedSessionDto,
    tool: Option<&'static catalog::Tool>,
) -> Result<Prepared, ApiError> {
    let session = SessionId::parse(&opened.session.id).map_err(|e| failed(&e))?;
    let inherited = environment::inherited();
    let bundle = trust::write_bundle(&home.bundles(), &session, &opened.ca, &inherited).map_err(|e| failed(&e))?;
    let path = bundle.path().to_owned();
    wired(opened, tool, &path, Some(bundle))
}

fn wired(
    opened: OpenedSessionDto,
    tool: Option<&'static catalog::Tool>,
    trusted: &std::path::Path,
    bundle: Option<trust::Bundle>,
) -> Result<Prepared, ApiError> {
    let session = SessionId::parse(&opened.session.id).map_err(|e| failed(&e))?;
    let agent = AgentId::parse(&opened.session.agent).map_err(|e| failed(&e))?;
    let proxy: SocketAddr = opened.proxy.parse().map_err(|e| failed(&e))?;
    let inherited = environment::inherited();
    let placeholders: Vec<(String, String)> =
        opened.placeholders.iter().map(|p| (p.variable.clone(), p.value.clone())).collect();
    let environment = environment::for_session(&Wiring {
        proxy,
        mcp: Some(opened.mcp.as_str()).filter(|url| !url.is_empty()),
        token: &opened.token.0,
        bundle: trusted,
        agent: &agent,
        session: &session,
        tool: tool.or_else(|| catalog::find_key(agent.as_str())),
        placeholders: &placeholders,
        upstream_proxy: opened.upstream_proxy.as_deref(),
        inherited: &inherited,
    })
    .map_err(|e| failed(&e))?;
    let mut warnings: Vec<String> = bundle.iter().flat_map(|bundle| bundle.warnings().to_vec()).collect();
    warnings.extend(environment.warnings().iter().map(ToString::to_string));
    Ok(Prepared { session: opened.session, environment, warnings, bundle })
}

/// Why a governed child did not run, with the exit code that says so.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct LaunchError {
    pub message: String,
    pub exit_code: u8,
}

/// Runs a command in a prepared session and returns its exit code (128 + n for a signal). A session that is stopped at the
/// engine stops the child too.
///
/// # Errors
/// When the program cannot be started.
pub async fn run(client: &Client, prepared: Prepared, command: &[OsString]) -> Result<i32, LaunchError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(LaunchError { message: "no command given".to_owned(), exit_code: 2 });
    };
    let Prepared { session, environment, bundle, .. } = prepared;
    let failed =
        |error: reeve_sandbox::SandboxError| LaunchError { exit_code: error.exit_code(), message: error.to_string() };
    let running = launch::start(&Launch {
        program: program.clone(),
        arguments: arguments.to_vec(),
        working_directory: None,
        environment,
        grace: launch::GRACE,
    })
    .map_err(failed)?;
    let stop = running.stop_handle();
    let watch = tokio::spawn(stop_with_session(client.clone(), session.id, move || stop.stop()));
    let ended = running.wait().await.map_err(failed)?;
    watch.abort();
    drop(bundle);
    Ok(ended.exit_code())
}

/// Stops the child when its session is stopped, or when the engine is gone: nothing runs on unprotected.
async fn stop_with_session(client: Client, session: String, stop: impl FnOnce()) {
    if let Ok(mut batches) = client.subscribe().await {
        // Whatever ended before this was heard, or was left out, is found in the list.
        let mut unsure = true;
        loop {
            if unsure && !runs(&client, &session).await {
                break;
            }
            let Some(batch) = batches.recv().await else { break };
            if batch.ended_sessions.contains(&session) {
                break;
            }
            unsure = batch.lagged;
        }
    }
    stop();
}

/// Whether the session is still open at the engine; an engine that does not answer protects nobody.
async fn runs(client: &Client, session: &str) -> bool {
    let listed: Result<Vec<SessionDto>, ApiError> = client.call(&SessionsCall::List).await;
    // A session may be too old for the list and still run.
    listed.is_ok_and(|all| !all.iter().any(|one| one.id == session && one.ended_at.is_some()))
}
