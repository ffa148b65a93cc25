//! Forgeries of pruning proofs: four blocks of eight transactions in two segments.

use simnet_zk::circuits::builder::{Builder, Wire};
use simnet_zk::circuits::family::Family;
use simnet_zk::circuits::pruning::Size;
use simnet_zk::circuits::pruning::circuit;
use simnet_zk::circuits::pruning::statement::Window;
use simnet_zk::field::CircuitField;
use simnet_zk::natives::lift;

use super::{Forgery, Record, claim, forgery, lie, wrong_hash};

pub const SIZE: Size = Size { headers: 4, transactions: 8, segments: 2 };

pub fn honest<F: CircuitField>() -> Window<F> {
    Window::parse(&SIZE.sample::<F>().0, &SIZE).expect("an honest statement")
}

/// Records a changed window with the public inputs that follow from it.
pub fn record<F: CircuitField>(change: impl Fn(&mut Window<F>)) -> impl Record<F> {
    let mut window = honest::<F>();
    change(&mut window);
    move |b: &mut Builder<F>| circuit::record(b, &SIZE, &window, &window.public(&SIZE))
}

/// Where the public inputs begin that are not digests, and some that are.
fn position<F: CircuitField>(digests: usize, u64s: usize, u32s: usize) -> usize {
    let (u64_len, u32_len) = if F::WIDE { (1, 1) } else { (4, 2) };
    digests * F::DIGEST + u64s * u64_len + u32s * u32_len
}

pub fn all<F: CircuitField>() -> Vec<Forgery<F>> {
    let honest = honest::<F>();
    let other = lift::<F>(&[77; 32])[0];
    let removed_count = position::<F>(2, 0, 0);
    let last_header = position::<F>(3, 0, 1);
    let start_height = position::<F>(4, 0, 1);
    let snapshot_root = position::<F>(4, 1, 1);
    let snapshot_height = position::<F>(5, 1, 1);
    let schema_version = position::<F>(5, 2, 1);
    let binding_digest = schema_version + 2;
    let pruning_fold = binding_digest + F::DIGEST;
    let removed: u64 = honest.public(&SIZE).removed_count.into();
    let number = F::from_u64;
    let same = || record::<F>(|_| ());
    let mut out = vec![
        wrong_hash("a header digest of something else", "P1", same()),
        claim("another last header", ["P1"], same(), last_header, other),
        forgery("a height left out", ["P2"], record::<F>(|w| w.blocks[2..].iter_mut().for_each(|b| b.height += 1))),
        forgery("headers reordered", ["P2"], record::<F>(|w| w.blocks.swap(1, 2))),
        forgery("time runs backwards", ["P2"], record::<F>(|w| w.blocks[3].timestamp -= 2)),
        forgery(
            "a hole in the list",
            ["P3"],
            record::<F>(|w| (w.blocks[0].occupied[3], w.blocks[0].removed[3]) = (false, false)),
        ),
        wrong_hash("a transaction root of another list", "P3", same()),
        forgery("padding removed", ["P4"], record::<F>(|w| w.blocks[3].removed[7] = true)),
        wrong_hash("a pruned root of another list", "P4", same()),
        lie("a transaction removed twice over", ["P4"], same(), |s, values| {
            // The flag becomes 2: find it as the first bit of P4.
            let mark = s.marks.iter().find(|m| m.name == "P4").expect("P4");
            let flag: Wire = s.gates[mark.start[0] as usize].out;
            assert_eq!(values[flag.0 as usize], F::ONE, "the sample removes the first transaction");
            vec![(flag, number(2)), (s.public[removed_count], number(removed + 1))]
        }),
        claim("one more removed than were", ["P5"], same(), removed_count, number(removed + 1)),
        claim("another previous root", ["P6"], same(), 0, other),
        claim("another pruned root", ["P6"], same(), F::DIGEST, other),
        wrong_hash("a segment of something else", "P7", same()),
        claim("another envelope", ["P8"], same(), binding_digest, other),
        claim("another fold", ["P9"], same(), pruning_fold, other),
        claim("the snapshot of another block", ["P10"], same(), snapshot_root, other),
    ];
    // On BN254 the public integer is one element; its limbs would have to be changed along with it.
    if !F::WIDE {
        let height = number(honest.blocks[0].height);
        let last = number(honest.blocks[3].height);
        // Σ removed + p in two 16-bit limbs: another encoding of the same field sum.
        let second = (modulus::<F>() + removed).to_le_bytes();
        let [low, high] = [0, 2].map(|i| u64::from(u16::from_le_bytes([second[i], second[i + 1]])));
        out.extend([
            claim("another start", ["P2"], same(), start_height, height + F::ONE),
            claim("the height of another block", ["P10"], same(), snapshot_height, last - F::ONE),
            claim("a version of seventeen bits", ["P8"], same(), schema_version, number(1 << 16)),
            lie("a second encoding of the count", ["P5"], same(), |s, _| {
                vec![(s.public[removed_count], number(low)), (s.public[removed_count + 1], number(high))]
            }),
        ]);
    }
    out
}

/// The modulus of a 31-bit field.
fn modulus<F: CircuitField>() -> u64 {
    (-F::ONE).to_u64().expect("31 bits") + 1
}
