//! WebSocket frames of an upstream on their way to a client: read the same in any pieces, written out as frames again, and
//! no sought form comes out in a message.

use std::sync::Arc;

use bytes::BytesMut;
use reeve_domain::id::CredentialId;
use reeve_domain::sensitive::Secret;
use reeve_proxy::mask::MaskSet;
use reeve_proxy::websocket::frame::{Frames, Head, Side, Step, unmask};
use reeve_proxy::websocket::guard::Inward;

use super::{Target, behaviour, roughly};
use crate::random::pieces;

const SECRET: &str = "abcabcabd/+";

pub(super) fn target() -> Target {
    let secret = Secret::from(SECRET.to_owned());
    let id = CredentialId::parse("self").ok();
    let set = Arc::new(MaskSet::new(id.iter().map(|id| (id, &secret))));
    let frame = |first: u8, payload: &[u8]| {
        let mut out = BytesMut::new();
        Head::write(&mut out, first & 0x80 != 0, first & 0x0f, payload.len());
        [&out, payload].concat()
    };
    let words = vec![
        frame(0x81, b"hello"),
        frame(0x01, b"abcabc"),
        frame(0x80, b"abd/+"),
        frame(0x82, SECRET.as_bytes()),
        frame(0x89, b"ping"),
        frame(0x88, &[3, 232]),
        frame(0x82, &[7; 200]),
        b"\x81\x7f\x00\x00\x00\x00\x00\x02\x00\x00".to_vec(),
        b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".to_vec(),
        SECRET.as_bytes().to_vec(),
    ];
    let seeds = vec![words.concat(), [frame(0x01, b"abcabc"), frame(0x89, b""), frame(0x80, b"abd/+")].concat()];
    Target { name: "websocket", seeds, words, longest: 1500, run: Box::new(move |input| run(&set, input)) }
}

/// What the client gets, and whether the upstream kept to the grammar.
fn passed<'a>(set: &Arc<MaskSet>, input: impl IntoIterator<Item = &'a [u8]>) -> (BytesMut, bool) {
    let (mut inward, mut out) = (Inward::new(set.stream()), BytesMut::new());
    let good = input.into_iter().all(|piece| inward.feed(piece, &mut out).is_ok());
    (out, good)
}

fn run(set: &Arc<MaskSet>, input: &[u8]) -> u64 {
    let (mut whole, good) = passed(set, [input]);
    let (_, good_in_pieces) = passed(set, pieces(input));
    assert_eq!(good, good_in_pieces, "pieces are read otherwise");
    let (mut frames, mut text, mut heads) = (Frames::of(Side::Server), Vec::new(), 0);
    loop {
        match frames.step(&mut whole) {
            Ok(Some(Step::Head(..))) => heads += 1,
            Ok(Some(Step::Payload(bytes, _))) => text.extend_from_slice(&bytes),
            Ok(None) => break,
            Err(error) => unreachable!("what comes out is no frame: {error}"),
        }
    }
    assert!(heads == 0 || whole.is_empty(), "half a frame came out");
    check_client(input);
    behaviour(&format!("{good} {} {}", roughly(heads), roughly(text.len())))
}

/// The other side's frames are read without a panic, and a mask applied twice changes nothing.
fn check_client(input: &[u8]) {
    let (mut frames, mut bytes) = (Frames::of(Side::Client), BytesMut::from(input));
    let mut mask = [0; 4];
    while let Ok(Some(step)) = frames.step(&mut bytes) {
        match step {
            Step::Head(head, _) => mask = head.mask.unwrap_or_default(),
            Step::Payload(raw, _) => {
                let mut twice = raw.clone();
                unmask(&mut twice, mask, 5);
                unmask(&mut twice, mask, 5);
                assert_eq!(twice, raw, "a mask applied twice changes bytes");
            }
        }
    }
}
