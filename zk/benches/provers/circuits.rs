//! The circuits through the key, as simnet calls it: recording, checking, proving, the envelope.

use std::sync::Arc;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use stwo::core::fields::m31::M31;

use simnet_zk::backend::Security;
use simnet_zk::circuits::Circuit;
use simnet_zk::field::CircuitField;
use simnet_zk::key::{self, Key};

use crate::table::{Table, pools};

const MAX_BYTES: usize = 1 << 20;

/// The size of the consensus circuit in the specification's cost table.
pub const CONSENSUS: [u32; 3] = [32, 256, 4];
/// Depth of the identity tree, and the size of the state circuit, there too.
const IDENTITY: [u32; 1] = [32];
const STATE: [u32; 3] = [16, 4, 32];

/// A key with an honest statement and witness of its circuit.
struct Case {
    name: String,
    key: Arc<dyn Key>,
    public: Vec<u8>,
    witness: Vec<u8>,
}

impl Case {
    fn new<F: CircuitField>(system: &str, id: u8, params: &[u32]) -> Self {
        let circuit = Circuit::new(id, params).expect("a circuit");
        let key = key::generate(F::NUMBER, circuit, Security::Standard, [1; 32]).expect("a key");
        let (statement, witness) = circuit.sample::<F>();
        let public = key.public_inputs(&statement).expect("a statement");
        let name = match id {
            1 => "transaction",
            2 => "identity 32",
            3 => "state 16x4x32",
            _ => "consensus 32x256x4",
        };
        println!("{system} {name}: bits {:.1?}, {:?}", key.security_bits(), key.sizes());
        Case { name: format!("{system} {name}"), key, public, witness }
    }

    fn prove(&self) -> Vec<u8> {
        self.key.prove(&self.witness, [2; 32], 0).expect("an honest witness")
    }

    fn measure(&self, table: &mut Table) {
        for (threads, pool) in pools() {
            let name = format!("{}/prove/{threads}", self.name);
            let took = table.time(&name, &pool, || drop(self.prove()));
            table.line(&name, took, None);
        }
        // A verification always runs on one thread.
        let proof = self.prove();
        println!("{}: {} bytes", self.name, proof.len());
        let name = format!("{}/verify", self.name);
        let verify = || self.key.verify(&self.public, &proof, MAX_BYTES).expect("an honest proof");
        let took = table.time(&name, &pools()[0].1, verify);
        table.line(&name, took, None);
    }
}

pub fn stwo(table: &mut Table) {
    Case::new::<M31>("stwo", 1, &[]).measure(table);
    Case::new::<M31>("stwo", 2, &IDENTITY).measure(table);
    Case::new::<M31>("stwo", 3, &STATE).measure(table);
    Case::new::<M31>("stwo", 7, &CONSENSUS).measure(table);
}

pub fn plonky3(table: &mut Table) {
    Case::new::<KoalaBear>("plonky3", 1, &[]).measure(table);
    Case::new::<KoalaBear>("plonky3", 2, &IDENTITY).measure(table);
    Case::new::<KoalaBear>("plonky3", 3, &STATE).measure(table);
    Case::new::<KoalaBear>("plonky3", 7, &CONSENSUS).measure(table);
}

/// The small ones only: consensus and state take seconds a proof, see [`crate::groth16::consensus`].
pub fn groth16(table: &mut Table) {
    Case::new::<Fr>("groth16", 1, &[]).measure(table);
    Case::new::<Fr>("groth16", 2, &IDENTITY).measure(table);
}
