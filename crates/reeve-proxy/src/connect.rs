//! Identity at the socket: who a connection belongs to and where it leads, before anything else is read from it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::BytesMut;
use http::StatusCode;
use http::header::{HeaderMap, PROXY_AUTHORIZATION};
use reeve_domain::event::EventBody;
use reeve_domain::host::Authority;
use reeve_domain::id::SessionId;
use reeve_domain::operation::Scheme;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::Opener;
use reeve_engine::LiveSession;
use reeve_engine::origin::Origin;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::attribution;
use crate::channel::{Channel, Desk, Shared};
use crate::exchange::exchange;
use crate::exchange::http1::{After, Client, NoRequest};
use crate::exchange::http2;
use crate::framing::body::BodyLength;
use crate::framing::head::RequestHead;
use crate::io::{BoxStream, Prefixed};
use crate::refusal::Refusal;
use crate::tls::intercept::{self, InterceptError};

/// First bytes in a tunnel must come within this time.
const FIRST_BYTES: Duration = Duration::from_secs(5);
/// Requests without a good token on one connection before it is closed; git needs one of them.
const UNIDENTIFIED: u32 = 3;
/// How often the user of a connection is looked for.
const LOOKS: u32 = 3;

/// A request head, and how its body is delimited.
type Request = (RequestHead, BodyLength);

/// Where a request on the proxy's own port leads.
enum Destination {
    Tunnel(Authority),
    /// Absolute form: authority as written, and the rest of the target.
    Plain {
        authority: String,
        target: String,
    },
}

/// Serves one accepted connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, tcp: TcpStream) {
    let ends = tcp.peer_addr().ok().zip(tcp.local_addr().ok());
    // Of the session that used the connection last.
    let mut whose: Option<(SessionId, Origin)> = None;
    let mut client = Client::new(Box::new(tcp), BytesMut::new());
    let mut unidentified = 0;
    loop {
        let request = match client.next().await {
            Ok(request) => request,
            Err(NoRequest::Over) => return,
            Err(NoRequest::Refused(refusal)) => {
                shared.record_refused(None, refusal.code, &refusal.message).await;
                client.refuse(&refusal).await;
                return client.close().await;
            }
        };
        let (destination, token, session) = match identify(&shared, &request) {
            Ok(known) => known,
            Err(refusal) => {
                shared.record_refused(None, refusal.code, &refusal.message).await;
                unidentified += 1;
                let may_try_again = refusal.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
                    && request.0.method == "CONNECT"
                    && unidentified < UNIDENTIFIED;
                if may_try_again && matches!(client.reply(refusal.response()).await, After::Next) {
                    continue;
                }
                if !may_try_again {
                    client.refuse(&refusal).await;
                }
                return client.close().await;
            }
        };
        if let Err(refusal) = check_user(&session, ends).await {
            shared.record_refused(Some(&session), refusal.code, &refusal.message).await;
            client.refuse(&refusal).await;
            return client.close().await;
        }
        let known = whose.as_ref().filter(|(of, _)| of == session.id()).map(|(_, origin)| origin.clone());
        let origin = known.unwrap_or_else(|| {
            let origin = Origin::sought();
            tokio::spawn(attribute(Arc::clone(&shared), Arc::clone(&session), ends, origin.clone()));
            origin
        });
        whose = Some((session.id().clone(), origin.clone()));
        match destination {
            Destination::Tunnel(target) => {
                let channel = Channel { shared, session, token, scheme: Scheme::Http, target, server: None, origin };
                return tunnel(channel, client).await;
            }
            Destination::Plain { authority, target } => {
                let caller = (session, token, origin);
                if !plain(&shared, &mut client, request, caller, authority, target).await {
                    return client.close().await;
                }
            }
        }
    }
}

/// Who sends this request and where to.
fn identify(shared: &Shared, request: &Request) -> Result<(Destination, Secret, Arc<LiveSession>), Refusal> {
    let destination = destination(request)?;
    let token = token(&request.0.headers)?.ok_or_else(Refusal::unidentified)?;
    let session = shared.authenticate(&token).ok_or_else(Refusal::unidentified)?;
    Ok((destination, token, session))
}

fn destination((head, length): &Request) -> Result<Destination, Refusal> {
    if head.method == "CONNECT" {
        if *length != BodyLength::Known(0) {
            return Err(Refusal::malformed("A CONNECT has no body."));
        }
        let target = Authority::parse(&head.target, None)
            .map_err(|error| Refusal::malformed(format!("The CONNECT target is malformed: {}.", error.rule())))?;
        return Ok(Destination::Tunnel(target));
    }
    let Some((scheme, rest)) = head.target.split_once("://") else {
        return Err(not_a_server());
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(Refusal::malformed("A request for another scheme than http needs a CONNECT tunnel."));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(Destination::Plain { authority: authority.to_owned(), target })
}

/// The browser wall: nothing is served on this port itself, whatever the page that asks.
fn not_a_server() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "not_a_server",
        "This port is a proxy and serves nothing itself.",
        "Use it as a proxy, with the token of a running session.",
    )
}

