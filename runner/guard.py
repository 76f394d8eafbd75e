"""Stand-alone program between the executor and a training script; ends with no descendant left.

    ... guard.py LIFELINE PARENT GRACE EXIT_FILE -- command...

It starts the command in a new session and stops all of it (SIGTERM, GRACE seconds, SIGKILL) when it
is told to by SIGTERM or when LIFELINE, the read end of a pipe that only the executor holds, closes:
then the executor is dead. As a child sub-reaper it inherits whatever daemonises itself. How the
command ended is left in EXIT_FILE. Every run waits for its start, so it imports next to nothing.
"""

from __future__ import annotations

# What `signal` and `ctypes` wrap: those two take longer to import than all the rest does.
import _ctypes
import _signal as signal  # type: ignore[import-not-found]  # the stubs lack it
import os
import select
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# Blocked when it is started (see process.py) and until there is something to pass them on to.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Helpers of a script that ended by itself are given a moment to end as well.
AFTERLIFE_SECONDS = 1.0
OOM_SCORE = 500
KILL_ROUNDS = 200
ROUND_SECONDS = 0.02


class Guard:
    """One command and everything that comes of it."""

    def __init__(self, lifeline: int, grace: float, exit_file: str) -> None:
        self.lifeline = lifeline
        self.grace = grace
        self.exit_file = exit_file
        self.child = -1
        self.status: int | None = None
        self.is_stopping = False
        self.was_stopped = False
        self.kill_at: float | None = None
        self.exec_error = ""
        self.peak = 0
        self.started = time.time()

    def run(self, command: list[str]) -> None:
        """Start the command, wait for its end, end the rest, write the exit file."""
        wakeup, wakeup_writer = os.pipe()
        for descriptor in (wakeup, wakeup_writer):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wakeup_writer, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._start(command)
        while self.status is None:
            self._wait(wakeup)
        self._end_rest()
        self._write_exit()

    def _on_stop(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask the whole tree to end; a second call changes nothing."""
        if self.is_stopping:
            return
        self.is_stopping = True
        self.kill_at = time.monotonic() + self.grace
        self._signal_tree(signal.SIGTERM)

    def _start(self, command: list[str]) -> None:
        report, report_writer = os.pipe()  # closed by a successful exec
        guard = os.getpid()
        self.child = os.fork()
        if self.child == 0:
            self._become(command, guard, report_writer)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(report_writer)
        with os.fdopen(report, "rb") as pipe:
            self.exec_error = pipe.read().decode("utf-8", "replace")

    def _become(self, command: list[str], guard: int, report_writer: int) -> None:
        try:
            signal.set_wakeup_fd(-1)
            for number in (*STOP_SIGNALS, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            os.setsid()
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:
                os._exit(125)
            os.close(self.lifeline)
            _offer_to_oom_killer()
            os.execvp(command[0], command)
        except OSError as error:
            os.write(report_writer, f"{command[0]}: {error.strerror}".encode())
        finally:
            os._exit(127)

    def _wait(self, wakeup: int) -> None:
        watched = [wakeup] if self.is_stopping else [wakeup, self.lifeline]
        timeout = None if self.kill_at is None else max(0.0, self.kill_at - time.monotonic())
        ready, _, _ = select.select(watched, [], [], timeout)
        if wakeup in ready:
            os.read(wakeup, 4096)
        if self.lifeline in ready and not os.read(self.lifeline, 1):
            self.stop()
        self._reap()
        if self.status is None and self.kill_at is not None and time.monotonic() >= self.kill_at:
            self._signal_tree(signal.SIGKILL)
            self.kill_at = time.monotonic() + ROUND_SECONDS

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            # Of the process and of what it has waited for, in blocks of 1024 bytes.
            self.peak = max(self.peak, usage.ru_maxrss * 1024)
            if pid == self.child:
                self.status = status
                self.was_stopped = self.is_stopping

    def _end_rest(self) -> None:
        # Whatever loses its parent becomes a child of this process.
        if not has_children() or not descendants():
            return
        self._signal_tree(signal.SIGTERM)
        wait = self.grace if self.is_stopping else min(self.grace, AFTERLIFE_SECONDS)
        deadline = time.monotonic() + wait
        if self.kill_at is not None:
            deadline = max(self.kill_at, time.monotonic())
        while descendants() and time.monotonic() < deadline:
            time.sleep(ROUND_SECONDS)
            self._reap()
        for _ in range(KILL_ROUNDS):  # a fork bomb can outrun one round
            self._reap()
            if not descendants():
                return
            self._signal_tree(signal.SIGKILL)
            time.sleep(ROUND_SECONDS)

    def _signal_tree(self, number: int) -> None:
        # Each process once: a script that saves at SIGTERM must not begin to save again.
        group = self.child if self.status is None else 0
        # Its child has no group yet just after the fork; it must not get one between two looks.
        if group and not _send_to_group(group, number):
            group = 0
        for pid in descendants():
            if _group_of(pid) != group:
                _send(pid, number)

    def _write_exit(self) -> None:
        status = self.status or 0  # run() came to an end, so it is known
        signalled = os.WIFSIGNALED(status)
        code = "null" if signalled else os.WEXITSTATUS(status)
        number = os.WTERMSIG(status) if signalled else "null"
        stopped = "true" if self.was_stopped else "false"
        record = (
            f'{{"code": {code}, "signal": {number}, "stopped": {stopped}, '
            f'"exec_error": {_quoted(self.exec_error)}, "peak": {self.peak}, '
            f'"started": {self.started!r}, "ended": {time.time()!r}}}'
        )
        # Over the blanks that were written before the script could fill the disk.
        file = os.open(self.exit_file, os.O_WRONLY)
        os.write(file, record.encode())
        os.close(file)


def _quoted(text: str) -> str:
    # As JSON; its module takes longer to import than all of these.
    plain = (c if c >= " " and c not in '"\\' else f"\\u{ord(c):04x}" for c in text)
    return f'"{"".join(plain)}"'


def has_children() -> bool:
    """Tell whether this process has any child, dead or alive."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def descendants() -> list[int]:
    """Return the pids of everything below this process, parents first; zombies are left out."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        # The parent of a zombie still matters: its own children hang on the sub-reaper.
        if fields[0] != b"Z":
            children.setdefault(int(fields[1]), []).append(int(name))
    found: list[int] = []
    parents = [os.getpid()]
    while parents:
        below = children.get(parents.pop(), [])
        found += below
        parents += below
    return found


def _offer_to_oom_killer() -> None:
    # Where memory runs out the script is the one to end, not the worker, nor somebody's database.
    try:
        with open("/proc/self/oom_score_adj", "r+") as file:
            if int(file.read()) < OOM_SCORE:
                file.seek(0)
                file.write(str(OOM_SCORE))
    except (OSError, ValueError):
        return


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        return


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


def _send_to_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


# None: what this process has loaded already, which libc is part of.
_prctl_of_libc = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]


def _prctl(option: int, value: int) -> None:
    _ctypes.call_function(_prctl_of_libc, (option, value, 0, 0, 0))


def main(argv: list[str]) -> None:
    """Read the arguments and guard the command; does not return."""
    lifeline, parent, grace, exit_file = argv[:4]
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    guard = Guard(int(lifeline), float(grace), exit_file)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        os._exit(125)
    guard.run(argv[5:])
    os._exit(0)
