//! Hashes of chain objects, computed outside circuits from the same encodings that circuits use.

use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::tags::{Tag, VOTE};

/// Bytes of a digest in every field.
pub const DIGEST_BYTES: usize = 32;

/// The all-zero digest.
pub const fn zero<F: CircuitField>() -> Native<F> {
    [F::ZERO; DIGEST_MAX]
}

/// A digest as canonical bytes.
pub fn digest_bytes<F: CircuitField>(d: &Native<F>) -> [u8; DIGEST_BYTES] {
    let mut out = [0; DIGEST_BYTES];
    for (chunk, x) in out.chunks_exact_mut(F::BYTES).zip(&d[..F::DIGEST]) {
        chunk.copy_from_slice(&x.to_le_bytes()[..F::BYTES]);
    }
    out
}

/// The inverse; `None` unless every element is canonical and the length right.
pub fn digest_from_bytes<F: CircuitField>(bytes: &[u8]) -> Option<Native<F>> {
    let mut out = zero::<F>();
    if bytes.len() != DIGEST_BYTES {
        return None;
    }
    for (x, chunk) in out.iter_mut().zip(bytes.chunks_exact(F::BYTES)) {
        *x = F::from_le_bytes(chunk)?;
    }
    Some(out)
}

/// The type encodings of the specification, appended in order.
#[derive(Clone, Debug)]
pub struct Elements<F>(pub Vec<F>);

impl<F: CircuitField> Elements<F> {
    pub fn new() -> Self {
        Elements(vec![])
    }

    pub fn digest(mut self, d: &Native<F>) -> Self {
        self.0.extend_from_slice(&d[..F::DIGEST]);
        self
    }

    /// One element on BN254, else four 16-bit limbs.
    pub fn u64(mut self, v: u64) -> Self {
        if F::WIDE {
            self.0.push(F::from_u64(v));
        } else {
            self.0.extend(limbs(v).map(F::from_u64));
        }
        self
    }

    /// One element on BN254, else two 16-bit limbs.
    pub fn u32(mut self, v: u32) -> Self {
        let v = u64::from(v);
        if F::WIDE {
            self.0.push(F::from_u64(v));
        } else {
            self.0.extend([v & 0xFFFF, v >> 16].map(F::from_u64));
        }
        self
    }

    /// A `bool`, `u8` or `u16`.
    pub fn small(mut self, v: u16) -> Self {
        self.0.push(F::from_u64(u64::from(v)));
        self
    }

    pub fn hash(&self, tag: Tag) -> Native<F> {
        <F as CircuitField>::hash(tag, &self.0)
    }
}

impl<F: CircuitField> Default for Elements<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// Four 16-bit limbs, least significant first.
pub fn limbs(v: u64) -> [u64; 4] {
    std::array::from_fn(|i| (v >> (16 * i)) & 0xFFFF)
}

/// `Lift` of a 32-byte hash: sixteen 16-bit limbs, or the two 128-bit halves on BN254.
pub fn lift<F: CircuitField>(bytes: &[u8; 32]) -> Native<F> {
    if F::WIDE {
        let half = |b: &[u8]| {
            let mut wide = [0; 32];
            wide[..16].copy_from_slice(b);
            F::from_le_bytes(&wide).expect("128 bits are canonical")
        };
        return <F as CircuitField>::hash(Tag::Lift, &[half(&bytes[..16]), half(&bytes[16..])]);
    }
    let limbs: Vec<F> =
        bytes.chunks_exact(2).map(|c| F::from_u64(u64::from(u16::from_le_bytes([c[0], c[1]])))).collect();
    <F as CircuitField>::hash(Tag::Lift, &limbs)
}

/// `addr = H[KEY](Lift(public key))`.
pub fn address<F: CircuitField>(public_key: &[u8; 32]) -> Native<F> {
    Elements::new().digest(&lift::<F>(public_key)).hash(Tag::Key)
}

