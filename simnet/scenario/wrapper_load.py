"""From a wrapper file to a job: its own problems and those of the profile it points to, all at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simnet.base.errors import Problem, ScenarioError
from simnet.scenario import syntax
from simnet.scenario.document import Document
from simnet.scenario.load import LoadedScenario, check_scenario, is_profile
from simnet.scenario.tables import Conflict, at
from simnet.scenario.wrapper import Process, Wrapper

WRAPPER_KEYS = frozenset(Wrapper.model_fields) - {"name"}
WRAPPER_SUFFIXES = frozenset({".ron", ".json"})
PROFILE_PREFIX = "profile."
GROUPS = ("nodes", "wallets")
BUILT_IN = {
    "cpu_gpu_proving_interop_emits_metrics_and_respects_fallbacks": ("drill", "prover-mix"),
    "zk_backends_apply_and_log_penalties": ("drill", "slashing"),
}
"""Tests of upstream's own source tree that its wrappers start with `cargo test`, and the simnet command that does the same."""


@dataclass(frozen=True, slots=True)
class LoadedWrapper:
    """A job that can be run."""

    wrapper: Wrapper
    profile: LoadedScenario | None
    warnings: tuple[Problem, ...]
    """Of the wrapper and of its profile."""
    sha256: str
    """Of the wrapper's bytes."""
    path: Path


def load_any(
    path: Path | str, *, seed: int | None = None, overrides: Mapping[str, str] | None = None, strict: bool = False
) -> LoadedScenario | LoadedWrapper:
    """Loads a traffic profile or a wrapper, whichever the file is. Raises `ScenarioError` with every problem found."""
    source = syntax.read(Path(path))
    if is_wrapper(source):
        return _check(source, seed=seed, overrides=overrides or {}, strict=strict)
    return check_scenario(source, seed=seed, overrides=overrides, strict=strict)


def load_wrapper(
    path: Path | str, *, seed: int | None = None, overrides: Mapping[str, str] | None = None, strict: bool = False
) -> LoadedWrapper:
    """Reads a wrapper and the profile it points to. `seed` replaces the seeds of both parts.

    An override whose first key is one of the wrapper's goes to the wrapper, any other, and any that begins with
    `profile.`, to the profile. Raises `ScenarioError` with every problem found.
    """
    return _check(syntax.read(Path(path)), seed=seed, overrides=overrides or {}, strict=strict)


def is_wrapper(source: syntax.Source) -> bool:
    """Whether a file is a wrapper: no section of a profile, and either a wrapper's suffix or one of its keys."""
    if is_profile(source.parsed.data):
        return False
    own = WRAPPER_KEYS - {"consensus"}
    return source.path.suffix.lower() in WRAPPER_SUFFIXES or not own.isdisjoint(source.parsed.data)


def resolve_profile(folder: Path, given: Path) -> tuple[Path | None, list[Path]]:
    """The file that `p2p.scenario_path` means, and every path tried.

    Upstream's rule is the first: from the wrapper's folder. Its own files only fit when counted from a folder further
    up, so its ancestors and the working directory follow, and last the bare file name beside the wrapper.
    """
    if given.is_absolute():
        return (given if given.is_file() else None), [given]
    tried = [base / given for base in (folder, *folder.resolve().parents, Path.cwd())] + [folder / given.name]
    return next((path for path in tried if path.is_file()), None), list(dict.fromkeys(tried))


def _check(source: syntax.Source, *, seed: int | None, overrides: Mapping[str, str], strict: bool) -> LoadedWrapper:
    document = Document(source)
    own, below = split_overrides(overrides)
    document.override(own)
    _seed(document, seed)
    wrapper = None if document.has_huge_integers() else document.validate(Wrapper)
    document.problems = [_with_label(problem, document.data) for problem in document.problems]
    document.refuse(_shared_logs(document.data))
    profile = _profile(document, below, seed, strict)
    document.warn(_notices(document.data))
    if wrapper is None or document.problems or (strict and document.warnings):
        raise _all_errors(document, strict, profile.warnings if profile else ())
    wrapper = _with_built_in(wrapper)
    warnings = (*document.warnings, *(profile.warnings if profile else ()))
    return LoadedWrapper(wrapper, profile, warnings, source.sha256, source.path)


