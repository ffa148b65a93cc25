//! The transaction circuit: *the published old and new leaves of the sender are related by exactly this transfer with
//! this nonce.* That its owner wants it is the native Ed25519 signature.
//!
//! Numbers are those of the specification; T2 is native, T12 and T13 belong to the state circuit.
//!
//! * T1 every u64 is a U64; tiers are in 0..=5.
//! * T3 m = H[TX](from, to, amount, fee, nonce, timestamp, memo); T4 it is public input 11.
//! * T5 total = amount + fee; T6 new balance + total = old balance; T7 old nonce + 1 = nonce.
//! * T8, T9 the old and the new leaf of the sender.
//! * T10 tier − required_tier ≥ 0; T11 last_decay ≤ timestamp.
//! * T14 from ≠ to; T15 amount ≠ 0.

use crate::accounts::{Account, lift_or, transfer_link};
use crate::circuits::builder::Builder;
use crate::circuits::codec::{Reader, whole};
use crate::circuits::family::Family;
use crate::circuits::gadgets::{assert_digest_neq, le64, range, u64_public, u64_witness};
use crate::circuits::public::Kind;
use crate::circuits::sample;
pub use crate::circuits::transfer::TIER_MAX;
use crate::circuits::transfer::{AccountWires, Payment, tier_range};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, address, zero};
use crate::tags::Tag;

/// Bytes of a statement, which is its own witness.
pub const STATEMENT_BYTES: usize = 194;

/// Types of the public inputs, in order.
pub const KINDS: [Kind; 11] = [
    Kind::Digest,          // from
    Kind::Digest,          // to
    Kind::U64,             // amount
    Kind::U64,             // fee
    Kind::U64,             // nonce
    Kind::Small(TIER_MAX), // required_tier
    Kind::U64,             // timestamp
    Kind::Digest,          // memo
    Kind::Digest,          // s_leaf_old
    Kind::Digest,          // s_leaf_new
    Kind::Digest,          // m
];

/// The family, which has one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction;

impl Family for Transaction {
    const ID: u8 = 1;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        match params {
            [] => Ok(Transaction),
            _ => Err(ZkError::Unsupported("the transaction circuit takes no parameters".into())),
        }
    }

    fn params(&self) -> Vec<u32> {
        vec![]
    }

    fn constants(&self) -> Vec<u64> {
        vec![u64::from(TIER_MAX)]
    }

    fn kinds(&self) -> Vec<Kind> {
        KINDS.to_vec()
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Transfer::parse(statement)?.vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        Transfer::parse(witness)?.record(b);
        Ok(())
    }

    fn record_blank<F: CircuitField>(&self, b: &mut Builder<F>) -> Result<(), ZkError> {
        self.record(&[0; STATEMENT_BYTES], b)
    }

    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        (sample::transaction(0), sample::transaction(0))
    }
}

/// A transfer with everything the circuit needs.
#[derive(Clone, Debug)]
pub struct Transfer<F> {
    pub from: Native<F>,
    pub to: Native<F>,
    pub amount: u64,
    pub fee: u64,
    pub nonce: u64,
    pub required_tier: u16,
    pub timestamp: u64,
    pub memo: Native<F>,
    pub leaf_old: Native<F>,
    pub leaf_new: Native<F>,
    pub m: Native<F>,
    pub total: u64,
    pub balance_new: u64,
    /// The sender before the transfer.
    pub account: Account<F>,
}

impl<F: CircuitField> Transfer<F> {
    /// Parses a statement and computes all that follows from it. Fails where no new leaf exists: amount + fee
    /// overflows or exceeds the balance. Other violations are left to the constraints.
    pub fn parse(statement: &[u8]) -> Result<Self, ZkError> {
        whole(statement, Self::read)
    }

