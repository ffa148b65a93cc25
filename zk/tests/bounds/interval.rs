//! Integer intervals, wide enough for every row but a split of a whole BN254 element, where they saturate.

/// Beyond this nothing is told apart; far above every modulus that [`super::rows::modulus`] gives.
pub const FAR: i128 = 1 << 125;

/// All integers from `lo` to `hi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub lo: i128,
    pub hi: i128,
}

impl Interval {
    pub const BIT: Interval = Interval { lo: 0, hi: 1 };

    pub fn new(lo: i128, hi: i128) -> Self {
        Interval { lo: lo.clamp(-FAR, FAR), hi: hi.clamp(-FAR, FAR) }
    }

    pub fn only(v: i128) -> Self {
        Self::new(v, v)
    }

    pub fn is_constant(self) -> bool {
        self.lo == self.hi
    }

    pub fn plus(self, other: Interval) -> Self {
        Self::new(self.lo + other.lo, self.hi + other.hi)
    }

    pub fn times(self, other: Interval) -> Self {
        let corners = [(self.lo, other.lo), (self.lo, other.hi), (self.hi, other.lo), (self.hi, other.hi)];
        let products = corners.map(|(a, b)| a.checked_mul(b).unwrap_or(if (a < 0) == (b < 0) { FAR } else { -FAR }));
        Self::new(products.into_iter().min().expect("four"), products.into_iter().max().expect("four"))
    }

    pub fn scaled(self, c: i128) -> Self {
        self.times(Self::only(c))
    }

    /// The integers in both; `self` when there are none.
    pub fn narrowed(self, other: Interval) -> Self {
        let (lo, hi) = (self.lo.max(other.lo), self.hi.min(other.hi));
        if lo <= hi { Interval { lo, hi } } else { self }
    }

    /// The integers x with c·x in this interval, c ≠ 0.
    pub fn divided(self, c: i128) -> Self {
        let (lo, hi) = if c > 0 { (self.lo, self.hi) } else { (-self.hi, -self.lo) };
        let c = c.abs();
        Interval { lo: -(-lo).div_euclid(c), hi: hi.div_euclid(c) }
    }

    /// Whether zero modulo p is zero for every integer here.
    pub fn within(self, p: i128) -> bool {
        -p < self.lo && self.hi < p
    }

    /// Whether no two integers here are equal modulo p.
    pub fn narrower_than(self, p: i128) -> bool {
        self.hi - self.lo < p
    }
}
