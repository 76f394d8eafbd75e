"""A real nginx with the configuration of examples/deploy, on free ports, its own certificate."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from tests.servers import ROOT, free_port

CONFIGURATION = ROOT / "examples/deploy/nginx/sweep-studio.conf"
_MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def find_nginx() -> str | None:
    """Return the program; None when it is not installed."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found if found and shutil.which("openssl") else None


class Nginx:
    """One nginx in front of a studio on a port of this machine."""

    def __init__(self, folder: Path, studio_port: int) -> None:
        self.folder = folder
        self.port = free_port()
        self.certificate = folder / "studio.pem"
        self._studio_port = studio_port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, with the prefix."""
        return f"https://localhost:{self.port}/studio"

    @property
    def context(self) -> ssl.SSLContext:
        """TLS that trusts its certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def start(self, *changes: tuple[str, str]) -> None:
        """Start it with the file of the examples; `changes` are put into that first."""
        self._make_certificate()
        site = CONFIGURATION.read_text()
        for old, new in (
            ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
            ("    listen [::]:80;\n", ""),
            (
                "listen 443 ssl;",
                f"listen 127.0.0.1:{self.port} ssl; listen 127.0.0.2:{self.port} ssl;",
            ),
            ("    listen [::]:443 ssl;\n", ""),
            ("server 127.0.0.1:8000;", f"server 127.0.0.1:{self._studio_port};"),
            ("/etc/ssl/certs/studio.example.pem", str(self.certificate)),
            ("/etc/ssl/private/studio.example.key", str(self.folder / "studio.key")),
            *changes,
        ):
            assert old in site, old
            site = site.replace(old, new)
        (self.folder / "site.conf").write_text(site)
        user = "user root;" if os.getuid() == 0 else ""
        main = self.folder / "nginx.conf"
        main.write_text(_MAIN.format(folder=self.folder, user=user))
        words = [str(find_nginx()), "-c", str(main), "-e", str(self.folder / "error.log")]
        self._process = subprocess.Popen(words, cwd=self.folder, start_new_session=True)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                log = self.folder / "error.log"
                assert self._process.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
            self._process = None

    def _make_certificate(self) -> None:
        if self.certificate.exists():
            return
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2"
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        words += ["-subj", "/CN=localhost", "-addext", names]
        words += ["-keyout", str(self.folder / "studio.key"), "-out", str(self.certificate)]
        subprocess.run(
            words,
            check=True,
            capture_output=True,
        )
