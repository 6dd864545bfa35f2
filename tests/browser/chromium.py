"""A real browser for tests, driven over its debugging pipe with nothing but the standard library."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PATH = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
# The browser reads commands from file descriptor 3 and answers on 4, which may be taken by what they have to come from.
START = (
    "import fcntl, os, sys; ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]; "
    "os.dup2(ends[0], 3); os.dup2(ends[1], 4); os.execv(sys.argv[3], sys.argv[3:])"
)
PATIENCE = 60.0  # s, for any answer
TROUBLE = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Network.loadingFailed")


class Chromium:
    """A browser; use it in a `with` block."""

    def __init__(self, profile: Path) -> None:
        read_here, self._in = os.pipe()
        self._out, write_here = os.pipe()
        start = [sys.executable, "-c", START, str(read_here), str(write_here)]
        command = [*start, str(PATH), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, pass_fds=(read_here, write_here), stdout=quiet, stderr=quiet)
        os.close(read_here)
        os.close(write_here)
        self._waiting, self._sent = b"", 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *caught: object) -> None:
        try:
            self.call("Browser.close")
            self._process.wait(20)
        except (OSError, EOFError, RuntimeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol, and its answer."""
        self._sent += 1
        message = {
            "id": self._sent,
            "method": method,
            "params": parameters,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._in, json.dumps(message).encode() + b"\0")
        while True:
            found = self.next()
            if found.get("id") == self._sent:
                if "error" in found:
                    raise RuntimeError(f"{method}: {found['error']}")
                return dict(found["result"])

    def next(self) -> dict[str, Any]:
        """The next thing that the browser says; events are kept."""
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._waiting:
            if not select.select([self._out], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            read = os.read(self._out, 1 << 20)
            if not read:
                raise EOFError("the browser has gone")
            self._waiting += read
        text, _, self._waiting = self._waiting.partition(b"\0")
        found = dict(json.loads(text))
        if "method" in found:
            self.events.append(found)
        return found

    def open(self, place: Path | str, width: int = 900) -> Tab:
        """A new tab of `width` px with a file from disk, or an address on this machine, after its scripts have run."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        tab = Tab(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            tab.call(f"{domain}.enable")
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
        tab.call("Emulation.setDeviceMetricsOverride", **size)
        tab.call("Page.navigate", url=place.as_uri() if isinstance(place, Path) else place)
        while not any(event["method"] == "Page.loadEventFired" for event in tab.events):
            self.next()
        tab.wait(0.2)
        return tab


class Tab:
    """One page in the browser."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser, self._session = browser, session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait(self, seconds: float) -> None:
        """Let the page do what it has to do."""
        self.run(f"new Promise(done => setTimeout(done, {1000 * seconds}))")

    def point(self, element: str, across: float = 0.5, down: float = 0.5, *, click: bool = False) -> None:
        """Move the mouse to a place (shares of its size) on the element of an expression, and click there if wanted."""
        box = "const box = element.getBoundingClientRect()"
        into_view = "element.scrollIntoView({block: 'center', behavior: 'instant'})"
        place = f"[box.x + {across} * box.width, box.y + {down} * box.height]"
        x, y = self.run(f"(element => {{ {into_view}; {box}; return {place} }})({element})")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased")[: 3 if click else 1]:
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left" if click else "none", clickCount=1)
        self.wait(0.3)

    def press(self, key: str, code: int) -> None:
        """Press and release a key, on whatever has the focus."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def until(self, condition: str, patience: float = PATIENCE) -> Any:
        """The value of a JavaScript expression as soon as it is true; TimeoutError if it never is."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            found = self.run(condition)
            if found:
                return found
            self.wait(0.05)
        raise TimeoutError(f"never true: {condition}")

    def picture(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"])

    def pdf(self) -> bytes:
        """The page as printed."""
        printed = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(printed["data"])

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for event in self._browser.events if event.get("sessionId") == self._session]

    @property
    def trouble(self) -> list[dict[str, Any]]:
        """Errors, console messages and failed loads."""
        return [event for event in self.events if event["method"] in TROUBLE]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What a page's console holds in red: for pages whose scripts also talk, and break off loads of their own."""
        told = [event for event in self.events if event["method"] in TROUBLE[:3]]
        kinds = [
            event["params"].get("type") or event["params"].get("entry", {}).get("level", "error") for event in told
        ]
        return [event for event, kind in zip(told, kinds, strict=True) if kind in ("error", "assert")]

    @property
    def sockets(self) -> list[str]:
        """Addresses of web sockets."""
        return [e["params"]["url"] for e in self.events if e["method"] == "Network.webSocketCreated"]

    @property
    def requests(self) -> list[str]:
        """Addresses asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
