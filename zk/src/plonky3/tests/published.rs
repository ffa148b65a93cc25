//! The proofs that ship with `p3-uni-stark` and `p3-batch-stark` 0.8.0, in their configurations: BabyBear with
//! Poseidon2 and FRI, and M31 with Keccak and circle FRI. They pass through this project's decoder, its FRI set-up
//! and its handling of verdicts. (The crate's STIR proof is of a commitment scheme that nothing here uses.)

use std::marker::PhantomData;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_baby_bear::{BabyBear, Poseidon2BabyBear};
use p3_batch_stark::{BatchProof, ProverData, verify_batch};
use p3_challenger::{DuplexChallenger, HashChallenger, SerializingChallenger32};
use p3_circle::CirclePcs;
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::extension::BinomialExtensionField;
use p3_field::{Field, PrimeCharacteristicRing};
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_keccak::Keccak256Hash;
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_mersenne_31::Mersenne31;
use p3_symmetric::{CompressionFunctionFromHasher, PaddingFreeSponge, SerializingHasher, TruncatedPermutation};
use p3_uni_stark::{Proof, StarkConfig, verify};
use rand_p3::SeedableRng;
use rand_p3::rngs::SmallRng;

use super::super::codec::canonical;
use super::super::config::two_adic;
use super::super::verify::contained;
use crate::error::Reject;

type Permutation = Poseidon2BabyBear<16>;
type BabyPacking = <BabyBear as Field>::Packing;
type BabyMmcs = MerkleTreeMmcs<
    BabyPacking,
    BabyPacking,
    PaddingFreeSponge<Permutation, 16, 8, 8>,
    TruncatedPermutation<Permutation, 2, 8, 16>,
    2,
    8,
>;
type BabyExtension = BinomialExtensionField<BabyBear, 4>;
type BabyChallengeMmcs = ExtensionMmcs<BabyBear, BabyExtension, BabyMmcs>;
type BabyPcs = TwoAdicFriPcs<BabyBear, Radix2DitParallel<BabyBear>, BabyMmcs, BabyChallengeMmcs>;
type BabyConfig = StarkConfig<BabyPcs, BabyExtension, DuplexChallenger<BabyBear, Permutation, 16, 8>>;

type CircleMmcs = MerkleTreeMmcs<
    Mersenne31,
    u8,
    SerializingHasher<Keccak256Hash>,
    CompressionFunctionFromHasher<Keccak256Hash, 2, 32>,
    2,
    32,
>;
type CircleExtension = BinomialExtensionField<Mersenne31, 3>;
type CircleChallengeMmcs = ExtensionMmcs<Mersenne31, CircleExtension, CircleMmcs>;
type CircleChallenger = SerializingChallenger32<Mersenne31, HashChallenger<u8, Keccak256Hash, 32>>;
type CircleConfig =
    StarkConfig<CirclePcs<Mersenne31, CircleMmcs, CircleChallengeMmcs>, CircleExtension, CircleChallenger>;

/// BabyBear with a permutation drawn from `seed`.
fn baby_config(seed: u64, cap_height: usize) -> BabyConfig {
    let permutation = Permutation::new_from_rng_128(&mut SmallRng::seed_from_u64(seed));
    let hash = PaddingFreeSponge::new(permutation.clone());
    let mmcs = BabyMmcs::new(hash, TruncatedPermutation::new(permutation.clone()), cap_height);
    let fri = |mmcs| FriParameters {
        log_blowup: 2,
        log_final_poly_len: 2,
        max_log_arity: 1,
        num_queries: 2,
        batch_proof_of_work_bits: 0,
        commit_proof_of_work_bits: 1,
        query_proof_of_work_bits: 1,
        mmcs,
    };
    BabyConfig::new(two_adic(mmcs, fri), DuplexChallenger::new(permutation))
}

fn circle_config(cap_height: usize, commit_pow_bits: usize) -> CircleConfig {
    let hash = Keccak256Hash {};
    let mmcs = CircleMmcs::new(SerializingHasher::new(hash), CompressionFunctionFromHasher::new(hash), cap_height);
    let fri_params = FriParameters {
        log_blowup: 1,
        log_final_poly_len: 0,
        max_log_arity: 1,
        num_queries: 40,
        batch_proof_of_work_bits: 0,
        commit_proof_of_work_bits: commit_pow_bits,
        query_proof_of_work_bits: 8,
        mmcs: CircleChallengeMmcs::new(mmcs.clone()),
    };
    let pcs = CirclePcs { mmcs, fri_params, _phantom: PhantomData };
    CircleConfig::new(pcs, CircleChallenger::from_hasher(vec![], hash))
}

/// The Fibonacci recursion: columns x and y, public values x and y of the first row and y of the last.
fn fibonacci<AB: AirBuilder>(builder: &mut AB) {
    let (main, public) = (builder.main(), builder.public_values().to_vec());
    let (x, y) = (main.current_slice()[0], main.current_slice()[1]);
    let (next_x, next_y) = (main.next_slice()[0], main.next_slice()[1]);
    builder.when_first_row().assert_eq(x, public[0]);
    builder.when_first_row().assert_eq(y, public[1]);
    builder.when_transition().assert_eq(y, next_x);
    builder.when_transition().assert_eq(x + y, next_y);
    builder.when_last_row().assert_eq(y, public[2]);
}

struct Fibonacci;

impl<F> BaseAir<F> for Fibonacci {
    fn width(&self) -> usize {
        2
    }

