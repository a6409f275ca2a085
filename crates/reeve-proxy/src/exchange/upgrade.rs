//! Upgrades that were admitted: the connection is handed over after `101`, its bytes relayed and counted.

use futures_util::FutureExt;
use http::Response;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, UPGRADE};
use reeve_domain::outcome::Ending;

use crate::exchange::passing::STOPPED;
use crate::exchange::request::clean_response;
use crate::exchange::settler::Settler;
use crate::exchange::{Answer, Case, Tunnel, Turned};
use crate::io::BoxStream;
use crate::refusal::Refusal;
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
    let tunnel = Tunnel::new(move |client| relayed(client, upstream, settler).boxed());
    Ok(Answer { response: Response::from_parts(head, crate::payload::empty()), tunnel: Some(tunnel) })
}

async fn relayed(client: BoxStream, upstream: BoxStream, mut settler: Settler) {
    let revoked = settler.admission().map(|admission| admission.revoked().clone()).unwrap_or_default();
    settler.first_byte();
    let relayed = websocket::relay(client, upstream, &revoked).await;
    settler.outcome.request_bytes += relayed.from_client;
    settler.outcome.response_bytes += relayed.from_upstream;
    settler.settle(match relayed.end {
        RelayEnd::Closed => Ending::Complete,
        RelayEnd::Client(_) => Ending::CutByClient,
        RelayEnd::Upstream(why) => Ending::CutByUpstream { why },
        RelayEnd::Cancelled => Ending::CutByReeve { why: STOPPED.to_owned() },
    });
}