/// The credentials of the request: none, one, or a refusal when there are two or they make no sense.
fn token(headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
    let mut values = headers.get_all(PROXY_AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::malformed("The request carries more than one proxy credential."));
    }
    Ok(value.to_str().ok().and_then(basic))
}

fn basic(value: &str) -> Option<Secret> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    // The name is for people; the token alone says whose session it is.
    let (_, token) = text.split_once(':')?;
    Some(Secret::from(token.to_owned()))
}

/// The environment of a `reeve env` lies about in files and shells: its token opens nothing for another user of the
/// machine (T5). Programs of the same user cannot be told apart by right, only by descent: see [`attribute`].
pub(crate) async fn check_user(
    session: &Arc<LiveSession>,
    ends: Option<(SocketAddr, SocketAddr)>,
) -> Result<(), Refusal> {
    let Some(opener) = session.session.opener.as_ref().filter(|_| session.holder.is_none()) else { return Ok(()) };
    if !attribution::SUPPORTED {
        return Ok(());
    }
    let look = move || {
        let (peer, local) = ends?;
        // The kernel's table is read while it changes, so one look may miss a row.
        (0..LOOKS).find_map(|_| attribution::user_of(peer, local))
    };
    let refused = |message: &str| {
        let advice = "Use the session as the user who opened it.";
        Refusal::new(StatusCode::FORBIDDEN, "other_user", message.to_owned(), advice)
    };
    match tokio::task::spawn_blocking(look).await.ok().flatten() {
        Some(user) if user == opener.uid => Ok(()),
        Some(_) => Err(refused("The session was opened by another user of this machine.")),
        None => Err(refused("The system does not say which user this connection belongs to.")),
    }
}

/// Looks whose process the connection is, where the session has one to descend from: the `reeve run` that holds it, or
/// whatever is left of what opened it with `reeve env`. At L0 a stranger is a warning, not a refusal: the token alone
/// says whose session it is.
///
/// Not knowable: whether a stranger was handed the environment on purpose (an editor that was started elsewhere, a job of a
/// service manager) or took it, and who stands behind a process that acts for others, such as a container's port forward.
async fn attribute(
    shared: Arc<Shared>,
    session: Arc<LiveSession>,
    ends: Option<(SocketAddr, SocketAddr)>,
    origin: Origin,
) {
    let stranger = stranger(&shared, &session, ends).await;
    origin.found(stranger.as_ref().map(|(program, _)| program.clone()));
    if let Some((_, Some(detail))) = stranger {
        shared.record(Some(&session), EventBody::ConnectionUnattributed { detail }).await;
    }
}

/// The program at the other end, and what is recorded of it; `None`: the session's own, or nobody can tell.
async fn stranger(
    shared: &Shared,
    session: &LiveSession,
    ends: Option<(SocketAddr, SocketAddr)>,
) -> Option<(String, Option<String>)> {
    let above = session.session.clone();
    let roots = match session.holder {
        Some(holder) => vec![holder],
        None => tokio::task::spawn_blocking(move || left_of(above.opener)).await.unwrap_or_default(),
    };
    if roots.is_empty() {
        return None;
    }
    let (peer, local) = ends?;
    let owner = shared.attributor.owner_of(peer, local).await?;
    if roots.iter().any(|root| owner.descends_from(*root)) {
        return None;
    }
    let program = owner.exe.map(|exe| exe.display().to_string().replace('`', "'"));
    let named = program.as_ref().map_or_else(|| "an unknown program".to_owned(), |program| format!("`{program}`"));
    // Many connections of one process are one stranger.
    let is_new = shared.desk(session.id()).is_none_or(|desk| desk.strangers.lock().insert(owner.pid));
    let roots: Vec<String> = roots.iter().map(ToString::to_string).collect();
    let detail =
        format!("process {} ({named}) does not descend from the session's process {}", owner.pid, roots.join(" or "));
    Some((program.unwrap_or_default(), is_new.then_some(detail)))
}

/// Processes of an opener that still run: `reeve env` ends at once, the shell that called it stays.
fn left_of(opener: Option<Opener>) -> Vec<u32> {
    let marks = opener.into_iter().flat_map(|opener| std::iter::once(opener.process).chain(opener.parent));
    marks.filter(attribution::still_runs).map(|mark| mark.pid).collect()
}

/// One absolute-form request; whether another may follow.
async fn plain(
    shared: &Arc<Shared>,
    client: &mut Client,
    request: Request,
    (session, token, origin): (Arc<LiveSession>, Secret, Origin),
    authority: String,
    target: String,
) -> bool {
    let parsed = Authority::parse(&authority, Some(Scheme::Http.default_port()));
    let target_authority = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let refusal = Refusal::malformed(format!("The host of the request is malformed: {}.", error.rule()));
            shared.record_refused(Some(&session), refusal.code, &refusal.message).await;
            client.refuse(&refusal).await;
            return false;
        }
    };
    let ended = session.ended().clone();
    let channel = Channel {
        shared: Arc::clone(shared),
        session,
        token,
        scheme: Scheme::Http,
        target: target_authority,
        server: None,
        origin,
    };
    let answer = client.answer(request, Some(authority), target, |incoming| exchange(channel, incoming));
    let after = tokio::select! {
        after = answer => after,
        () = ended.cancelled() => After::Close,
    };
    settle(client, after).await
}

