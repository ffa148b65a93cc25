//! Where the parts of a proof stand in its bytes.

use super::*;
use crate::attacks::{Form, Map, Target};
use crate::stwo::codec::decode;
use stwo::core::fields::m31::P;

const ELEMENTS: Form = Form::Elements { modulus: P };
const TREES: [&str; 4] = ["preprocessed", "trace", "interaction", "composition"];
const SAMPLES: [&str; 4] = ["preprocessed samples", "trace samples", "interaction samples", "composition samples"];

const OPENED: [&str; 4] = ["preprocessed cells", "trace cells", "interaction cells", "composition cells"];

impl Target for Stwo {
    fn cheat(&self, values: &[M31], public: &[M31], binding: &Binding) -> Vec<(&'static str, Vec<u8>)> {
        cheat::proofs(self, values, public, binding)
    }

    fn map(&self, bytes: &[u8]) -> Map {
        let parts = decode(bytes, &self.shape, self.root).expect("an honest proof");
        let proof = &parts.stark.0;
        let fri = &proof.fri_proof;
        let mut m = Map::default();
        m.add("lookup nonce", Form::Opaque, 8);
        parts.sums.iter().for_each(|_| m.add("sum", ELEMENTS, 16));
        TREES[1..].iter().for_each(|tree| m.add(tree, Form::Opaque, 32));
        for (tree, name) in proof.sampled_values.iter().zip(SAMPLES) {
            tree.iter().flatten().for_each(|_| m.add(name, ELEMENTS, 16));
        }
        (0..=fri.inner_layers.len()).for_each(|_| m.add("layer", Form::Opaque, 32));
        m.add("last layer", ELEMENTS, 16);
        m.add("query nonce", Form::Opaque, 8);
        m.add("queries", Form::Count, 4);
        for (tree, name) in proof.queried_values.iter().zip(OPENED) {
            tree.iter().flatten().for_each(|_| m.add(name, ELEMENTS, 4));
        }
        for d in &proof.decommitments.0 {
            m.add("path hashes", Form::Count, 4);
            d.hash_witness.iter().for_each(|_| m.add("path hash", Form::Opaque, 32));
        }
        for layer in std::iter::once(&fri.first_layer).chain(&fri.inner_layers) {
            m.add("layer values", Form::Count, 4);
            layer.fri_witness.iter().for_each(|_| m.add("layer value", ELEMENTS, 16));
            m.add("layer hashes", Form::Count, 4);
            layer.decommitment.hash_witness.iter().for_each(|_| m.add("layer hash", Form::Opaque, 32));
        }
        m
    }
}
