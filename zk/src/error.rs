//! One error tree. A verifier answers accept or [`Reject`]; it never panics across the boundary.

/// Why a proof is refused. The names are those of the specification's rejection matrix; the numbers are
/// the native boundary's codes (0 is accept) and never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum Reject {
    #[error("VersionMismatch")]
    VersionMismatch = 1,
    #[error("CircuitVersionMismatch")]
    CircuitVersionMismatch = 2,
    #[error("UnknownBackend")]
    UnknownBackend = 3,
    #[error("UnknownProofKind")]
    UnknownProofKind = 4,
    #[error("ParamsHashMismatch")]
    ParamsHashMismatch = 5,
    #[error("VerifyingKeyMismatch")]
    VerifyingKeyMismatch = 6,
    #[error("NonCanonicalFieldElement")]
    NonCanonicalFieldElement = 7,
    #[error("PublicInputMismatch")]
    PublicInputMismatch = 8,
    #[error("PublicDigestMismatch")]
    PublicDigestMismatch = 9,
    #[error("InvalidProofShape")]
    InvalidProofShape = 10,
    #[error("BodyLengthMismatch")]
    BodyLengthMismatch = 11,
    #[error("ProofTooLarge")]
    ProofTooLarge = 12,
    #[error("ConstraintMismatch")]
    ConstraintMismatch = 13,
    #[error("OpeningArgumentMismatch")]
    OpeningArgumentMismatch = 14,
    #[error("FriVerifyFailed")]
    FriVerifyFailed = 15,
    #[error("PairingMismatch")]
    PairingMismatch = 16,
    /// The library's verifier panicked on bytes that passed the shape check; contained, and refused.
    #[error("VerifierPanicked")]
    VerifierPanicked = 17,
}

impl Reject {
    /// Every reason, in the order of the codes.
    pub const ALL: [Reject; 17] = [
        Reject::VersionMismatch,
        Reject::CircuitVersionMismatch,
        Reject::UnknownBackend,
        Reject::UnknownProofKind,
        Reject::ParamsHashMismatch,
        Reject::VerifyingKeyMismatch,
        Reject::NonCanonicalFieldElement,
        Reject::PublicInputMismatch,
        Reject::PublicDigestMismatch,
        Reject::InvalidProofShape,
        Reject::BodyLengthMismatch,
        Reject::ProofTooLarge,
        Reject::ConstraintMismatch,
        Reject::OpeningArgumentMismatch,
        Reject::FriVerifyFailed,
        Reject::PairingMismatch,
        Reject::VerifierPanicked,
    ];
}

/// What can go wrong before a verdict: a caller's mistake or a damaged key, never a peer's bytes.
#[derive(Debug, thiserror::Error)]
pub enum ZkError {
    #[error("InvalidWitness: {0}")]
    InvalidWitness(String),
    #[error("AmountOutOfRange: {0}")]
    AmountOutOfRange(String),
    #[error("ConstraintViolation: {0}")]
    ConstraintViolation(String),
    #[error("InvalidKeyEncoding: {0}")]
    InvalidKeyEncoding(String),
    /// A JSON document of another tool.
    #[error("InvalidDocument: {0}")]
    InvalidDocument(String),
    #[error("Unsupported: {0}")]
    Unsupported(String),
    #[error("ProverFailed: {0}")]
    ProverFailed(String),
}
