//! Content codings: request bodies are decoded before they are read, answers may be sent encoded, event by event.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::script::Coding;

/// Most bytes that a decoded request may have.
pub(super) const BODY_LIMIT: u64 = 256 * 1024 * 1024;

/// Undoes the codings that `Content-Encoding` lists, last first.
///
/// # Errors
/// When a coding is unknown, the bytes are not of that coding, or more than the limit comes out.
pub(super) fn decode(codings: &str, body: Bytes) -> io::Result<Bytes> {
    let mut body = body;
    for coding in codings.split(',').rev().map(str::trim).filter(|c| !c.is_empty()) {
        body = match coding.to_ascii_lowercase().as_str() {
            "identity" => body,
            "gzip" | "x-gzip" => all(flate2::read::MultiGzDecoder::new(&*body))?,
            "deflate" => all(flate2::read::ZlibDecoder::new(&*body))?,
            "br" => all(brotli::Decompressor::new(&*body, 4096))?,
            "zstd" => all(zstd::stream::read::Decoder::new(&*body)?)?,
            other => return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("unknown coding `{other}`"))),
        };
    }
    Ok(body)
}

fn all(reader: impl Read) -> io::Result<Bytes> {
    let mut out = Vec::new();
    let read = reader.take(BODY_LIMIT + 1).read_to_end(&mut out)?;
    if read as u64 > BODY_LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the decoded body is too large"));
    }
    Ok(out.into())
}

/// Encodes an answer piece by piece; every piece can be decoded as soon as it arrives.
pub(super) enum Encoder {
    Identity,
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Br(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    pub(super) fn new(coding: Option<Coding>) -> io::Result<Self> {
        let level = flate2::Compression::fast();
        Ok(match coding {
            None => Self::Identity,
            Some(Coding::Gzip) => Self::Gzip(GzEncoder::new(Vec::new(), level)),
            Some(Coding::Deflate) => Self::Deflate(ZlibEncoder::new(Vec::new(), level)),
            Some(Coding::Br) => Self::Br(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, 3, 20))),
            Some(Coding::Zstd) => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
        })
    }

    /// The encoded bytes of one piece, flushed.
    pub(super) fn piece(&mut self, data: Bytes) -> io::Result<Bytes> {
        fn put<W: Write>(writer: &mut W, data: &[u8], out: impl FnOnce(&mut W) -> &mut Vec<u8>) -> io::Result<Bytes> {
            writer.write_all(data)?;
            writer.flush()?;
            Ok(std::mem::take(out(writer)).into())
        }
        match self {
            Self::Identity => Ok(data),
            Self::Gzip(w) => put(w, &data, GzEncoder::get_mut),
            Self::Deflate(w) => put(w, &data, ZlibEncoder::get_mut),
            Self::Br(w) => put(w.as_mut(), &data, brotli::CompressorWriter::get_mut),
            Self::Zstd(w) => put(w, &data, zstd::stream::write::Encoder::get_mut),
        }
    }

    /// What ends the coding.
    pub(super) fn end(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Identity => Bytes::new(),
            Self::Gzip(w) => w.finish()?.into(),
            Self::Deflate(w) => w.finish()?.into(),
            Self::Br(w) => w.into_inner().into(),
            Self::Zstd(w) => w.finish()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_in_pieces_decodes_to_the_whole() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Br, Coding::Zstd] {
            let mut encoder = Encoder::new(Some(coding)).unwrap();
            let mut wire = encoder.piece(Bytes::from_static(b"one ")).unwrap().to_vec();
            wire.extend(encoder.piece(Bytes::from_static(b"two")).unwrap());
            wire.extend(encoder.end().unwrap());
            assert_eq!(decode(coding.token(), wire.into()).unwrap(), "one two", "{coding:?}");
        }
    }

    #[test]
    fn an_unknown_coding_and_bytes_of_another_one_are_errors() {
        assert!(decode("rot13", Bytes::from_static(b"x")).is_err());
        assert!(decode("gzip", Bytes::from_static(b"not gzip")).is_err());
    }
}