/// Whether the connection goes on with HTTP; hands it over where it does not.
async fn settle(client: &mut Client, after: After) -> bool {
    match after {
        After::Next => true,
        After::Close => false,
        After::Tunnel(tunnel) => {
            // The socket is taken out; what stays behind is a closed one.
            let (nowhere, _) = tokio::io::duplex(1);
            let client = std::mem::replace(client, Client::new(Box::new(nowhere), BytesMut::new()));
            tunnel.run(Box::new(client.into_stream())).await;
            false
        }
    }
}

/// A CONNECT is never refused for a reason of policy: the answer comes inside, where clients show it.
async fn tunnel(channel: Channel, mut client: Client) {
    if client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_err() {
        return;
    }
    let ended = channel.session.ended().clone();
    tokio::select! {
        () = inside(channel, client.into_stream()) => {}
        () = ended.cancelled() => {}
    }
}

/// What the first bytes say: TLS, HTTP that parses, or nothing that is let through.
async fn inside(channel: Channel, io: Prefixed<BoxStream>) {
    let (first, io) = match timeout(FIRST_BYTES, first_byte(io)).await {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(_) => {
            return channel.record_refused("silent_tunnel", "nothing came through the tunnel within 5 seconds").await;
        }
    };
    match first {
        0x16 => intercepted(channel, io).await,
        b'A'..=b'Z' => requests(channel, Client::new(Box::new(io), BytesMut::new())).await,
        _ => channel.record_refused("unknown_protocol", "the tunnel carries neither TLS nor HTTP").await,
    }
}

async fn first_byte(mut io: Prefixed<BoxStream>) -> Option<(u8, Prefixed<Prefixed<BoxStream>>)> {
    use tokio::io::AsyncReadExt;
    let mut byte = [0_u8; 1];
    io.read_exact(&mut byte).await.ok()?;
    Some((byte[0], Prefixed::new(bytes::Bytes::copy_from_slice(&byte), io)))
}

async fn intercepted(mut channel: Channel, io: Prefixed<Prefixed<BoxStream>>) {
    let Some(Desk { authority, .. }) = channel.shared.desk(channel.session.id()) else {
        return channel.record_refused("no_authority", "the session has no certificate authority any more").await;
    };
    let room = channel.shared.unread.room();
    match intercept::accept(io, &authority, &channel.target.host, room.is_some()).await {
        Ok(tls) => {
            channel.scheme = Scheme::Https;
            match room.filter(|_| tls.get_ref().1.alpn_protocol() == Some(b"h2")) {
                Some(room) => http2::serve(Box::new(tls), channel, room).await,
                None => requests(channel, Client::new(Box::new(tls), BytesMut::new())).await,
            }
        }
        Err(error) => {
            let why = match &error {
                InterceptError::OtherName { .. } | InterceptError::NoName { .. } => "name_mismatch",
                InterceptError::Hello(_) | InterceptError::Slow => "unknown_protocol",
                InterceptError::Handshake(_) => "handshake_failed",
                InterceptError::Authority(_) => "no_authority",
            };
            channel.record_refused(why, &format!("tunnel to `{}`: {error}", channel.target)).await;
        }
    }
}

/// HTTP/1 inside a tunnel, until it closes.
async fn requests(channel: Channel, mut client: Client) {
    loop {
        let request = match client.next().await {
            Ok(request) => request,
            Err(NoRequest::Over) => break,
            Err(NoRequest::Refused(refusal)) => {
                channel.record_refused(refusal.code, &refusal.message).await;
                client.refuse(&refusal).await;
                break;
            }
        };
        let (authority, target) = match inner_target(&channel, &request.0) {
            Ok(found) => found,
            Err(refusal) => {
                channel.record_refused(refusal.code, &refusal.message).await;
                client.refuse(&refusal).await;
                break;
            }
        };
        let handler = channel.clone();
        let after = client.answer(request, authority, target, |incoming| exchange(handler, incoming)).await;
        if !settle(&mut client, after).await {
            break;
        }
    }
    client.close().await;
}

/// Authority (in absolute form) and path of a request inside a tunnel; a second identity there is refused.
fn inner_target(channel: &Channel, head: &RequestHead) -> Result<(Option<String>, String), Refusal> {
    if let Some(inner) = token(&head.headers)?
        && channel.shared.authenticate(&inner).is_none_or(|other| other.id() != channel.session.id())
    {
        return Err(Refusal::malformed("The request carries another proxy credential than its connection."));
    }
    let Some((scheme, rest)) = head.target.split_once("://").filter(|_| !head.target.starts_with('/')) else {
        return Ok((None, head.target.clone()));
    };
    if !scheme.eq_ignore_ascii_case(channel.scheme.as_str()) {
        return Err(Refusal::misdirected("The request names another scheme than its connection has."));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((Some(authority.to_owned()), path))
}
