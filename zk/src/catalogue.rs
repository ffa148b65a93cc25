//! The proof systems: a row each. Beside its row a system has its folder, and nothing else in the crate names it.

/// Runs `$body` with `$S` standing for the proof system of a number; every row is here.
macro_rules! in_system {
    ($number:expr, $S:ident => $body:expr) => {
        $crate::catalogue::rows!($number, $S => $body;
            $crate::stwo::Stwo,
            $crate::plonky3::Plonky3,
            $crate::groth16::Groth16,
        )
    };
}

/// Tells the rows apart by the numbers that they give themselves.
macro_rules! rows {
    ($number:expr, $S:ident => $body:expr; $($system:ty,)+) => {
        match $number {
            $(<$system as $crate::backend::ProofSystem>::NUMBER => {
                type $S = $system;
                $body
            })+
            other => Err($crate::error::ZkError::Unsupported(format!("backend {other}"))),
        }
    };
}

pub(crate) use {in_system, rows};
