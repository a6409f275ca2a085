//! What passes through a WebSocket, looked through in both directions: what may not leave ends the connection before it is
//! whole, and what comes back masked keeps the shape of its messages. Memory is bounded whatever the messages' lengths.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use reeve_engine::leaks::{Leak, LeakStream};

use super::frame::{CLOSE, FrameError, Frames, Head, MOST_CONTROL, Side, Step, unmask};
use crate::mask::Masker;

/// Frames up to this size come back from masking as one frame; longer ones in pieces.
const WHOLE: u64 = 64 * 1024;
/// Bytes that may wait behind what looks like the beginning of a leak.
const HELD: usize = 64 * 1024;

/// Why what a client sends goes no further.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped {
    Leak(Leak),
    Frame(FrameError),
}

impl From<FrameError> for Stopped {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

/// From the client to the upstream: passed as it came, but for the end of what may become a leak.
pub struct Outward {
    frames: Frames,
    bytes: BytesMut,
    scan: LeakStream,
    may_pass: Box<dyn Fn(&Leak) -> bool + Send + Sync>,
    head: Option<Head>,
    /// Payload bytes of the frame so far.
    seen: u64,
    /// Payload of a control frame, which is looked through by itself.
    control: Vec<u8>,
    /// What waits: bytes as they came, and whether they are payload.
    held: VecDeque<(BytesMut, bool)>,
    /// Bytes that wait, in all and of payload.
    waiting: usize,
    waiting_payload: usize,
}

impl Outward {
    /// `may_pass`: what is found, and still no leak here.
    pub fn new(scan: LeakStream, may_pass: impl Fn(&Leak) -> bool + Send + Sync + 'static) -> Self {
        Self {
            frames: Frames::of(Side::Client),
            bytes: BytesMut::new(),
            scan,
            may_pass: Box::new(may_pass),
            head: None,
            seen: 0,
            control: Vec::new(),
            held: VecDeque::new(),
            waiting: 0,
            waiting_payload: 0,
        }
    }

    /// What of these bytes may leave by now. Of a leak at least the last byte never does.
    ///
    /// # Errors
    /// When a leak is complete, or the bytes are no frames.
    pub fn feed(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), Stopped> {
        self.bytes.extend_from_slice(bytes);
        while let Some(step) = self.frames.step(&mut self.bytes)? {
            match step {
                Step::Head(head, raw) => {
                    (self.head, self.seen) = (Some(head), 0);
                    self.control.clear();
                    self.hold(raw, false);
                }
                Step::Payload(raw, ended) => self.payload(raw, ended, out)?,
            }
            if self.waiting > HELD {
                return Err(FrameError::Fragments.into());
            }
        }
        Ok(())
    }

    fn payload(&mut self, raw: BytesMut, ended: bool, out: &mut BytesMut) -> Result<(), Stopped> {
        let Some(head) = self.head else { return Ok(()) };
        let mut text = raw.to_vec();
        unmask(&mut text, head.mask.unwrap_or_default(), self.seen);
        self.seen += raw.len() as u64;
        if head.is_control() {
            self.control.extend_from_slice(&text);
            self.hold(raw, false);
            if ended {
                let found = self.scan.afresh().feed_unless(&self.control, &self.may_pass);
                found.map_or(Ok(()), |leak| Err(Stopped::Leak(leak)))?;
                self.release(self.scan.pending(), out);
            }
            return Ok(());
        }
        if let Some(leak) = self.scan.feed_unless(&text, &self.may_pass) {
            return Err(Stopped::Leak(leak));
        }
        self.hold(raw, true);
        // Nothing waits past the end of its message: the next one may never come.
        let waits = if ended && head.last { 0 } else { self.scan.pending() };
        self.release(waits, out);
        Ok(())
    }

    fn hold(&mut self, raw: BytesMut, payload: bool) {
        self.waiting += raw.len();
        self.waiting_payload += if payload { raw.len() } else { 0 };
        self.held.push_back((raw, payload));
    }

    /// Lets go of all but the last `waits` bytes of payload.
    fn release(&mut self, waits: usize, out: &mut BytesMut) {
        while let Some((raw, payload)) = self.held.front_mut() {
            let free = if *payload { self.waiting_payload.saturating_sub(waits) } else { raw.len() };
            let take = free.min(raw.len());
            self.waiting -= take;
            self.waiting_payload -= if *payload { take } else { 0 };
            out.extend_from_slice(&raw.split_to(take));
            if !raw.is_empty() {
                return;
            }
            self.held.pop_front();
        }
    }
}

/// From the upstream to the client: messages with echoed secrets masked, in frames of as few pieces as before.
pub struct Inward {
    frames: Frames,
    bytes: BytesMut,
    masker: Masker,
    head: Option<Head>,
    /// Payload of the frame that is collected whole.
    whole: BytesMut,
    /// Opcode of the next frame to the client: that of its message for the first, then zero.
    opcode: u8,
}

impl Inward {
    pub fn new(masker: Masker) -> Self {
        let (bytes, whole) = (BytesMut::new(), BytesMut::new());
        Self { frames: Frames::of(Side::Server), bytes, masker, head: None, whole, opcode: 0 }
    }

