"""Text that came from a file, a path or the environment, made safe to print."""

KEPT = "\n\t"


def printable(text: str) -> str:
    """On one line, without characters that would steer a terminal, break an XML file or have no encoding."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def lines(text: str) -> str:
    """The same for text of several lines."""
    return "".join(c if c.isprintable() or c in KEPT else "�" for c in text)


def encodable(text: str) -> str:
    """Text as it can be kept in UTF-8: what stands for undecodable bytes of a path becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
