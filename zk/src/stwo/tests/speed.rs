//! Times and sizes, for `cargo test --release -- --ignored --nocapture stwo_speed`.

use std::time::Instant;

use super::*;

/// The consensus circuit at the size of the specification's cost table.
const CONSENSUS: [u32; 3] = [32, 256, 4];

#[test]
#[ignore = "a measurement"]
fn stwo_speed() {
    report("transaction", &Sample::circuit(1, &[]));
    report("consensus 24", &Sample::circuit(7, &CONSENSUS));
}

#[test]
#[ignore = "a loop for a profiler"]
fn stwo_loop() {
    let sample = Sample::circuit(1, &[]);
    let verify = std::env::var("LOOP").as_deref() == Ok("verify");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    pool.install(|| {
        let proof = sample.prove();
        for _ in 0..500 {
            if verify {
                sample.key.verify(&sample.public, &binding(), &proof).expect("honest");
            } else {
                sample.prove();
            }
        }
    });
}

fn report(name: &str, sample: &Sample) {
    let shape = &sample.key.shape;
    println!("{name}: {:?}", shape.tables.iter().map(|t| (t.name, t.log_size)).collect::<Vec<_>>());
    println!("  columns {:?}, security {:?}", shape.log_sizes.each_ref().map(Vec::len), sample.key.security_bits());
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let proof = sample.prove();
            let prove = best(15, || drop(sample.prove()));
            let verify = best(30, || sample.key.verify(&sample.public, &binding(), &proof).expect("honest"));
            println!("  {threads} threads: prove {prove:.2} ms, verify {verify:.2} ms, {} bytes", proof.len());
        });
    }
    let start = Instant::now();
    Stwo::keygen(&sample.structure, [0; 32]).expect("a key");
    println!("  keygen {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
}

/// The best time of `n` runs, in milliseconds.
fn best(n: usize, mut run: impl FnMut()) -> f64 {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..n).map(|_| time(&mut run)).fold(f64::INFINITY, f64::min)
}
