"""Groth16 proofs in the files of snarkjs and circom, in and out."""

from pathlib import Path

from simnet.base.errors import InputError, Problem, ProofError

ZKEY_BYTES_MAX = 1 << 31
DOCUMENT_BYTES_MAX = 16 << 20
DOCUMENTS = ("verification_key.json", "public.json", "proof.json")


def accepts(key: Path, proof: Path, public: Path) -> bool:
    """Whether a proof holds under a key: a `verification_key.json`, or a `.zkey`, whose verifying part is taken.

    Whose key it is and that its ceremony was honest is the caller's to know. Raises InputError for malformed files.
    """
    from simnet.proofs import native

    try:
        return native.groth16_verify(_verification_key(key), _text(public), _text(proof))
    except ProofError as error:
        raise InputError([Problem(_blamed(str(error), key, proof, public), None, "", None, str(error))]) from error


def _verification_key(key: Path) -> str:
    from simnet.proofs import native
    from simnet.proofs.witness.files import read_limited

    if key.suffix != ".zkey":
        return _text(key)
    return native.zkey_verification_key(read_limited(key, ZKEY_BYTES_MAX))


def _text(path: Path) -> str:
    from simnet.proofs.witness.files import read_limited

    try:
        return read_limited(path, DOCUMENT_BYTES_MAX).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError([Problem(path, None, "", None, f"not UTF-8 text: byte {error.start}")]) from error


def _blamed(message: str, key: Path, proof: Path, public: Path) -> Path:
    """The file that a message of the native module is about: it names the documents by their usual names."""
    return public if "public.json" in message else proof if "proof.json" in message else key
