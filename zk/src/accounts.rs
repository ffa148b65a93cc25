//! Accounts, identities and transfers outside circuits: their leaves, digests and links.

use crate::circuits::layout::{Codec, Hash, record};
use crate::circuits::transaction::layout;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, address, lift, rep0};
use crate::tags::Tag;

/// The tier of an account that an identity opens.
pub const OPENED_TIER: u16 = 1;

record! {
    /// An account with its key.
    AccountRecord in <S> {
        public_key: Hash,
        account: layout::Account,
    }
}

/// An account apart from its address.
#[derive(Clone, Debug)]
pub struct Account<F> {
    pub balance: u64,
    pub nonce: u64,
    pub stake: u64,
    pub tier: u16,
    pub last_decay: u64,
    pub rep: Native<F>,
}

/// Lifts a 32-byte hash, or takes `absent` for the all-zero one.
pub fn lift_or<F: CircuitField>(bytes: &[u8; 32], absent: Native<F>) -> Native<F> {
    if *bytes == [0; 32] { absent } else { lift(bytes) }
}

impl<F: CircuitField> Account<F> {
    /// As a transaction's statement has it: `rep` is outside the field, all zero is REP0.
    pub fn of(a: &layout::Account) -> Self {
        let (balance, nonce, stake, last_decay) = (a.balance, a.nonce, a.stake, a.last_decay);
        Account { balance, nonce, stake, tier: u16::from(a.tier), last_decay, rep: lift_or(&a.rep, rep0()) }
    }

    /// The account that a new identity opens.
    pub fn opened(commitment: &Native<F>, block_time: u64) -> Self {
        let rep = reputation_of_identity(commitment);
        Account { balance: 0, nonce: 0, stake: 0, tier: OPENED_TIER, last_decay: block_time, rep }
    }

    /// An account before its first credit.
    pub fn fresh() -> Self {
        Account { balance: 0, nonce: 0, stake: 0, tier: 0, last_decay: 0, rep: rep0() }
    }

    /// `H[ACCOUNT](addr, balance, nonce, stake, tier, last_decay, exists = 1, rep)` with another balance and nonce.
    pub fn leaf(&self, addr: &Native<F>, balance: u64, nonce: u64) -> Native<F> {
        Elements::new()
            .digest(addr)
            .u64(balance)
            .u64(nonce)
            .u64(self.stake)
            .small(self.tier)
            .u64(self.last_decay)
            .small(1)
            .digest(&self.rep)
            .hash(Tag::Account)
    }

    /// The leaf of the account as it is.
    pub fn own_leaf(&self, addr: &Native<F>) -> Native<F> {
        self.leaf(addr, self.balance, self.nonce)
    }
}

/// An account record of the native boundary: a public key, then the account. Returns address and leaf.
pub fn account_record<F: CircuitField>(bytes: &[u8]) -> Result<(Native<F>, Native<F>), ZkError> {
    let record = AccountRecord::parse(bytes, &())?;
    let addr = address(&record.public_key);
    Ok((addr, Account::of(&record.account).own_leaf(&addr)))
}

/// `H[REP](commitment)`: the reputation digest of the account that an identity opens.
pub fn reputation_of_identity<F: CircuitField>(commitment: &Native<F>) -> Native<F> {
    Elements::new().digest(commitment).hash(Tag::Rep)
}

/// `H[IDLEAF](addr, commitment, 0)`: the genesis leaf of an identity.
pub fn identity_leaf<F: CircuitField>(addr: &Native<F>, commitment: &Native<F>) -> Native<F> {
    Elements::new().digest(addr).digest(commitment).u64(0).hash(Tag::IdLeaf)
}

/// `vrf_pk = H[VRFKEY](Lift(VRF public key))`.
pub fn vrf_key<F: CircuitField>(public_key: &[u8; 32]) -> Native<F> {
    Elements::new().digest(&lift::<F>(public_key)).hash(Tag::VrfKey)
}

/// `vrf_tag = H[VRFTAG](Lift(VRF output))`.
pub fn vrf_tag<F: CircuitField>(output: &[u8; 32]) -> Native<F> {
    Elements::new().digest(&lift::<F>(output)).hash(Tag::VrfTag)
}

/// `H[IDCOMMIT](addr, vrf_tag, vrf_pk, identity_root_before, state_root)`.
pub fn identity_commitment<F: CircuitField>(
    addr: &Native<F>,
    vrf_tag: &Native<F>,
    vrf_pk: &Native<F>,
    root_before: &Native<F>,
    state_root: &Native<F>,
) -> Native<F> {
    let parts = [addr, vrf_tag, vrf_pk, root_before, state_root];
    parts.into_iter().fold(Elements::new(), Elements::digest).hash(Tag::IdCommit)
}

/// `H[IDLINK](addr, commitment)`: an identity in a state proof's list.
pub fn identity_link<F: CircuitField>(addr: &Native<F>, commitment: &Native<F>) -> Native<F> {
    Elements::new().digest(addr).digest(commitment).hash(Tag::IdLink)
}

/// `H[TXLINK](m, s_leaf_old, s_leaf_new)`: a transfer in a state proof's list.
pub fn transfer_link<F: CircuitField>(m: &Native<F>, leaf_old: &Native<F>, leaf_new: &Native<F>) -> Native<F> {
    Elements::new().digest(m).digest(leaf_old).digest(leaf_new).hash(Tag::TxLink)
}

/// A list from `LIST0 = H[LIST](0)`, each item chained with C.
pub fn chain<F: CircuitField>(items: impl IntoIterator<Item = Native<F>>) -> Native<F> {
    items.into_iter().fold(list0(), |list, item| F::compress(&list, &item))
}

/// `LIST0 = H[LIST](0)`: the empty list.
pub fn list0<F: CircuitField>() -> Native<F> {
    Elements::new().small(0).hash(Tag::List)
}
