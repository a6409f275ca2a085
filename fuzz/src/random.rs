//! SplitMix64: small, fast and the same on every machine, so that a run can be repeated from its seed.

#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Seeded by bytes (FNV-1a).
    pub fn of(bytes: &[u8]) -> Self {
        Self(hash(bytes))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Below `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// One of these.
    pub fn of_slice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = self.below(items.len());
        items.get(at)
    }
}

/// FNV-1a.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The same bytes in pieces of odd sizes, chosen by the bytes themselves.
pub fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let mut random = Random::of(bytes);
    let largest = random.of_slice(&[1, 2, 7, 64, 1500]).copied().unwrap_or(1);
    let mut rest = bytes;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at_checked(1 + random.below(largest)).unwrap_or((rest, &[]));
        out.push(piece);
        rest = after;
    }
    out
}
