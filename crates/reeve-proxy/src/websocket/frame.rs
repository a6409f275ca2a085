//! WebSocket frames (RFC 6455 section 5), read strictly: no extension is negotiated through Reeve, so no reserved bit is
//! ever set, and what two readers could take differently is refused.

use bytes::{Buf, BytesMut};

/// Most that a control frame carries, in bytes.
pub const MOST_CONTROL: usize = 125;

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a reserved bit is set, and no extension was agreed on")]
    Reserved,
    #[error("the kind of frame is unknown")]
    Opcode,
    #[error("a control frame is in fragments or longer than 125 bytes")]
    Control,
    #[error("the length is not written in its shortest form")]
    Length,
    #[error("frames of a client must be masked, and those of a server must not")]
    Mask,
    #[error("a message begins inside another, or goes on without having begun")]
    Order,
    #[error("a message is in too many small fragments to look through")]
    Fragments,
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// The head of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Last of its message.
    pub last: bool,
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub length: u64,
}

/// Closing, by its opcode.
pub const CLOSE: u8 = 8;

impl Head {
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.opcode >= CLOSE
    }

    /// Writes the head of an unmasked frame.
    pub fn write(out: &mut BytesMut, last: bool, opcode: u8, length: usize) {
        out.extend_from_slice(&[u8::from(last) << 7 | opcode]);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short), _) if length <= MOST_CONTROL => out.extend_from_slice(&[short]),
            (_, Ok(middle)) => {
                out.extend_from_slice(&[126]);
                out.extend_from_slice(&middle.to_be_bytes());
            }
            _ => {
                out.extend_from_slice(&[127]);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
    }
}

/// Applies a mask to payload bytes from this place in the payload on; twice gives what was.
pub fn unmask(bytes: &mut [u8], mask: [u8; 4], from: u64) {
    let shift = usize::try_from(from % 4).unwrap_or_default();
    for (byte, key) in bytes.iter_mut().zip(mask.iter().cycle().skip(shift)) {
        *byte ^= key;
    }
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A head, and its bytes as they came.
    Head(Head, BytesMut),
    /// Payload as it came, and whether the frame ends with it.
    Payload(BytesMut, bool),
}

/// Reads the frames of one side.
#[derive(Debug)]
pub struct Frames {
    side: Side,
    /// Payload of the frame under way that is still to come.
    left: Option<u64>,
    in_message: bool,
}

impl Frames {
    #[must_use]
    pub fn of(side: Side) -> Self {
        Self { side, left: None, in_message: false }
    }

    /// The next piece; `None` when more bytes are needed. A frame without payload gives one empty piece.
    ///
    /// # Errors
    /// When the bytes are no frame that this side may send now.
    pub fn step(&mut self, bytes: &mut BytesMut) -> Result<Option<Step>, FrameError> {
        if let Some(left) = self.left {
            if bytes.is_empty() && left > 0 {
                return Ok(None);
            }
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let left = left - take as u64;
            self.left = (left > 0).then_some(left);
            return Ok(Some(Step::Payload(bytes.split_to(take), left == 0)));
        }
        let Some((head, length)) = parse(bytes)? else { return Ok(None) };
        if head.mask.is_some() != (self.side == Side::Client) {
            return Err(FrameError::Mask);
        }
        if !head.is_control() {
            if (head.opcode == 0) != self.in_message {
                return Err(FrameError::Order);
            }
            self.in_message = !head.last;
        }
        self.left = Some(head.length);
        Ok(Some(Step::Head(head, bytes.split_to(length))))
    }
}

