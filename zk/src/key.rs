//! The key of one circuit in one proof system: what the native boundary hands out.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ark_bn254::Bn254;
use ark_groth16::VerifyingKey;
use blake2::{Blake2s256, Digest as _};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::backend::{Binding, PROOF_VERSION, ProofSystem, Security};
use crate::catalogue::in_system;
use crate::circuits::builder::Structure;
use crate::circuits::digest::structure_digest;
use crate::circuits::{Circuit, public};
use crate::envelope::{Envelope, public_digest, seal};
use crate::error::{Reject, ZkError};
use crate::field::CircuitField;
use crate::groth16::Groth16;
use crate::tags::TAG_TABLE_VERSION;

/// Most threads of a proving pool.
const THREADS_MAX: usize = 256;

/// A key, whatever the proof system.
pub trait Key: Send + Sync {
    fn circuit(&self) -> Circuit;
    fn binding(&self) -> &Binding;
    /// Number of public-input field elements.
    fn public_len(&self) -> usize;
    fn sizes(&self) -> Vec<(&'static str, u64)>;
    fn security_bits(&self) -> (f64, f64);
    fn dump(&self) -> Vec<u8>;
    /// Whether this is, as far as a verifier is concerned, the key that `generate` makes from a seed. Loading a STARK's key
    /// makes it again, so there it always is.
    fn follows_from(&self, seed: [u8; 32]) -> Result<bool, ZkError>;
    /// The verifying key, if this is Groth16.
    fn groth16_vk(&self) -> Option<&VerifyingKey<Bn254>>;
    /// The public-input vector of a statement as bytes.
    fn public_inputs(&self, statement: &[u8]) -> Result<Vec<u8>, ZkError>;
    /// An envelope; runs on a pool of `threads` threads (0: the global one).
    fn prove(&self, witness: &[u8], seed: [u8; 32], threads: usize) -> Result<Vec<u8>, ZkError>;
    /// The checks of the specification, in its order.
    fn verify(&self, public_inputs: &[u8], envelope: &[u8], max_bytes: usize) -> Result<(), Reject>;
}

/// Makes a key.
pub fn generate(backend: u8, circuit: Circuit, security: Security, seed: [u8; 32]) -> Result<Arc<dyn Key>, ZkError> {
    contained(|| {
        in_system!(backend, S => {
            Ok(Arc::new(CircuitKey::<S>::generate(circuit, security, seed)?) as Arc<dyn Key>)
        })
    })
}

/// Reads a dumped key.
pub fn load(backend: u8, circuit: Circuit, security: Security, bytes: &[u8]) -> Result<Arc<dyn Key>, ZkError> {
    contained(|| {
        in_system!(backend, S => {
            Ok(Arc::new(CircuitKey::<S>::load(circuit, security, bytes)?) as Arc<dyn Key>)
        })
    })
}

/// Reads a Groth16 key from the `.zkey` of a setup that others held for this circuit.
pub fn from_zkey(circuit: Circuit, bytes: &[u8]) -> Result<Arc<dyn Key>, ZkError> {
    contained(|| {
        let structure = circuit.structure()?;
        let system = Groth16::from_zkey(&structure, bytes)?;
        Ok(Arc::new(CircuitKey::new(circuit, Security::Standard, structure, system)) as Arc<dyn Key>)
    })
}

/// A panic of a library as an error: it must not cross the boundary.
fn contained<T>(f: impl FnOnce() -> Result<T, ZkError>) -> Result<T, ZkError> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(ZkError::ProverFailed("the library panicked".into())))
}

/// The calling thread's own pool of `threads` threads, kept for its next proof. Callers share no pool: two small
/// proofs on one thread each are to run side by side. A pool of one thread is the caller itself: handing over to
/// another thread, which then looks for more work for a while, costs as much as a small verification.
fn pool(threads: usize) -> Result<Arc<ThreadPool>, ZkError> {
    thread_local! {
        static POOLS: RefCell<HashMap<usize, Arc<ThreadPool>>> = RefCell::default();
    }
    if threads > THREADS_MAX {
        return Err(ZkError::Unsupported(format!("{threads} threads; at most {THREADS_MAX}")));
    }
    POOLS.with_borrow_mut(|pools| {
        if let Some(pool) = pools.get(&threads) {
            return Ok(pool.clone());
        }
        let builder = ThreadPoolBuilder::new().num_threads(threads);
        let built = if threads == 1 { builder.use_current_thread() } else { builder }.build();
        let pool = Arc::new(built.map_err(|e| ZkError::ProverFailed(e.to_string()))?);
        pools.insert(threads, pool.clone());
        Ok(pool)
    })
}

/// Canonical parameter bytes of a circuit in a proof system: field and hash, tags, sizes, constants, then the system's.
pub fn parameter_bytes<S: ProofSystem>(circuit: &Circuit, security: Security) -> Vec<u8> {
    let mut out = vec![S::F::NUMBER];
    let hash = S::F::hash_parameter_bytes();
    out.extend((hash.len() as u32).to_le_bytes());
    out.extend(hash);
    out.extend(TAG_TABLE_VERSION.to_le_bytes());
    let params = circuit.params();
    out.push(params.len() as u8);
    params.iter().for_each(|p| out.extend(p.to_le_bytes()));
    let constants = circuit.constants();
    out.push(constants.len() as u8);
    constants.iter().for_each(|c| out.extend(c.to_le_bytes()));
    out.extend(S::parameter_bytes(security));
    out
}

fn params_hash<S: ProofSystem>(circuit: &Circuit, security: Security) -> [u8; 32] {
    let bytes = parameter_bytes::<S>(circuit, security);
    Blake2s256::new().chain_update(b"SIMNET-PARAMS-V1").chain_update(bytes).finalize().into()
}

