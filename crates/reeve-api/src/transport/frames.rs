//! What a connection carries once it is a tunnel for MCP: frames of a channel, a length (4 bytes, big endian) and that many
//! bytes.

use std::io;

use reeve_mcp::message::MAX_MESSAGE;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Whose words a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A message from or for the agent.
    Agent,
    /// A message from or for the server.
    Server,
    /// From the wrapper: the server ended, and why. From the engine: the tunnel ends, and why.
    End,
    /// From the wrapper: the server crashed, and why and when it is started again (as [`Down`]).
    Down,
    /// From the wrapper: the server runs again. Its answer to the greeting that was said again, as JSON, or `null`.
    Up,
    /// From the engine: a sentence for the person, who reads what the wrapper writes to its standard error.
    Note,
}

/// What a wrapper says of a server that crashed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Down {
    pub why: String,
    pub again_ms: u64,
}

impl Channel {
    fn byte(self) -> u8 {
        match self {
            Self::Agent => 0,
            Self::Server => 1,
            Self::End => 2,
            Self::Down => 3,
            Self::Up => 4,
            Self::Note => 5,
        }
    }

    fn of(byte: u8) -> io::Result<Self> {
        match byte {
            0 => Ok(Self::Agent),
            1 => Ok(Self::Server),
            2 => Ok(Self::End),
            3 => Ok(Self::Down),
            4 => Ok(Self::Up),
            5 => Ok(Self::Note),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of no known channel")),
        }
    }
}

/// Reads a frame; `None` at the end.
///
/// # Errors
/// When the connection breaks inside a frame, or the frame is longer than any message.
pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(Channel, Vec<u8>)>> {
    let mut head = [0_u8; 5];
    if from.read(&mut head[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut head[1..]).await?;
    let [channel, length @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    // One byte more tells the reader of messages that there was too much.
    if length > MAX_MESSAGE + 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame longer than any message"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    Ok(Some((Channel::of(channel)?, bytes)))
}

/// Writes a frame and sends it off.
///
/// # Errors
/// When the connection is gone, or the message is too long for a frame.
pub async fn write(to: &mut (impl AsyncWrite + Unpin), channel: Channel, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "too long"))?;
    // In one piece: two writes are two wake-ups of the other side.
    let mut frame = Vec::with_capacity(bytes.len() + 5);
    frame.push(channel.byte());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(bytes);
    to.write_all(&frame).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_arrive_as_they_were_sent_and_too_long_ones_are_refused() {
        let (mut here, mut there) = tokio::io::duplex(64);
        let send = tokio::spawn(async move {
            for (channel, bytes) in [(Channel::Agent, b"{}".as_slice()), (Channel::Server, b""), (Channel::End, b"why")]
            {
                write(&mut here, channel, bytes).await.unwrap();
            }
        });
        assert_eq!(read(&mut there).await.unwrap(), Some((Channel::Agent, b"{}".to_vec())));
        assert_eq!(read(&mut there).await.unwrap(), Some((Channel::Server, Vec::new())));
        assert_eq!(read(&mut there).await.unwrap(), Some((Channel::End, b"why".to_vec())));
        assert_eq!(read(&mut there).await.unwrap(), None);
        send.await.unwrap();
        let long = [0, 0xff, 0xff, 0xff, 0xff];
        assert!(read(&mut long.as_slice()).await.is_err());
        assert!(read(&mut [9, 0, 0, 0, 0].as_slice()).await.is_err());
        assert!(read(&mut [0, 0, 0, 0, 9, 1].as_slice()).await.is_err(), "cut inside");
    }
}
