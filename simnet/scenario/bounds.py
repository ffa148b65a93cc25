"""What a model allows at a key: for messages and for the reference page."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simnet.scenario.marks import Path

SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}


def bounds(field: FieldInfo) -> str:
    """Allowed values in words: the limits of a number or length; empty when there are none."""
    return _limits([*field.metadata, *_annotated(field.annotation)])


def words_of(annotation: object) -> list[object]:
    """The words of an enumeration inside a type."""
    if get_origin(annotation) is typing.Literal:
        return list(get_args(annotation))
    return [word for part in get_args(annotation) for word in words_of(part)]


def allowed(model: type[BaseModel], data: Mapping[str, Any], key: Path, said: str) -> str:
    """`; allowed: ≥ 1, ≤ 1024` for a key of the model, as far as `said` does not say it."""
    field = _field(model, data, key)
    if field is None:
        return ""
    limits = bounds(field)
    words = words_of(field.annotation)
    if not limits and words:
        limits = ", ".join(map(str, words))
    return f"; allowed: {limits}" if limits and limits not in said and "must be one of" not in said else ""


def model_of(model: type[BaseModel], data: object, path: Path) -> type[BaseModel] | None:
    """The section model at a path."""
    annotation: Any = model
    for part in path:
        annotation, data = _step(annotation, data, part)
        if annotation is None:
            return None
    return _section(annotation, data)


def _field(model: type[BaseModel], data: Mapping[str, Any], key: Path) -> FieldInfo | None:
    if not key or not isinstance(key[-1], str):
        return None
    inner: object = data
    for part in key[:-1]:
        inner = inner.get(part) if isinstance(inner, Mapping) else inner[part] if _has(inner, part) else None  # type: ignore[index]
    section = model_of(model, data, key[:-1])
    return None if section is None else _fields(section).get(key[-1])


def _has(items: object, part: str | int) -> bool:
    return isinstance(items, list | tuple) and isinstance(part, int) and part < len(items)


def _fields(section: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _step(annotation: Any, data: object, part: str | int) -> tuple[Any, object]:
    """The type and value one key or position further down."""
    inner = data.get(part) if isinstance(data, Mapping) else data[part] if _has(data, part) else None  # type: ignore[index]
    section = _section(annotation, data)
    if section is not None:
        field = _fields(section).get(str(part))
        return (None if field is None else field.annotation), inner
    for option in _options(annotation):
        if get_origin(option) is dict:
            return get_args(option)[1], inner
        if get_origin(option) is tuple:
            return get_args(option)[0], inner
    return None, inner


def _section(annotation: Any, data: object) -> type[BaseModel] | None:
    """The model that a type means for a value; of several, the one that the value's `type`, `model` or `kind` names."""
    sections = [o for o in _options(annotation) if isinstance(o, type) and issubclass(o, BaseModel)]
    return chosen(sections, data)


def chosen(sections: list[type[BaseModel]], value: object) -> type[BaseModel] | None:
    """The section of a union that a table's `type`, `model` or `kind` names; None when it names none."""
    if len(sections) < 2:
        return sections[0] if sections else None
    for section in sections:
        for tag in ("type", "model", "kind"):
            field = section.model_fields.get(tag)
            if field and isinstance(value, Mapping) and value.get(tag) in get_args(field.annotation):
                return section
    return None


def _options(annotation: Any) -> list[Any]:
    """The alternatives of a type, without their constraints."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [option for part in get_args(annotation) for option in _options(part)]
    return [annotation]


def _limits(metadata: list[object]) -> str:
    found = []
    for item in metadata:
        for name, sign in SIGNS.items():
            value = getattr(item, name, None)
            if value is not None:
                found.append(f"{sign} {value}")
    return ", ".join(dict.fromkeys(found))


def _annotated(annotation: object) -> Iterator[object]:
    """Constraints that stand inside a type, as in `Probability | None`."""
    for part in get_args(annotation):
        for item in getattr(part, "__metadata__", ()):
            yield from getattr(item, "metadata", ())
            yield item
