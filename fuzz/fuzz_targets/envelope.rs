//! What a node does with bytes from the wire: the keys of a transfer, as they are pinned. The first byte picks the proof
//! system and whether the header is made good, so that the proof itself is reached.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use simnet_zk::error::Reject;
use simnet_zk::fuzzing::{self, Sealed};

static SEALED: LazyLock<Vec<Arc<Sealed>>> = LazyLock::new(|| (1..=3).map(fuzzing::sealed).collect());
const MAX_BYTES: usize = 1 << 18;

fn seeds() -> Vec<Vec<u8>> {
    let one = |mode: u8| {
        let sealed = &SEALED[usize::from(mode % 3)];
        let content = if mode < 3 { sealed.envelope.as_slice() } else { sealed.proof() };
        [&[mode], content].concat()
    };
    (0..6).map(one).collect()
}

fuzz_target!(
    init: fuzz_support::seed("envelope", &seeds()),
    |data: &[u8]| {
        let Some((mode, rest)) = data.split_first() else { return };
        let sealed = &SEALED[usize::from(mode % 3)];
        let envelope = if mode % 6 < 3 { rest.to_vec() } else { sealed.seal(rest) };
        match sealed.key.verify(&sealed.public, &envelope, MAX_BYTES) {
            Ok(()) => assert_eq!(envelope, sealed.envelope, "two encodings of one proof"),
            Err(reject) => assert_ne!(reject, Reject::VerifierPanicked),
        }
    }
);