    /// How often a secret was masked.
    pub fn masked(&self) -> u64 {
        self.masker.count()
    }

    /// What of these bytes the client gets by now.
    ///
    /// # Errors
    /// When they are no frames.
    pub fn feed(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), FrameError> {
        self.bytes.extend_from_slice(bytes);
        while let Some(step) = self.frames.step(&mut self.bytes)? {
            match (step, self.head) {
                (Step::Head(head, _), _) => {
                    self.head = Some(head);
                    if !head.is_control() && head.opcode != 0 {
                        self.opcode = head.opcode;
                    }
                }
                (Step::Payload(payload, ended), Some(head)) if head.length <= WHOLE => {
                    self.whole.extend_from_slice(&payload);
                    if ended {
                        let payload = self.whole.split().freeze();
                        self.whole(head, &payload, out);
                    }
                }
                (Step::Payload(payload, ended), Some(head)) => self.piece(head, &payload, ended, out),
                (Step::Payload(..), None) => {}
            }
        }
        Ok(())
    }

    fn whole(&mut self, head: Head, payload: &Bytes, out: &mut BytesMut) {
        if head.is_control() {
            let masked = self.masker.mask_status(payload);
            let payload = masked.as_ref().unwrap_or(payload);
            let payload = payload.get(..MOST_CONTROL).unwrap_or(payload);
            Head::write(out, true, head.opcode, payload.len());
            out.extend_from_slice(payload);
            return;
        }
        self.piece(head, payload, true, out);
    }

