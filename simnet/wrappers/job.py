"""One wrapper from file to finished folder: processes, network run, consensus load, in upstream's order.

`wrapper.json` in the artifacts folder is written first and again at the end, like a run's `run.json`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from simnet.analyze.analysis import analysis_path
from simnet.base import codes
from simnet.base.errors import OutputError, ScenarioError, SimnetError
from simnet.jobs.host import guidance, host_resources
from simnet.jobs.processes import Ended, Processes, ProcessFailed
from simnet.record.atomic import write_atomic
from simnet.record.earlier import (
    refuse_finished,
    refuse_foreign,
    refuse_nested,
    refuse_no_file,
    refuse_others,
    refuse_places,
    removable,
    remove,
)
from simnet.record.files import RunFolder, write_json
from simnet.record.places import JOB, RUN, SUMMARIES, FolderLock, default_folder, products, refuse_collisions, slug, summary_stem
from simnet.runs.carry_out import refuse
from simnet.runs.request import Request
from simnet.scenario.wrapper_load import LoadedWrapper
from simnet.wrappers.load import result_paths, run_consensus
from simnet.wrappers.screen import JobScreen

KEEP_ALIVE_S = 60
JOB_SCHEMA = 1


@dataclass(frozen=True)
class JobOptions:
    """How a wrapper is carried out."""

    profile_request: Callable[[Path], Request | None]
    """The network run, given the artifacts folder; None when the wrapper has none."""
    artifacts: Path | None = None
    keep_alive: bool = False
    allow_insufficient: bool = False
    analyze: bool = True
    backend: str | None = None
    force: bool = False
    """Replaces a finished job in the same folder."""


@dataclass
class _Progress:
    """What has happened so far."""

    screen: JobScreen
    code: int = codes.HELD
    errors: list[str] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def fail(self, code: int, why: str = "") -> None:
        """The first failure decides the exit code."""
        self.code = self.code or code
        if why:
            self.errors.append(why)
            self.screen.complain("error", why)


@dataclass(frozen=True)
class Job:
    """A wrapper that has been carried out."""

    folder: Path
    exit_code: int
    content: Mapping[str, Any]
    """Of `wrapper.json`."""


def run_job(loaded: LoadedWrapper, options: JobOptions, screen: JobScreen) -> Job:
    """Carries a wrapper out. Raises SimnetError before anything is written."""
    for warning in loaded.warnings:
        if warning.path == loaded.path:  # the network run tells its profile's
            screen.tell(f"warning: {warning}")
    _check_resources(loaded, options.allow_insufficient, screen)
    folder = artifacts_folder(loaded, options.artifacts)
    refuse_nested(folder)
    if options.artifacts is not None or loaded.wrapper.artifacts_dir is None:  # The wrapper may name any folder.
        refuse_others(folder)
    _refuse_collisions(loaded, folder, inside=options.artifacts is not None)
    request = options.profile_request(folder)
    if request is not None:
        refuse(request)  # Before the results of an earlier job are gone.
    header = _header(loaded, folder)
    with FolderLock(folder):
        return _locked(loaded, options, folder, header, screen)


def _locked(loaded: LoadedWrapper, options: JobOptions, folder: Path, header: Mapping[str, object], screen: JobScreen) -> Job:
    """The job, in a folder that nobody else writes."""
    if not options.force:
        refuse_finished(folder)
    _clear(loaded, folder, force=options.force)
    write_json(folder / JOB, {**header, "complete": False, "exit_code": None})
    progress = _Progress(screen)
    _carry_out(loaded, options, folder, progress)
    for ended in progress.ended:
        if ended.failed and progress.code != codes.INTERRUPTED:
            progress.fail(codes.FAILED, ended.why)
    complete = progress.code not in (codes.INTERRUPTED, codes.NOTHING_RAN)
    ending = {"complete": complete, "exit_code": progress.code, "errors": progress.errors, "files": progress.files}
    job = {**header, **ending, "processes": [_shown(e) for e in progress.ended]}
    write_json(folder / JOB, job)
    return Job(folder, progress.code, job)


def artifacts_folder(loaded: LoadedWrapper, chosen: Path | None) -> Path:
    """`--artifacts-dir`, else the wrapper's `artifacts_dir` from its folder, else `target/simnet/<slug>`."""
    if chosen is not None:
        return chosen
    own = loaded.wrapper.artifacts_dir
    return default_folder(loaded.wrapper.name) if own is None else loaded.path.parent / own


def _clear(loaded: LoadedWrapper, folder: Path, *, force: bool) -> None:
    """Removes an earlier job's results, so that they do not pass for this one's. Raises OutputError, and then nothing is removed.

    Where the wrapper wants its results may be a link, which is followed; the files of every job and run may not.
    """
    own = [folder / JOB, folder / RUN]
    if loaded.profile is not None:
        stem = summary_stem(loaded.profile.path)
        refuse_places(folder, stem)
        own += products(folder, stem)
    for name in (JOB, RUN):
        refuse_no_file(folder / name)
    wanted = [network_summary(loaded, folder)]
    if loaded.wrapper.consensus is not None:
        summary, csv = result_paths(loaded, folder)
        wanted += [summary, csv, analysis_path(summary, main=False)]
    own += [path for path in wanted if path is not None]
    if not force:
        refuse_foreign(folder, own, (JOB, RUN))
    remove(folder, removable(folder, own))


