//! The constraints of the uptime circuit; numbers as in the parent module.

use crate::circuits::builder::{Bit, Builder, Digest, ZERO_WIRE};
use crate::circuits::gadgets::slots::bits32;
use crate::circuits::gadgets::{
    Carry, U64, active, add_all, add64, assert_eq_if, assert_nonzero, last_active, le64, lt64, merkle, relation,
    u64_constant, u64_witness,
};
use crate::circuits::uptime::Size;
use crate::circuits::uptime::layout::PublicWires;
use crate::circuits::uptime::statement::{Heartbeat, Public, Witness};
use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::natives::{self, zero};
use crate::tags::Tag;

/// Records the circuit on a witness and the public inputs claimed for its statement.
pub fn record<F: CircuitField>(b: &mut Builder<F>, size: &Size, w: &Witness<F>, public: &Public<F>) {
    let values = public;
    let public = inputs(b, public);
    identity(b, size, w, &public, &values.addr);
    window(b, size, values, &public);
    b.mark("U6");
    let (flags, count) = active(b, size.heartbeats, w.heartbeats.len());
    b.assert_eq(count, public.count);
    // count ≤ 2^8 and threshold < 2^16: a negative surplus is at least p − 2^16 in the field, out of range.
    let surplus = b.sub(count, public.threshold);
    b.range16(surplus);
    assert_nonzero(b, public.threshold);
    let heartbeats = recorded_heartbeats(b, size, w, &public, &flags);
    times(b, size, &heartbeats, &flags, &public);
    b.mark("U9");
    let heads: Vec<Digest> = heartbeats.iter().map(|h| h.head).collect();
    let head = last_active(b, &flags, &heads, &Digest([ZERO_WIRE; DIGEST_MAX]));
    b.assert_digest_eq(&head, &public.head_hash);
    b.mark("U10");
    let parts = [
        public.addr.wires::<F>(),
        public.window_start.wires::<F>(),
        public.window_end.wires::<F>(),
        public.epoch.wires::<F>(),
        &[public.count],
        public.heartbeat_root.wires::<F>(),
    ];
    let computed = b.hash(Tag::Uptime, &parts.concat());
    b.assert_digest_eq(&computed, &public.commitment);
}

/// The public inputs, with the constraints that are about one of them alone.
fn inputs<F: CircuitField>(b: &mut Builder<F>, p: &Public<F>) -> PublicWires<F> {
    let addr = p.addr(b);
    b.mark("U4");
    let node_clock = p.node_clock(b);
    b.mark("U5");
    let epoch = p.epoch(b);
    // Below 2^18, on BN254 below 2^64.
    let sum = add_all(b, epoch.wires::<F>().iter().copied());
    assert_nonzero(b, sum);
    let head_hash = p.head_hash(b);
    b.mark("U3");
    let (window_start, window_end) = (p.window_start(b), p.window_end(b));
    let (commitment, identity_root, heartbeat_root) = (p.commitment(b), p.identity_root(b), p.heartbeat_root(b));
    b.mark("U6");
    let (threshold, count) = (p.threshold(b), p.count(b));
    PublicWires {
        addr,
        node_clock,
        epoch,
        head_hash,
        window_start,
        window_end,
        commitment,
        identity_root,
        heartbeat_root,
        threshold,
        count,
    }
}

/// U2.
fn identity<F: CircuitField>(
    b: &mut Builder<F>,
    size: &Size,
    w: &Witness<F>,
    public: &PublicWires<F>,
    addr: &Native<F>,
) {
    b.mark("U2");
    let commitment = b.witness_digest(&w.id_commitment);
    let none = u64_constant(b, 0);
    let leaf = b.hash(Tag::IdLeaf, &[public.addr.wires::<F>(), commitment.wires::<F>(), none.wires::<F>()].concat());
    let bits = bits32(b, &public.addr, natives::bits32(addr), size.depth);
    let siblings: Vec<Digest> = w.id_path.iter().map(|d| b.witness_digest(d)).collect();
    let root = merkle(b, leaf, &bits, &siblings);
    b.assert_digest_eq(&root, &public.identity_root);
}

/// U3 and U4.
fn window<F: CircuitField>(b: &mut Builder<F>, size: &Size, values: &Public<F>, public: &PublicWires<F>) {
    b.mark("U3");
    let duration = u64_witness(b, values.window_end.wrapping_sub(values.window_start));
    add64(b, &public.window_start, &duration, &public.window_end);
    let least = u64_constant(b, u64::from(size.min_window.max(1)));
    le64(b, &least, &duration);
    b.mark("U4");
    le64(b, &public.window_end, &public.node_clock);
}

struct HeartbeatWires {
    t: U64,
    head: Digest,
}

/// U7.
fn recorded_heartbeats<F: CircuitField>(
    b: &mut Builder<F>,
    size: &Size,
    w: &Witness<F>,
    public: &PublicWires<F>,
    flags: &[Bit],
) -> Vec<HeartbeatWires> {
    let t = w.heartbeats.last().map_or(w.statement.window_start, |h| h.t);
    let path = vec![zero(); size.log_depth];
    let padding = Heartbeat { t, head: zero(), signature_digest: zero(), index: 0, path };
    let mut out = Vec::with_capacity(flags.len());
    for (i, flag) in flags.iter().enumerate() {
        let h = w.heartbeats.get(i).unwrap_or(&padding);
        b.mark("U8");
        let t = u64_witness(b, h.t);
        b.mark("U7");
        let (head, signature) = (b.witness_digest(&h.head), b.witness_digest(&h.signature_digest));
        let parts = [public.addr.wires::<F>(), t.wires::<F>(), head.wires::<F>(), signature.wires::<F>()];
        let leaf = b.hash(Tag::HbLeaf, &parts.concat());
        let bits: Vec<Bit> = (0..size.log_depth).map(|level| b.bit(h.index >> level & 1 == 1)).collect();
        let siblings: Vec<Digest> = h.path.iter().map(|d| b.witness_digest(d)).collect();
        let root = merkle(b, leaf, &bits, &siblings);
        assert_eq_if(b, *flag, &root, &public.heartbeat_root);
        out.push(HeartbeatWires { t, head });
    }
    out
}

/// U8.
fn times<F: CircuitField>(
    b: &mut Builder<F>,
    size: &Size,
    heartbeats: &[HeartbeatWires],
    flags: &[Bit],
    public: &PublicWires<F>,
) {
    b.mark("U8");
    le64(b, &public.window_start, &heartbeats[0].t);
    for (pair, next) in heartbeats.windows(2).zip(&flags[1..]) {
        let (before, after) = (&pair[0].t, &pair[1].t);
        let step = u64::from(b.value(next.0) == F::ONE);
        let rest = after.value(b).wrapping_sub(before.value(b)).wrapping_sub(step);
        let rest = u64_witness(b, rest);
        relation(b, &[(1, before), (1, &rest)], &[(1, next.0)], after, Carry::Bool);
        if size.max_gap > 0 {
            let slack = u64::from(size.max_gap).wrapping_sub(rest.value(b)).wrapping_sub(step);
            let (slack, most) = (u64_witness(b, slack), u64_constant(b, u64::from(size.max_gap)));
            relation(b, &[(1, &rest), (1, &slack)], &[(1, next.0)], &most, Carry::Bool);
        }
    }
    lt64(b, &heartbeats[heartbeats.len() - 1].t, &public.window_end);
}
