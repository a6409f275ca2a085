//! The answer on its way to the client: byte for byte with the meter reading along, or decoded, changed and sent on as
//! identity where a secret could come back or Reeve asked for more than the client did.

use std::future::Future;
use std::hash::{DefaultHasher, Hasher as _};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HeaderMap};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use reeve_domain::obligation::Obligation;
use reeve_domain::outcome::Ending;
use reeve_protocol::Meter;
use reeve_protocol::meter::UsageFilter;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::body::{BodyError, Decoder};
use crate::exchange::act::until;
use crate::exchange::intake::content_coding;
use crate::exchange::request::clean_response;
use crate::exchange::settler::{Refused, Settler};
use crate::exchange::{Answer, Case, Turned};
use crate::mask::{MaskSet, Masker};
use crate::payload::{Payload, PayloadError};
use crate::refusal::Refusal;

/// An answer that does not move for this long is given up; models may think for minutes between events.
const IDLE: Duration = Duration::from_secs(900);
/// Why an answer is cut from outside.
pub(super) const TOO_LONG: &str = "it took longer than its rule allows";
pub(super) const STOPPED: &str = "the session ended or a rule changed";
/// Headers that describe bytes which the client does not get.
const OF_THE_BYTES: &[&str] =
    &["content-length", "content-encoding", "content-md5", "digest", "repr-digest", "accept-ranges"];

/// Begins to pass an answer on.
///
/// # Errors
/// When it cannot be masked and a rule blocks such answers.
pub(super) fn pass(
    case: &Case,
    response: Response<Payload>,
    mut settler: Settler,
    swallow_usage: bool,
    deadline: Option<Instant>,
) -> Result<Answer, Turned> {
    let (mut head, body) = response.into_parts();
    clean_response(&mut head.headers);
    settler.outcome.status = Some(head.status.as_u16());
    settler.meter = case.operation.llm().filter(|_| head.status.is_success()).map(Meter::new);
    settler.refused = Refused::of(&case.operation, head.status.as_u16(), &head.headers);
    settler.answer = hashes(case).then(DefaultHasher::new);
    let coding = content_coding(&head.headers);
    let mut masker = masker(case, &settler);
    let filter = (swallow_usage && head.status.is_success()).then(UsageFilter::new);
    let decoder = coding.as_deref().map_or(Ok(None), Decoder::new);
    if let Some(masker) = &mut masker {
        masker.mask_headers(&mut head.headers);
    }
    let work = match decoder {
        Ok(decoder) if masker.is_some() || filter.is_some() => {
            forget_the_bytes(&mut head.headers, case, head.status);
            Work::Change { decoder, masker, filter }
        }
        Ok(decoder) => Work::Tee { decoder, readable: true },
        Err(error) if masker.is_some() && blocks_undecodable(&settler) => {
            let why = unreadable(&error);
            settler.unmasked = Some((why.clone(), true));
            settler.settle(Ending::CutByReeve { why: format!("the answer cannot be masked: {why}") });
            let message = format!("The answer to a request with a stored credential cannot be masked: {why}.");
            return Err(Turned::Failed(Refusal::upstream(message)));
        }
        // Recorded, and passed on: head, trailers and the coded bytes as they are can still be masked.
        Err(error) if masker.is_some() => {
            settler.unmasked = Some((unreadable(&error), false));
            settler.meter = None;
            let codings = head.headers.get_all(CONTENT_ENCODING).iter().cloned().collect::<Vec<_>>();
            forget_the_bytes(&mut head.headers, case, head.status);
            for coding in codings {
                head.headers.append(CONTENT_ENCODING, coding);
            }
            Work::Change { decoder: None, masker, filter: None }
        }
        Err(error) => {
            tracing::warn!(operation = %case.operation.id, %error, "an answer cannot be decoded");
            Work::Tee { decoder: None, readable: false }
        }
    };
    let body = Passing::new(body, work, settler, deadline);
    Ok(Response::from_parts(head, body.started()).into())
}

/// Whether it is looked at that the same answer comes again. No two answers of a model are the same.
fn hashes(case: &Case) -> bool {
    let looked_at = case.channel.shared.engine.policies().in_force().limits.loops().requests;
    looked_at && case.operation.llm().is_none()
}

/// The set is made once per session and secret: its automaton costs more than most answers.
fn masker(case: &Case, settler: &Settler) -> Option<Masker> {
    let injection = settler.admission()?.injection()?;
    let set = match case.channel.shared.desk(case.channel.session.id()) {
        Some(desk) => desk.masks.of(&injection.credential, &injection.secret),
        None => Arc::new(MaskSet::new([(&injection.credential, &injection.secret)])),
    };
    Some(set.stream())
}