fn vk_id(backend: u8, circuit: &Circuit, params_hash: &[u8; 32], vk: &[u8]) -> [u8; 32] {
    Blake2s256::new()
        .chain_update(b"SIMNET-VK-V1")
        .chain_update([backend, circuit.id()])
        .chain_update(circuit.version().to_le_bytes())
        .chain_update(params_hash)
        .chain_update(vk)
        .finalize()
        .into()
}

/// The key of one circuit in the proof system `S`.
pub struct CircuitKey<S: ProofSystem> {
    circuit: Circuit,
    structure: Structure<S::F>,
    binding: Binding,
    system: S,
}

impl<S: ProofSystem> CircuitKey<S> {
    fn new(circuit: Circuit, security: Security, structure: Structure<S::F>, system: S) -> Self {
        let params_hash = params_hash::<S>(&circuit, security);
        let backend = S::NUMBER;
        let binding = Binding {
            proof_version: PROOF_VERSION,
            backend,
            circuit_id: circuit.id(),
            circuit_version: circuit.version(),
            params_hash,
            vk_id: vk_id(backend, &circuit, &params_hash, &system.vk_bytes()),
        };
        CircuitKey { circuit, structure, binding, system }
    }

    pub fn generate(circuit: Circuit, security: Security, seed: [u8; 32]) -> Result<Self, ZkError> {
        let structure = circuit.structure()?;
        let system = S::keygen(&structure, security, seed)?;
        Ok(Self::new(circuit, security, structure, system))
    }

    /// Dumped keys begin with params_hash, the circuit's structure and vk_id, so that a key of another circuit, of another
    /// size or strength or of an earlier form of the circuit is told apart.
    pub fn load(circuit: Circuit, security: Security, bytes: &[u8]) -> Result<Self, ZkError> {
        let damaged = |what: &str| ZkError::InvalidKeyEncoding(what.into());
        let (head, body) = bytes.split_first_chunk::<96>().ok_or_else(|| damaged("too short"))?;
        if head[..32] != params_hash::<S>(&circuit, security) {
            return Err(damaged("the key is of another circuit, size or configuration"));
        }
        let structure = circuit.structure()?;
        if head[32..64] != structure_digest(&structure) {
            return Err(damaged("the key is of another form of the circuit"));
        }
        let system = S::load(&structure, security, body)?;
        let key = Self::new(circuit, security, structure, system);
        if head[64..] == key.binding.vk_id { Ok(key) } else { Err(damaged("vk_id differs")) }
    }

    fn prove_here(&self, witness: &[u8], seed: [u8; 32]) -> Result<Vec<u8>, ZkError> {
        let (structure, values) = self.circuit.build::<S::F>(witness)?;
        if structure.wires != self.structure.wires {
            return Err(ZkError::InvalidWitness("the witness is of another size".into()));
        }
        let proof = self.system.prove(&values, &self.binding, seed)?;
        let public: Vec<S::F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
        let digest = public_digest(&self.binding, &public::to_bytes(&public));
        Ok(seal(&self.binding, &digest, &proof))
    }
}

impl<S: ProofSystem> Key for CircuitKey<S> {
    fn circuit(&self) -> Circuit {
        self.circuit
    }

    fn binding(&self) -> &Binding {
        &self.binding
    }

    fn public_len(&self) -> usize {
        self.structure.public.len()
    }

    fn sizes(&self) -> Vec<(&'static str, u64)> {
        let s = &self.structure;
        let mut sizes = vec![
            ("wires", u64::from(s.wires)),
            ("gates", s.gates.len() as u64),
            ("swaps", s.swaps.len() as u64),
            ("hashes", s.hashes.len() as u64),
            ("ranges", s.ranges.len() as u64),
        ];
        sizes.extend(self.system.sizes());
        sizes
    }

    fn security_bits(&self) -> (f64, f64) {
        self.system.security_bits()
    }

    fn dump(&self) -> Vec<u8> {
        let structure = structure_digest(&self.structure);
        [self.binding.params_hash.as_slice(), &structure, &self.binding.vk_id, &self.system.dump()].concat()
    }

    fn follows_from(&self, seed: [u8; 32]) -> Result<bool, ZkError> {
        contained(|| self.system.follows_from(seed))
    }

    fn groth16_vk(&self) -> Option<&VerifyingKey<Bn254>> {
        self.system.groth16_vk()
    }

    fn public_inputs(&self, statement: &[u8]) -> Result<Vec<u8>, ZkError> {
        contained(|| Ok(public::to_bytes(&self.circuit.vector::<S::F>(statement)?)))
    }

    fn prove(&self, witness: &[u8], seed: [u8; 32], threads: usize) -> Result<Vec<u8>, ZkError> {
        contained(|| match threads {
            0 => self.prove_here(witness, seed),
            n => pool(n)?.install(|| self.prove_here(witness, seed)),
        })
    }

    fn verify(&self, public_inputs: &[u8], envelope: &[u8], max_bytes: usize) -> Result<(), Reject> {
        let envelope = Envelope::open(envelope, max_bytes)?;
        envelope.check_binding(&self.binding)?;
        let vector: Vec<S::F> = public::from_bytes(&self.circuit.kinds(), public_inputs)?;
        if envelope.public_digest() != public_digest(&self.binding, public_inputs) {
            return Err(Reject::PublicDigestMismatch);
        }
        // One thread: a verification must not queue behind the chunks of a large proof in the global pool.
        let check = || self.system.verify(&vector, &self.binding, envelope.proof);
        let alone = pool(1).map_err(|_| Reject::VerifierPanicked)?;
        catch_unwind(AssertUnwindSafe(|| alone.install(check))).unwrap_or(Err(Reject::VerifierPanicked))
    }
}
