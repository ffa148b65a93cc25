//! Everything else that is decoded: statements, witnesses, public inputs and dumped keys of every circuit and field. The
//! first byte says which, the second which circuit.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use simnet_zk::fuzzing::{self, Decoders};

static DECODERS: LazyLock<Decoders> = LazyLock::new(fuzzing::decoders);

fuzz_target!(
    init: fuzz_support::seed("decoders", &DECODERS.seeds()),
    |data: &[u8]| {
        if let [what, circuit, rest @ ..] = data {
            DECODERS.decode(*what, *circuit, rest);
        }
    }
);
