"""Debian's Chromium as a printing service would keep it: one warm process, one tab, driven over its debugging pipe."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--disable-quic", "--disable-extensions", "--remote-debugging-pipe"),
)
_TICKS_MS = 1000 / os.sysconf("SC_CLK_TCK")


class Chromium:
    """Its figures are those of all its processes together; its memory counts what they share once."""

    @staticmethod
    def found() -> str | None:
        return next(filter(None, map(shutil.which, _NAMES)), None)

    def __init__(self, program: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bench-chromium-"))
        read, their_write = os.pipe()
        their_read, write = os.pipe()
        # As root, which containers often are, it runs without its sandbox or not at all.
        flags = [*_QUIET, f"--user-data-dir={self._folder}/profile", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", f'exec "$@" 3<&{their_read} 4>&{their_write}', "bash", program, *flags, "about:blank"],
            pass_fds=(their_read, their_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(their_read)
        os.close(their_write)
        self._write, self._read = write, read
        self._received = b""
        self._count = 0
        self._session = ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._folder, ignore_errors=True)

    def print(self, html: str, *, keep: str = "") -> dict[str, float]:
        """Loads a page from a file and prints it."""
        page = self._folder / "page.html"
        page.write_text(html, encoding="utf-8")
        cpu, started = self._cpu_ms(), time.perf_counter()
        self._call("Page.navigate", url=f"file://{page}")
        self._event("Page.loadEventFired")
        self._call("Runtime.evaluate", expression="document.fonts.ready", awaitPromise=True)
        content = base64.b64decode(self._call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])
        elapsed = (time.perf_counter() - started) * 1000
        if keep:
            Path(keep).write_bytes(content)
        return {
            "ms": elapsed,
            "cpu_ms": self._cpu_ms() - cpu,
            "bytes": len(content),
            "memory_mb": self._memory_mb(),
        }

    # The debugging protocol: JSON between NULs

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _event(self, method: str) -> None:
        while self._next().get("method") != method:
            pass

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            read = os.read(self._read, 1 << 20)
            if not read:
                raise RuntimeError("Chromium ended")
            self._received += read
        message, self._received = self._received.split(b"\0", 1)
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    # What its processes took

    def _read_all(self, name: str) -> Iterator[str]:
        """A file of /proc for each of its processes; one that ends meanwhile has none."""
        parents: dict[str, str] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[status.parent.name] = status.read_text().rpartition(")")[2].split()[1]
        found = [str(self._process.pid)]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
            with contextlib.suppress(OSError):
                yield Path(f"/proc/{pid}/{name}").read_text()

    def _cpu_ms(self) -> float:
        ticks = 0
        for content in self._read_all("stat"):
            fields = content.rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])  # with those of children that ended
        return ticks * _TICKS_MS

    def _memory_mb(self) -> float:
        lines = (line for content in self._read_all("smaps_rollup") for line in content.splitlines())
        kilobytes = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return kilobytes / 1024
