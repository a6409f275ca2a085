//! Content codings, decoded as the bytes come: gzip, br, zstd and deflate (zlib or raw), and short lists of them.
//! Memory is bounded: what comes out is measured against what went in, per chunk and in all, and against a total.

mod coding;

use bytes::Bytes;

use coding::{Brotli, Coding, Deflate, Gzip, Zstd};

/// Most codings that one body may be wrapped in.
const MOST_CODINGS: usize = 2;
/// Room that a coding decodes into at a time.
const SCRATCH: usize = 32 * 1024;

/// How far a body may grow when it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Decoded bytes for each encoded byte, once `free` is passed.
    pub ratio: u64,
    /// Decoded bytes that are not looked at.
    pub free: u64,
    /// Decoded bytes in all.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { ratio: 200, free: 4 << 20, total: 1 << 30 }
    }
}

/// Why a body cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the content coding `{0}` is not one of gzip, br, zstd, deflate")]
    UnknownCoding(String),
    #[error("the body is wrapped in {0} content codings, more than {MOST_CODINGS}")]
    TooManyCodings(usize),
    #[error("the {coding} body is damaged: {why}")]
    Damaged { coding: &'static str, why: String },
    #[error("the {0} body ends too early")]
    Truncated(&'static str),
    #[error("the {0} body goes on after its end")]
    Trailing(&'static str),
    #[error("the body grows more than {0} times when decoded")]
    Ratio(u64),
    #[error("the body has more than {0} bytes when decoded")]
    Total(u64),
}

/// Decodes one body.
pub struct Decoder {
    /// In the order in which they are taken off: the last one named comes first.
    layers: Vec<Layer>,
    limits: Limits,
    fed: u64,
}

struct Layer {
    coding: Box<dyn Coding>,
    /// Whether the encoded bytes may end here.
    complete: bool,
    given: u64,
}

impl Decoder {
    /// A decoder for the value of a `Content-Encoding` header. `None`: the body is not coded.
    ///
    /// # Errors
    /// When a coding is not known or there are too many.
    pub fn new(content_encoding: &str) -> Result<Option<Self>, BodyError> {
        Self::with_limits(content_encoding, Limits::default())
    }

    /// # Errors
    /// When a coding is not known or there are too many.
    pub fn with_limits(content_encoding: &str, limits: Limits) -> Result<Option<Self>, BodyError> {
        let names = content_encoding.split(',').map(str::trim);
        let names: Vec<_> = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")).collect();
        if names.len() > MOST_CODINGS {
            return Err(BodyError::TooManyCodings(names.len()));
        }
        let layers = names.iter().rev().map(|name| Layer::new(name)).collect::<Result<Vec<_>, _>>()?;
        Ok((!layers.is_empty()).then_some(Self { layers, limits, fed: 0 }))
    }

    /// Decodes a chunk. What comes out is all that this chunk completes: a flushed event is never kept back.
    ///
    /// # Errors
    /// When the body is damaged or grows too much; the decoder is then of no more use.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Bytes, BodyError> {
        let given = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.fed = self.fed.saturating_add(given);
        let mut data = None;
        for layer in &mut self.layers {
            let input = data.as_deref().unwrap_or(chunk);
            data = Some(layer.feed(input, given, self.fed, self.limits)?);
        }
        Ok(data.map_or_else(|| Bytes::copy_from_slice(chunk), Bytes::from))
    }

    /// To be called at the end of the body.
    ///
    /// # Errors
    /// When the encoded bytes are not complete. Nothing at all is complete: answers without content name codings too.
    pub fn finish(&self) -> Result<(), BodyError> {
        match self.layers.iter().find(|layer| !layer.complete) {
            Some(layer) if self.fed > 0 => Err(BodyError::Truncated(layer.coding.name())),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.layers.iter().map(|layer| layer.coding.name())).finish()
    }
}

impl Layer {
    fn new(name: &str) -> Result<Self, BodyError> {
        let coding: Box<dyn Coding> = match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Box::new(Gzip::new()),
            "br" => Box::new(Brotli::new()),
            "zstd" => Box::new(Zstd::new().map_err(|why| BodyError::Damaged { coding: "zstd", why })?),
            "deflate" => Box::new(Deflate::new()),
            _ => {
                let shown = name.chars().take(32).flat_map(char::escape_debug).collect();
                return Err(BodyError::UnknownCoding(shown));
            }
        };
        Ok(Self { coding, complete: false, given: 0 })
    }

    /// `chunk` and `fed` are bytes as they came from the wire: of this feed, and in all.
    fn feed(&mut self, input: &[u8], chunk: u64, fed: u64, limits: Limits) -> Result<Vec<u8>, BodyError> {
        let name = self.coding.name();
        let mut out = Vec::new();
        let mut scratch = [0; SCRATCH];
        let mut rest = input;
        // Credit that honest bytes earned is not for one chunk to spend: the ratio holds for each chunk too.
        let most_now = limits.free.saturating_add(limits.ratio.saturating_mul(chunk));
        let most_ever = limits.free.saturating_add(limits.ratio.saturating_mul(fed));
        loop {
            let step = self.coding.run(rest, &mut scratch).map_err(|why| BodyError::Damaged { coding: name, why })?;
            let produced = scratch.get(..step.produced).unwrap_or_default();
            rest = rest.get(step.consumed..).unwrap_or_default();
            out.extend_from_slice(produced);
            self.given = self.given.saturating_add(u64::try_from(produced.len()).unwrap_or(u64::MAX));
            if self.given > limits.total {
                return Err(BodyError::Total(limits.total));
            }
            if u64::try_from(out.len()).unwrap_or(u64::MAX) > most_now || self.given > most_ever {
                return Err(BodyError::Ratio(limits.ratio));
            }
            let moved = step.consumed > 0 || step.produced > 0;
            if moved {
                self.complete = step.complete;
            }
            match (moved, rest.is_empty()) {
                (_, true) if step.produced < SCRATCH => return Ok(out),
                (true, _) => {}
                (false, true) => return Ok(out),
                (false, false) if self.complete => return Err(BodyError::Trailing(name)),
                (false, false) => return Err(BodyError::Damaged { coding: name, why: "it leads nowhere".to_owned() }),
            }
        }
    }
}

#[cfg(test)]
mod tests;