/// BITS32: the slot of an address in a sparse tree. The 16 low bits of h\[0\], then those of h\[1\], of h = H[SLOT](addr);
/// on BN254 the 32 low bits of h.
pub fn bits32<F: CircuitField>(addr: &Native<F>) -> u32 {
    let h = Elements::new().digest(addr).hash(Tag::Slot);
    let low = |x: F| u32::from_le_bytes(x.to_le_bytes()[..4].try_into().expect("four bytes"));
    if F::WIDE { low(h[0]) } else { low(h[0]) & 0xFFFF | low(h[1]) << 16 }
}

/// `H[EMPTY](tag)`: what pads a tree of such leaves.
pub fn empty<F: CircuitField>(leaf: Tag) -> Native<F> {
    Elements::new().small(leaf as u16).hash(Tag::Empty)
}

/// `REP0`: the reputation digest of an account without one.
pub fn rep0<F: CircuitField>() -> Native<F> {
    Elements::new().digest(&zero::<F>()).hash(Tag::Rep)
}

/// The root of a whole tree. `leaves.len()` is a power of two.
///
/// Levels are taken two at a time with `compress4` (on BN254 one t = 5 call, elsewhere three compressions that
/// give the binary tree); a width that is no power of four ends with one binary compression. A single leaf is its root.
pub fn root<F: CircuitField>(leaves: &[Native<F>]) -> Native<F> {
    let mut level = leaves.to_vec();
    while level.len() >= 4 {
        level = level.chunks_exact(4).map(|c| F::compress4(c.try_into().expect("four"))).collect();
    }
    match level.as_slice() {
        [l, r] => F::compress(l, r),
        [only] => *only,
        _ => unreachable!("the width is a power of two"),
    }
}

/// [`root`] of the leaves padded to `width`.
pub fn padded_root<F: CircuitField>(leaves: &[Native<F>], width: usize, empty: &Native<F>) -> Native<F> {
    let mut all = leaves.to_vec();
    all.resize(width, *empty);
    root(&all)
}

/// `H[OTK](k)`.
pub fn otk_public<F: CircuitField>(key: &Native<F>) -> Native<F> {
    Elements::new().digest(key).hash(Tag::Otk)
}

/// `H[TIERSEED](addr, timetoke hours)`.
pub fn tier_seed<F: CircuitField>(addr: &Native<F>, hours: u64) -> Native<F> {
    Elements::new().digest(addr).u64(hours).hash(Tag::TierSeed)
}

/// `H[VOTEx](k, message)`; `phase` is 0, 1 or 2.
pub fn vote_tag<F: CircuitField>(phase: usize, key: &Native<F>, message: &Native<F>) -> Native<F> {
    Elements::new().digest(key).digest(message).hash(VOTE[phase])
}

/// `H[VOTEMSG](block_hash, round, epoch, slot, validator_set_root)`.
pub fn vote_message<F: CircuitField>(
    block_hash: &Native<F>,
    round: u64,
    epoch: u64,
    slot: u64,
    set_root: &Native<F>,
) -> Native<F> {
    Elements::new().digest(block_hash).u64(round).u64(epoch).u64(slot).digest(set_root).hash(Tag::VoteMsg)
}

/// `H[VRFOUT](k3, H[VRFIN](block_hash, epoch, tier_seed))`.
pub fn vrf_output<F: CircuitField>(
    key: &Native<F>,
    block_hash: &Native<F>,
    epoch: u64,
    tier_seed: &Native<F>,
) -> Native<F> {
    let input = Elements::new().digest(block_hash).u64(epoch).digest(tier_seed).hash(Tag::VrfIn);
    Elements::new().digest(key).digest(&input).hash(Tag::VrfOut)
}

/// A block header in one backend's field.
pub struct Header<F> {
    pub parent: Native<F>,
    pub height: u64,
    pub state_root: Native<F>,
    pub tx_root: Native<F>,
    pub timestamp: u64,
    pub tx_count: u16,
}

/// `H[HEADER]` of the fields in order.
pub fn header_digest<F: CircuitField>(h: &Header<F>) -> Native<F> {
    Elements::new()
        .digest(&h.parent)
        .u64(h.height)
        .digest(&h.state_root)
        .digest(&h.tx_root)
        .u64(h.timestamp)
        .small(h.tx_count)
        .hash(Tag::Header)
}
