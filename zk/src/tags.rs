//! Domain-separation tags of `H[TAG]`. Frozen: changing one changes every `params_hash`.

/// A 16-bit hash domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Tag {
    Lift = 1,
    Public = 2,
    Proof = 3,
    Key = 4,
    Slot = 5,
    Account = 6,
    Empty = 7,
    Tx = 8,
    Auth = 9,
    TxLink = 10,
    IdLink = 11,
    List = 12,
    IdLeaf = 13,
    IdCommit = 14,
    VrfKey = 15,
    VrfTag = 16,
    Rep = 17,
    Header = 18,
    Otk = 19,
    Validator = 20,
    VoteMsg = 21,
    Vote0 = 22,
    Vote1 = 23,
    Vote2 = 24,
    VrfIn = 25,
    VrfOut = 26,
    Segment = 27,
    Envelope = 28,
    Agg = 29,
    Activity = 30,
    StateDigest = 31,
    Heartbeat = 32,
    HbLeaf = 33,
    Uptime = 34,
    Bitmap = 35,
    SigQ = 36,
    Tombstone = 37,
    TierSeed = 38,
    Witness = 39,
}

/// The vote tag of phase 0 (prevote), 1 (precommit) or 2 (commit).
pub const VOTE: [Tag; 3] = [Tag::Vote0, Tag::Vote1, Tag::Vote2];
/// Version of the table above; part of the canonical parameter bytes.
pub const TAG_TABLE_VERSION: u16 = 1;
