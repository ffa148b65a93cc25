//! Doors for the fuzzers in `fuzz/`, in no other build.

use std::sync::Arc;

use ::stwo::core::fields::m31::M31;
use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;
use p3_koala_bear::KoalaBear;

use crate::backend::{Binding, ProofSystem, Security};
use crate::circuits::builder::{Builder, Structure};
use crate::circuits::{Circuit, public, sample};
use crate::envelope::{Envelope, HEADER_BYTES, seal};
use crate::error::Reject;
use crate::field::CircuitField;
use crate::groth16::Groth16;
use crate::key::{self, Key};
use crate::plonky3::{self, Plonky3};
use crate::stwo::{self, Stwo};
use crate::tags::Tag;

const MAX_BYTES: usize = 1 << 20;

/// A verifier with an honest proof.
pub struct Subject<S: ProofSystem> {
    system: S,
    public: Vec<S::F>,
    binding: Binding,
    pub proof: Vec<u8>,
}

impl<S: ProofSystem> Subject<S> {
    fn new(system: S, structure: &Structure<S::F>, values: &[S::F]) -> Self {
        let binding = sample::binding(S::NUMBER);
        let public: Vec<S::F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
        let proof = system.prove(values, &binding, [1; 32]).expect("an honest witness");
        let subject = Subject { system, public, binding, proof };
        assert_eq!(subject.verify(&subject.proof), Ok(()));
        subject
    }

    pub fn verify(&self, proof: &[u8]) -> Result<(), Reject> {
        self.system.verify(&self.public, &self.binding, proof)
    }
}

/// A circuit with a row of every kind, as small as it gets.
fn miniature<F: CircuitField>() -> (Structure<F>, Vec<F>) {
    let mut b = Builder::<F>::new();
    let limbs: Vec<_> = (0..9).map(|i| b.public(F::from_u64(7000 * i))).collect();
    limbs.iter().for_each(|w| b.range16(*w));
    let digest = b.hash(Tag::Account, &limbs);
    let bit = b.bit(true);
    let sibling = b.witness_digest(&b.digest_value(&digest));
    let (l, r) = b.swap(bit, &digest, &sibling);
    let root = b.compress(&l, &r);
    let shown = b.public_digest(&b.digest_value(&root));
    b.assert_digest_eq(&root, &shown);
    b.mul_add(limbs[0], limbs[1], limbs[2]);
    b.finish()
}

/// Two queries and no work at all.
pub fn stwo() -> Subject<Stwo> {
    let weak = stwo::config::Parameters { query_pow: 0, lookup_pow: 0, log_blowup: 1, queries: 2, fold: 3 };
    let (structure, values) = miniature();
    Subject::new(Stwo::generate(&structure, weak).expect("a circuit"), &structure, &values)
}

/// Two queries and no work at all.
pub fn plonky3() -> Subject<Plonky3> {
    let standard = plonky3::config::Parameters::of(Security::Standard);
    let weak = plonky3::config::Parameters { queries: 2, query_pow: 0, batch_pow: 0, lookup_pow: 0, ..standard };
    let (structure, values) = miniature();
    Subject::new(Plonky3::generate(&structure, weak).expect("a circuit"), &structure, &values)
}

pub fn groth16() -> Subject<Groth16> {
    let (structure, values) = product();
    let system = Groth16::keygen(&structure, Security::Standard, [2; 32]).expect("a circuit");
    Subject::new(system, &structure, &values)
}

/// x·x is public.
fn product() -> (Structure<Fr>, Vec<Fr>) {
    let mut b = Builder::<Fr>::new();
    let x = b.witness(Fr::from(5));
    let square = b.mul(x, x);
    let shown = b.public(Fr::from(25));
    b.assert_eq(square, shown);
    b.finish()
}

/// Proof bytes whose points are multiples of the generators, by 32 bytes each.
pub fn groth16_points(bytes: &[u8]) -> Vec<u8> {
    let scalar = |i: usize| Fr::from_le_bytes_mod_order(bytes.get(32 * i..32 * (i + 1)).unwrap_or(&[1]));
    let a = (G1Affine::generator() * scalar(0)).into_affine();
    let b = (G2Affine::generator() * scalar(1)).into_affine();
    let c = (G1Affine::generator() * scalar(2)).into_affine();
    crate::groth16::encode(&ark_groth16::Proof::<ark_bn254::Bn254> { a, b, c })
}

