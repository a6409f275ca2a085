//! The other end of the bench: answers at once and as often as it is asked, and says in every event when it was sent.
//!
//! What is asked for stands in the header [`PLAN`]; without it a call is answered whole.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use reeve_demo::provider::Certificates;
use tokio::net::TcpListener;

/// `events=N,gap=MICROSECONDS`: so many events, each after such a pause. `bytes=N`: so many bytes.
pub const PLAN: &str = "x-bench-plan";
/// What stands before the sending time in an event, in nanoseconds since the bench began.
pub const SENT: &str = "\"sent\":";

/// Bytes of an answer that is not streamed, and of its text.
const WHOLE: usize = 8 << 10;
/// Bytes of one piece of a long body.
const PIECE: usize = 64 << 10;
/// Events that leave in one piece where there is no pause between them: 8 KB, as in [`WHOLE`].
const TOGETHER: u64 = 60;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Nanoseconds since the bench began.
pub fn now() -> u64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGUN.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

pub struct Upstream {
    pub address: SocketAddr,
    pub root_pem: String,
}

impl Upstream {
    /// Serves until the runtime ends.
    pub async fn start() -> anyhow::Result<Self> {
        let certificates = Arc::new(Certificates::new()?);
        let acceptor = certificates.acceptor(&["h2", "http/1.1"])?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let upstream = Self { address: listener.local_addr()?, root_pem: certificates.root_pem() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    stream.set_nodelay(true)?;
                    let stream = TokioIo::new(acceptor.accept(stream).await?);
                    let server = auto::Builder::new(TokioExecutor::new());
                    let served = server.serve_connection(stream, service_fn(answer)).await;
                    served.map_err(|error| anyhow::anyhow!("{error}"))
                });
            }
        });
        Ok(upstream)
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let plan = request.headers().get(PLAN).and_then(|plan| plan.to_str().ok()).unwrap_or_default().to_owned();
    request.into_body().collect().await?;
    let (kind, body) = match (number(&plan, "events"), number(&plan, "bytes")) {
        (Some(events), _) => ("text/event-stream", streamed(events, number(&plan, "gap").unwrap_or(0))),
        (None, Some(bytes)) => ("application/octet-stream", long(bytes)),
        (None, None) => ("application/json", whole()),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
    Ok(response)
}

fn number(plan: &str, name: &str) -> Option<u64> {
    plan.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

/// One answer of the Anthropic dialect.
fn whole() -> Body {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let answer = serde_json::json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5",
            "content": [{ "type": "text", "text": "word ".repeat(WHOLE / 5) }],
            "stop_reason": "end_turn", "usage": { "input_tokens": 500, "output_tokens": 60 },
        });
        Bytes::from(answer.to_string())
    });
    Full::new(text.clone()).boxed_unsync()
}

fn long(bytes: u64) -> Body {
    static ZEROES: [u8; PIECE] = [0; PIECE];
    let pieces = (0..bytes.div_ceil(PIECE as u64)).map(move |n| {
        let left = usize::try_from(bytes - n * PIECE as u64).unwrap_or(PIECE).min(PIECE);
        Ok(Frame::data(Bytes::from_static(&ZEROES[..left])))
    });
    StreamBody::new(stream::iter(pieces)).boxed_unsync()
}

/// The same answer as events.
fn streamed(events: u64, gap: u64) -> Body {
    let begin = concat!(
        r#"event: message_start"#,
        "\n",
        r#"data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"usage":{"input_tokens":500,"output_tokens":1}}}"#,
        "\n\n",
        r#"event: content_block_start"#,
        "\n",
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        "\n\n",
    );
    let end = concat!(
        r#"event: content_block_stop"#,
        "\n",
        r#"data: {"type":"content_block_stop","index":0}"#,
        "\n\n",
        r#"event: message_delta"#,
        "\n",
        r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":60}}"#,
        "\n\n",
        r#"event: message_stop"#,
        "\n",
        r#"data: {"type":"message_stop"}"#,
        "\n\n",
    );
    let at_once = if gap == 0 { TOGETHER } else { 1 };
    let deltas = stream::iter(0..events.div_ceil(at_once)).then(move |n| async move {
        if gap > 0 {
            tokio::time::sleep(Duration::from_micros(gap)).await;
        }
        let count = at_once.min(events - n * at_once);
        delta().repeat(usize::try_from(count).unwrap_or_default())
    });
    let pieces = stream::iter([begin.to_owned()]).chain(deltas).chain(stream::iter([end.to_owned()]));
    StreamBody::new(pieces.map(|text| Ok(Frame::data(Bytes::from(text))))).boxed_unsync()
}

fn delta() -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,{SENT}{},\"delta\":{{\"type\":\"text_delta\",\"text\":\"word \"}}}}\n\n",
        now()
    )
}