def split_overrides(overrides: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Overrides of the wrapper and of its profile."""
    own, below = {}, {}
    for key, value in overrides.items():
        if key.startswith(PROFILE_PREFIX):
            below[key.removeprefix(PROFILE_PREFIX)] = value
        elif key.split(".")[0].strip() in WRAPPER_KEYS:
            own[key] = value
        else:
            below[key] = value
    return own, below


def _seed(document: Document, seed: int | None) -> None:
    if seed is not None and isinstance(document.data.get("consensus"), dict):
        document.put(("consensus", "seed"), seed)


def _profile(document: Document, overrides: Mapping[str, str], seed: int | None, strict: bool) -> LoadedScenario | None:
    """The profile that the wrapper points to; its problems join the wrapper's."""
    given = at(document.data, "p2p", "scenario_path")
    if not isinstance(given, str):
        document.problems += [Problem(document.path, None, key, text, "the wrapper has no p2p part") for key, text in overrides.items()]
        return None
    key = ("p2p", "scenario_path")
    try:
        found, tried = resolve_profile(document.path.parent, Path(given))
    except (OSError, ValueError) as error:  # a null byte, a name too long
        document.problems.append(document.problem(key, given, f"is no usable path: {error}"))
        return None
    if found is None:
        document.problems.append(document.problem(key, given, f"no such file; tried {', '.join(map(str, tried))}"))
        return None
    if found != tried[0]:
        document.warn([Conflict(key, given, f"not beside the wrapper as upstream's rule wants; {found} is used")])
    mode = at(document.data, "p2p", "mode")
    try:
        source = syntax.read(found)
        return check_scenario(source, seed=seed, overrides=overrides, strict=strict, mode=mode if isinstance(mode, str) else None)
    except ScenarioError as error:
        document.problems += error.problems
        document.warnings += error.warnings
        return None


def _with_label(problem: Problem, data: Mapping[str, Any]) -> Problem:
    """A problem of a process also names its label."""
    parts = problem.key.split(".")
    if parts[0] not in GROUPS or len(parts) < 3 or parts[2] == "label":
        return problem
    label = at(data, parts[0], int(parts[1]), "label")
    return replace(problem, why=f"process {label!r}: {problem.why}") if isinstance(label, str) else problem


def _shared_logs(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Two processes with one label would share a log file."""
    seen: dict[str, str] = {}
    for group in GROUPS:
        entries = at(data, group)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            label = at(entry, "label")
            if isinstance(label, str) and log_name(label) in seen:
                why = f"the same log file as {seen[log_name(label)]}; labels must differ"
                yield Conflict((group, index, "label"), label, why)
            elif isinstance(label, str):
                seen[log_name(label)] = f"{group}.{index}"


def log_name(label: str) -> str:
    """File name of a process's log: letters, digits, `-` and `_` stay, anything else becomes `_`."""
    return "".join(c if (c.isascii() and c.isalnum()) or c in "-_" else "_" for c in label) + ".log"


def _notices(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """What upstream does with a wrapper and simnet does not, or otherwise."""
    if at(data, "consensus", "use_gpu") is True:
        yield Conflict(("consensus", "use_gpu"), True, "recorded only: the provers run on the CPU")
    for group in GROUPS:
        entries = at(data, group)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            command = _built_in(at(entry, "program"), at(entry, "args"))
            if command:
                why = f"a test of upstream's own source tree; `simnet {' '.join(command)}` does the same and runs instead"
                yield Conflict((group, index, "program"), at(entry, "program"), why)


def _built_in(program: object, args: object) -> tuple[str, ...] | None:
    if program != "cargo" or not isinstance(args, list | tuple) or "test" not in args:
        return None
    return next((BUILT_IN[arg] for arg in args if isinstance(arg, str) and arg in BUILT_IN), None)


def _with_built_in(wrapper: Wrapper) -> Wrapper:
    def swapped(processes: tuple[Process, ...]) -> tuple[Process, ...]:
        return tuple(_swap(process) for process in processes)

    return wrapper.model_copy(update={"nodes": swapped(wrapper.nodes), "wallets": swapped(wrapper.wallets)})


def _swap(process: Process) -> Process:
    command = _built_in(process.program, process.args)
    return process if command is None else process.model_copy(update={"program": "simnet", "args": command, "working_dir": None})


def _all_errors(document: Document, strict: bool, others: Sequence[Problem]) -> ScenarioError:
    """The wrapper's problems in the order of the file, then the profile's in theirs; the same for warnings."""
    error = document.error(strict)
    own = [p for p in error.problems if p.path == document.path]
    below = [p for p in document.problems if p.path != document.path]
    return ScenarioError([*own, *below], [*error.warnings, *others])
