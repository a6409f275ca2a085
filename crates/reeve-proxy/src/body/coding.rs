//! One content coding each, as a machine that is pushed: bytes in, bytes out, no input or output of its own.

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

/// Longest gzip header that is read, names and comments included.
const LONGEST_GZIP_HEADER: usize = 4096;
/// Largest zstd window, as its power of two: 8 MiB, which RFC 9659 lets decoders insist on.
const ZSTD_WINDOW: u32 = 23;

/// What one step did.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    /// Whether the encoded bytes may end here.
    pub(super) complete: bool,
}

pub(super) trait Coding: Send {
    fn name(&self) -> &'static str;
    /// Takes some input and gives some output; a step that does neither has nothing left to do with this input.
    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, String>;
}

fn moved(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

fn inflate(inner: &mut Decompress, input: &[u8], out: &mut [u8]) -> Result<Step, String> {
    let (before_in, before_out) = (inner.total_in(), inner.total_out());
    let status = inner.decompress(input, out, FlushDecompress::None).map_err(|e| e.to_string())?;
    Ok(Step {
        consumed: moved(before_in, inner.total_in()),
        produced: moved(before_out, inner.total_out()),
        complete: status == Status::StreamEnd,
    })
}

/// `deflate`: zlib as the RFC says, or the raw stream that some servers send instead; told apart by the first two bytes.
pub(super) struct Deflate {
    inner: Option<Decompress>,
    first: Option<u8>,
    ended: bool,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self { inner: None, first: None, ended: false }
    }
}

impl Coding for Deflate {
    fn name(&self) -> &'static str {
        "deflate"
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, String> {
        if self.ended {
            return Ok(Step { consumed: 0, produced: 0, complete: true });
        }
        if let Some(inner) = &mut self.inner {
            let step = inflate(inner, input, out)?;
            self.ended = step.complete;
            return Ok(step);
        }
        let (first, second) = match (self.first, input) {
            (None, [first, second, ..]) => (*first, *second),
            (Some(first), [second, ..]) => (first, *second),
            (None, [first]) => {
                self.first = Some(*first);
                return Ok(Step { consumed: 1, produced: 0, complete: false });
            }
            (_, []) => return Ok(Step { consumed: 0, produced: 0, complete: false }),
        };
        let zlib = first & 0x0f == 8 && first >> 4 <= 7 && (u16::from(first) << 8 | u16::from(second)) % 31 == 0;
        let mut inner = Decompress::new(zlib);
        // A byte kept from the last chunk goes in first. One byte alone neither gives output nor ends a stream.
        if self.first.take().is_some() {
            inflate(&mut inner, &[first], &mut [])?;
        }
        let step = inflate(&mut inner, input, out)?;
        self.ended = step.complete;
        self.inner = Some(inner);
        Ok(step)
    }
}

/// `gzip`: one or more members, each with its header, checksum and length (RFC 1952).
pub(super) struct Gzip {
    state: Member,
    inner: Decompress,
    crc: Crc,
    members: u64,
}

enum Member {
    Header(Vec<u8>),
    Body,
    Trailer(Vec<u8>),
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { state: Member::Header(Vec::new()), inner: Decompress::new(false), crc: Crc::new(), members: 0 }
    }

    fn end_of_member(&self, trailer: &[u8]) -> Result<(), String> {
        let word = |at: usize| {
            let bytes = trailer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_le_bytes)
        };
        if word(0) != Some(self.crc.sum()) {
            return Err("its checksum is wrong".to_owned());
        }
        if word(4) != Some(self.crc.amount()) {
            return Err("its length is wrong".to_owned());
        }
        Ok(())
    }
}

impl Coding for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, String> {
        match &mut self.state {
            Member::Header(held) => {
                let before = held.len();
                held.extend(input.iter().take(LONGEST_GZIP_HEADER - before));
                let taken = held.len() - before;
                let consumed = match gzip_header(held)? {
                    Some(length) => {
                        self.state = Member::Body;
                        length.saturating_sub(before)
                    }
                    None if held.len() >= LONGEST_GZIP_HEADER => return Err("its header is too long".to_owned()),
                    None => taken,
                };
                Ok(Step { consumed, produced: 0, complete: self.members > 0 && consumed == 0 })
            }
            Member::Body => {
                let step = inflate(&mut self.inner, input, out)?;
                self.crc.update(out.get(..step.produced).unwrap_or_default());
                if step.complete {
                    self.state = Member::Trailer(Vec::with_capacity(8));
                }
                Ok(Step { complete: false, ..step })
            }
            Member::Trailer(held) => {
                let before = held.len();
                held.extend(input.iter().take(8 - before));
                let consumed = held.len() - before;
                let complete = held.len() == 8;
                if complete {
                    let trailer = std::mem::take(held);
                    self.end_of_member(&trailer)?;
                    *self = Self { members: self.members + 1, ..Self::new() };
                }
                Ok(Step { consumed, produced: 0, complete })
            }
        }
    }
}

/// Length of the header at the start of these bytes; `None` when it is not all there.
fn gzip_header(bytes: &[u8]) -> Result<Option<usize>, String> {
    for (byte, want) in bytes.iter().zip([0x1f, 0x8b, 8]) {
        if *byte != want {
            return Err("it does not begin like gzip".to_owned());
        }
    }
    let Some(&flags) = bytes.get(3) else { return Ok(None) };
    if flags & 0xe0 != 0 {
        return Err("its header has reserved flags".to_owned());
    }
    let mut at = 10;
    if flags & 4 != 0 {
        let Some(&[low, high]) = bytes.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    // Name and comment, each ended by a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(length) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0)) else {
                return Ok(None);
            };
            at += length + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Ok((bytes.len() >= at).then_some(at))
}

/// `br`, without the large windows that no HTTP client accepts.
pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    total: usize,
    ended: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())), total: 0, ended: false }
    }
}

impl Coding for Brotli {
    fn name(&self) -> &'static str {
        "br"
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, String> {
        if self.ended {
            return Ok(Step { consumed: 0, produced: 0, complete: true });
        }
        let (mut left, mut consumed, mut room, mut produced) = (input.len(), 0, out.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut consumed,
            input,
            &mut room,
            &mut produced,
            out,
            &mut self.total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => Err("it is not brotli".to_owned()),
            BrotliResult::ResultSuccess => {
                self.ended = true;
                Ok(Step { consumed, produced, complete: true })
            }
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {
                Ok(Step { consumed, produced, complete: false })
            }
        }
    }
}

/// `zstd`: one or more frames.
pub(super) struct Zstd(zstd::stream::raw::Decoder<'static>);

impl Zstd {
    pub(super) fn new() -> Result<Self, String> {
        let mut decoder = zstd::stream::raw::Decoder::new().map_err(|e| e.to_string())?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW)).map_err(|e| e.to_string())?;
        Ok(Self(decoder))
    }
}

impl Coding for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, String> {
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(out));
        // The hint is zero exactly at the end of a frame.
        let hint = self.0.run(&mut from, &mut to).map_err(|e| e.to_string())?;
        Ok(Step { consumed: from.pos(), produced: to.pos(), complete: hint == 0 })
    }
}