fn blocks_undecodable(settler: &Settler) -> bool {
    settler.admission().is_some_and(|admission| admission.obligations().contains(&Obligation::BlockUndecodable))
}

/// Why an answer cannot be read, without a word of the upstream's: it may echo what must be masked.
fn unreadable(error: &BodyError) -> String {
    match error {
        BodyError::UnknownCoding(_) => "its content coding is unknown".to_owned(),
        known => known.to_string(),
    }
}

fn forget_the_bytes(headers: &mut HeaderMap, case: &Case, status: StatusCode) {
    // An answer without body describes bytes that are not there.
    if case.asked.endpoint.method == "HEAD" || status == StatusCode::NOT_MODIFIED {
        return;
    }
    for name in OF_THE_BYTES {
        headers.remove(*name);
    }
}

/// What is done to the bytes.
enum Work {
    /// Forwarded as they are; the meter reads what they decode to.
    Tee { decoder: Option<Decoder>, readable: bool },
    /// Decoded, changed, forwarded as identity.
    Change { decoder: Option<Decoder>, masker: Option<Masker>, filter: Option<UsageFilter> },
}

/// The body of an answer.
struct Passing {
    core: Arc<Mutex<Core>>,
    watch: AbortHandle,
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// What passes, and what becomes of it.
struct Core {
    inner: Payload,
    work: Work,
    settler: Settler,
    /// Set anew by every piece that comes.
    idle: Pin<Box<Sleep>>,
    /// Trailers that came, sent once everything before them is.
    trailers: Option<HeaderMap>,
    over: bool,
    /// Stopped from outside; the reader has not heard of it yet.
    stopped: Option<PayloadError>,
    waker: Option<Waker>,
}

impl Passing {
    fn new(inner: Payload, work: Work, settler: Settler, deadline: Option<Instant>) -> Self {
        let revoked = settler.admission().map(|admission| admission.revoked().clone()).unwrap_or_default();
        let idle = Box::pin(sleep_until(Instant::now() + IDLE));
        let (trailers, over, stopped, waker) = (None, false, None, None);
        let core = Core { inner, work, settler, idle, trailers, over, stopped, waker };
        let core = Arc::new(Mutex::new(core));
        let watch = tokio::spawn(watch(Arc::downgrade(&core), revoked, deadline)).abort_handle();
        Self { core, watch }
    }

