//! WebSockets that were admitted: the connection is handed over after `101`, its frames looked through both ways and
//! counted. No other upgrade comes this far.

use std::sync::Arc;

use futures_util::FutureExt;
use http::Response;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, UPGRADE};
use reeve_domain::outcome::Ending;

use crate::channel::Channel;
use crate::exchange::guard::LEAKED;
use crate::exchange::passing::STOPPED;
use crate::exchange::request::clean_response;
use crate::exchange::settler::Settler;
use crate::exchange::{Answer, Case, Tunnel, Turned, note_leak};
use crate::io::BoxStream;
use crate::mask::MaskSet;
use crate::refusal::Refusal;
use crate::websocket::guard::{Inward, Outward};
use crate::websocket::{self, RelayEnd};

/// Hands the connection over after `101`.
///
/// # Errors
/// When the upstream switched to something else than was asked for.
pub(super) fn relay(
    case: &Case,
    upstream_head: Response<()>,
    upstream: BoxStream,
    mut settler: Settler,
) -> Result<Answer, Turned> {
    let (mut head, ()) = upstream_head.into_parts();
    settler.outcome.status = Some(head.status.as_u16());
    let protocol = case.asked.upgrade.as_deref().unwrap_or_default();
    if let Err(error) = websocket::check_response(&case.asked.headers, &head.headers, protocol) {
        settler.settle(Ending::CutByUpstream { why: format!("a wrong upgrade: {error}") });
        return Err(Turned::Failed(Refusal::upstream(format!("The upstream's upgrade is wrong: {error}."))));
    }
    let protocol = head.headers.get(UPGRADE).cloned();
    clean_response(&mut head.headers);
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(CONTENT_ENCODING);
    head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    if let Some(protocol) = protocol {
        head.headers.insert(UPGRADE, protocol);
    }
    let guards = (outward(case), inward(case));
    let told = (case.channel.clone(), case.asked.endpoint.host.to_string());
    let tunnel = Tunnel::new(move |client| relayed(client, upstream, settler, guards, told).boxed());
    Ok(Answer { response: Response::from_parts(head, crate::payload::empty()), tunnel: Some(tunnel) })
}

/// Nothing is injected into an upgraded connection, so a placeholder is nowhere in its place; a stored secret may go where
/// it belongs.
fn outward(case: &Case) -> Outward {
    let (channel, endpoint) = (case.channel.clone(), case.asked.endpoint.clone());
    Outward::new(case.channel.session.leaks().stream(), move |leak| {
        !leak.is_placeholder()
            && channel.shared.engine.credentials().slot_at(&channel.session, &leak.credential, &endpoint).is_some()
    })
}

fn inward(case: &Case) -> Inward {
    let secrets = case.channel.session.secrets();
    Inward::new(Arc::new(MaskSet::new(secrets.iter().map(|(id, secret)| (id, secret)))).stream())
}

async fn relayed(
    client: BoxStream,
    upstream: BoxStream,
    mut settler: Settler,
    (mut outward, mut inward): (Outward, Inward),
    (channel, place): (Channel, String),
) {
    let revoked = settler.admission().map(|admission| admission.revoked().clone()).unwrap_or_default();
    settler.first_byte();
    let relayed = websocket::relay(client, upstream, (&mut outward, &mut inward), &revoked).await;
    settler.outcome.masked = inward.masked();
    settler.outcome.request_bytes += relayed.from_client;
    settler.outcome.response_bytes += relayed.from_upstream;
    settler.settle(match relayed.end {
        RelayEnd::Closed => Ending::Complete,
        RelayEnd::Client(_) => Ending::CutByClient,
        RelayEnd::Upstream(why) => Ending::CutByUpstream { why },
        RelayEnd::Leak(credential) => {
            note_leak(&channel, &credential, place).await;
            Ending::CutByReeve { why: LEAKED.to_owned() }
        }
        RelayEnd::Cancelled => Ending::CutByReeve { why: STOPPED.to_owned() },
    });
}
