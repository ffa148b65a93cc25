"""Pydantic's findings in the words of the scenario files."""

import math
import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from simnet.scenario.marks import Path

RANGE_ERRORS = {"greater_than_equal", "greater_than", "less_than_equal", "less_than", "finite_number"}
UPPER = {"less_than_equal", "less_than", "finite_number"}
"""Of values that are too large, about which a phrase on a lower bound says nothing."""
_NUMERIC = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
POSITIVE = ("positive", "greater than zero", "at least one peer", "at least 1")
"""Ends of phrases about a lower bound, which would mislead about a value that is too large."""
WORDS: dict[Path, str] = {
    ("sim", "duration_ms"): "duration must be positive",
    ("topology", "n"): "topology must include at least one peer",
    ("topology", "k"): "degree must be at least 1 and below n",
    ("topology", "p"): "probability must be between 0 and 1 inclusive",
    ("topology", "rewire_p"): "probability must be between 0 and 1 inclusive",
    ("traffic", "tx", "payload", "min_bytes"): "payload bounds",
    ("traffic", "tx", "payload", "max_bytes"): "payload bounds",
    ("traffic", "tx", "publisher_bias", "s"): "bias exponent must be positive",
    ("faults", "churn", "rate_per_min"): "churn rate must be positive",
    ("faults", "churn", "restart_after_ms"): "restart time must be positive",
    ("faults", "partition", "duration_ms"): "partition duration must be positive",
    ("faults", "byzantine", "spam_factor"): "spam_factor must be at least 1",
    ("consensus", "runs"): "consensus.runs must be greater than zero",
    ("consensus", "validators"): "consensus.validators must be greater than zero",
    ("consensus", "witness_commitments"): "consensus.witness_commitments must be greater than zero",
    ("consensus", "tamper", "every_n"): "consensus.tamper.every_n must be greater than zero",
    ("resources", "cpus"): "resources.cpus must be greater than zero",
    ("resources", "memory_gb"): "resources.memory_gb must be greater than zero",
}


def explain(error: ErrorDetails, path: Path) -> str:
    """Why a value is refused: the specification's phrase where there is one; `bounds.allowed` adds the allowed range."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("int_type", "int_from_float", "float_type") and (why := _other_number(error["input"], kind)):
        return why
    allowed = _allowed(kind, context, error["msg"])
    if kind in RANGE_ERRORS and len(path) == 3 and path[0] == "links" and path[2] == "loss":
        return f"link '{path[1]}' loss must be between 0 and 1 inclusive"
    if kind == "too_short" and path == ("traffic", "tx", "phases"):
        return "at least one phase is needed"
    if kind in RANGE_ERRORS and len(path) == 5 and path[:3] == ("traffic", "tx", "phases"):
        return f"phase {path[3]}: {path[4]} {allowed if kind in UPPER else 'must be positive'}"
    if kind in RANGE_ERRORS and path in WORDS and not (kind in UPPER and WORDS[path].endswith(POSITIVE)):
        return WORDS[path]
    return allowed


def _other_number(given: object, kind: str) -> str | None:
    """What is wrong with a value that is nearly the number that was wanted; None where pydantic says it as well."""
    if isinstance(given, float) and math.isfinite(given):
        whole = f", without a fraction or an exponent: {int(given)}" if given.is_integer() and abs(given) < 2**64 else ""
        return f"must be an integer{whole}"
    if isinstance(given, float):
        return "must be an integer; infinity and nan are none"
    if isinstance(given, str) and _NUMERIC.fullmatch(given.strip()):
        return f"must be {'a number' if kind == 'float_type' else 'an integer'}, and this is text: write it without quotes"
    return None


def _allowed(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind == "missing":
        return "required, but missing"
    if kind in ("literal_error", "union_tag_invalid"):
        return f"must be one of {context.get('expected', context.get('expected_tags'))}"
    if kind == "union_tag_not_found":
        return f"needs the key {context['discriminator']} that says which kind it is"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "must be a table"
    if kind == "string_pattern_mismatch":
        return "must not be blank"
    if kind == "tuple_type":
        return "must be a list"
    return message.replace("Input should be", "must be").replace("Tuple should", "list should")
