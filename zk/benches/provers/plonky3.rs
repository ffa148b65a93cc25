//! Permutations through our tables, beside `p3-poseidon2-air`'s own AIR under `p3-uni-stark`: the same number of
//! rows, the same commitment scheme, FRI parameters and transcript. And that AIR at the size and with the FRI parameters
//! of the library's own example, to compare with figures that others publish.

use std::sync::LazyLock;

use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear as Linear, KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_16_INTERNAL, KoalaBear,
};
use p3_poseidon2_air::{
    Poseidon2Air, RoundConstants, VectorizedPoseidon2Air, generate_trace_rows, generate_vectorized_trace_rows,
};
use p3_uni_stark::{prove, verify};

use simnet_zk::backend::{ProofSystem, Security};
use simnet_zk::circuits::sample::binding;
use simnet_zk::plonky3::{Plonky3, config};

use crate::chain::{self, PERMUTATIONS};
use crate::table::{Table, pools};

type Air = Poseidon2Air<KoalaBear, Linear, 16, 3, 0, 4, 20>;
type Constants = RoundConstants<KoalaBear, 16, 4, 20>;

/// Permutations in a row of the library's example, which proves 2^16 rows.
const LANES: usize = 8;
const EXAMPLE: usize = LANES << 16;
type ExampleAir = VectorizedPoseidon2Air<KoalaBear, Linear, 16, 3, 0, 4, 20, LANES>;

fn constants() -> Constants {
    RoundConstants::new(
        KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
        KOALABEAR_POSEIDON2_RC_16_INTERNAL,
        KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    )
}

fn parameters() -> config::Parameters {
    config::Parameters::of(Security::Standard)
}

/// A transcript's start, with the commitment scheme that our keys use.
fn configuration(pcs: &config::Pcs) -> config::Config {
    config::proof_config(pcs, &parameters(), &binding(2), &[PERMUTATIONS.ilog2() as usize], &[])
}

/// Those of `FriParameters::new_benchmark`.
fn example_parameters() -> config::Parameters {
    config::Parameters {
        log_blowup: 1,
        queries: 100,
        query_pow: 16,
        batch_pow: 0,
        lookup_pow: 0,
        ood_pow: 0,
        commit_pow: 0,
        max_log_arity: 1,
        log_final_poly_len: 0,
    }
}

/// Inputs of permutations, counted up.
fn inputs(n: usize) -> Vec<[KoalaBear; 16]> {
    (0..n).map(|i| std::array::from_fn(|j| KoalaBear::new((16 * i + j) as u32))).collect()
}

pub fn permutations(table: &mut Table) {
    let (structure, values) = chain::record::<KoalaBear>();
    let key = Plonky3::keygen(&structure, Security::Standard, [0; 32]).expect("a key");
    let public: Vec<KoalaBear> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
    let (air, constants, pcs) = (Air::new(constants()), constants(), parameters().pcs());
    let inputs = inputs(PERMUTATIONS);
    let reference = || {
        let trace =
            generate_trace_rows::<_, Linear, 16, 3, 0, 4, 20>(inputs.clone(), &constants, parameters().log_blowup);
        prove(&configuration(&pcs), &air, trace, &[]).expect("a proof")
    };
    let ours = || key.prove(&values, &binding(2), [0; 32]).expect("a proof");
    for (threads, pool) in pools() {
        let name = format!("plonky3 permutations/prove/{threads}");
        let took = table.time(&name, &pool, || drop(ours()));
        let bare = table.time(&format!("{name}/reference"), &pool, || drop(reference()));
        table.permutations(&name, took, bare, PERMUTATIONS);
    }
    let (proof, bare_proof) = (ours(), reference());
    let (name, pool) = ("plonky3 permutations/verify", &pools()[0].1);
    let took = table.time(name, pool, || key.verify(&public, &binding(2), &proof).expect("honest"));
    let bare = table.time(&format!("{name}/reference"), pool, || {
        verify(&configuration(&pcs), &air, &bare_proof, &[]).expect("honest");
    });
    table.line(name, took, bare);
}

/// The bare AIR alone: no circuit of ours is near that size.
pub fn example(table: &mut Table) {
    let inputs = LazyLock::new(|| inputs(EXAMPLE));
    let (parameters, constants, air) = (example_parameters(), constants(), ExampleAir::new(constants()));
    let (pcs, heights) = (parameters.pcs(), [(EXAMPLE / LANES).ilog2() as usize]);
    let configuration = || config::proof_config(&pcs, &parameters, &binding(2), &heights, &[]);
    let reference = || {
        let trace = generate_vectorized_trace_rows::<_, Linear, 16, 3, 0, 4, 20, LANES>(
            inputs.clone(),
            &constants,
            parameters.log_blowup,
        );
        prove(&configuration(), &air, trace, &[]).expect("a proof")
    };
    for (threads, pool) in pools() {
        let name = format!("plonky3 2^19 permutations/prove/{threads}");
        let bare = table.time(&format!("{name}/reference"), &pool, || drop(reference()));
        table.permutations(&name, None, bare, EXAMPLE);
    }
}
