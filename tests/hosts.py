"""Other machines on this machine: network namespaces with a cable to the test's own.

A command of a host has an address, a host name and a network of its own, and does not see the
folder of the studio. Needs root and `ip`; everything is taken down at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers import ROOT

_PREFIX = "10.215"
_ENTER = """
import os, socket, sys
name, hidden, *command = sys.argv[1:]
socket.sethostname(name)
for folder in hidden.split(os.pathsep):
    if os.system(f"mount -t tmpfs -o mode=700 none '{folder}'"):
        sys.exit("cannot hide " + folder)
os.execvp(command[0], command)
"""


def can_make_hosts() -> bool:
    """Tell whether this test may make network namespaces."""
    if os.getuid() != 0 or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    probe = f"studio-probe-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False)
    if done.returncode:
        return False
    _ip("netns", "del", probe)
    return True


class Network:
    """A bridge that the test's own machine and the hosts are plugged into."""

    def __init__(self) -> None:
        self.number = os.getpid() % 250 + 1
        self.bridge = f"stbr{self.number}"
        self.address = f"{_PREFIX}.{self.number}.1"
        self.hosts: list[Host] = []
        self._last = 1

    def start(self) -> None:
        """Make the bridge; the test's own machine is its first address."""
        _ip("link", "add", self.bridge, "type", "bridge")
        _ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")

    def add_host(self, name: str) -> Host:
        """Plug another machine in."""
        self._last += 1
        host = Host(self, self._last, name)
        self.hosts.append(host)
        return host

    def stop(self) -> None:
        """Take everything down."""
        for host in self.hosts:
            host.stop()
        _ip("link", "del", self.bridge)


class Host:
    """One other machine."""

    def __init__(self, network: Network, number: int, name: str) -> None:
        self.name = name
        self.address = f"{_PREFIX}.{network.number}.{number}"
        self.namespace = f"st{network.number}-{number}"
        self.cable = f"stc{network.number}-{number}"
        self.processes: list[subprocess.Popen[bytes]] = []
        inside = f"sti{network.number}-{number}"
        _ip("netns", "add", self.namespace)
        _ip("link", "add", self.cable, "type", "veth", "peer", "name", inside)
        _ip("link", "set", self.cable, "master", network.bridge)
        _ip("link", "set", inside, "netns", self.namespace)
        _ip("-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", inside)
        _ip("-n", self.namespace, "link", "set", inside, "up")
        _ip("-n", self.namespace, "link", "set", "lo", "up")
        self.plug()

    def plug(self) -> None:
        """Plug the cable in."""
        _ip("link", "set", self.cable, "up")

    def unplug(self) -> None:
        """Pull the cable: packets are lost in both directions, nobody is told."""
        _ip("link", "set", self.cable, "down")

    def start_process(
        self, words: Sequence[str], env: dict[str, str], output: Path, hidden: Sequence[Path]
    ) -> subprocess.Popen[bytes]:
        """Start a command on this machine, which sees nothing of the folders `hidden`."""
        enter = ["ip", "netns", "exec", self.namespace, "unshare", "--uts", "--mount"]
        folders = os.pathsep.join(str(folder) for folder in hidden)
        with output.open("ab") as file:
            process = subprocess.Popen(
                [*enter, sys.executable, "-c", _ENTER, self.name, folders, *words],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End what was started here, and take the machine away."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _ip("netns", "del", self.namespace)
        subprocess.run(["ip", "link", "del", self.cable], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
