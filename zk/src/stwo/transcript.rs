//! The beginning of the transcript, the same for prover and verifier.

use stwo::core::channel::{Blake2sChannel, Channel};
use stwo::core::fields::m31::M31;

use super::shape::Shape;
use crate::backend::Binding;

/// Separates these transcripts from every other use of the channel ("SNST").
const LABEL: u32 = 0x5453_4e53;

/// Absorbs the metadata, parameters, sizes and the statement. `mix_u32s` absorbs no length, so lengths are words.
pub fn start(binding: &Binding, shape: &Shape, public: &[M31]) -> Blake2sChannel {
    let mut channel = Blake2sChannel::default();
    channel.mix_u32s(&[
        LABEL,
        binding.proof_version.into(),
        binding.backend.into(),
        binding.circuit_id.into(),
        binding.circuit_version.into(),
    ]);
    channel.mix_u32s(&words(&binding.params_hash));
    channel.mix_u32s(&words(&binding.vk_id));
    shape.parameters.pcs().mix_into(&mut channel);
    let mut sizes = vec![shape.parameters.lookup_pow, shape.tables.len() as u32];
    sizes.extend(shape.table_logs());
    channel.mix_u32s(&sizes);
    let mut statement = vec![public.len() as u32];
    statement.extend(public.iter().map(|v| v.0));
    channel.mix_u32s(&statement);
    channel
}

fn words(bytes: &[u8; 32]) -> [u32; 8] {
    let mut words = [0; 8];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*chunk);
    }
    words
}
