use super::*;

fn proof_with_threads(threads: usize, values: &[F]) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| fixture().key.prove(values, &binding(), [0; 32]).unwrap())
}

#[test]
fn proofs_do_not_depend_on_the_number_of_threads() {
    for seed in 0..25 {
        let (_, values) = small(seed);
        let one = proof_with_threads(1, &values);
        for threads in [2, 8, 8] {
            assert!(proof_with_threads(threads, &values) == one, "seed {seed}, {threads} threads");
        }
    }
}
