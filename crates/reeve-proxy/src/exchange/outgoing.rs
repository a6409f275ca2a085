//! From an admitted case to the request that goes upstream: Reeve's own rewrites, the proof that what is sent is what was
//! admitted, and last the secret.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, SEC_WEBSOCKET_EXTENSIONS};
use http_body_util::BodyExt;
use reeve_domain::operation::LlmCall;
use reeve_engine::Admission;
use reeve_protocol::rewrite;

use crate::exchange::guard::guarded;
use crate::exchange::inject::{Slots, inject, limit_codings};
use crate::exchange::intake::{Chained, Taken};
use crate::exchange::{Case, protocol_head};
use crate::forward::{Outgoing, OutgoingBody};

/// A request that is ready to be sent.
pub(super) struct Prepared {
    pub outgoing: Outgoing,
    /// Reeve asked for the usage chunk in the client's place, and takes it out of the answer.
    pub swallow_usage: bool,
}

/// Makes the request. An error is a sentence for a fault: nothing is sent.
pub(super) fn prepare(case: &mut Case, admission: &Admission) -> Result<Prepared, String> {
    let mut headers = case.asked.headers.clone();
    let taken = std::mem::replace(&mut case.taken, Taken::Whole { raw: Bytes::new(), decoded: None });
    let (body, swallow_usage) = match taken {
        Taken::Whole { raw, decoded } => {
            let (changed, swallow) = rewritten(case, admission, decoded.as_ref().unwrap_or(&raw))?;
            let mut plain = changed.clone().or(decoded);
            let target = &mut case_target(case);
            let injected = put_secret(admission, &mut headers, target, plain.as_mut())?;
            if changed.is_some() || injected {
                headers.remove(CONTENT_ENCODING);
                return Ok(finish(case, headers, target, OutgoingBody::Whole(plain.unwrap_or(raw)), swallow));
            }
            return Ok(finish(case, headers, target, OutgoingBody::Whole(raw), swallow));
        }
        Taken::Begun { start, rest, length } => {
            check_unchanged(case, admission)?;
            let payload = guarded(Chained { start, rest: rest.into_inner() }.boxed_unsync(), case)
                .map_err(|error| format!("the body cannot be guarded: {error}"))?;
            (OutgoingBody::Stream { payload, length }, false)
        }
    };
    let target = &mut case_target(case);
    put_secret(admission, &mut headers, target, None)?;
    Ok(finish(case, headers, target, body, swallow_usage))
}

fn finish(
    case: &Case,
    mut headers: http::HeaderMap,
    target: &mut String,
    body: OutgoingBody,
    swallow_usage: bool,
) -> Prepared {
    if case.operation.credential.is_some() || swallow_usage {
        limit_codings(&mut headers);
    }
    // An extension would change the frames that are looked through: compressed ones are not read.
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    let outgoing = Outgoing {
        method: case.asked.endpoint.method.clone(),
        target: std::mem::take(target),
        headers,
        body,
        upgrade: case.asked.upgrade.clone(),
        trailers: case.asked.trailers,
    };
    Prepared { outgoing, swallow_usage }
}

/// The bytes that were judged, and no others.
fn case_target(case: &Case) -> String {
    let path = case.asked.endpoint.path.as_str();
    case.asked.query.as_ref().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

fn put_secret(
    admission: &Admission,
    headers: &mut http::HeaderMap,
    target: &mut String,
    body: Option<&mut Bytes>,
) -> Result<bool, String> {
    let Some(injection) = admission.injection() else { return Ok(false) };
    inject(injection, Slots { headers, target, body })
        .map_err(|error| format!("credential `{}` cannot be injected: {error}", injection.credential))
}

/// The body after Reeve's rewrites, where there are any, proven to be what was admitted.
fn rewritten(case: &Case, admission: &Admission, body: &Bytes) -> Result<(Option<Bytes>, bool), String> {
    let Some(call) = case.operation.llm() else {
        check_unchanged(case, admission)?;
        return Ok((None, false));
    };
    let clamped = match admission.clamp() {
        Some(tokens) => {
            let lowered = rewrite::output_limit(call.dialect, body, tokens)
                .map_err(|error| format!("the output limit cannot be lowered: {error}"))?;
            let lowered = Bytes::from(lowered);
            check_content(case, admission, &lowered)?;
            Some(lowered)
        }
        None => {
            check_unchanged(case, admission)?;
            None
        }
    };
    let asking = usage_asked(call, clamped.as_ref().unwrap_or(body))?;
    let swallow = asking.is_some();
    Ok((asking.or(clamped), swallow))
}

/// Chat streams report usage only when they are asked to.
fn usage_asked(call: &LlmCall, body: &Bytes) -> Result<Option<Bytes>, String> {
    let asking = rewrite::include_usage(call.dialect, body);
    Ok(asking.map_err(|error| format!("the usage cannot be asked for: {error}"))?.map(Bytes::from))
}

/// Nothing was rewritten, so the operation itself is what is sent.
fn check_unchanged(case: &Case, admission: &Admission) -> Result<(), String> {
    let limit = case.operation.llm().and_then(|call| call.output_limit);
    if case.operation.fingerprint(limit) == *admission.fingerprint() { Ok(()) } else { Err(differs()) }
}

/// What was rewritten is read again, and must be what was admitted.
fn check_content(case: &Case, admission: &Admission, body: &Bytes) -> Result<(), String> {
    let taken = Taken::Whole { raw: body.clone(), decoded: None };
    let head = protocol_head(&case.asked, &taken);
    let again = reeve_protocol::classify(&head, Some(body), &case.channel.shared.providers)
        .map_err(|error| format!("the rewritten request cannot be read: {error}"))?;
    let mut operation = case.operation.clone();
    operation.content = again.content;
    operation.subject = again.subject;
    let limit = operation.llm().and_then(|call| call.output_limit);
    if operation.fingerprint(limit) == *admission.fingerprint() { Ok(()) } else { Err(differs()) }
}

fn differs() -> String {
    "what would be sent is not what was admitted".to_owned()
}
