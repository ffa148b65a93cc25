"""Processes of a wrapper: readiness, exit status, logs, and that none outlives its job."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from simnet.jobs.processes import Ended, Processes, ProcessFailed
from simnet.scenario.wrapper import Process

PYTHON = sys.executable


def process(label: str, code: str, **more: Any) -> Process:
    return Process(label=label, program=PYTHON, args=("-c", code), **more)


def run(folder: Path, *entries: Process, env: dict[str, str] | None = None) -> list[Ended]:
    with Processes(folder / "out", folder, env or {}, lambda _text: None) as processes:
        for entry in entries:
            processes.start(entry)
        return processes.finish()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and not been reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 50
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text()


def test_a_task_is_waited_for_and_judged_by_its_status(tmp_path: Path) -> None:
    slow = process("slow", "import time; time.sleep(0.4); print('done')")
    bad = process("bad one", "import sys; print('no', file=sys.stderr); sys.exit(3)")
    good, failed = run(tmp_path, slow, bad)
    assert (good.status, good.failed, good.stopped) == (0, False, False) and good.wall_s >= 0.4
    assert (failed.status, failed.failed) == (3, True) and "exit status 3" in failed.why
    assert (tmp_path / "out/logs/slow.log").read_text() == "[slow][stdout] done\n"
    assert (tmp_path / "out/logs/bad_one.log").read_text() == "[bad one][stderr] no\n"


def test_a_service_is_stopped_when_the_work_is_done(tmp_path: Path) -> None:
    (ended,) = run(tmp_path, process("node", "import time; print('ready now', flush=True); time.sleep(60)", ready_log="ready"))
    assert ended.stopped and not ended.failed and ended.wall_s < 30


def test_a_service_that_died_by_itself_has_failed(tmp_path: Path) -> None:
    entry = process("node", "print('ready', flush=True); raise SystemExit(4)", ready_log="ready")
    with Processes(tmp_path / "out", tmp_path, {}, lambda _text: None) as processes:
        processes.start(entry)
        time.sleep(0.5)
        (ended,) = processes.finish()
    assert ended.failed and ended.status == 4


def test_not_ready_in_time_is_a_failure_that_leaves_nothing_behind(tmp_path: Path) -> None:
    code = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(ProcessFailed, match="no 'up' in its output within 1 s"):
        run(tmp_path, process("node", code, ready_log="up", startup_timeout_ms=1000))
    assert not alive(int((tmp_path / "pid").read_text()))


def test_closed_output_counts_as_ready(tmp_path: Path) -> None:
    (ended,) = run(tmp_path, process("node", "print('other')", ready_log="up"))
    assert ended.status == 0 and not ended.failed


def test_a_task_beyond_its_limit_fails(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match="still running after"):
        run(tmp_path, process("task", "import time; time.sleep(60)", run_timeout_ms=300))


def test_a_program_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match="cannot start 'no-such-program'"):
        run(tmp_path, Process(label="x", program="no-such-program"))


def test_children_of_a_process_do_not_outlive_it(tmp_path: Path) -> None:
    child = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    with Processes(tmp_path / "out", tmp_path, {}, lambda _text: None) as processes:
        processes.start(process("parent", code))
        pid = int(wait_for(tmp_path / "pid"))
        assert alive(pid)
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def test_services_are_stopped_in_reverse_order(tmp_path: Path) -> None:
    def service(label: str) -> Process:
        note = f"open({str(tmp_path / 'order')!r}, 'a').write({label!r})"
        code = f"import signal, sys, time\ndef end(*_):\n    {note}\n    sys.exit(0)\nsignal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
        return process(label, code, ready_log="up")

    run(tmp_path, service("a"), service("b"), service("c"))
    assert (tmp_path / "order").read_text() == "cba"


def test_the_environment_is_layered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYER_A", "outer")
    monkeypatch.delenv("SIMNET_SUMMARY_DIR", raising=False)
    code = "import os; print(*(os.environ[k] for k in ('LAYER_A', 'LAYER_B', 'LAYER_C', 'SIMNET_SUMMARY_DIR')))"
    run(tmp_path, process("p", code, env={"LAYER_C": "own"}), env={"LAYER_B": "wrapper", "LAYER_C": "wrapper"})
    assert (tmp_path / "out/logs/p.log").read_text().split()[1:] == ["outer", "wrapper", "own", str(tmp_path / "out/summaries")]
    assert "LAYER_B" not in os.environ


def test_the_working_folder_is_the_wrappers(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    run(tmp_path, process("p", "import os; print(os.getcwd())", working_dir=Path("below")))
    assert (tmp_path / "out/logs/p.log").read_text() == f"[p][stdout] {tmp_path / 'below'}\n"
