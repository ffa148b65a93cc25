//! Forgeries of uptime claims: six of eight heartbeats, 300 s apart, in a log of 64.

use simnet_zk::circuits::builder::Builder;
use simnet_zk::circuits::uptime::statement::Witness;
use simnet_zk::circuits::uptime::{Size, circuit, sample};
use simnet_zk::field::CircuitField;
use simnet_zk::natives::lift;

use super::{Forgery, Record, claim, forgery, lie, wrong_hash};

pub const SIZE: Size = Size { heartbeats: 8, log_depth: 6, depth: 6, min_window: 3600, max_gap: 300 };

/// Records a changed claim, whose heartbeats are in the log, with the public inputs that follow.
pub fn record<F: CircuitField>(change: impl Fn(&mut Witness<F>)) -> impl Record<F> {
    record_in(SIZE, change)
}

/// The same in a circuit of another size.
pub fn record_in<F: CircuitField>(size: Size, change: impl Fn(&mut Witness<F>)) -> impl Record<F> {
    let mut witness = sample::claim::<F>(&SIZE);
    change(&mut witness);
    sample::publish(&mut witness, &size);
    of(size, witness)
}

/// Records a changed claim over the log that was there.
fn unpublished<F: CircuitField>(change: impl Fn(&mut Witness<F>)) -> impl Record<F> {
    let mut witness = sample::claim::<F>(&SIZE);
    change(&mut witness);
    of(SIZE, witness)
}

fn of<F: CircuitField>(size: Size, witness: Witness<F>) -> impl Record<F> {
    move |b: &mut Builder<F>| circuit::record(b, &size, &witness, &witness.statement.public())
}

/// Time, window and clock.
fn times<F: CircuitField>() -> Vec<Forgery<F>> {
    let shifted = |w: &mut Witness<F>| {
        let by = w.statement.window_end - w.heartbeats[5].t;
        w.heartbeats.iter_mut().for_each(|h| h.t += by);
    };
    vec![
        forgery("a short window", ["U3"], record::<F>(|w| w.statement.window_end = w.statement.window_start + 3599)),
        forgery(
            "a reversed window",
            ["U3", "U8"],
            record::<F>(|w| w.statement.window_end = w.statement.window_start - 3600),
        ),
        forgery(
            "a window that has not ended",
            ["U4"],
            record::<F>(|w| w.statement.node_clock = w.statement.window_end - 1),
        ),
        forgery("no epoch", ["U5"], record::<F>(|w| w.statement.epoch = 0)),
        forgery("two heartbeats at once", ["U8"], record::<F>(|w| w.heartbeats[2].t = w.heartbeats[1].t)),
        forgery("a heartbeat counted twice", ["U8"], unpublished::<F>(|w| w.heartbeats[2] = w.heartbeats[1].clone())),
        forgery("a heartbeat before the window", ["U8"], record::<F>(|w| w.statement.window_start += 1)),
        forgery("a heartbeat at the end of the window", ["U8"], record::<F>(shifted)),
        forgery("too long a pause", ["U8"], record::<F>(|w| w.heartbeats[5].t += 1)),
    ]
}

pub fn all<F: CircuitField>() -> Vec<Forgery<F>> {
    let other = lift::<F>(&[77; 32]);
    let u64_len = if F::WIDE { 1 } else { 4 };
    let commitment = 2 * F::DIGEST + 4 * u64_len;
    let identity_root = commitment + F::DIGEST;
    let threshold = identity_root + 2 * F::DIGEST;
    let same = || record::<F>(|_| ());
    let mut out = vec![
        forgery("another identity", ["U2"], record::<F>(|w| w.id_commitment = other)),
        forgery("a foreign path", ["U2"], record::<F>(|w| w.id_path[3] = other)),
        claim("another identity root", ["U2"], same(), identity_root, other[0]),
        wrong_hash("an identity leaf of something else", "U2", same()),
        forgery("one heartbeat too few", ["U6"], record::<F>(|w| w.statement.threshold = w.statement.count + 1)),
        forgery("no threshold", ["U6"], record::<F>(|w| w.statement.threshold = 0)),
        forgery("one heartbeat more than there are", ["U6"], record::<F>(|w| w.statement.count += 1)),
        claim("a negative threshold", ["U6"], same(), threshold, -F::ONE),
        lie("a hole among the heartbeats", ["U6"], same(), |s, values| {
            let mark = s.marks.iter().rfind(|m| m.name == "U6").expect("U6");
            let flag = s.gates[mark.start[0] as usize + 2].out;
            assert_eq!(values[flag.0 as usize], F::ONE);
            vec![(flag, F::ZERO)]
        }),
        forgery(
            "a heartbeat that is not logged",
            ["U7"],
            unpublished::<F>(|w| w.heartbeats[1].signature_digest = other),
        ),
        forgery("a heartbeat of somebody else", ["U7"], unpublished::<F>(|w| w.heartbeats[1].index += 1)),
        forgery("a path of somebody else", ["U7"], unpublished::<F>(|w| w.heartbeats[1].path[5] = other)),
        wrong_hash("a leaf of something else", "U7", same()),
        forgery("a stale head", ["U9"], record::<F>(|w| w.statement.head_hash = w.heartbeats[4].head)),
        claim("another commitment", ["U10"], same(), commitment, other[0]),
        wrong_hash("a commitment of something else", "U10", same()),
    ];
    out.extend(times());
    out
}