    fn piece(&mut self, head: Head, payload: &[u8], ended: bool, out: &mut BytesMut) {
        let last = ended && head.last;
        let settled = self.masker.feed(payload);
        let rest = if last { self.masker.finish() } else { Bytes::new() };
        // The opcode of a message goes with its first bytes.
        if settled.is_empty() && rest.is_empty() && !last {
            return;
        }
        Head::write(out, last, self.opcode, settled.len() + rest.len());
        out.extend_from_slice(&settled);
        out.extend_from_slice(&rest);
        self.opcode = 0;
    }
}

/// A close frame for a client, with a code of RFC 6455 section 7.4.
pub fn close(code: u16, reason: &str) -> BytesMut {
    let mut out = BytesMut::new();
    Head::write(&mut out, true, CLOSE, 2 + reason.len());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use reeve_domain::id::CredentialId;
    use reeve_domain::sensitive::Secret;
    use reeve_engine::leaks::{LeakGuard, SoughtKind};

    use super::*;
    use crate::mask::MaskSet;

    const SECRET: &str = "sk-other-secret-1";

    fn outward(may_pass: bool) -> Outward {
        let id = CredentialId::parse("other").unwrap();
        let guard = LeakGuard::new([(id, SoughtKind::Secret, Secret::from(SECRET.to_owned()))]);
        Outward::new(guard.stream(), move |_| may_pass)
    }

    fn inward() -> Inward {
        let (id, secret) = (CredentialId::parse("other").unwrap(), Secret::from(SECRET.to_owned()));
        Inward::new(Arc::new(MaskSet::new([(&id, &secret)])).stream())
    }

    /// A frame of a client, masked.
    fn from_client(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [7, 91, 200, 33];
        let mut out = BytesMut::new();
        Head::write(&mut out, first & 0x80 != 0, first & 0x0f, payload.len());
        if let Some(second) = out.get_mut(1) {
            *second |= 0x80;
        }
        out.extend_from_slice(&mask);
        let mut payload = payload.to_vec();
        unmask(&mut payload, mask, 0);
        [out.to_vec(), payload].concat()
    }

    fn from_server(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        Head::write(&mut out, first & 0x80 != 0, first & 0x0f, payload.len());
        out.extend_from_slice(payload);
        out.to_vec()
    }

    fn fed(outward: &mut Outward, bytes: &[u8], by: usize) -> Result<Vec<u8>, Stopped> {
        let mut out = BytesMut::new();
        bytes.chunks(by).try_for_each(|part| outward.feed(part, &mut out))?;
        Ok(out.to_vec())
    }

    #[test]
    fn messages_without_secrets_pass_byte_for_byte_and_wait_for_nothing() {
        let bytes = [
            from_client(0x81, b"it begins with sk-other-"),
            from_client(0x89, b"ping"),
            from_client(0x02, &[9; 300]),
            from_client(0x00, b"sk-other-"),
            from_client(0x8a, b"pong"),
            from_client(0x80, b"icipation"),
            from_client(0x82, &vec![1; 70_000]),
            from_client(0x88, &[3, 232]),
        ]
        .concat();
        for by in [1, 7, 5000, 100_000] {
            assert_eq!(fed(&mut outward(false), &bytes, by).unwrap(), bytes, "in pieces of {by}");
        }
    }

    #[test]
    fn a_secret_is_stopped_in_any_frame_and_over_fragments_and_its_end_never_leaves() {
        let (front, back) = SECRET.as_bytes().split_at(9);
        for frames in [
            from_client(0x81, format!("x {SECRET} y").as_bytes()),
            from_client(0x82, SECRET.as_bytes()),
            [from_client(0x01, front), from_client(0x80, back)].concat(),
            [from_client(0x01, front), from_client(0x89, b"between"), from_client(0x80, back)].concat(),
            [from_client(0x81, front), from_client(0x81, back)].concat(),
            from_client(0x89, SECRET.as_bytes()),
            from_client(0x88, format!("\u{3}\u{3}{SECRET}").as_bytes()),
        ] {
            for by in [1, 4, 1000] {
                let mut outward = outward(false);
                let mut out = BytesMut::new();
                let stopped = frames.chunks(by).try_for_each(|part| outward.feed(part, &mut out)).unwrap_err();
                assert!(matches!(stopped, Stopped::Leak(leak) if leak.credential.as_str() == "other"));
                assert!(out.len() < frames.len());
            }
        }
        let own_place = from_client(0x81, SECRET.as_bytes());
        assert_eq!(fed(&mut outward(true), &own_place, 3).unwrap(), own_place);
    }

    #[test]
    fn fragments_that_only_make_others_wait_come_to_an_end() {
        let mut outward = outward(false);
        let mut out = BytesMut::new();
        outward.feed(&from_client(0x01, b"sk-other-"), &mut out).unwrap();
        let empty = from_client(0x00, b"");
        let refused = (0..100_000).find_map(|_| outward.feed(&empty, &mut out).err());
        assert_eq!(refused, Some(Stopped::Frame(FrameError::Fragments)));
    }

    #[test]
    fn echoed_secrets_are_masked_in_text_and_binary_over_fragments_and_in_control_frames() {
        let mark = b"*reeve-masked:other*".as_slice();
        let (front, back) = SECRET.as_bytes().split_at(9);
        let table: [(Vec<u8>, Vec<u8>); 5] = [
            (
                from_server(0x81, format!("you: {SECRET}.").as_bytes()),
                from_server(0x81, &[b"you: ", mark, b"."].concat()),
            ),
            (from_server(0x82, SECRET.as_bytes()), from_server(0x82, mark)),
            ([from_server(0x01, front), from_server(0x80, back)].concat(), from_server(0x81, mark)),
            (
                [from_server(0x01, &[b"a ", front].concat()), from_server(0x89, b""), from_server(0x80, back)].concat(),
                [from_server(0x01, b"a "), from_server(0x89, b""), from_server(0x80, mark)].concat(),
            ),
            (from_server(0x89, SECRET.as_bytes()), from_server(0x89, mark)),
        ];
        for (given, want) in table {
            for by in [1, 3, 1000] {
                let (mut inward, mut out) = (inward(), BytesMut::new());
                given.chunks(by).try_for_each(|part| inward.feed(part, &mut out)).unwrap();
                assert_eq!((out.to_vec(), inward.masked()), (want.clone(), 1), "in pieces of {by}");
            }
        }
    }

    #[test]
    fn clean_messages_keep_their_frames_and_long_ones_come_in_pieces() {
        let bytes = [
            from_server(0x81, b"hello"),
            from_server(0x01, b"one "),
            from_server(0x80, b"two"),
            from_server(0x81, b""),
            from_server(0x88, &[3, 232]),
        ]
        .concat();
        let (mut inward, mut out) = (inward(), BytesMut::new());
        inward.feed(&bytes, &mut out).unwrap();
        assert_eq!(out, bytes);
        let long = vec![b'x'; 300_000];
        let mut out = BytesMut::new();
        for part in from_server(0x82, &long).chunks(16_000) {
            inward.feed(part, &mut out).unwrap();
        }
        let (mut frames, mut text, mut ends) = (Frames::of(Side::Server), Vec::new(), 0);
        while let Some(step) = frames.step(&mut out).unwrap() {
            match step {
                Step::Head(head, _) => ends += usize::from(head.last),
                Step::Payload(bytes, _) => text.extend_from_slice(&bytes),
            }
        }
        assert!(text == long && ends == 1);
    }
}
