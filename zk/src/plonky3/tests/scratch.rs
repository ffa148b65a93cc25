use super::*;
use crate::field::CircuitField;
use std::time::Instant;
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap()
        / 1e6
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
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        let n: usize = std::env::var("N").map_or(20, |n| n.parse().unwrap());
        let t = cpu();
        let mut p = vec![];
        for _ in 0..n {
            p = key.prove(v, &binding(), [0; 32]).unwrap();
        }
        let best = (cpu() - t) / n as f64;
        let len = p.len();
        let t = cpu();
        for _ in 0..4 * n {
            key.verify(&public, &binding(), &p).unwrap();
        }
        let vbest = (cpu() - t) / (4 * n) as f64;
        println!("   CPU: prove {best:.2}, verify {vbest:.3} ms, {len} bytes");
    });
}

#[test]
fn bench_small() {
    let (s, v) = circuit(2, 0, 250, 48, 65);
    measure("tx", &s, &v);
}

#[test]
fn bench_large() {
    let (s, v) = circuit(120, 700, 7000, 400, 127);
    measure("consensus", &s, &v);
}
