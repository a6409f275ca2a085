//! What stands behind the MCP endpoint: servers of `mcp.json`, started in the session's environment or reached over the
//! proxy.

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use reeve_domain::host::Authority;
use reeve_domain::operation::Scheme;
use reeve_domain::sensitive::Secret;
use reeve_engine::servers::Start;
use reeve_engine::{Engine, LiveSession};
use reeve_mcp::http::{Back, Body, Place, Started};
use reeve_mcp::{Life, Link, ServerRef};
use reeve_proxy::Proxy;
use reeve_proxy::door::Delivery;
use tokio::sync::mpsc;

use crate::contract::credentials::TypedSecret;
use crate::contract::sessions::{OpenedSessionDto, SessionDto};
use crate::home::Home;
use crate::launch;
use crate::wrapper::child::{Child, Exit};
use crate::wrapper::lives::{Lives, Said};

/// A server that ended earlier than this after its start failed.
const SETTLED: Duration = Duration::from_secs(5);
/// Longest wait before a server that failed is started again.
const LONGEST: Duration = Duration::from_secs(60);

/// The composition root's half of the endpoint.
pub(crate) struct Behind {
    pub home: Home,
    pub engine: Engine,
    pub proxy: Proxy,
    pub failed: Arc<Mutex<HashMap<String, Failures>>>,
}

/// How a server's last starts went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failures {
    in_a_row: u32,
    last: Instant,
}

impl Failures {
    /// How long it is left alone yet.
    fn rest(self) -> Option<Duration> {
        let wait = Duration::from_millis(250).saturating_mul(2_u32.saturating_pow(self.in_a_row.min(12))).min(LONGEST);
        wait.checked_sub(self.last.elapsed()).filter(|rest| !rest.is_zero())
    }
}

/// Where a URL leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub scheme: Scheme,
    pub place: Authority,
    /// Path and query.
    pub target: String,
}

/// Reads the URL of a remote server; `None`: it is none that can be sent to.
pub(crate) fn read_url(url: &str) -> Option<Url> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let place = Authority::parse(authority, Some(scheme.default_port())).ok()?;
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Some(Url { scheme, place, target })
}

impl Behind {
    fn declared(&self, server: &str) -> Option<Start> {
        self.engine.servers().declared().get(server).map(|one| one.start.clone())
    }

    fn spawn(&self, session: &Arc<LiveSession>, token: &Secret, server: &str) -> Result<Started, String> {
        let Some(Start::Stdio { command, args, env, cwd }) = self.declared(server) else {
            return Err("it is not registered any more".to_owned());
        };
        if let Some(rest) = self.failed.lock().get(server).and_then(|failures| failures.rest()) {
            return Err(format!(
                "it ended right after its start; it is started again in {} ms",
                rest.as_millis().max(1)
            ));
        }
        let ca = self.proxy.certificate(session.id()).ok_or("the session is over")?;
        let opened = OpenedSessionDto {
            session: SessionDto::of(&session.session, session.session.agent.as_str()),
            proxy: self.proxy.address().to_string(),
            // A server has no business with the others.
            mcp: String::new(),
            token: TypedSecret(String::from_utf8_lossy(token.expose()).into_owned()),
            ca,
            placeholders: launch::placeholders(self.engine.placeholders(session)),
            upstream_proxy: self.engine.settings().upstream.proxy.clone(),
        };
        let prepared = launch::join(&self.home, opened).map_err(|error| error.message)?;
        let line: Vec<OsString> = std::iter::once(&command).chain(&args).map(OsString::from).collect();
        let folder = cwd.unwrap_or_else(|| session.session.cwd.clone().into());
        let (environment, cwd) = (prepared.environment, folder.clone());
        let start = move || Child::start_in(&line, &environment, &env, Some(&cwd));
        let process = Lives::start(Box::new(start)).map_err(|error| error.message)?;
        let (here, there) = Link::pair();
        let (tell, lives) = reeve_mcp::lives();
        tokio::spawn(carry(process, there, tell, server.to_owned(), Arc::clone(&self.failed)));
        let command = std::iter::once(command).chain(args).collect();
        let search = std::env::var_os("PATH");
        let server = ServerRef::program(server, command, &folder, search.as_deref());
        Ok(Started { server, link: here, lives })
    }