    /// [`Self::parse`] in the midst of other bytes.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, ZkError> {
        let mut transfer = Self::read_given(r)?;
        let (amount, fee) = (transfer.amount, transfer.fee);
        let total = amount.checked_add(fee).ok_or_else(|| ZkError::AmountOutOfRange("amount + fee".into()))?;
        transfer.total = total;
        transfer.balance_new = transfer
            .account
            .balance
            .checked_sub(total)
            .ok_or_else(|| ZkError::InvalidWitness("amount + fee is above the balance".into()))?;
        transfer.derive();
        Ok(transfer)
    }

    /// What the bytes say, without what follows from it.
    fn read_given(r: &mut Reader<'_>) -> Result<Self, ZkError> {
        let (from, to) = (r.bytes32("from_public_key")?, r.bytes32("to_public_key")?);
        Ok(Transfer {
            from: address(&from),
            to: address(&to),
            amount: r.u64("amount")?,
            fee: r.u64("fee")?,
            nonce: r.u64("nonce")?,
            required_tier: u16::from(r.u8("required_tier")?),
            timestamp: r.u64("timestamp")?,
            memo: lift_or(&r.bytes32("memo")?, zero()),
            account: Account::read(r)?,
            leaf_old: zero(),
            leaf_new: zero(),
            m: zero(),
            total: 0,
            balance_new: 0,
        })
    }

    /// m of a statement, whether or not the sender can pay.
    pub fn digest_of(statement: &[u8]) -> Result<Native<F>, ZkError> {
        Ok(whole(statement, Self::read_given)?.message())
    }

    /// Computes the leaves and m from the other fields.
    pub fn derive(&mut self) {
        self.leaf_old = self.account.leaf(&self.from, self.account.balance, self.account.nonce);
        self.leaf_new = self.account.leaf(&self.from, self.balance_new, self.nonce);
        self.m = self.message();
    }

    /// `m = H[TX](from, to, amount, fee, nonce, timestamp, memo)`.
    fn message(&self) -> Native<F> {
        Elements::new()
            .digest(&self.from)
            .digest(&self.to)
            .u64(self.amount)
            .u64(self.fee)
            .u64(self.nonce)
            .u64(self.timestamp)
            .digest(&self.memo)
            .hash(Tag::Tx)
    }

    /// The transfer in a state proof's list.
    pub fn link(&self) -> Native<F> {
        transfer_link(&self.m, &self.leaf_old, &self.leaf_new)
    }

    /// The public-input vector.
    pub fn vector(&self) -> Vec<F> {
        Elements::new()
            .digest(&self.from)
            .digest(&self.to)
            .u64(self.amount)
            .u64(self.fee)
            .u64(self.nonce)
            .small(self.required_tier)
            .u64(self.timestamp)
            .digest(&self.memo)
            .digest(&self.leaf_old)
            .digest(&self.leaf_new)
            .digest(&self.m)
            .0
    }

    /// Records the circuit on these values.
    pub fn record(&self, b: &mut Builder<F>) {
        b.mark("T1");
        let from = b.public_digest(&self.from);
        let to = b.public_digest(&self.to);
        let amount = u64_public(b, self.amount);
        let fee = u64_public(b, self.fee);
        let nonce = u64_public(b, self.nonce);
        let required_tier = b.public(F::from_u64(u64::from(self.required_tier)));
        let timestamp = u64_public(b, self.timestamp);
        let memo = b.public_digest(&self.memo);
        let leaf_old = b.public_digest(&self.leaf_old);
        let leaf_new = b.public_digest(&self.leaf_new);
        let m = b.public_digest(&self.m);
        let sender = AccountWires::record(b, &self.account);
        let balance_new = u64_witness(b, self.balance_new);
        tier_range(b, required_tier);
        let payment = Payment { from, to, amount, fee, nonce, timestamp, memo };

        b.mark("T3");
        let computed = payment.message(b);
        b.mark("T4");
        b.assert_digest_eq(&computed, &m);
        payment.debit(b, &sender, &balance_new, self.total);
        b.mark("T8");
        let computed = sender.own_leaf(b, &from);
        b.assert_digest_eq(&computed, &leaf_old);
        b.mark("T9");
        let computed = sender.leaf(b, &from, &balance_new, &nonce);
        b.assert_digest_eq(&computed, &leaf_new);
        // Both tiers are below 8, so their difference is above −8: what is negative is far above 2^3 in the field.
        b.mark("T10");
        let margin = b.sub(sender.tier, required_tier);
        range(b, margin, 3);
        b.mark("T11");
        le64(b, &sender.last_decay, &timestamp);
        b.mark("T14");
        assert_digest_neq(b, &from, &to);
        payment.something(b);
    }
}
