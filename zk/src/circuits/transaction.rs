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

use crate::circuits::builder::{Builder, Digest, Wire};
use crate::circuits::codec::Reader;
use crate::circuits::family::Family;
use crate::circuits::gadgets::{
    U64, add_all, add64, assert_digest_neq, assert_nonzero, le64, range, u64_constant, u64_public, u64_witness,
};
use crate::circuits::public::Kind;
use crate::circuits::sample;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, address, lift, rep0, zero};
use crate::tags::Tag;

/// Bytes of a statement, which is its own witness.
pub const STATEMENT_BYTES: usize = 194;
/// The highest tier.
pub const TIER_MAX: u16 = 5;

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
    pub account: Account<F>,
}

/// The sender before the transfer.
#[derive(Clone, Debug)]
pub struct Account<F> {
    pub balance: u64,
    pub nonce: u64,
    pub stake: u64,
    pub tier: u16,
    pub last_decay: u64,
    pub rep: Native<F>,
}

impl<F: CircuitField> Account<F> {
    /// `H[ACCOUNT](addr, balance, nonce, stake, tier, last_decay, exists = 1, rep)`.
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
}

/// Lifts a 32-byte hash, or takes `absent` for the all-zero one.
fn lift_or<F: CircuitField>(bytes: &[u8; 32], absent: Native<F>) -> Native<F> {
    if *bytes == [0; 32] { absent } else { lift(bytes) }
}

impl<F: CircuitField> Transfer<F> {
    /// Parses a statement and computes all that follows from it. Fails where no new leaf exists: amount + fee
    /// overflows or exceeds the balance. Other violations are left to the constraints.
    pub fn parse(statement: &[u8]) -> Result<Self, ZkError> {
        let mut r = Reader::new(statement);
        let (from, to) = (r.bytes32("from_public_key")?, r.bytes32("to_public_key")?);
        let (amount, fee, nonce) = (r.u64("amount")?, r.u64("fee")?, r.u64("nonce")?);
        let required_tier = u16::from(r.u8("required_tier")?);
        let timestamp = r.u64("timestamp")?;
        let memo = lift_or(&r.bytes32("memo")?, zero());
        let account = Account {
            balance: r.u64("balance")?,
            nonce: r.u64("account nonce")?,
            stake: r.u64("stake")?,
            tier: u16::from(r.u8("tier")?),
            last_decay: r.u64("last_decay")?,
            rep: lift_or(&r.bytes32("rep")?, rep0()),
        };
        r.finish()?;
        let total = amount.checked_add(fee).ok_or_else(|| ZkError::AmountOutOfRange("amount + fee".into()))?;
        let balance_new = account
            .balance
            .checked_sub(total)
            .ok_or_else(|| ZkError::InvalidWitness("amount + fee is above the balance".into()))?;
        let zeroed = zero();
        let mut transfer = Transfer {
            from: address(&from),
            to: address(&to),
            amount,
            fee,
            nonce,
            required_tier,
            timestamp,
            memo,
            leaf_old: zeroed,
            leaf_new: zeroed,
            m: zeroed,
            total,
            balance_new,
            account,
        };
        transfer.derive();
        Ok(transfer)
    }

    /// Computes the leaves and m from the other fields.
    pub fn derive(&mut self) {
        self.leaf_old = self.account.leaf(&self.from, self.account.balance, self.account.nonce);
        self.leaf_new = self.account.leaf(&self.from, self.balance_new, self.nonce);
        self.m = Elements::new()
            .digest(&self.from)
            .digest(&self.to)
            .u64(self.amount)
            .u64(self.fee)
            .u64(self.nonce)
            .u64(self.timestamp)
            .digest(&self.memo)
            .hash(Tag::Tx);
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
        let sender = SenderWires::record(b, self);
        tier_range(b, required_tier);

        b.mark("T3");
        let message = [
            from.wires::<F>(),
            to.wires::<F>(),
            amount.wires::<F>(),
            fee.wires::<F>(),
            nonce.wires::<F>(),
            timestamp.wires::<F>(),
            memo.wires::<F>(),
        ];
        let computed = b.hash(Tag::Tx, &message.concat());
        b.mark("T4");
        b.assert_digest_eq(&computed, &m);
        b.mark("T5");
        let total = u64_witness(b, self.total);
        add64(b, &amount, &fee, &total);
        b.mark("T6");
        add64(b, &sender.balance_new, &total, &sender.balance);
        b.mark("T7");
        let one = u64_constant(b, 1);
        add64(b, &sender.nonce, &one, &nonce);
        b.mark("T8");
        let computed = sender.leaf(b, &from, &sender.balance, &sender.nonce);
        b.assert_digest_eq(&computed, &leaf_old);
        b.mark("T9");
        let computed = sender.leaf(b, &from, &sender.balance_new, &nonce);
        b.assert_digest_eq(&computed, &leaf_new);
        b.mark("T10");
        let margin = b.sub(sender.tier, required_tier);
        range(b, margin, 3);
        b.mark("T11");
        le64(b, &sender.last_decay, &timestamp);
        b.mark("T14");
        assert_digest_neq(b, &from, &to);
        b.mark("T15");
        let sum = add_all(b, amount.wires::<F>().iter().copied());
        assert_nonzero(b, sum);
    }
}

/// RANGE(3) of the tier and of 5 − tier.
fn tier_range<F: CircuitField>(b: &mut Builder<F>, tier: Wire) {
    range(b, tier, 3);
    let rest = b.lin(&[(-F::ONE, tier)], F::from_u64(u64::from(TIER_MAX)));
    range(b, rest, 3);
}

/// The sender's account in the circuit, before the transfer except for `balance_new`.
struct SenderWires {
    balance: U64,
    balance_new: U64,
    nonce: U64,
    stake: U64,
    tier: Wire,
    last_decay: U64,
    rep: Digest,
}

impl SenderWires {
    fn record<F: CircuitField>(b: &mut Builder<F>, t: &Transfer<F>) -> Self {
        let account = &t.account;
        let sender = SenderWires {
            balance: u64_witness(b, account.balance),
            balance_new: u64_witness(b, t.balance_new),
            nonce: u64_witness(b, account.nonce),
            stake: u64_witness(b, account.stake),
            tier: b.witness(F::from_u64(u64::from(account.tier))),
            last_decay: u64_witness(b, account.last_decay),
            rep: b.witness_digest(&account.rep),
        };
        tier_range(b, sender.tier);
        sender
    }

    fn leaf<F: CircuitField>(&self, b: &mut Builder<F>, addr: &Digest, balance: &U64, nonce: &U64) -> Digest {
        let exists = b.constant(F::ONE);
        let parts = [
            addr.wires::<F>(),
            balance.wires::<F>(),
            nonce.wires::<F>(),
            self.stake.wires::<F>(),
            &[self.tier],
            self.last_decay.wires::<F>(),
            &[exists],
            self.rep.wires::<F>(),
        ];
        b.hash(Tag::Account, &parts.concat())
    }
}
