"""The supervisor with children that do not behave."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.servers import ROOT, clean_environment

pytestmark = pytest.mark.slow


def supervise(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code with a supervisor `s` in a process of its own: it takes over the signals."""
    start = f"""
        import os, signal, sys, time
        from pathlib import Path
        from studio.supervisor import Child, GaveUp, Supervisor
        folder = Path({str(folder)!r})
        s = Supervisor(os.environ, print, folder)
        def child(name, code, **more):
            return Child(name, [sys.executable, "-c", code], folder / f"{{name}}.log", **more)
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(start) + textwrap.dedent(code)],
        env=clean_environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_child_that_never_stays_is_given_up_with_its_last_words(tmp_path):
    done = supervise(
        tmp_path,
        """
        s.start(child("brief", "raise SystemExit('The socket is taken.')"))
        try:
            s.run()
        except GaveUp as error:
            print(error)
        s.stop()
        """,
    )

    *restarts, end = done.stdout.splitlines()
    log = tmp_path / "brief.log"
    again = "it is started again."
    assert restarts == [f"brief ended (exit code 1): The socket is taken; {again} See {log}"] * 4
    assert end == f"brief ended 5 times in a row: The socket is taken. Read {log}."


def test_death_is_noticed_even_when_it_came_before_the_first_look(tmp_path):
    done = supervise(
        tmp_path,
        """
        quick = child("quick", "")
        s.start(quick)
        s.start(child("slow", "import time; time.sleep(60)"))
        # The start of a studio waits for one child; another one may die and be seen meanwhile.
        s.wait_for(quick, lambda: False, 20)
        def note(text):
            print(text, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
        s._say = note
        s.run()
        s.stop()
        """,
    )

    assert done.stdout.startswith("quick ended (exit code 0)")


def test_stop_ends_the_first_child_last_and_forces_what_ignores_it(tmp_path):
    done = supervise(
        tmp_path,
        """
        first = child("first", "import time; time.sleep(60)")
        deaf = child(
            "deaf",
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "print('ready', flush=True); time.sleep(60)",
            stop_seconds=0.5,
        )
        s.start(first)
        s.start(deaf)
        ready = s.wait_for(deaf, lambda: "ready" in deaf.log.read_text(), 20)
        seen = []
        end = s._end
        def watched(children):
            end(children)
            seen.append([c.name for c in (first, deaf) if c.is_running])
        s._end = watched
        s.stop()
        print(ready, first.process.returncode, deaf.process.returncode, seen)
        """,
    )

    assert done.stdout.strip() == "True -15 -9 [['first'], []]"


def test_children_die_with_their_supervisor(tmp_path):
    done = supervise(
        tmp_path,
        """
        c = child("orphan", "import time; print('here', flush=True); time.sleep(60)")
        if os.fork() == 0:
            s.start(c)
            s.wait_for(c, lambda: "here" in c.log.read_text(), 20)
            (folder / "pid").write_text(str(c.process.pid))
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()
        pid = int((folder / "pid").read_text())
        for _ in range(100):
            try:
                state = Path(f"/proc/{pid}/stat").read_text().split()[2]
            except OSError:
                state = "gone"
            if state in ("gone", "Z"):
                break
            time.sleep(0.05)
        print("dead" if state in ("gone", "Z") else state)
        """,
    )

    assert done.stdout.strip() == "dead"


def test_fork_keeps_nothing_of_its_supervisor_and_is_started_again(tmp_path):
    done = supervise(
        tmp_path,
        """
        own = (folder / "own").open("w")
        s = Supervisor(os.environ, print, Path("/"), [own])
        def work():
            print(os.getcwd(), os.getsid(0) == os.getpid(), own.closed, flush=True)
            print(sorted(os.listdir("/proc/self/fd"))[:3], os.read(0, 1), flush=True)
            signal.pause()
        c = Child("fork", work, folder / "fork.log", title="a fork of ours")
        s.start(Child("first", [sys.executable, "-c", "import time; time.sleep(60)"], folder / "f"))
        s.start(c)
        deaths = []
        def note(text):
            deaths.append(text)
        s._say = note
        s.wait_for(c, lambda: c.log.read_text().count("b''") == 1, 20)
        title = Path(f"/proc/{c.process.pid}/cmdline").read_text().strip(chr(0))
        os.kill(c.process.pid, signal.SIGKILL)
        while not (deaths and c.is_running):
            s._look_after(c)
            time.sleep(0.05)
        s.wait_for(c, lambda: c.log.read_text().count("b''") == 2, 20)
        s.stop()
        print(title, deaths[0].partition(" It")[0][:22], c.process.returncode, own.closed)
        """,
    )

    assert done.stdout.strip() == "a fork of ours fork ended (signal 9): 0 False"
    lines = (tmp_path / "fork.log").read_text().splitlines()
    assert lines == ["/ True True", "['0', '1', '2'] b''"] * 2


def test_large_log_is_put_aside_at_the_start(tmp_path):
    (tmp_path / "quiet.log").write_bytes(b"x" * 10_000_001)

    supervise(
        tmp_path,
        """
        c = child("quiet", "import time; print(1, flush=True); time.sleep(60)")
        s.start(c)
        s.wait_for(c, lambda: "1" in c.log.read_text(), 20)
        s.stop()
        """,
    )

    assert (tmp_path / "quiet.log").read_text() == "1\n"
    assert (tmp_path / "quiet.log.1").stat().st_size == 10_000_001


def test_children_that_drain_end_before_the_others_are_asked(tmp_path):
    done = supervise(
        tmp_path,
        """
        patient = "import signal, time; signal.signal(15, lambda *_: time.sleep(1) or print('ran'))"
        patient += "; print('up', flush=True); signal.pause(); print('done', time.time())"
        plain = "import signal, sys, time"
        plain += "; signal.signal(15, lambda *_: sys.exit(print(time.time())))"
        plain += "; print('up', flush=True); signal.pause()"
        for made in (child("first", plain), child("web", plain)):
            s.start(made)
        s.start(child("worker", patient, drains=True))
        logs = [folder / f"{name}.log" for name in ("first", "web", "worker")]
        while not all(log.exists() and "up" in log.read_text() for log in logs):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        s.run()
        s.stop()
        """,
    )

    assert done.stdout == "Waiting for the runs of worker; Ctrl-C again does not wait.\n"
    worker = (tmp_path / "worker.log").read_text().split()
    assert worker[:3] == ["up", "ran", "done"]
    web = (tmp_path / "web.log").read_text().split()
    assert float(web[1]) >= float(worker[3])


def test_a_second_request_asks_children_that_drain_again(tmp_path):
    done = supervise(
        tmp_path,
        """
        code = "import signal, sys; seen = []"
        code += "; signal.signal(15, lambda *_: (print('asked', flush=True), "
        code += "seen.append(1), len(seen) > 1 and sys.exit(0)))\\nprint('up', flush=True)"
        code += "\\nwhile True: signal.pause()"
        made = child("worker", code, drains=True)
        s.start(child("first", "import time; time.sleep(60)"))
        s.start(made)
        while "up" not in made.log.read_text():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        s.run()
        if os.fork() == 0:
            while "asked" not in made.log.read_text():
                time.sleep(0.05)
            time.sleep(0.5)
            os.kill(os.getppid(), signal.SIGTERM)
            os._exit(0)
        s.stop()
        print(made.process.returncode)
        """,
    )

    assert done.stdout.splitlines()[-1] == "0"
    assert (tmp_path / "worker.log").read_text().split() == ["up", "asked", "asked"]