    fn num_public_values(&self) -> usize {
        3
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(2)
    }
}

impl<AB: AirBuilder> Air<AB> for Fibonacci {
    fn eval(&self, builder: &mut AB) {
        fibonacci(builder);
    }
}

/// The two tables of the batch proofs, joined by a bus: Fibonacci rows received twice, and products that send them.
#[derive(Clone)]
enum Joined {
    /// Two products a row, and a column that holds the factors in another order.
    Products,
    /// With the row numbers as a preprocessed column.
    Fibonacci { log_height: usize },
}

const BUS: &str = "MulFib";
const PRODUCTS: usize = 2;

impl<F: Field> BaseAir<F> for Joined {
    fn width(&self) -> usize {
        match self {
            Joined::Products => 3 * PRODUCTS + 1,
            Joined::Fibonacci { .. } => 2,
        }
    }

    fn num_public_values(&self) -> usize {
        match self {
            Joined::Products => 0,
            Joined::Fibonacci { .. } => 3,
        }
    }

    fn preprocessed_width(&self) -> usize {
        usize::from(matches!(self, Joined::Fibonacci { .. }))
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        match self {
            Joined::Products => None,
            Joined::Fibonacci { log_height } => {
                Some(RowMajorMatrix::new((0..1 << log_height).map(F::from_u64).collect(), 1))
            }
        }
    }
}

impl<AB: InteractionBuilder<F: Field>> Air<AB> for Joined {
    fn eval(&self, builder: &mut AB) {
        match self {
            Joined::Products => products(builder),
            Joined::Fibonacci { .. } => {
                fibonacci(builder);
                let row = builder.main().current_slice().to_vec();
                let twice = Count::bounded(AB::Expr::from_u64(2), 2);
                builder.push_interaction(BUS, [row[0].into(), row[1].into()], twice);
            }
        }
    }
}

fn products<AB: InteractionBuilder>(builder: &mut AB) {
    let (row, next) = (builder.main().current_slice().to_vec(), builder.main().next_slice().to_vec());
    let factors = (0..PRODUCTS).map(|i| 3 * i);
    for at in factors.clone() {
        builder.assert_eq(row[at] * row[at + 1], row[at + 2]);
        builder.when_transition().assert_eq(row[at + 1], next[at]);
        builder.when_transition().assert_eq(row[at] + row[at + 1], next[at + 1]);
    }
    for at in factors {
        builder.push_interaction(BUS, [row[at].into(), row[at + 1].into()], -1);
    }
}

fn first_and_last<F: PrimeCharacteristicRing>(last: u64) -> Vec<F> {
    vec![F::ZERO, F::ONE, F::from_u64(last)]
}

/// A shipped proof's bytes.
macro_rules! published {
    ($file:literal) => {
        include_bytes!(concat!("../../../vectors/plonky3/", $file, "_v0_8_0.postcard")).as_slice()
    };
}

/// Decodes `$bytes` as a `$Proof`, which has to have no other bytes.
macro_rules! decoded {
    ($Proof:ty, $bytes:expr) => {{
        let proof: $Proof = canonical($bytes).expect("its own encoding");
        assert_eq!(postcard::to_allocvec(&proof).unwrap(), $bytes);
        let longer = [$bytes, &[0]].concat();
        assert_eq!(canonical::<$Proof>(&longer).err(), Some(Reject::BodyLengthMismatch));
        proof
    }};
}

/// A proof of 8 Fibonacci rows; the right claim holds, a wrong one does not.
macro_rules! single {
    ($Config:ty, $config:expr, $bytes:expr) => {{
        let (config, proof) = ($config, decoded!(Proof<$Config>, $bytes));
        let verdict = |last| verify(&config, &Fibonacci, &proof, &first_and_last(last));
        verdict(21).expect("an honest proof");
        assert!(verdict(34).is_err());
    }};
}

/// A proof of both tables of [`Joined`], and its claim about the last row.
macro_rules! batch {
    ($Config:ty, $config:expr, $bytes:expr, $log_height:literal, $last:literal) => {{
        let (config, proof) = ($config, decoded!(BatchProof<$Config>, $bytes));
        assert_eq!(proof.degree_bits, [$log_height; 2]);
        let tables = [Joined::Products, Joined::Fibonacci { log_height: $log_height }];
        let data = ProverData::from_airs_and_degrees(&config, &tables, &proof.degree_bits).unwrap();
        let verdict = |last| {
            let public = [vec![], first_and_last(last)];
            contained(|| verify_batch(&config, &tables, &proof, &public, &data.common))
        };
        assert_eq!(verdict($last), Ok(()));
        assert!(verdict($last + 1).is_err_and(|e| e != Reject::VerifierPanicked));
    }};
}

#[test]
fn the_single_table_proof_over_baby_bear() {
    single!(BabyConfig, baby_config(1, 0), published!("uni_stark_two_adic"));
}

#[test]
fn the_single_table_proof_over_the_circle() {
    single!(CircleConfig, circle_config(0, 0), published!("uni_stark_circle"));
}

#[test]
fn the_batch_proof_over_baby_bear() {
    batch!(BabyConfig, baby_config(777, 1), published!("batch_stark_two_adic"), 5, 2_178_309);
}

#[test]
fn the_batch_proof_over_the_circle() {
    batch!(CircleConfig, circle_config(3, 8), published!("batch_stark_circle"), 3, 21);
}
