//! Randomness that a seed gives again.

/// splitmix64 (Vigna): as good as this needs, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From `CERTKIT_SEED`, or from this seed where none is set; and the seed, to be told on failure.
    pub(crate) fn seeded(usual: u64) -> (Self, u64) {
        let seed = std::env::var("CERTKIT_SEED").map_or(usual, |text| text.parse().unwrap());
        (Self(seed), seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}
