//! Content codings: the same in any pieces, bounded, never a panic. The first byte of an input chooses the coding.

use reeve_proxy::body::{BodyError, Decoder, Limits};

use super::{Target, behaviour, roughly};
use crate::random::pieces;

const CODINGS: [&str; 6] = ["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip"];
/// So wide that no honest input reaches them, so tight that a bomb ends quickly.
const LIMITS: Limits = Limits { ratio: 100_000, free: 1 << 20, total: 1 << 21 };

pub(super) fn target() -> Target {
    let words: Vec<Vec<u8>> = [
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..],
        &[0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 3],
        &[0x78, 0x9c],
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[0x50, 0x2a, 0x4d, 0x18],
        &[0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0],
        &[3, 0],
        &[0; 8],
        &[0xff; 8],
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    Target { name: "coding", seeds: Vec::new(), words, longest: 2048, run: Box::new(run) }
}

fn decode<'a>(coding: &str, input: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, BodyError> {
    let mut out = Vec::new();
    let Some(mut decoder) = Decoder::with_limits(coding, LIMITS)? else { return Ok(out) };
    for piece in input {
        out.extend_from_slice(&decoder.feed(piece)?);
        assert!(out.len() <= 1 << 21, "more than the limit came out");
    }
    decoder.finish().map(|()| out)
}

fn run(input: &[u8]) -> u64 {
    let (first, rest) = input.split_first().unwrap_or((&0, &[]));
    let coding = CODINGS.get(usize::from(*first) % CODINGS.len()).copied().unwrap_or("gzip");
    let whole = decode(coding, [rest]);
    let in_pieces = decode(coding, pieces(rest));
    match (&whole, &in_pieces) {
        (Ok(whole), Ok(in_pieces)) => assert!(whole == in_pieces, "{coding} decodes otherwise in pieces"),
        (Err(BodyError::Ratio(_) | BodyError::Total(_)), _) | (_, Err(BodyError::Ratio(_) | BodyError::Total(_))) => {}
        (whole, in_pieces) => {
            let (whole, in_pieces) = (whole.as_ref().err(), in_pieces.as_ref().err());
            assert_eq!(whole.is_some(), in_pieces.is_some(), "{coding}: {whole:?} as a whole, {in_pieces:?} in pieces");
        }
    }
    match whole {
        Ok(out) => behaviour(&format!("{coding} {}", roughly(out.len()))),
        Err(error) => behaviour(&format!("{coding} {error:?}")),
    }
}