    async fn send(
        &self,
        session: &Arc<LiveSession>,
        token: &Secret,
        server: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, String> {
        let Some(Start::Http { url, headers: own }) = self.declared(server) else {
            return Err("it is not registered any more".to_owned());
        };
        let Url { scheme, place, target } = read_url(&url).ok_or("its URL cannot be read")?;
        let (head, body) = request.into_parts();
        let mut headers = head.headers;
        headers.remove(http::header::HOST);
        for (name, value) in &own {
            let pair = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            let (name, value) = pair.ok_or_else(|| format!("its header `{name}` is malformed"))?;
            headers.insert(name, value);
        }
        let delivery = Delivery { server: server.into(), scheme, place, target, method: head.method, headers, body };
        let response = self.proxy.deliver(session, token.clone(), delivery).await;
        Ok(response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()))
    }
}

impl Back for Behind {
    fn place(&self, server: &str) -> Option<Place> {
        Some(match self.declared(server)? {
            Start::Stdio { .. } => Place::Child,
            Start::Http { .. } => Place::Remote,
        })
    }

    fn check_user<'a>(
        &'a self,
        session: &'a Arc<LiveSession>,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.proxy.check_user(session, peer, local))
    }

    fn start<'a>(
        &'a self,
        session: &'a Arc<LiveSession>,
        token: &'a Secret,
        server: &'a str,
    ) -> BoxFuture<'a, Result<Started, String>> {
        Box::pin(async move { self.spawn(session, token, server) })
    }

    fn forward<'a>(
        &'a self,
        session: &'a Arc<LiveSession>,
        token: &'a Secret,
        server: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            self.send(session, token, server, request).await.unwrap_or_else(|why| {
                let message = format!("server `{server}` cannot be reached: {why}");
                reeve_mcp::http::refusal(StatusCode::BAD_GATEWAY, &message)
            })
        })
    }
}

/// Carries the messages of one server over all its lives, until it ends or nobody wants it, and ends it then with all it started.
async fn carry(
    mut process: Lives,
    link: Link,
    lives: mpsc::Sender<Life>,
    server: String,
    failed: Arc<Mutex<HashMap<String, Failures>>>,
) {
    let began = Instant::now();
    let Link { tx, rx } = link;
    let (mut tx, mut rx) = (Some(tx), Some(rx));
    let input = process.input();
    let exit = loop {
        let message = async {
            match &mut rx {
                Some(rx) => rx.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = message => match (message, &input) {
                (Some(message), Some(input)) => {
                    tokio::select! {
                        // A server that takes nothing any more is about to end.
                        _ = input.send(message.to_vec()) => {}
                        // One that reads nothing does not outlive its session.
                        () = lives.closed() => break Exit::Told,
                    }
                }
                _ => break Exit::Told,
            },
            said = process.hear() => match said {
                Said::Line(line) => if let Some(tx) = &tx && tx.send(Bytes::from(line)).await.is_err() {
                    break Exit::Told;
                },
                Said::Down { why, again } => {
                    // Told before the link ends.
                    let _ = lives.send(Life::Down { why, again }).await;
                    (tx, rx) = (None, None);
                }
                Said::Up { greeting } => {
                    let (link, there) = Link::pair();
                    (tx, rx) = (Some(there.tx), Some(there.rx));
                    let _ = lives.send(Life::Up { link, greeting }).await;
                }
                Said::Ended => break Exit::Server,
            },
            () = lives.closed() => break Exit::Told,
        }
    };
    // Whoever waits hears at once that it is gone.
    drop((lives, tx, input));
    {
        let mut failed = failed.lock();
        let before = failed.remove(&server).map_or(0, |one| one.in_a_row);
        if exit == Exit::Server && began.elapsed() < SETTLED {
            failed.insert(server, Failures { in_a_row: before.saturating_add(1), last: Instant::now() });
        }
    }
    process.end(exit).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_they_are_sent() {
        let url = read_url("https://MCP.example/v1/mcp?x=1#y").unwrap();
        assert_eq!((url.place.to_string().as_str(), url.target.as_str()), ("mcp.example:443", "/v1/mcp?x=1"));
        assert_eq!(read_url("http://localhost:3001").unwrap().target, "/");
        for bad in ["ftp://a.example/", "a.example", "http:///mcp", "http://user@a.example/"] {
            assert_eq!(read_url(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_server_that_fails_again_and_again_is_left_alone_longer_but_not_for_ever() {
        let rest = |in_a_row| Failures { in_a_row, last: Instant::now() }.rest().unwrap();
        assert!(rest(1) < rest(4));
        assert!(rest(40) <= LONGEST);
    }
}
