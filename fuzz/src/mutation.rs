//! Mutations: what makes one input into another. Blind ones (bits, ranges), ones that know the grammar's words, and ones
//! that mix two inputs.

use crate::random::Random;

/// Bytes on the borders of character classes, and those that parsers love to trip over.
const ODD: &[u8] = b"\0\t\n\r\x0b\x1b \"#%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xc0\xe2\xef\xff";

/// Changes `input` in one to eight places, mostly in few: a small step from what behaved well stays near it.
pub fn mutate(random: &mut Random, input: &mut Vec<u8>, words: &[Vec<u8>], other: &[u8], longest: usize) {
    for _ in 0..=random.next().trailing_zeros().min(7) {
        once(random, input, words, other);
    }
    input.truncate(longest);
}

fn once(random: &mut Random, input: &mut Vec<u8>, words: &[Vec<u8>], other: &[u8]) {
    let at = random.below(input.len() + 1);
    let until = at + random.below((input.len() - at).min(64) + 1);
    match random.below(12) {
        0 => {
            let bit = 1 << random.below(8);
            if let Some(byte) = input.get_mut(at) {
                *byte ^= bit;
            }
        }
        1 => {
            let odd = random.of_slice(ODD).copied().unwrap_or_default();
            if let Some(byte) = input.get_mut(at) {
                *byte = odd;
            }
        }
        2 => input.insert(at, random.of_slice(ODD).copied().unwrap_or_default()),
        3 => input.insert(at, random.byte()),
        4 => drop(input.drain(at..until)),
        5 => {
            let range = input.get(at..until).unwrap_or_default().to_vec();
            let to = random.below(input.len() + 1);
            input.splice(to..to, range);
        }
        6 => {
            let range = input.get(at..until).unwrap_or_default().repeat(1 + random.below(16));
            input.splice(at..at, range);
        }
        7 | 8 => {
            let word = random.of_slice(words).cloned().unwrap_or_default();
            let end = if random.below(2) == 0 { at } else { until };
            input.splice(at..end, word);
        }
        9 => {
            let from = random.below(other.len() + 1);
            let length = random.below((other.len() - from).min(256) + 1);
            let part = other.get(from..from + length).unwrap_or_default().to_vec();
            input.splice(at..until, part);
        }
        10 => {
            // The head of one and the tail of another.
            input.truncate(at);
            let from = random.below(other.len() + 1);
            input.extend_from_slice(other.get(from..).unwrap_or_default());
        }
        _ => number(random, input, at),
    }
}

/// Replaces the number that begins at or after `at` by a near one, a small one or one on a border.
fn number(random: &mut Random, input: &mut Vec<u8>, at: usize) {
    let tail = input.get(at..).unwrap_or_default();
    let Some(start) = tail.iter().position(u8::is_ascii_digit).map(|offset| at + offset) else { return };
    let digits = input.get(start..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
    let border: [&str; 12] = [
        "0",
        "00",
        "1",
        "-1",
        "+1",
        "255",
        "256",
        "65535",
        "65536",
        "4294967296",
        "18446744073709551616",
        "9999999999999999999999",
    ];
    let old = input.get(start..start + digits).and_then(|old| std::str::from_utf8(old).ok()?.parse::<u64>().ok());
    let chosen = match random.below(3) {
        0 => random.of_slice(&border).copied().unwrap_or("0").to_owned(),
        1 => random.below(40).to_string(),
        _ => old
            .unwrap_or_default()
            .wrapping_add_signed(random.of_slice(&[-2, -1, 1, 2]).copied().unwrap_or(1))
            .to_string(),
    };
    input.splice(start..start + digits, chosen.into_bytes());
}
