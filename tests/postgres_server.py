"""A real PostgreSQL for tests, started here and gone after them."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from kill_loads import PATIENCE

from pdmigrate.errors import UnreachableError
from pdmigrate.workspace.journal import Journal


def _find_postgres():
    """Debian keeps the server's programs out of the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (versions[-1] if versions else None)
    return Path(found).resolve().parent if found else None


@contextmanager
def serve_postgres(skip):
    """The URL of a server of its own on a free port, run by an ordinary user, as it insists. skip: says why there is none."""
    programs = _find_postgres()
    if programs is None:
        skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError:
        skip("psycopg is not installed: pip install 'pdmigrate[postgres]'")
    folder = Path(tempfile.mkdtemp(prefix="pdmigrate-pg-"))
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, **user)
    command = [programs / "initdb", "-D", folder / "data", "-U", "pd", "--auth=trust", "--no-sync"]
    subprocess.run(command, check=True, capture_output=True, cwd="/", **user)
    with open(folder / "server.log", "w") as log:
        for _ in range(10):
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                port = found.getsockname()[1]
            options = ["-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
            command = [programs / "postgres", "-D", folder / "data", *options]
            server = subprocess.Popen(command, stderr=log, cwd="/", **user)
            url = f"postgresql://pd:geheim@127.0.0.1:{port}/postgres"
            if _comes_up(url, server):
                break
            said = (folder / "server.log").read_text()
            assert "in use" in said, said  # another program was faster
        else:
            pytest.fail("PostgreSQL found no port")
    try:
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _comes_up(url, server):
    """Whether it answers; it has ended where it does not."""
    for _ in range(10 * PATIENCE):
        if server.poll() is not None:
            return False
        try:
            Journal(url, "acme", "wait").close()
        except UnreachableError:
            time.sleep(0.1)
        else:
            return True
    return pytest.fail("PostgreSQL did not come up")