def _refuse_collisions(loaded: LoadedWrapper, folder: Path, *, inside: bool) -> None:
    """Raises `OutputError` when the wrapper's paths would overwrite each other, an input or a file of the job; `inside`: also
    when one leaves the folder that the command line names."""
    taken = [("the wrapper", loaded.path), ("the job's own wrapper.json", folder / JOB)]
    outputs = []
    if loaded.profile is not None:
        own = RunFolder(folder, summary_stem(loaded.profile.path))
        taken += [("the profile", loaded.profile.path), *((name, path) for name, path in own.taken if path != own.summary)]
        wanted = network_summary(loaded, folder)
        outputs += [] if wanted is None else [("p2p.summary_path", wanted)]
    if loaded.wrapper.consensus is not None:
        summary, csv = result_paths(loaded, folder)
        outputs += [("consensus.summary_path", summary), *([] if csv is None else [("consensus.csv_path", csv)])]
    refuse_collisions(outputs, taken)
    root = folder.resolve()
    for name, path in outputs:
        if "\0" in str(path) or path.resolve() == root or path.resolve().is_relative_to(root / "logs"):
            raise OutputError(f"{name} = {str(path)!r} names no file of its own in {folder}")
        if inside and not path.resolve().is_relative_to(root):
            raise OutputError(f"{name} = {str(path)!r} lies outside {folder}")


def _check_resources(loaded: LoadedWrapper, allow: bool, screen: JobScreen) -> None:
    asked = loaded.wrapper.resources
    if asked is None:
        return
    enough, words = guidance(asked, host_resources())
    if enough:
        screen.tell(f"resource guidance met: {words}")
    elif allow:
        screen.complain("warning", f"resource guidance not met: {words}")
    else:
        why = f"host resources below scenario guidance: {words}; --allow-insufficient-resources runs it anyway"
        raise SimnetError(f"{loaded.path}: {why}")


def _header(loaded: LoadedWrapper, folder: Path) -> dict[str, object]:
    cpus, memory = host_resources()
    return {
        "schema_version": JOB_SCHEMA,
        "wrapper_path": str(loaded.path),
        "wrapper_sha256": loaded.sha256,
        "profile_path": None if loaded.profile is None else str(loaded.profile.path),
        "profile_sha256": None if loaded.profile is None else loaded.profile.sha256,
        "artifacts_dir": str(folder),
        "host": {"cpus": cpus, "memory_bytes": memory},
        "warnings": [str(warning) for warning in loaded.warnings],
        "wrapper": loaded.wrapper.model_dump(mode="json"),
    }


def _carry_out(loaded: LoadedWrapper, options: JobOptions, folder: Path, progress: _Progress) -> None:
    """Everything between the checks and the verdict; leaves no process behind."""
    with Processes(folder, loaded.path.parent, loaded.wrapper.env, progress.screen.tell) as processes:
        try:
            _work(loaded, options, folder, processes, progress)
            if options.keep_alive:
                progress.screen.tell(f"kept alive for {KEEP_ALIVE_S} s")
                time.sleep(KEEP_ALIVE_S)
            if progress.code in (codes.HELD, codes.FAILED, codes.NOTHING_RAN):
                progress.ended = processes.finish()
        except ProcessFailed as error:
            progress.fail(codes.FAILED, str(error))
        except KeyboardInterrupt:
            progress.code = codes.INTERRUPTED
            progress.screen.complain("interrupted", "stopping the processes")


def _work(loaded: LoadedWrapper, options: JobOptions, folder: Path, processes: Processes, progress: _Progress) -> None:
    """Processes, network run, consensus load, pause. An error ends the work, not the job."""
    wrapper = loaded.wrapper
    try:
        for process in wrapper.processes:
            processes.start(process)
        _network(loaded, options, folder, progress)
        if wrapper.consensus is not None:
            code, files = run_consensus(loaded, folder, progress.screen, backend=options.backend, analyze=options.analyze)
            progress.files += files
            _interruptible(progress, code)
    except SimnetError as error:
        code = codes.FAILED if isinstance(error, ProcessFailed) else codes.USAGE
        for line in [str(p) for p in error.problems] if isinstance(error, ScenarioError) else str(error).splitlines():
            progress.fail(code, line)
        return
    if not (wrapper.processes or wrapper.p2p or wrapper.consensus or wrapper.duration_secs):
        progress.fail(codes.NOTHING_RAN, "nothing ran: the wrapper has no process, no p2p and no consensus part")
    time.sleep(wrapper.duration_secs)


def _network(loaded: LoadedWrapper, options: JobOptions, folder: Path, progress: _Progress) -> None:
    request = options.profile_request(folder)
    if request is None or loaded.wrapper.p2p is None:
        return
    code = progress.screen.run(request, analyze=options.analyze)
    own, wanted = RunFolder(folder, summary_stem(request.scenario)).summary, network_summary(loaded, folder)
    if own.is_file():
        progress.files.append(str(own))
        if wanted is not None and wanted.resolve() != own.resolve():
            write_atomic(wanted, own.read_text(encoding="utf-8"))
            progress.files.append(str(wanted))
    _interruptible(progress, code)


def network_summary(loaded: LoadedWrapper, folder: Path) -> Path | None:
    """Where the wrapper wants the network's summary; None without a p2p part."""
    p2p = loaded.wrapper.p2p
    return None if p2p is None else folder / (p2p.summary_path or Path(SUMMARIES) / f"{slug(loaded.wrapper.name)}.json")


def _interruptible(progress: _Progress, code: int) -> None:
    """A part's exit code; an interrupted part interrupts the job."""
    if code == codes.INTERRUPTED:
        raise KeyboardInterrupt
    progress.fail(code)


def _shown(ended: Ended) -> dict[str, Any]:
    return {**asdict(ended), "failed": ended.failed}
