"""What an earlier run has left in a folder, which a new one there removes, and what is in a new one's way.

A run's own files are known by their names and by the list in its `run.json`. Everything else in the folder is somebody's: it stays, and so
does whatever a link leads to.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from simnet.base.errors import OutputError, cannot_write
from simnet.record.atomic import check_clear, clear, partials
from simnet.record.places import CHILD, COSTS, JOB, PLOTS_FOLDER, RUN, SUMMARIES, products, summary_stem
from simnet.record.readback import is_finished, is_of_a_run, is_repetition, left_behind

FOLDERS = frozenset({SUMMARIES, "logs", "profiles", CHILD, PLOTS_FOLDER})
"""Folders that runs, wrappers, their processes and pictures of them make."""
ELSEWHERE = "--out DIR goes elsewhere"


def leftovers(root: Path) -> list[Path]:
    """The files of the run and of the wrapper's job that were in a folder before, but for `run.json`, `wrapper.json` and `costs.json`."""
    found: list[Path] = []
    for name in (RUN, JOB):
        left = left_behind(root / name)
        if left is None:
            continue
        listed = [place for file in left.files if (place := _inside(root, Path(file))) is not None]
        found += [path for place in listed for path in (place, place.with_name(f"{place.stem}.analysis.json"))]
        if left.scenario_path is not None:
            own = products(root, summary_stem(Path(left.scenario_path)))
            found += [*own, *(partial for path in (*own, root / RUN, root / COSTS) for partial in partials(path))]
    return _files(found)


def _of_child(root: Path) -> list[Path]:
    """Everything that a run's own repetition in a child process has left; nothing of another run in its place."""
    child = root / CHILD
    if child.is_symlink() or not is_repetition(child / RUN):
        return []
    return _files([*leftovers(child), child / COSTS, child / RUN])


def _inside(root: Path, path: Path) -> Path | None:
    """A file that a run says it has written, when it lies in the run's folder and in no other run's."""
    try:
        place = path.parent.resolve() / path.name
        below = place.relative_to(root.resolve())
    except (OSError, ValueError):
        return None
    between = [root.joinpath(*below.parts[:depth]) for depth in range(1, len(below.parts))]
    return None if any(is_of_a_run(folder / RUN) for folder in between) else root / below


def _files(paths: Iterable[Path]) -> list[Path]:
    """Those that are files themselves, each once."""
    return [path for path in dict.fromkeys(paths) if path.is_file() and not path.is_symlink()]


def removable(root: Path, own: Iterable[Path]) -> list[Path]:
    """What a new run, or a job, with files of its `own` removes from its folder before it begins. Raises `OutputError` when one of them
    could not be."""
    found = [*own, *(leftovers(root) if is_of_a_run(root / RUN) else ()), *_of_child(root)]
    for path in found:
        check_clear(path)
    return list(dict.fromkeys(found))


def remove(root: Path, paths: Iterable[Path]) -> None:
    """Removes what `removable` has named, and the child's folder when nothing else is in it. Raises `OutputError`."""
    for path in paths:
        clear(path)
    for folder in (root / CHILD / SUMMARIES, root / CHILD):
        try:
            if not folder.is_symlink():
                folder.rmdir()
        except OSError:
            pass  # There is none, or something of somebody's is in it.


def refuse_nested(root: Path, *, repeats: bool = False) -> None:
    """Raises `OutputError` for a folder inside a run's: two runs would be taken for one, and go together. A run's own child process, which
    repeats it, may write there."""
    try:
        above = Path(os.path.realpath(root)).parents
    except (OSError, ValueError):
        return  # Nothing can be written there, which is told where it is tried.
    for depth, folder in enumerate(above):
        if _is_a_runs(folder) and not (repeats and depth == 0 and root.name == CHILD):
            raise OutputError(f"{root} lies in the folder of another run, {folder}; {ELSEWHERE}")


def _is_a_runs(folder: Path) -> bool:
    try:
        return is_of_a_run(folder / RUN)
    except OSError:  # A folder above, into which this user may not look.
        return False


def refuse_others(root: Path) -> None:
    """Raises `OutputError` for a folder of something else: a run's is new, empty, or a run's or job's. Hidden files and folders without
    a file are in nobody's way."""
    known = {RUN, JOB, COSTS, *FOLDERS, *(path.name for path in products(root, "") if path.parent == root)}
    try:
        names = sorted(path.name for path in root.iterdir())
    except (OSError, ValueError):
        return  # There is none yet, or it is none: who makes it tells.
    if RUN in names or JOB in names:
        return
    for name in names:
        if name not in known and not name.startswith(".") and _holds_something(root / name):
            raise OutputError(f"{root / name} is in the way: {root} is not the folder of a run, a new or empty one is wanted; {ELSEWHERE}")


def _holds_something(path: Path) -> bool:
    return not path.is_dir() or path.is_symlink() or any(files for _, _, files in os.walk(path))


def refuse_places(root: Path, stem: str) -> None:
    """Raises `OutputError` where something stands in a file's place that is none, or no file can be: a run would replace it."""
    summaries = root / SUMMARIES
    if os.path.lexists(summaries) and not summaries.is_dir():
        raise OutputError(f"{summaries} is no folder: a run's summaries go there")
    if is_of_a_run(summaries / RUN):
        raise OutputError(f"{summaries} is the folder of another run; {ELSEWHERE}")
    for path in (*products(root, stem), root / RUN, root / COSTS):
        refuse_no_file(path)


def refuse_finished(root: Path) -> None:
    """Raises `OutputError` for a folder with a finished run."""
    if is_finished(root / RUN):
        raise OutputError(f"{root} holds a finished run; --force replaces it, {ELSEWHERE}")


def refuse_foreign(root: Path, own: Iterable[Path], owners: Iterable[str]) -> None:
    """Raises `OutputError` for a file in a new one's place in a folder where none of the `owners` (`run.json`, `wrapper.json`) is to have
    written it, and for a `wrapper.json` of another tool."""
    there = [name for name in owners if (root / name).exists()]
    foreign = [path for path in own if path.exists() and path.is_relative_to(root)] if not there else []
    foreign += [root / JOB] if JOB in there and left_behind(root / JOB) is None else []
    for path in foreign:
        raise OutputError(f"{path} is there and of no run in {root}; --force replaces it, {ELSEWHERE}")


def refuse_no_file(path: Path) -> None:
    """Raises `OutputError` where a link, a folder or a device stands in a file's place, or the name is none."""
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OutputError(f"{path} is a link, a folder or a device: a run writes a file of its own there")
    except (OSError, ValueError) as error:
        raise cannot_write(path, error) from error
