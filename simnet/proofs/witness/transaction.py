"""JSON form of the transaction circuit's statement, which is its witness too."""

from simnet.proofs.witness.fields import U8, U64, Hash, Record


class Account(Record):
    """The sender's account before the transfer."""

    balance: U64
    nonce: U64
    stake: U64
    tier: U8
    last_decay: U64
    rep: Hash


class Statement(Record):
    """A transfer; public keys are Ed25519 keys, `nonce` is the new one, `memo` is zero without a payload."""

    from_public_key: Hash
    to_public_key: Hash
    amount: U64
    fee: U64
    nonce: U64
    required_tier: U8
    timestamp: U64
    memo: Hash
    sender: Account