/// A pinned key with an honest envelope.
pub struct Sealed {
    pub key: Arc<dyn Key>,
    pub public: Vec<u8>,
    pub envelope: Vec<u8>,
}

impl Sealed {
    pub fn proof(&self) -> &[u8] {
        &self.envelope[HEADER_BYTES..]
    }

    /// Any proof bytes behind the honest header.
    pub fn seal(&self, proof: &[u8]) -> Vec<u8> {
        let digest = Envelope::open(&self.envelope, MAX_BYTES).expect("honest").public_digest();
        seal(self.key.binding(), &digest, proof)
    }
}

/// The transfer's key of a backend.
pub fn sealed(backend: u8) -> Arc<Sealed> {
    let key = key::generate(backend, Circuit::Transaction, Security::Standard, [3; 32]).expect("a circuit");
    let statement = sample::transaction(0);
    let public = key.public_inputs(&statement).expect("a statement");
    let envelope = key.prove(&statement, [4; 32], 1).expect("an honest witness");
    assert_eq!(key.verify(&public, &envelope, MAX_BYTES), Ok(()));
    Arc::new(Sealed { key, public, envelope })
}

/// Statements, witnesses, public inputs and keys.
pub struct Decoders {
    circuits: Vec<Circuit>,
    small: Structure<Fr>,
    small_key: Vec<u8>,
    dumps: Vec<Vec<u8>>,
}

pub fn decoders() -> Decoders {
    let (small, _) = product();
    let small_key = Groth16::keygen(&small, Security::Standard, [2; 32]).expect("a circuit").dump();
    let dump = |backend| key::generate(backend, Circuit::Transaction, Security::Standard, [3; 32]).map(|k| k.dump());
    let dumps = [1, 2].map(|backend| dump(backend).expect("a circuit")).to_vec();
    Decoders { circuits: sample::circuits(), small, small_key, dumps }
}

/// Statement, witness and public inputs of a circuit's sample.
fn sampled<F: CircuitField>(circuit: &Circuit) -> [Vec<u8>; 3] {
    let (statement, witness) = circuit.sample::<F>();
    let public = public::to_bytes(&circuit.vector::<F>(&statement).expect("a statement"));
    [statement, witness, public]
}

fn decode<F: CircuitField>(what: u8, circuit: &Circuit, bytes: &[u8]) {
    match what {
        0 => drop(circuit.vector::<F>(bytes)),
        1 => drop(circuit.build::<F>(bytes)),
        _ => {
            if let Ok(vector) = public::from_bytes::<F>(&circuit.kinds(), bytes) {
                assert_eq!(public::to_bytes(&vector), bytes, "two encodings of one vector");
            }
        }
    }
}

impl Decoders {
    /// Nine kinds of bytes (three, in three fields), then keys.
    pub fn decode(&self, what: u8, circuit: u8, bytes: &[u8]) {
        let circuit = &self.circuits[usize::from(circuit) % self.circuits.len()];
        match what % 12 {
            what @ 0..3 => decode::<M31>(what, circuit, bytes),
            what @ 3..6 => decode::<KoalaBear>(what - 3, circuit, bytes),
            what @ 6..9 => decode::<Fr>(what - 6, circuit, bytes),
            9 => self.load_small(bytes),
            backend => self.load(backend - 9, bytes),
        }
    }

    fn load_small(&self, bytes: &[u8]) {
        if let Ok(key) = Groth16::load(&self.small, Security::Standard, bytes) {
            assert_eq!(key.dump(), bytes, "two encodings of one key");
        }
    }

    fn load(&self, backend: u8, bytes: &[u8]) {
        let honest = &self.dumps[usize::from(backend) - 1];
        if let Ok(key) = key::load(backend, Circuit::Transaction, Security::Standard, bytes) {
            assert_eq!(key.dump(), *honest, "another key of the same circuit");
        }
    }

    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let mut out = vec![];
        for (i, circuit) in self.circuits.iter().enumerate() {
            let all = [sampled::<M31>(circuit), sampled::<KoalaBear>(circuit), sampled::<Fr>(circuit)];
            for (what, bytes) in all.iter().flatten().enumerate() {
                out.push([&[what as u8, i as u8], bytes.as_slice()].concat());
            }
        }
        out.push([&[9, 0], self.small_key.as_slice()].concat());
        out.extend(self.dumps.iter().zip([10, 11]).map(|(dump, what)| [&[what, 0], dump.as_slice()].concat()));
        out
    }
}
