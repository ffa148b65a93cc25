"""The reference page of scenario files, generated from the model: `python -m simnet.scenario.reference`."""

import inspect
import sys
import types
import typing
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from simnet.scenario.base import Ours
from simnet.scenario.bounds import bounds, words_of
from simnet.scenario.model import Scenario
from simnet.scenario.wrapper import Wrapper

HEAD = """# Scenario files

Generated from the model by `python -m simnet.scenario.reference > docs/scenario.md`; a test keeps it in step.

A scenario is TOML, YAML (`.yaml`, `.yml`), JSON (`.json`) or RON (`.ron`, which may also be JSON); the file's suffix says which,
and any other suffix means TOML. The keys are the same in all. `simnet schema` prints them as JSON Schema for editors. A file
that has `sim`, `topology` or `traffic` is a *profile*, the network that is run; a *wrapper* says what runs around one
([wrappers](wrappers.md)).

Times are whole milliseconds; probabilities lie in [0, 1]. Sections marked *ours* are simnet's own: an unknown key there is an
error. Elsewhere an unknown key is a warning, and an error with `--strict`.

A hop's delay is never below 0: jitter larger than the delay is cut off there. Faults count from 500 ms before traffic zero; the run ends 1000 ms
after the traffic clock (with a chain, while proofs are missing, up to 30 s or `consensus.proven_within_slots` + 1 slots later, whichever is longer). A
fault that would end at that very moment or later is recorded without an end, which the analyzer's rules on partitions refuse, and is a warning.
Numbers are those of each syntax: YAML's are YAML 1.2's, so `020` and
`1:30` are refused; RON's may name their type (`7u64`); in JSON `3000.0` is an integer.

What recurs by the clock alone is counted before a run begins: heartbeats, slots, publications, churn, an opponent's acts may each come as often as
the run may have events (`limits.events_max`, at least its default), else the key is refused with the value that would do. The same holds for
what is built before the first event: nodes, links, accounts, registrations of keys.

YAML anchors and aliases, keys that come twice, nesting beyond 32 levels and files beyond 1 MiB (YAML: 128 KiB) are refused.
"""
WRAPPER_HEAD = """
# Wrapper files

The keys of a wrapper; [wrappers](wrappers.md) says how one is carried out. An unknown key is a warning.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_section("", Scenario)) + WRAPPER_HEAD + "".join(_section("", Wrapper)) + "\n"


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    """A section's keys, then its subsections."""
    rows, below = [], []
    for name, field in model.model_fields.items():
        key = field.alias or name
        models = list(_models(field.annotation))
        if models:
            label = ".LABEL" if typing.get_origin(field.annotation) is dict else ""
            below.append((f"{path}.{key}{label}".lstrip("."), field, models))
        else:
            rows.append(f"| `{key}` | {_default(field)} | {_allowed(field)} | {field.description or ''} |\n")
    ours = ", *ours*" if issubclass(model, Ours) else ""
    yield f"\n## {'`[' + path + ']`' if path else 'Top level'}{ours}\n"
    if "kind" in model.model_fields and model.__doc__:
        yield "\n" + inspect.cleandoc(model.__doc__) + "\n"
    if rows:
        yield "\n| key | default | allowed | meaning |\n|---|---|---|---|\n" + "".join(rows)
    for deeper, field, models in below:
        if field.description:
            yield f"\n`{deeper}`: {field.description}\n"
        for each in models:
            yield from _section(deeper if len(models) == 1 else f"{deeper} ({_kind(each)})", each)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The section models inside a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        if part is not types.NoneType:
            yield from _models(part)


def _kind(model: type[BaseModel]) -> str:
    """What tells the alternatives of a section apart."""
    for name in ("model", "type", "kind"):
        if name in model.model_fields:
            return f'{name} = "{typing.get_args(model.model_fields[name].annotation)[0]}"'
    return model.__name__


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "see right" if (field.description or "").startswith("Default:") else "required"
    if field.default is None or field.default is PydanticUndefined:
        return "absent"
    return f"`{field.default}`"


def _allowed(field: FieldInfo) -> str:
    """Allowed values: the words of an enumeration, or the limits of a number."""
    words = words_of(field.annotation)
    return ", ".join(f"`{w}`" for w in words) or bounds(field) or "any"


if __name__ == "__main__":
    sys.stdout.write(page())
