//! Tests of the content decoders: every coding at every cut, damage, truncation and bombs.

use std::io::Write;

use super::*;
use flate2::Compression;
use proptest::prelude::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn brotli(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let fast = brotli::enc::BrotliEncoderParams { quality: 4, ..Default::default() };
    brotli::BrotliCompress(&mut &text[..], &mut out, &fast).unwrap();
    out
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

const CODINGS: [(&str, fn(&[u8]) -> Vec<u8>); 5] =
    [("gzip", gzip), ("deflate", zlib), ("deflate", raw_deflate), ("br", brotli), ("zstd", zstd)];

fn decode(coding: &str, chunks: &[&[u8]]) -> Result<Vec<u8>, BodyError> {
    let mut decoder = Decoder::new(coding)?.unwrap();
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&decoder.feed(chunk)?);
    }
    decoder.finish()?;
    Ok(out)
}

fn text() -> Vec<u8> {
    lines(3000)
}

fn lines(count: u32) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{{\"n\":{},\"t\":\"x\"}}\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
}

#[test]
fn every_coding_comes_back_at_every_cut() {
    let text = &text()[..600];
    for (name, encode) in CODINGS {
        let encoded = encode(text);
        assert_eq!(decode(name, &[&encoded]).as_deref(), Ok(text), "{name}");
        for cut in 0..encoded.len() {
            let (left, right) = encoded.split_at(cut);
            assert_eq!(decode(name, &[left, right]).as_deref(), Ok(text), "{name} cut at {cut}");
        }
        let bytes: Vec<&[u8]> = encoded.chunks(1).collect();
        assert_eq!(decode(name, &bytes).as_deref(), Ok(text), "{name} byte by byte");
    }
}

#[test]
fn a_large_body_comes_back() {
    let text = lines(30_000);
    for (name, encode) in CODINGS {
        let encoded = encode(&text);
        let chunks: Vec<&[u8]> = encoded.chunks(7000).collect();
        assert!(decode(name, &chunks).unwrap() == text, "{name}");
    }
}

#[test]
fn a_truncated_body_is_noticed_at_every_cut() {
    let text = &text()[..600];
    for (name, encode) in CODINGS {
        let encoded = encode(text);
        for cut in 1..encoded.len() {
            let result = decode(name, &[&encoded[..cut]]);
            assert!(matches!(result, Err(BodyError::Truncated(_))), "{name} cut at {cut}: {result:?}");
        }
    }
}

#[test]
fn an_empty_body_is_complete_whatever_it_claims_to_be() {
    for (name, encode) in CODINGS {
        assert_eq!(decode(name, &[]).as_deref(), Ok(&[][..]), "{name}");
        assert_eq!(decode(name, &[&encode(b"")]).as_deref(), Ok(&[][..]), "{name}");
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    for (name, encode) in CODINGS {
        let mut encoded = encode(b"hello there");
        encoded.extend_from_slice(b"GET / HTTP/1.1\r\n");
        let result = decode(name, &[&encoded]);
        assert!(matches!(result, Err(BodyError::Trailing(_) | BodyError::Damaged { .. })), "{name}: {result:?}");
        let mut decoder = Decoder::new(name).unwrap().unwrap();
        decoder.feed(&encode(b"hello there")).unwrap();
        assert!(decoder.feed(b"x").is_err() || decoder.finish().is_err(), "{name} in a chunk of its own");
    }
}

#[test]
fn damage_is_noticed() {
    let text = text();
    for (name, encode) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("deflate", zlib)] {
        let encoded = encode(&text);
        for at in [encoded.len() / 2, encoded.len() - 1, encoded.len() - 5] {
            let mut damaged = encoded.clone();
            damaged[at] ^= 0x55;
            assert!(decode(name, &[&damaged]).is_err_and(|e| e.to_string().contains(name)), "{name} at {at}");
        }
    }
    for name in ["gzip", "zstd", "br", "deflate"] {
        assert!(decode(name, &[b"\xff\xfe this is plain text, not coded at all"]).is_err(), "{name}");
    }
}

#[test]
fn gzip_members_and_zstd_frames_may_follow_each_other() {
    assert_eq!(decode("gzip", &[&[gzip(b"one "), gzip(b"two")].concat()]).unwrap(), b"one two");
    assert_eq!(decode("zstd", &[&[zstd(b"one "), zstd(b"two")].concat()]).unwrap(), b"one two");
    assert_eq!(decode("gzip", &[&gzip(b"one "), &gzip(b"two")[..9]]), Err(BodyError::Truncated("gzip")));
}

#[test]
fn a_gzip_header_with_every_field_is_read() {
    let plain = gzip(b"hello");
    let mut full = vec![0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3];
    full.extend_from_slice(b"name\0comment\0\x12\x34");
    full.extend_from_slice(&plain[10..]);
    assert_eq!(decode("x-gzip", &[&full]).unwrap(), b"hello");
    let bytes: Vec<&[u8]> = full.chunks(1).collect();
    assert_eq!(decode("GZIP", &bytes).unwrap(), b"hello");
    let endless = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &[b'n'; 8192]].concat();
    assert!(matches!(decode("gzip", &[&endless]), Err(BodyError::Damaged { .. })));
}

