"""A real JupyterLab for tests: a server on this machine, with settings and files of its own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import chromium

INSTALLED = all(find_spec(name) for name in ("jupyterlab", "ipywidgets", "anywidget"))
PATIENCE = 60.0  # s, for the server to come up


class Lab:
    """JupyterLab over the notebooks of a folder; use it in a `with` block."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._token = secrets.token_hex(16)
        own = folder / ".jupyter"
        settings = own / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        quiet = {"checkForUpdates": False, "fetchNews": "false"}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        places = {"JUPYTER_CONFIG_DIR": own, "JUPYTER_DATA_DIR": own, "JUPYTER_RUNTIME_DIR": own, "IPYTHONDIR": own}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={self._port}"]
        command += [
            "--ServerApp.ip=127.0.0.1",
            f"--IdentityProvider.token={self._token}",
            f"--ServerApp.root_dir={folder}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]
        self._log = (folder / "server.log").open("w")
        self._server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **{k: str(v) for k, v in places.items()}},
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> Lab:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with urlopen(f"{self.address}/api?token={self._token}", timeout=2):
                    return self
            except OSError:
                if self._server.poll() is not None or time.monotonic() > end:
                    self.__exit__()
                    raise
                time.sleep(0.2)

    def __exit__(self, *caught: object) -> None:
        self._server.terminate()  # which ends its kernels, too
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def notebook(self, name: str) -> str:
        """The address of a notebook of the folder, alone on the page."""
        return f"{self.address}/doc/tree/{name}?token={self._token}"


def write_notebook(file: Path, *cells: str) -> None:
    """A notebook of code cells."""
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    written = [{**empty, "id": f"cell-{number}", "source": source} for number, source in enumerate(cells)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    file.write_text(json.dumps({"cells": written, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def opened(browser: chromium.Chromium, lab: Lab, name: str) -> chromium.Tab:
    """A notebook in the browser, all of its cells run."""
    tab = browser.open(lab.notebook(name), width=1400)
    tab.until("Boolean(window.jupyterapp && document.querySelector('.jp-CodeCell'))")
    kernel = "jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel"
    tab.until(f"{kernel}?.status === 'idle'")
    tab.run("jupyterapp.commands.execute('notebook:run-all-cells')")
    tab.until("[...document.querySelectorAll('.jp-InputPrompt')].every(prompt => /[0-9]|^$/.test(prompt.textContent))")
    return tab


def laps(tab: chromium.Tab, key: str, code: int, presses: int, pause: float = 0.8) -> list[float]:
    """Milliseconds from each key press to the first figure of the sheet redrawn, as the page's own clock has it."""
    tab.run("""(() => {
      window.laps = [];
      let pressed = 0;
      document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
      document.querySelector(".ldnsim-sheet .js-plotly-plot").on("plotly_afterplot", () => {
        if (pressed) laps.push(performance.now() - pressed);
        pressed = 0;
      });
    })()""")
    tab.run("document.querySelector('.noUi-handle').focus()")
    for press in range(presses):
        tab.press(key, code)
        tab.until(f"laps.length > {press}")
        tab.wait(pause)
    return list(tab.run("laps"))
