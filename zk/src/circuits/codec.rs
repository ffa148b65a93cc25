//! Strict reading of statement and witness bytes.

use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{DIGEST_BYTES, digest_from_bytes};

/// Reads all of `bytes`: what `read` leaves over is refused.
pub fn whole<'a, T>(bytes: &'a [u8], read: impl FnOnce(&mut Reader<'a>) -> Result<T, ZkError>) -> Result<T, ZkError> {
    let mut r = Reader(bytes);
    let value = read(&mut r)?;
    r.finish()?;
    Ok(value)
}

/// A cursor that refuses short, long and non-canonical input.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    pub fn bytes(&mut self, n: usize, what: &str) -> Result<&'a [u8], ZkError> {
        let short = || ZkError::InvalidWitness(format!("{what}: {n} bytes wanted, {} left", self.0.len()));
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(short)?;
        self.0 = tail;
        Ok(head)
    }

    pub fn bytes32(&mut self, what: &str) -> Result<[u8; 32], ZkError> {
        Ok(self.bytes(32, what)?.try_into().expect("32 bytes"))
    }

    pub fn u8(&mut self, what: &str) -> Result<u8, ZkError> {
        Ok(self.bytes(1, what)?[0])
    }

    pub fn u16(&mut self, what: &str) -> Result<u16, ZkError> {
        Ok(u16::from_le_bytes(self.bytes(2, what)?.try_into().expect("two bytes")))
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, ZkError> {
        Ok(u32::from_le_bytes(self.bytes(4, what)?.try_into().expect("four bytes")))
    }

    pub fn u64(&mut self, what: &str) -> Result<u64, ZkError> {
        Ok(u64::from_le_bytes(self.bytes(8, what)?.try_into().expect("eight bytes")))
    }

    pub fn digest<F: CircuitField>(&mut self, what: &str) -> Result<Native<F>, ZkError> {
        let bytes = self.bytes(DIGEST_BYTES, what)?;
        digest_from_bytes(bytes).ok_or_else(|| ZkError::InvalidWitness(format!("{what}: not canonical")))
    }

    pub fn digests<F: CircuitField, const N: usize>(&mut self, what: &str) -> Result<[Native<F>; N], ZkError> {
        let mut out = [crate::natives::zero::<F>(); N];
        for d in &mut out {
            *d = self.digest(what)?;
        }
        Ok(out)
    }

    /// A `u8` that is 0 or 1.
    pub fn flag(&mut self, what: &str) -> Result<bool, ZkError> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(ZkError::InvalidWitness(format!("{what}: {other} is neither 0 nor 1"))),
        }
    }

    /// A byte of flags, lowest first.
    pub fn bits<const N: usize>(&mut self, what: &str) -> Result<[bool; N], ZkError> {
        let bits = self.u8(what)?;
        if usize::from(bits) >> N != 0 {
            return Err(ZkError::InvalidWitness(format!("{what}: unknown bits in {bits}")));
        }
        Ok(std::array::from_fn(|i| bits >> i & 1 == 1))
    }

    /// A `u16` count of `min` up to `max`.
    pub fn count_from(&mut self, min: usize, max: usize, what: &str) -> Result<usize, ZkError> {
        let n = usize::from(self.u16(what)?);
        if n < min || n > max {
            return Err(ZkError::InvalidWitness(format!("{what}: {n} is not between {min} and {max}")));
        }
        Ok(n)
    }

    fn finish(self) -> Result<(), ZkError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(ZkError::InvalidWitness(format!("{} trailing bytes", self.0.len())))
    }
}