#[test]
fn a_flushed_event_comes_out_at_once() {
    let event = b"event: ping\ndata: {}\n\n";
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    let mut br = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    let mut zs = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    for (name, encoder) in [("gzip", &mut gz as &mut dyn Write), ("br", &mut br), ("zstd", &mut zs)] {
        encoder.write_all(event).unwrap();
        encoder.flush().unwrap();
        assert!(!name.is_empty());
    }
    for (name, bytes) in [("gzip", gz.get_ref()), ("br", br.get_ref()), ("zstd", zs.get_ref())] {
        let mut decoder = Decoder::new(name).unwrap().unwrap();
        assert_eq!(decoder.feed(bytes).unwrap().as_ref(), event, "{name}");
    }
}

#[test]
fn bombs_are_stopped_before_they_fill_memory() {
    let zeros = vec![0; 24 << 20];
    for (name, encode) in CODINGS {
        let bomb = encode(&zeros);
        assert!(bomb.len() < 100_000, "{name} is a bomb of {} bytes", bomb.len());
        let mut decoder = Decoder::new(name).unwrap().unwrap();
        let mut came_out = 0;
        let result = bomb.chunks(1024).try_for_each(|chunk| {
            let out = decoder.feed(chunk)?;
            came_out += out.len();
            assert!(out.len() < 5 << 20, "{name}: one chunk gave {}", out.len());
            Ok(())
        });
        assert_eq!(result, Err(BodyError::Ratio(200)), "{name}");
        assert!(came_out < 12 << 20, "{name}");
    }
}

#[test]
fn credit_of_honest_bytes_does_not_pay_for_a_bomb() {
    let mut honest = gzip(&(0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>());
    let bomb = gzip(&vec![0; 24 << 20]);
    let mut decoder = Decoder::new("gzip").unwrap().unwrap();
    for chunk in honest.chunks(65536) {
        decoder.feed(chunk).unwrap();
    }
    honest.clear();
    let result = bomb.chunks(4096).try_for_each(|chunk| decoder.feed(chunk).map(|out| assert!(out.len() < 5 << 20)));
    assert_eq!(result, Err(BodyError::Ratio(200)));
}

#[test]
fn the_total_is_limited_too() {
    let limits = Limits { total: 100_000, ..Limits::default() };
    let mut decoder = Decoder::with_limits("br", limits).unwrap().unwrap();
    assert_eq!(decoder.feed(&brotli(&text().repeat(3))), Err(BodyError::Total(100_000)));
}

#[test]
fn lists_of_codings_are_taken_off_from_the_end() {
    let text = text();
    let twice = brotli(&gzip(&text));
    assert!(decode("gzip, br", &[&twice]).unwrap() == text);
    assert!(decode("identity, gzip,, BR ,identity", &[&twice]).unwrap() == text);
    assert!(decode("br, gzip", &[&twice]).is_err());
    assert_eq!(decode("gzip, br", &[&twice[..twice.len() - 20]]), Err(BodyError::Truncated("br")));
    let cut_inside = brotli(&gzip(&text)[..200]);
    assert_eq!(decode("gzip, br", &[&cut_inside]), Err(BodyError::Truncated("gzip")));
}

#[test]
fn what_is_not_coded_or_not_known_is_told_apart() {
    for plain in ["", "identity", " , ", "Identity"] {
        assert!(Decoder::new(plain).unwrap().is_none(), "{plain:?}");
    }
    assert_eq!(Decoder::new("gzip, br, zstd").unwrap_err(), BodyError::TooManyCodings(3));
    for unknown in ["compress", "aes128gcm", "gzip;q=1", "gz ip", "\u{1b}[31m"] {
        assert!(matches!(Decoder::new(unknown), Err(BodyError::UnknownCoding(_))), "{unknown:?}");
    }
}

#[test]
fn a_zstd_window_above_8_mib_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(24).unwrap();
    encoder.write_all(&text()).unwrap();
    let wide = encoder.finish().unwrap();
    assert!(matches!(decode("zstd", &[&wide]), Err(BodyError::Damaged { coding: "zstd", .. })));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_nor_outgrow_the_limits(
        which in 0_usize..4,
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        magic in any::<bool>(),
    ) {
        let (name, head): (&str, &[u8]) =
            [("gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..]), ("deflate", &[0x78, 0x9c]), ("br", &[]), ("zstd", &[0x28, 0xb5, 0x2f, 0xfd])][which];
        let mut decoder = Decoder::new(name).unwrap().unwrap();
        let all = if magic { [head, &bytes].concat() } else { bytes };
        for chunk in all.chunks(37) {
            match decoder.feed(chunk) {
                Ok(out) => prop_assert!(out.len() <= (4 << 20) + 200 * 37),
                Err(error) => {
                    prop_assert!(!error.to_string().is_empty());
                    break;
                }
            }
        }
    }
}
