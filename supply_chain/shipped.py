"""What ships inside the package although it lies elsewhere in the repository: links to it, file by file.

`python -m supply_chain.shipped` makes them anew; a test keeps them in step. A wheel holds the files themselves.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = "simnet/shipped"
FOLDERS = {"scenarios": ("scenarios", (".toml", ".ron", ".yaml", ".yml", ".json")), "thresholds": ("analysis/thresholds", (".toml",))}
"""By folder of the package: the folder of the repository, and which of its files ship."""


def wanted(root: Path = ROOT) -> dict[Path, Path]:
    """Every link that there should be, and the file that it means."""
    found = {}
    for name, (source, suffixes) in FOLDERS.items():
        for path in sorted((root / source).iterdir()):
            if path.suffix in suffixes:
                found[root / SHIPPED / name / path.name] = path
    return found


def faults(root: Path = ROOT) -> list[str]:
    """Links that are missing, mean something else, or are left over."""
    links = wanted(root)
    present = {path for name in FOLDERS for path in (root / SHIPPED / name).glob("*")}
    missing = [link for link, path in links.items() if not link.is_symlink() or link.resolve() != path.resolve()]
    again = "; `python -m supply_chain.shipped` makes the links anew"
    return [f"{path.relative_to(root)}: no link to what ships{again}" for path in (*missing, *sorted(present - set(links)))]


def main(root: Path = ROOT) -> None:
    for name in FOLDERS:
        folder = root / SHIPPED / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    for link, path in wanted(root).items():
        link.symlink_to(os.path.relpath(path, link.parent))


if __name__ == "__main__":
    main()