    /// An answer without body is over before anybody reads it.
    fn started(self) -> Payload {
        {
            let mut core = self.core.lock();
            if core.inner.is_end_stream() {
                core.finish();
            }
        }
        self.boxed_unsync()
    }
}

/// Cuts the upstream when session, policy or time say so, also while the client reads nothing and so asks for nothing.
async fn watch(core: Weak<Mutex<Core>>, revoked: CancellationToken, deadline: Option<Instant>) {
    let why = tokio::select! {
        () = revoked.cancelled() => STOPPED,
        () = until(deadline) => TOO_LONG,
    };
    if let Some(core) = core.upgrade() {
        core.lock().stop(why);
    }
}

impl Core {
    fn stop(&mut self, why: &str) {
        if self.over {
            return;
        }
        let error = self.fail(PayloadError::Reeve(why.to_owned()));
        self.stopped = Some(error);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Settles a bad ending and lets go of the upstream.
    fn fail(&mut self, error: PayloadError) -> PayloadError {
        let ending = match &error {
            PayloadError::Client(_) => Ending::CutByClient,
            PayloadError::Upstream(why) => Ending::CutByUpstream { why: why.clone() },
            PayloadError::Reeve(why) => Ending::CutByReeve { why: why.clone() },
        };
        self.note_masked();
        self.settler.settle(ending);
        self.over = true;
        self.inner = crate::payload::empty();
        error
    }

    fn note_masked(&mut self) {
        if let Work::Change { masker: Some(masker), .. } = &self.work {
            self.settler.outcome.masked = masker.count();
        }
    }

    /// What one piece becomes.
    fn work(&mut self, data: Bytes) -> Result<Bytes, PayloadError> {
        self.settler.first_byte();
        self.settler.outcome.response_bytes += data.len() as u64;
        if let Some(answer) = &mut self.settler.answer {
            answer.write(&data);
        }
        let meter = &mut self.settler.meter;
        match &mut self.work {
            Work::Tee { decoder, readable } => {
                if let Some(meter) = meter.as_mut().filter(|_| *readable) {
                    match decoder.as_mut().map(|decoder| decoder.feed(&data)) {
                        None => meter.feed(&data),
                        Some(Ok(decoded)) => meter.feed(&decoded),
                        // The client gets it as it is; its usage is not known.
                        Some(Err(_)) => *readable = false,
                    }
                }
                Ok(data)
            }
            Work::Change { decoder, masker, filter } => {
                let decoded = match decoder.as_mut().map(|decoder| decoder.feed(&data)) {
                    None => data,
                    Some(Ok(decoded)) => decoded,
                    Some(Err(error)) => return Err(PayloadError::Upstream(error.to_string())),
                };
                if let Some(meter) = meter {
                    meter.feed(&decoded);
                }
                if let Some(refused) = &mut self.settler.refused {
                    refused.feed(&decoded);
                }
                let kept = match filter {
                    None => decoded,
                    Some(filter) => {
                        let mut kept = Vec::with_capacity(decoded.len());
                        filter.feed(&decoded, &mut kept);
                        Bytes::from(kept)
                    }
                };
                Ok(masker.as_mut().map_or_else(|| kept.clone(), |masker| masker.feed(&kept)))
            }
        }
    }

    /// What was held back, once the answer ended well.
    fn rest(&mut self) -> Result<Bytes, PayloadError> {
        let Work::Change { decoder, masker, filter } = &mut self.work else { return Ok(Bytes::new()) };
        if let Some(Err(error)) = decoder.as_ref().map(Decoder::finish) {
            return Err(PayloadError::Upstream(error.to_string()));
        }
        let mut rest = Vec::new();
        if let Some(filter) = filter.take() {
            filter.finish(&mut rest);
        }
        let Some(masker) = masker else { return Ok(Bytes::from(rest)) };
        let mut masked = masker.feed(&rest).to_vec();
        masked.extend_from_slice(&masker.finish());
        Ok(Bytes::from(masked))
    }

    /// The answer is complete: settled before the client can know it.
    fn finish(&mut self) {
        self.over = true;
        self.note_masked();
        self.settler.settle(Ending::Complete);
    }

    fn end(&mut self) -> Option<Result<Frame<Bytes>, PayloadError>> {
        let rest = match self.rest() {
            Ok(rest) => rest,
            Err(error) => return Some(Err(self.fail(error))),
        };
        self.finish();
        if !rest.is_empty() {
            return Some(Ok(Frame::data(rest)));
        }
        self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))
    }

    fn keep_trailers(&mut self, mut trailers: HeaderMap) {
        if let Work::Change { masker: Some(masker), .. } = &mut self.work {
            masker.mask_headers(&mut trailers);
        }
        self.trailers = Some(trailers);
    }
}

impl Core {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        loop {
            if let Some(error) = self.stopped.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if self.over {
                return Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
            }
            let Poll::Ready(next) = Pin::new(&mut self.inner).poll_frame(cx) else {
                self.waker = Some(cx.waker().clone());
                ready!(self.idle.as_mut().poll(cx));
                let why = "it stood still for 15 minutes".to_owned();
                return Poll::Ready(Some(Err(self.fail(PayloadError::Upstream(why)))));
            };
            self.idle.as_mut().reset(Instant::now() + IDLE);
            match next.map(|next| next.map(Frame::into_data)) {
                None => return Poll::Ready(self.end()),
                Some(Err(error)) => return Poll::Ready(Some(Err(self.fail(error)))),
                Some(Ok(Ok(data))) => {
                    if let Some(piece) = self.piece(data) {
                        return Poll::Ready(Some(piece));
                    }
                }
                Some(Ok(Err(frame))) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.keep_trailers(trailers);
                    }
                }
            }
        }
    }

    /// One piece for the client; `None` where all of it is held back.
    fn piece(&mut self, data: Bytes) -> Option<Result<Frame<Bytes>, PayloadError>> {
        match self.work(data) {
            Ok(out) if out.is_empty() => None,
            Ok(out) => {
                // The client may take its last byte for the end, so the end is settled before it goes.
                if matches!(self.work, Work::Tee { .. }) && self.inner.is_end_stream() {
                    self.finish();
                }
                Some(Ok(Frame::data(out)))
            }
            Err(error) => Some(Err(self.fail(error))),
        }
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        self.core.lock().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        let core = self.core.lock();
        core.over && core.trailers.is_none() && core.stopped.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let core = self.core.lock();
        match &core.work {
            _ if core.over => SizeHint::with_exact(0),
            Work::Tee { .. } => core.inner.size_hint(),
            Work::Change { .. } => SizeHint::default(),
        }
    }
}
