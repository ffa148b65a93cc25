"""Proofs that do not prove what they claim, each made of a real envelope. Pure."""

from dataclasses import dataclass

from simnet.node.opponents.plan import Plan, flipped
from simnet.proofs import native

KEY_ID = slice(38, 70)
"""Where the verifying key's identity stands in an envelope."""
POINT_BYTES = 32
SIGN_BIT = 0x80
"""The last byte of a compressed BN254 point has its sign."""
A_SIGN = native.ENVELOPE_HEADER_BYTES + POINT_BYTES - 1
B_SIGN = native.ENVELOPE_HEADER_BYTES + 3 * POINT_BYTES - 1
"""B has two coordinates in x."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a forged proof has to look like."""

    digest: bytes
    """Public digest of the statement that it is said to prove."""
    other_key: bytes
    """Key identity of another circuit."""
    bytes_max: int


def forged(what: str, real: bytes, claim: Claim, plan: Plan) -> bytes:
    """`real` is the claimed statement's own proof if the forger has one, else another's of the same proof system."""
    match what:
        case "spoiled":
            return flipped(real, native.ENVELOPE_HEADER_BYTES, plan.random)
        case "other_statement":
            return real[: native.PUBLIC_DIGEST.start] + claim.digest + real[native.PUBLIC_DIGEST.stop :]
        case "other_key":
            return real[: KEY_ID.start] + claim.other_key + real[KEY_ID.stop :]
        case "oversize":
            return real + bytes(max(1, claim.bytes_max + 1 - len(real)))
    return real  # other_block: as it is


def negated(envelope: bytes) -> bytes:
    """A Groth16 proof (A, B, C) as (-A, -B, C), which the same statement's verifier accepts: e(-A, -B) = e(A, B)."""
    out = bytearray(envelope)
    out[A_SIGN] ^= SIGN_BIT
    out[B_SIGN] ^= SIGN_BIT
    return bytes(out)