/// A head at the beginning of these bytes, and its length.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, FrameError> {
    let mut rest = bytes;
    if rest.remaining() < 2 {
        return Ok(None);
    }
    let (first, second) = (rest.get_u8(), rest.get_u8());
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved);
    }
    let (last, opcode, short) = (first & 0x80 != 0, first & 0x0f, second & 0x7f);
    if !matches!(opcode, 0..=2 | 8..=10) {
        return Err(FrameError::Opcode);
    }
    if opcode >= CLOSE && (!last || short > 125) {
        return Err(FrameError::Control);
    }
    let masked = second & 0x80 != 0;
    let more = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    } + if masked { 4 } else { 0 };
    if rest.remaining() < more {
        return Ok(None);
    }
    let (length, least) = match short {
        126 => (u64::from(rest.get_u16()), 126),
        127 => (rest.get_u64(), 1 << 16),
        short => (u64::from(short), 0),
    };
    if length < least || length >> 63 == 1 {
        return Err(FrameError::Length);
    }
    let mask = masked.then(|| rest.get_u32().to_be_bytes());
    Ok(Some((Head { last, opcode, mask, length }, 2 + more)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(side: Side, bytes: &[u8]) -> Result<Vec<Step>, FrameError> {
        let (mut frames, mut bytes) = (Frames::of(side), BytesMut::from(bytes));
        std::iter::from_fn(|| frames.step(&mut bytes).transpose()).collect()
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let hello = all(Side::Server, b"\x81\x05Hello").unwrap();
        let head = Head { last: true, opcode: 1, mask: None, length: 5 };
        assert_eq!(
            hello,
            [Step::Head(head, b"\x81\x05".as_slice().into()), Step::Payload(b"Hello".as_slice().into(), true)]
        );
        let masked = all(Side::Client, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58").unwrap();
        let [Step::Head(head, _), Step::Payload(payload, true)] = masked.as_slice() else { panic!("{masked:?}") };
        let mut text = payload.to_vec();
        unmask(&mut text, head.mask.unwrap(), 0);
        assert_eq!(text, b"Hello");
        let mut cut = payload.to_vec();
        let (front, back) = cut.split_at_mut(3);
        unmask(front, head.mask.unwrap(), 0);
        unmask(back, head.mask.unwrap(), 3);
        assert_eq!(cut, b"Hello");
    }

    #[test]
    fn fragments_with_a_ping_between_them_are_read_and_lengths_are_written_shortest() {
        assert_eq!(all(Side::Server, b"\x01\x03Hel\x89\x00\x80\x02lo").unwrap().len(), 6);
        for length in [0, 125, 126, 65_535, 65_536] {
            let mut out = BytesMut::new();
            Head::write(&mut out, true, 2, length);
            let (head, read) = parse(&out).unwrap().unwrap();
            assert_eq!((head.length, read), (length as u64, out.len()));
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_by_its_cause() {
        use FrameError as E;
        for (side, bytes, error) in [
            (Side::Server, b"\xc1\x05Hello".as_slice(), E::Reserved),
            (Side::Server, b"\x83\x00", E::Opcode),
            (Side::Server, b"\x09\x00", E::Control),
            (Side::Server, b"\x89\x7e\x00\x80", E::Control),
            (Side::Server, b"\x81\x7e\x00\x05Hello", E::Length),
            (Side::Server, b"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", E::Length),
            (Side::Server, b"\x81\x7f\xff\x00\x00\x00\x00\x00\xff\xff", E::Length),
            (Side::Server, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", E::Mask),
            (Side::Client, b"\x81\x05Hello", E::Mask),
            (Side::Server, b"\x80\x02lo", E::Order),
            (Side::Server, b"\x01\x03Hel\x81\x02lo", E::Order),
        ] {
            assert_eq!(all(side, bytes), Err(error), "{bytes:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn however_bytes_are_cut_the_same_frames_are_read(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64), cut in 0_usize..64,
        ) {
            let joined = |steps: Vec<Step>| steps.into_iter().fold((Vec::new(), Vec::new()), |(mut heads, mut text), step| {
                match step {
                    Step::Head(head, _) => heads.push(head),
                    Step::Payload(bytes, _) => text.extend_from_slice(&bytes),
                }
                (heads, text)
            });
            let (mut frames, mut buffer, mut steps, mut failed) = (Frames::of(Side::Server), BytesMut::new(), Vec::new(), false);
            for part in [&bytes[..cut.min(bytes.len())], &bytes[cut.min(bytes.len())..]] {
                buffer.extend_from_slice(part);
                while !failed {
                    match frames.step(&mut buffer) {
                        Ok(Some(step)) => steps.push(step),
                        Ok(None) => break,
                        Err(_) => failed = true,
                    }
                }
            }
            match all(Side::Server, &bytes) {
                Ok(whole) => proptest::prop_assert!(!failed && joined(whole) == joined(steps)),
                Err(_) => proptest::prop_assert!(failed),
            }
        }
    }
}
