//! What the two STARK backends share.

pub mod layout;
pub mod security;
