"""The three hashes of every shipped profile and of random scenarios: what a change of structure must leave as it is.

python benchmarks/fingerprints.py write FILE      # before
python benchmarks/fingerprints.py check FILE      # after: exit code 1 when a hash differs
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from simnet.fuzz.generator import scenario_of
from simnet.scenario.text import to_toml

HASHES = ("trace_sha256", "summary_sha256", "proofs_sha256")
RANDOM = range(1, 41)
"""Seeds of `simnet fuzz`."""
SCENARIOS = Path(__file__).parent.parent / "scenarios"
Fingerprint = Mapping[str, str | None]


def scenarios(only: str, folder: Path) -> Iterator[Path]:
    """Files of all scenarios whose name contains `only`; the random ones are written into the folder."""
    yield from (path for path in sorted(SCENARIOS.glob("*.toml")) if only in path.stem)
    for seed in RANDOM:
        path = folder / f"random-{seed}.toml"
        if only in path.stem:
            path.write_text(to_toml(scenario_of(seed), f"seed {seed}"), encoding="utf-8")
            yield path


def fingerprint(path: Path, folder: Path) -> Fingerprint:
    """The hashes of one run, in a process of its own."""
    out = folder / path.stem
    words = [sys.executable, "-m", "simnet.cli", "run", str(path), "--out", str(out), "-q", "--no-analyze"]
    subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - words of our own
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return {name: run[name] for name in HASHES}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("write", "check"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios whose name contains this")
    asked = parser.parse_args()
    known: dict[str, Fingerprint] = json.loads(asked.file.read_text(encoding="utf-8")) if asked.file.exists() else {}
    differ = []
    with tempfile.TemporaryDirectory() as folder:
        for path in scenarios(asked.only, Path(folder)):
            found = fingerprint(path, Path(folder))
            if asked.action == "write":
                known[path.stem] = found
                asked.file.write_text(json.dumps(known, indent=1), encoding="utf-8")
            wrong = [name for name in HASHES if known.get(path.stem, {}).get(name) != found[name]]
            differ += [path.stem] if wrong else []
            typer.echo(f"{path.stem}: {'differs in ' + ', '.join(wrong) if wrong else 'the same'}")
    typer.echo(f"{len(differ)} differ: {', '.join(differ)}" if differ else "all the same")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
