"""The values of nested tables by their dotted paths."""

from collections.abc import Iterator, Mapping


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is no table, below `path`; a list is a value."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value
