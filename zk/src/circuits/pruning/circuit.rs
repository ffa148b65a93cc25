//! The constraints of the pruning circuit; numbers as in the parent module.

use crate::circuits::builder::{Bit, Builder, Digest, Wire};
use crate::circuits::gadgets::{
    self, U64, active_flags, add_all, add64, assert_implies, assert_u64_eq, constant_if, le64, select_or_constant,
    u64_constant, u64_witness,
};
use crate::circuits::pruning::Size;
use crate::circuits::pruning::statement::{Block, Public, Window, tombstone};
use crate::field::{CircuitField, Native};
use crate::natives::{empty, zero};
use crate::tags::Tag;

struct BlockWires {
    height: U64,
    state_root: Digest,
    timestamp: U64,
    tx_count: Wire,
    tx_root: Digest,
    pruned_root: Digest,
    removed: Vec<Bit>,
}

/// Records the circuit on a window and the public inputs claimed for it.
pub fn record<F: CircuitField>(b: &mut Builder<F>, size: &Size, window: &Window<F>, public: &Public<F>) {
    let blocks: Vec<BlockWires> = window.blocks.iter().map(|block| BlockWires::record(b, block)).collect();
    b.mark("P6");
    let previous_tx_root = public.previous_tx_root(b);
    let pruned_tx_root = public.pruned_tx_root(b);
    let roots: Vec<Digest> = blocks.iter().map(|block| block.tx_root).collect();
    let pruned: Vec<Digest> = blocks.iter().map(|block| block.pruned_root).collect();
    let roots = segment_roots(b, size, &roots);
    let inner = segment_roots(b, size, &pruned);
    for (roots, expected) in [(&roots, previous_tx_root), (&inner, pruned_tx_root)] {
        let root = gadgets::root(b, roots);
        b.assert_digest_eq(&root, &expected);
    }
    b.mark("P5");
    // At most 2^14.
    let removed = add_all(b, blocks.iter().flat_map(|block| &block.removed).map(|bit| bit.0));
    let removed_count = public.removed_count(b);
    b.assert_eq(removed_count, removed);
    b.mark("P1");
    let first_parent = public.first_parent(b);
    let last_header = public.last_header(b);
    let digests = headers(b, &blocks, first_parent);
    b.assert_digest_eq(&digests[size.headers - 1], &last_header);
    b.mark("P2");
    let start_height = public.start_height(b);
    assert_u64_eq(b, &start_height, &blocks[0].height);
    consecutive(b, &blocks);
    b.mark("P10");
    let last = &blocks[size.headers - 1];
    let snapshot_root = public.snapshot_root(b);
    b.assert_digest_eq(&snapshot_root, &last.state_root);
    let snapshot_height = public.snapshot_height(b);
    assert_u64_eq(b, &snapshot_height, &last.height);
    b.mark("P7");
    let segments = segments(b, size, &blocks, &digests, &inner);
    envelope(b, public, &snapshot_root, &snapshot_height, &segments);
}

impl BlockWires {
    /// P3 and P4.
    fn record<F: CircuitField>(b: &mut Builder<F>, block: &Block<F>) -> Self {
        b.mark("P2");
        let height = u64_witness(b, block.height);
        let timestamp = u64_witness(b, block.timestamp);
        let state_root = b.witness_digest(&block.state_root);
        b.mark("P3");
        let (occupied, tx_count) = active_flags(b, &block.occupied);
        let padding = empty::<F>(Tag::Tx);
        let mut leaves = Vec::with_capacity(occupied.len());
        for (flag, m) in occupied.iter().zip(&block.transactions) {
            let m = b.witness_digest(m);
            leaves.push(select_or_constant(b, *flag, &m, &padding));
        }
        let tx_root = gadgets::root(b, &leaves);
        b.mark("P4");
        let removed: Vec<Bit> = block.removed.iter().map(|r| b.bit(*r)).collect();
        let tomb: Native<F> = tombstone();
        for ((leaf, removed), occupied) in leaves.iter_mut().zip(&removed).zip(&occupied) {
            assert_implies(b, *removed, *occupied);
            *leaf = constant_if(b, *removed, &tomb, leaf);
        }
        let pruned_root = gadgets::root(b, &leaves);
        BlockWires { height, state_root, timestamp, tx_count, tx_root, pruned_root, removed }
    }
}

/// P1: the header digests, each the parent of the next.
fn headers<F: CircuitField>(b: &mut Builder<F>, blocks: &[BlockWires], first_parent: Digest) -> Vec<Digest> {
    let mut parent = first_parent;
    let mut out = Vec::with_capacity(blocks.len());
    for block in blocks {
        let parts = [
            parent.wires::<F>(),
            block.height.wires::<F>(),
            block.state_root.wires::<F>(),
            block.tx_root.wires::<F>(),
            block.timestamp.wires::<F>(),
            &[block.tx_count],
        ];
        parent = b.hash(Tag::Header, &parts.concat());
        out.push(parent);
    }
    out
}

/// P2.
fn consecutive<F: CircuitField>(b: &mut Builder<F>, blocks: &[BlockWires]) {
    let one = u64_constant(b, 1);
    for pair in blocks.windows(2) {
        add64(b, &pair[0].height, &one, &pair[1].height);
        le64(b, &pair[0].timestamp, &pair[1].timestamp);
    }
}

fn segment_roots<F: CircuitField>(b: &mut Builder<F>, size: &Size, roots: &[Digest]) -> Vec<Digest> {
    roots.chunks_exact(size.headers / size.segments).map(|part| gadgets::root(b, part)).collect()
}

/// P7.
fn segments<F: CircuitField>(
    b: &mut Builder<F>,
    size: &Size,
    blocks: &[BlockWires],
    digests: &[Digest],
    inner: &[Digest],
) -> Vec<Digest> {
    let length = size.headers / size.segments;
    let mut out = Vec::with_capacity(size.segments);
    for (i, inner) in inner.iter().enumerate() {
        let (first, last) = (i * length, (i + 1) * length - 1);
        let index = b.constant(F::from_u64(i as u64));
        let parts = [
            &[index],
            blocks[first].height.wires::<F>(),
            blocks[last].height.wires::<F>(),
            digests[last].wires::<F>(),
            inner.wires::<F>(),
        ];
        out.push(b.hash(Tag::Segment, &parts.concat()));
    }
    out
}

/// P8 and P9.
fn envelope<F: CircuitField>(
    b: &mut Builder<F>,
    public: &Public<F>,
    snapshot_root: &Digest,
    snapshot_height: &U64,
    segments: &[Digest],
) {
    b.mark("P8");
    let versions = [public.schema_version(b), public.parameter_version(b)];
    let binding_digest = public.binding_digest(b);
    let commitment = gadgets::root(b, segments);
    let parts =
        [versions.as_slice(), snapshot_height.wires::<F>(), snapshot_root.wires::<F>(), commitment.wires::<F>()];
    let computed = b.hash(Tag::Envelope, &parts.concat());
    b.assert_digest_eq(&computed, &binding_digest);
    b.mark("P9");
    let pruning_fold = public.pruning_fold(b);
    let start = b.constant_digest(&zero());
    let mut fold = b.compress(&start, &binding_digest);
    for segment in segments {
        fold = b.compress(&fold, segment);
    }
    b.assert_digest_eq(&fold, &pruning_fold);
}
