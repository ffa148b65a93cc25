//! What the targets share.

use std::fs;
use std::path::Path;

/// Puts real inputs into a target's corpus, so that mutation starts from what a verifier accepts.
pub fn seed(target: &str, inputs: &[Vec<u8>]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    for (i, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("seed-{i}")), input).expect("a seed");
    }
}
