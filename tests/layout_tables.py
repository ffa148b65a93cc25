"""The layouts of circuits as tables for docs/circuits.md: `python -m tests.layout_tables` puts them in."""

from collections.abc import Iterator

from simnet.proofs.layouts import LAYOUTS, Bound, Field, Form, Layout
from tests.runs import ROOT

PAGE = ROOT / "docs" / "circuits.md"
HEAD = "## Layouts"
WORDS = {"hash": "32 bytes", "digest": "D", "flag": "u8, 0 or 1", "vector": "vector"}
ABOUT = """Made from `zk/src/circuits/*/layout.rs`, where they are told: `python -m tests.layout_tables` writes this section anew.

Fields follow each other unpadded, integers little-endian. D is a digest of the backend's own field in canonical bytes, always 32 (31-bit
fields: eight 4-byte elements; BN254: one of 32 bytes). A list behind a u16 count names its limits; other lists have the length that stands
before the ×. A vector is the public inputs of the circuit in canonical bytes. Times are in the unit of the chain. Of public inputs a 31-bit
field holds a u64 in four elements, a u32 in two and a smaller integer in one, 16 bits each; BN254 holds any in one.
"""


def _bound(bound: Bound) -> str:
    return str(bound) if isinstance(bound, int) else f"`{bound}`"


def _word(form: Form) -> str:
    """A form in a cell; of a record only its name."""
    match form.kind:
        case "list":
            return f"u16 count from {form.least} to {_bound(form.bound)}, then so many × {_word(form.items[0])}"
        case "array":
            return f"{_bound(form.bound)} × {_word(form.items[0])}"
        case "each":
            return f"as many as `{form.of}` × {_word(form.items[0])}"
        case "up_to":
            return f"u16 up to {_bound(form.bound)}"
        case "bits":
            return "u8, bits from the lowest: " + ", ".join(form.names)
        case "named":
            return f"{len(form.names)} × D: " + ", ".join(form.names)
        case "record":
            return form.name
        case kind:
            return WORDS.get(kind, kind)


def _text(doc: str) -> str:
    """`H[TAG](x)` is no link."""
    return doc.replace("](", "]\\(")


def _rows(fields: tuple[Field, ...], path: str = "") -> Iterator[str]:
    """A row for each field, and for those of the records in it."""
    for field in fields:
        form = field.form
        yield f"| `{path}{field.name}` | {_word(form)} | {_text(field.doc)} |"
        inner, within = form, f"{path}{field.name}."
        while inner.items:
            inner, within = inner.items[0], f"{within[:-1]}[]."
        if inner.kind == "record":
            yield from _rows(inner.fields, within)


def _part(title: str, fields: tuple[Field, ...]) -> Iterator[str]:
    yield from (f"{title}", "", "| field | form | |", "|---|---|---|", *_rows(fields), "")


def table(name: str, layout: Layout) -> str:
    """One circuit's section."""
    sizes = ", ".join(f"`{p}`" for p in layout.params) or "none"
    added = layout.witness.fields[len(layout.statement.fields) :]
    lines = [f"### {name}", "", f"Sizes: {sizes}.", ""]
    lines += _part(f"Statement{'' if added else ', which is its own witness'}. {_text(layout.statement.doc)}", layout.statement.fields)
    if added:
        lines += _part("Witness: the statement, then", added)
    lines += _part("Public inputs", layout.public)
    return "\n".join(lines)


def section() -> str:
    """All of it."""
    return "\n".join([HEAD, "", ABOUT, *(table(c.label, layout) for c, layout in LAYOUTS.items())])


def main() -> None:
    """Puts the section at the end of the page."""
    page = PAGE.read_text()
    PAGE.write_text(page.partition(f"{HEAD}\n")[0].rstrip() + "\n\n" + section())


if __name__ == "__main__":
    main()
