//! Accounts and the value rules of a transfer, for the circuits that move value: transaction and state.

use crate::accounts::Account;
use crate::circuits::builder::{Builder, Digest, Wire};
use crate::circuits::gadgets::{U64, add_all, add64, assert_nonzero, range, u64_constant, u64_witness};
use crate::field::CircuitField;
use crate::tags::Tag;

/// The highest tier.
pub const TIER_MAX: u16 = 5;

/// RANGE(3) of the tier and of 5 − tier, which is −2 at the least: in the field p − 2, out of range.
pub fn tier_range<F: CircuitField>(b: &mut Builder<F>, tier: Wire) {
    range(b, tier, 3);
    let rest = b.lin(&[(-F::ONE, tier)], F::from_u64(u64::from(TIER_MAX)));
    range(b, rest, 3);
}

/// An account, every part in range (T1) but the reputation, which is opaque.
pub struct AccountWires {
    pub balance: U64,
    pub nonce: U64,
    pub stake: U64,
    pub tier: Wire,
    pub last_decay: U64,
    pub rep: Digest,
}

impl AccountWires {
    pub fn record<F: CircuitField>(b: &mut Builder<F>, account: &Account<F>) -> Self {
        let wires = AccountWires {
            balance: u64_witness(b, account.balance),
            nonce: u64_witness(b, account.nonce),
            stake: u64_witness(b, account.stake),
            tier: b.witness(F::from_u64(u64::from(account.tier))),
            last_decay: u64_witness(b, account.last_decay),
            rep: b.witness_digest(&account.rep),
        };
        tier_range(b, wires.tier);
        wires
    }

    /// `H[ACCOUNT]` with another balance and nonce.
    pub fn leaf<F: CircuitField>(&self, b: &mut Builder<F>, addr: &Digest, balance: &U64, nonce: &U64) -> Digest {
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

    /// The leaf of the account as it is.
    pub fn own_leaf<F: CircuitField>(&self, b: &mut Builder<F>, addr: &Digest) -> Digest {
        self.leaf(b, addr, &self.balance, &self.nonce)
    }
}

/// What the sender signs.
pub struct Payment {
    pub from: Digest,
    pub to: Digest,
    pub amount: U64,
    pub fee: U64,
    pub nonce: U64,
    pub timestamp: U64,
    pub memo: Digest,
}

impl Payment {
    /// T3: m.
    pub fn message<F: CircuitField>(&self, b: &mut Builder<F>) -> Digest {
        let message = [
            self.from.wires::<F>(),
            self.to.wires::<F>(),
            self.amount.wires::<F>(),
            self.fee.wires::<F>(),
            self.nonce.wires::<F>(),
            self.timestamp.wires::<F>(),
            self.memo.wires::<F>(),
        ];
        b.hash(Tag::Tx, &message.concat())
    }

    /// T5 to T7: the sender pays amount and fee, which are `total`, with its next nonce.
    pub fn debit<F: CircuitField>(&self, b: &mut Builder<F>, sender: &AccountWires, balance_new: &U64, total: u64) {
        b.mark("T5");
        let total = u64_witness(b, total);
        add64(b, &self.amount, &self.fee, &total);
        b.mark("T6");
        add64(b, balance_new, &total, &sender.balance);
        b.mark("T7");
        let one = u64_constant(b, 1);
        add64(b, &sender.nonce, &one, &self.nonce);
    }

    /// T15: amount ≠ 0. Four limbs sum to less than 2^18 < p, the packed integer is below 2^64 < p on BN254.
    pub fn something<F: CircuitField>(&self, b: &mut Builder<F>) {
        b.mark("T15");
        let sum = add_all(b, self.amount.wires::<F>().iter().copied());
        assert_nonzero(b, sum);
    }
}
