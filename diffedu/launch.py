"""Start JupyterLab on the course, say where it answers, and end it cleanly."""

import errno
import http.client
import importlib.util
import json
import os
import platform
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
START = "notebooks/00_start_here.ipynb"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # listened on -> where to open it
SECONDS_TO_START = 120
SECONDS_TO_STOP = 15


class LaunchError(Exception):
    """Something the reader can mend, said in one line."""


def lab(port: int, ip: str, open_browser: bool) -> int:
    """Run JupyterLab until it is stopped; the exit status."""
    display = has_display()
    server = None
    try:
        check_installed()
        check_port(port, ip)
        print("Starting JupyterLab. Ctrl-C here stops it.", flush=True)
        stop_on_hang_up()
        server = Server(jupyter_command(port, ip, open_browser and display))
        address = wait_for_address(server, port, ip)
        print(invitation(address, open_browser, display), flush=True)
        return server.process.wait()
    except KeyboardInterrupt:
        print("\nStopping JupyterLab.", flush=True)
        return 0
    except LaunchError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if server is not None:
            server.stop()


def check_installed() -> None:
    """Raise if what the course starts with is missing."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise LaunchError("JupyterLab is not installed for this Python. Say: make lab")
    if not (ROOT / START).is_file():
        raise LaunchError(f"{START} is not in {ROOT}. Run this from a clone of the course.")


def check_port(port: int, ip: str) -> None:
    """Raise if a server could not listen there, and name a port that is free."""
    try:
        listen_once(port, ip)
    except PermissionError:
        raise LaunchError(
            f"Port {port} needs an administrator. Choose another: make lab PORT=8888"
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LaunchError(
                f"Port {port} is taken. Choose another: make lab PORT={free_port(port, ip)}"
            ) from None
        raise LaunchError(f"Cannot listen on {ip}: {error.strerror}") from None


def listen_once(port: int, ip: str) -> int:
    """Take the port as a server would and give it back; 0 asks for any free port."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":  # as servers do: a connection just closed is no obstacle
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((ip, port))
        probe.listen(1)
        return probe.getsockname()[1]


def free_port(taken: int, ip: str) -> int:
    """A free port, soon after the taken one when there is one: easy to type."""
    for port in range(taken + 1, min(taken + 50, 65536)):
        try:
            return listen_once(port, ip)
        except OSError:
            continue
    return listen_once(0, ip)


class Server:
    """JupyterLab as a process of its own, stopped in order."""

    def __init__(self, command: list[str]):
        # A session of its own: Ctrl-C reaches only us.
        self.process = subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.stopping = False
        self.relay = threading.Thread(target=self._pass_on_messages, daemon=True)
        self.relay.start()

    def _pass_on_messages(self) -> None:
        """Not for the reader: farewells, and what each kernel says of its transport."""
        for line in self.process.stdout or ():
            if not self.stopping and not line.startswith(b"[IPKernelApp] WARNING"):
                os.write(2, line)

    def stop(self) -> None:
        """Let the server end its kernels, then itself; by force if it does not."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # a second Ctrl-C changes nothing
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        self.stopping = True
        self.process.terminate()  # does nothing to a server that has ended
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def jupyter_command(port: int, ip: str, open_browser: bool) -> list[str]:
    """JupyterLab on the course, quiet but for errors: the address stays the last line."""
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={ROOT}",
        f"--ServerApp.ip={ip}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",  # the address we print is the one that was asked for
        f"--ServerApp.open_browser={open_browser}",
        f"--LabApp.default_url=/lab/tree/{START}",
        "--Application.log_level=ERROR",
        # Nothing may ask the network, and nobody is asked whether it may.
        f"--LabApp.app_settings_dir={ROOT / 'tools' / 'lab_settings'}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if is_wsl():  # a browser on the Windows side cannot read Jupyter's redirect file
        command.append("--ServerApp.use_redirect_file=False")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # containers
        command.append("--allow-root")
    return command


def environment() -> dict[str, str]:
    """What the server and its kernels see."""
    path = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        # A token in the environment stays out of the process list, and Jupyter's own
        # announcement of the address, eight lines long, out of the terminal.
        "JUPYTER_TOKEN": secrets.token_hex(24),
        **os.environ,
        # Notebooks import this clone, even when another one is installed.
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
    }


def wait_for_address(server: Server, port: int, ip: str) -> str:
    """The full address of the first notebook, once the server answers."""
    host = EVERYWHERE.get(ip, ip)
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            server.relay.join(timeout=1)  # its own words come first
            raise LaunchError(f"JupyterLab ended at once (status {server.process.returncode}).")
        info = server_info(server.process.pid)
        if info and answers(host, port, info["base_url"]):
            shown = f"[{host}]" if ":" in host else host
            token = f"?token={info['token']}" if info["token"] else ""
            return f"http://{shown}:{port}{info['base_url']}lab/tree/{START}{token}"
        time.sleep(0.1)
    raise LaunchError(f"JupyterLab did not answer within {SECONDS_TO_START} s.")


def server_info(pid: int) -> dict[str, str] | None:
    """What the server wrote about itself: a user's own Jupyter settings may set the token."""
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        return json.loads(Path(jupyter_runtime_dir(), f"jpserver-{pid}.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):  # not there, or not yet whole
        return None


def answers(host: str, port: int, base_url: str) -> bool:
    """Whether the server answers a request."""
    # Not urllib: that would ask a configured proxy for our own machine.
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", f"{base_url}api")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def invitation(address: str, open_browser: bool, display: bool) -> str:
    """The last line the reader sees: where to go."""
    if not open_browser:
        return f"Open this address in a browser: {address}"
    if not display:
        return f"No display found. Open this address in a browser: {address}"
    return f"The course opens in your browser. If it does not, open: {address}"


def has_display() -> bool:
    """Whether a browser can open a window here."""
    if not sys.platform.startswith("linux") or is_wsl():
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def is_wsl() -> bool:
    """Whether this is Linux inside Windows."""
    return "microsoft" in platform.uname().release.lower()


def stop_on_hang_up() -> None:
    """End in order also when the terminal closes or a supervisor says so."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:  # nohup says: stay
            signal.signal(number, interrupt)
