use super::super::*;
use crate::circuits::builder::Builder;
use crate::field::CircuitField;
use crate::tags::Tag;
use std::time::Instant;

pub fn binding() -> Binding {
    Binding { proof_version: 1, backend: 2, circuit_id: 1, circuit_version: 1, params_hash: [3; 32], vk_id: [4; 32] }
}

fn circuit(hashes: usize, compress: usize, muls: usize, ranges: usize, publics: usize) -> (Structure<F>, Vec<F>) {
    let f = |v| <F as CircuitField>::from_u64(v);
    let mut b = Builder::<F>::new();
    let mut xs = vec![];
    for i in 0..publics {
        xs.push(b.public(f(i as u64 * 7 + 1)));
    }
    for i in 0..ranges {
        let w = b.witness(f((i * 811 % 65536) as u64));
        b.range16(w);
        xs.push(w);
    }
    let mut d = b.hash(Tag::Leaf(), &xs[..34.min(xs.len())]);
    for _ in 0..hashes {
        let mut v = d.0.to_vec();
        v.extend(&xs[..26.min(xs.len())]);
        d = b.hash(Tag::Tx, &v);
    }
    for i in 0..compress {
        let bit = b.bit(i % 3 == 0);
        let sib = b.witness_digest(&F::compress(&b.digest_value(&d), &b.digest_value(&d)));
        let (l, r) = b.swap(bit, &d, &sib);
        d = b.compress(&l, &r);
    }
    let mut acc = d.0[0];
    for i in 0..muls {
        acc = b.mul_add(acc, xs[i % xs.len()], d.0[i % 8]);
    }
    let out = b.public(b.value(acc));
    b.assert_eq(acc, out);
    b.finish()
}
trait L {
    #[allow(non_snake_case)]
    fn Leaf() -> Tag {
        Tag::Account
    }
}
impl L for Tag {}

fn measure(name: &str, s: &Structure<F>, v: &[F]) {
    let t = Instant::now();
    let key = Plonky3::keygen(s, [0; 32]).unwrap();
    println!(
        "{name}: keygen {:?} bits {:?} max {} vk {}",
        t.elapsed(),
        key.security_bits(),
        key.shape.max_bytes(),
        key.vk_bytes().len()
    );
    for t in &key.shape.tables {
        println!("   {t:?}");
    }
    println!("   folds {:?}", key.shape.folds);
    let public = key.filler.public(v);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut best, mut vbest, mut sum) = (f64::MAX, f64::MAX, 0.0);
            let mut len = 0;
            let n = 20;
            for _ in 0..n {
                let t = Instant::now();
                let p = key.prove(v, &binding(), [0; 32]).unwrap();
                let e = t.elapsed().as_secs_f64() * 1e3;
                best = best.min(e);
                sum += e;
                let t = Instant::now();
                key.verify(&public, &binding(), &p).unwrap();
                vbest = vbest.min(t.elapsed().as_secs_f64() * 1e3);
                len = p.len();
            }
            println!(
                "   {threads} threads: prove best {best:.1} mean {:.1} ms, verify {vbest:.2} ms, {len} bytes",
                sum / n as f64
            );
        });
    }
}

#[test]
fn bench_small() {
    let (s, v) = circuit(2, 2, 260, 48, 65);
    measure("tx", &s, &v);
}

#[test]
fn bench_large() {
    let (s, v) = circuit(120, 700, 7000, 400, 127);
    measure("consensus", &s, &v);
}
