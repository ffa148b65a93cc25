//! Sparse Merkle trees whose versions share what did not change, and paths in small full trees.
//!
//! All of it is binary, `C(l, r)`, on every field: what MERKLE and UPDATE walk inside circuits.

use std::marker::PhantomData;
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{DIGEST_BYTES, bits32, digest_bytes, digest_from_bytes};

/// Deepest tree: a slot has 32 bits.
pub const DEPTH_MAX: usize = 32;

/// Digests rest as canonical bytes: a BN254 [`Native`] would take eight times the room.
type Bytes = [u8; DIGEST_BYTES];

/// Subtrees with fewer writes are not worth a second thread.
const PARALLEL: usize = 16;

struct Node {
    digest: Bytes,
    /// `None` below an inner node is a subtree of empty leaves; a leaf has none.
    children: [Option<Arc<Node>>; 2],
}

/// A tree of `2^depth` leaves, immutable.
#[derive(Clone)]
pub struct Tree<F> {
    /// The digest of an empty subtree by its height, 0 for a leaf.
    empty: Arc<[Bytes]>,
    root: Option<Arc<Node>>,
    field: PhantomData<F>,
}

fn unpack<F: CircuitField>(bytes: &Bytes) -> Native<F> {
    digest_from_bytes(bytes).expect("written from a digest")
}

fn compress<F: CircuitField>(l: &Bytes, r: &Bytes) -> Bytes {
    digest_bytes(&F::compress(&unpack(l), &unpack(r)))
}

/// Digests of empty subtrees of height 0 to `depth`.
fn empty_digests<F: CircuitField>(depth: usize, empty: &Native<F>) -> Vec<Bytes> {
    std::iter::successors(Some(digest_bytes(empty)), |d| Some(compress::<F>(d, d))).take(depth + 1).collect()
}

impl<F: CircuitField> Tree<F> {
    /// The tree of which every leaf is `empty`. Its depth is 1 to 32.
    pub fn new(depth: usize, empty: &Native<F>) -> Result<Self, ZkError> {
        if depth == 0 || depth > DEPTH_MAX {
            return Err(ZkError::InvalidWitness(format!("depth {depth} is not between 1 and {DEPTH_MAX}")));
        }
        Ok(Tree { empty: empty_digests(depth, empty).into(), root: None, field: PhantomData })
    }

    pub fn depth(&self) -> usize {
        self.empty.len() - 1
    }

    pub fn root(&self) -> Native<F> {
        unpack(self.digest(self.root.as_ref(), self.depth()))
    }

    /// The leaf in an address's slot; the empty one when nothing was written.
    pub fn leaf(&self, addr: &Native<F>) -> Native<F> {
        unpack(self.walk(self.slot(addr), |_, _| ()))
    }

    /// The siblings of an address's slot, leaf to root.
    pub fn path(&self, addr: &Native<F>) -> Vec<Native<F>> {
        self.path_at(self.slot(addr))
    }

    /// The siblings of a slot, leaf to root.
    pub fn path_at(&self, slot: u32) -> Vec<Native<F>> {
        let mut siblings = Vec::with_capacity(self.depth());
        self.walk(slot, |height, sibling| siblings.push(unpack(self.digest(sibling, height))));
        siblings.reverse();
        siblings
    }

    /// The tree with leaves written to the slots of addresses; of two in one slot the later stays.
    pub fn update(&self, leaves: &[(Native<F>, Native<F>)]) -> Self {
        self.update_at(leaves.par_iter().map(|(addr, leaf)| (self.slot(addr), *leaf)).collect())
    }

    /// The tree with leaves written to slots; of two in one slot the later stays.
    pub fn update_at(&self, leaves: Vec<(u32, Native<F>)>) -> Self {
        let mut writes: Vec<(u32, Bytes)> =
            leaves.into_iter().map(|(slot, leaf)| (slot & self.mask(), digest_bytes(&leaf))).collect();
        writes.sort_by_key(|(slot, _)| *slot);
        let root = if writes.is_empty() {
            self.root.clone()
        } else {
            Some(self.written(self.root.as_ref(), self.depth(), &writes))
        };
        Tree { empty: self.empty.clone(), root, field: PhantomData }
    }

