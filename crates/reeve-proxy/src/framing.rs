//! Strict HTTP/1 framing in both directions: CRLF only, one framing header at most, token names, bounded sizes.
//! Pure functions and incremental state machines first (`head`, `body`, `write`); `reader` puts them on a socket.

pub mod body;
pub mod head;
pub mod reader;
pub mod write;

/// Longest head, request or response, in bytes.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Most header fields in a head.
pub const MAX_HEADERS: usize = 200;
/// Longest trailer section in bytes.
pub const MAX_TRAILER_BYTES: usize = 8 * 1024;
/// Most trailer fields.
pub const MAX_TRAILERS: usize = 64;
/// Longest chunk-size line in bytes, extension included.
pub const MAX_CHUNK_LINE: usize = 256;
/// Most bytes of chunk extensions in one body.
pub const MAX_CHUNK_EXTENSIONS: usize = 16 * 1024;

/// What is wrong with bytes that claim to be HTTP/1. Names the cause; never repeats the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    #[error("a line ends without carriage return and line feed together")]
    BareLineEnd,
    #[error("a NUL byte in the head")]
    Nul,
    #[error("a folded header line")]
    FoldedHeader,
    #[error("an empty line before the head")]
    EmptyStart,
    #[error("the head is longer than 64 KiB")]
    HeadTooLong,
    #[error("the head has more than 200 header fields")]
    TooManyHeaders,
    #[error("the start line is malformed")]
    StartLine,
    #[error("the HTTP version is not 1.0 or 1.1")]
    Version,
    #[error("the method is not an upper-case token")]
    Method,
    #[error("a header name is malformed")]
    HeaderName,
    #[error("a header value is malformed")]
    HeaderValue,
    #[error("more than one `Content-Length` header")]
    DuplicateContentLength,
    #[error("`Content-Length` is not a plain number")]
    ContentLength,
    #[error("both `Content-Length` and `Transfer-Encoding`")]
    ConflictingLength,
    #[error("more than one `Transfer-Encoding` header")]
    DuplicateTransferEncoding,
    #[error("`Transfer-Encoding` is not exactly `chunked`")]
    TransferEncoding,
    #[error("`Transfer-Encoding` in HTTP/1.0")]
    TransferEncodingInOldVersion,
    #[error("a chunk size is malformed or too large")]
    ChunkSize,
    #[error("a chunk is not followed by a line end")]
    ChunkEnd,
    #[error("chunk extensions are too long")]
    ChunkExtension,
    #[error("the trailer section is malformed")]
    Trailer,
    #[error("the trailer section is longer than 8 KiB")]
    TrailerTooLong,
    #[error("the message ended before its body was complete")]
    Truncated,
}
