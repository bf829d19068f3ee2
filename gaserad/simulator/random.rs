//! Repeatable randomness: the same seed gives the same jitter and the same noise on every machine.

/// The splitmix64 generator. Good enough for noise, no good for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Even between -1 and 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
    pub fn signed(&mut self) -> f64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        unit.mul_add(2.0, -1.0)
    }

    /// From 0 on; 0 if there is nothing below.
    pub fn below(&mut self, most: u32) -> u32 {
        u32::try_from(self.next() % u64::from(most.max(1))).unwrap_or(0)
    }

    /// Another one, that goes its own way from here.
    pub fn branch(&mut self) -> Self {
        Self(self.next())
    }

    /// Even from 0 to 1.
    pub fn part(&mut self) -> f64 {
        self.signed().mul_add(0.5, 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_they_fill_their_range() {
        let (mut one, mut other) = (Random::new(7), Random::new(7));
        let numbers: Vec<f64> = (0..1000).map(|_| one.signed()).collect();
        let bits = |number: f64| number.to_bits();
        assert!(numbers.iter().all(|number| (-1.0..1.0).contains(number) && bits(*number) == bits(other.signed())));
        assert!(numbers.iter().any(|number| *number < -0.9) && numbers.iter().any(|number| *number > 0.9));
        assert_ne!(bits(Random::new(8).signed()), bits(numbers[0]));
    }
}