    fn slot(&self, addr: &Native<F>) -> u32 {
        bits32(addr) & self.mask()
    }

    fn mask(&self) -> u32 {
        u32::MAX >> (DEPTH_MAX - self.depth())
    }

    fn digest<'a>(&'a self, node: Option<&'a Arc<Node>>, height: usize) -> &'a Bytes {
        node.map_or(&self.empty[height], |n| &n.digest)
    }

    /// Goes down to a slot, showing the sibling at each height; returns the leaf.
    fn walk<'a>(&'a self, slot: u32, mut see: impl FnMut(usize, Option<&'a Arc<Node>>)) -> &'a Bytes {
        let mut node = self.root.as_ref();
        for height in (0..self.depth()).rev() {
            let side = (slot >> height & 1) as usize;
            see(height, node.and_then(|n| n.children[1 - side].as_ref()));
            node = node.and_then(|n| n.children[side].as_ref());
        }
        self.digest(node, 0)
    }

    /// A subtree after writes, sorted by slot, at least one. A node above several of them is hashed once.
    fn written(&self, node: Option<&Arc<Node>>, height: usize, writes: &[(u32, Bytes)]) -> Arc<Node> {
        if height == 0 {
            let digest = writes.last().expect("at least one").1;
            return Arc::new(Node { digest, children: [None, None] });
        }
        let middle = writes.partition_point(|(slot, _)| slot >> (height - 1) & 1 == 0);
        let (left, right) = writes.split_at(middle);
        let child = |side: usize, writes: &[(u32, Bytes)]| {
            let old = node.and_then(|n| n.children[side].as_ref());
            if writes.is_empty() { old.cloned() } else { Some(self.written(old, height - 1, writes)) }
        };
        let children = if left.len().min(right.len()) >= PARALLEL {
            rayon::join(|| child(0, left), || child(1, right)).into()
        } else {
            [child(0, left), child(1, right)]
        };
        let [l, r] = [0, 1].map(|side: usize| self.digest(children[side].as_ref(), height - 1));
        Arc::new(Node { digest: compress::<F>(l, r), children })
    }
}

/// The siblings of each leaf of `indices`, leaf to root, and the root, of the binary tree of `leaves` padded with `empty`
/// to `2^depth`. The tree is hashed once.
///
/// # Panics
/// If there are more than `2^depth` leaves.
pub fn full_paths<F: CircuitField>(
    leaves: &[Native<F>],
    depth: usize,
    empty: &Native<F>,
    indices: &[usize],
) -> (Vec<Vec<Native<F>>>, Native<F>) {
    assert!(leaves.len() <= 1 << depth);
    let mut level = leaves.to_vec();
    let mut padding = *empty;
    let mut paths = vec![vec![]; indices.len()];
    for height in 0..depth {
        for (path, index) in paths.iter_mut().zip(indices) {
            path.push(level.get(index >> height ^ 1).copied().unwrap_or(padding));
        }
        level = level.chunks(2).map(|pair| F::compress(&pair[0], pair.get(1).unwrap_or(&padding))).collect();
        padding = F::compress(&padding, &padding);
    }
    (paths, level.first().copied().unwrap_or(padding))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use ark_bn254::Fr;
    use p3_koala_bear::KoalaBear;
    use stwo::core::fields::m31::M31;

    use super::*;
    use crate::natives::{lift, root};

    /// The same tree from its definition: a map from slots to leaves.
    struct Naive<F> {
        depth: usize,
        empty: Native<F>,
        leaves: HashMap<u64, Native<F>>,
    }

    impl<F: CircuitField> Naive<F> {
        fn node(&self, height: usize, position: u64) -> Native<F> {
            if !self.leaves.keys().any(|slot| slot >> height == position) {
                return (0..height).fold(self.empty, |d, _| F::compress(&d, &d));
            }
            if height == 0 {
                return self.leaves[&position];
            }
            F::compress(&self.node(height - 1, 2 * position), &self.node(height - 1, 2 * position + 1))
        }

        fn slot(&self, addr: &Native<F>) -> u64 {
            u64::from(bits32(addr)) % (1 << self.depth)
        }
    }

    fn digests<F: CircuitField>(from: u8, n: u8) -> Vec<Native<F>> {
        (from..from + n).map(|i| lift(&[i; 32])).collect()
    }

    fn agree<F: CircuitField>(depth: usize, n: u8) {
        let empty = crate::natives::empty(crate::tags::Tag::Account);
        let mut naive = Naive::<F> { depth, empty, leaves: HashMap::new() };
        let mut tree = Tree::<F>::new(depth, &empty).unwrap();
        let before = tree.clone();
        let addresses = digests::<F>(0, n);
        assert_eq!(tree.root(), naive.node(depth, 0));
        for round in 0..2 {
            // The second round overwrites the first half.
            let leaves = digests::<F>(100 + round * n, n);
            let writes: Vec<_> =
                addresses.iter().copied().zip(leaves).take(n as usize / (1 + round as usize)).collect();
            tree = tree.update(&writes);
            naive.leaves.extend(writes.iter().map(|(a, l)| (u64::from(bits32(a)) % (1 << depth), *l)));
            assert_eq!(tree.root(), naive.node(depth, 0));
        }
        for addr in addresses.iter().chain(&digests::<F>(200, 3)) {
            let slot = naive.slot(addr);
            assert_eq!(tree.leaf(addr), naive.node(0, slot));
            let path: Vec<_> = (0..depth).map(|h| naive.node(h, slot >> h ^ 1)).collect();
            assert_eq!(tree.path(addr), path);
        }
        assert_eq!(before.root(), Naive::<F> { leaves: HashMap::new(), ..naive }.node(depth, 0), "versions are apart");
        assert_eq!(tree.update(&[]).root(), tree.root());
    }

    #[test]
    fn a_tree_is_its_definition() {
        agree::<M31>(32, 40);
        agree::<KoalaBear>(17, 40);
        agree::<Fr>(32, 5);
        // More addresses than slots.
        agree::<M31>(2, 12);
        agree::<M31>(1, 3);
    }

    #[test]
    fn of_two_writes_to_a_slot_the_later_stays() {
        let empty = crate::natives::zero::<M31>();
        let [addr, first, second] = [1, 2, 3].map(|i| lift(&[i; 32]));
        let tree = Tree::new(32, &empty).unwrap().update(&[(addr, first), (addr, second)]);
        assert_eq!(tree.leaf(&addr), second);
    }

    #[test]
    fn depths_out_of_range_are_refused() {
        let empty = crate::natives::zero::<M31>();
        assert!(Tree::new(0, &empty).is_err() && Tree::new(33, &empty).is_err());
    }

    #[test]
    fn full_paths_lead_to_the_root_of_the_padded_leaves() {
        let empty = crate::natives::zero::<M31>();
        for n in 0..=8u8 {
            let leaves = digests::<M31>(0, n);
            let mut padded = leaves.clone();
            padded.resize(8, empty);
            let (paths, top) = full_paths(&leaves, 3, &empty, &[0, 1, 2, 3, 4, 5, 6, 7]);
            // ROOT is the binary tree on the 31-bit fields.
            assert_eq!(top, root(&padded));
            for (index, path) in paths.iter().enumerate() {
                assert_eq!(full_paths(&leaves, 3, &empty, &[index]), (vec![path.clone()], top), "alone");
                let fold = |node, (height, sibling): (usize, &Native<M31>)| match index >> height & 1 {
                    0 => M31::compress(&node, sibling),
                    _ => M31::compress(sibling, &node),
                };
                assert_eq!(path.iter().enumerate().fold(padded[index], fold), top);
            }
        }
    }
}
