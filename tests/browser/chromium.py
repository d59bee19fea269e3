"""The system's Chromium, with a profile of its own and nothing to say to anybody."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# Chromium asks its maker for this and that whatever one forbids, so it gets no host but loopback's.
# Nor does a page, should it look for another.
FLAGS = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoChromiumError(Exception):
    """There is none; the message says how to get it."""


@contextmanager
def launch(playwright: Playwright) -> Iterator[Browser]:
    """A running browser, headless. Raises `NoChromiumError`."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise NoChromiumError(
            f"no {', '.join(NAMES[:-1])} or {NAMES[-1]} on the PATH: run scripts/install-browser, "
            "or leave its tests out with: pytest -m 'not browser'"
        )
    with tempfile.TemporaryDirectory(prefix="rollgraph-chromium-") as home:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=list(FLAGS),
            chromium_sandbox=os.geteuid() != 0,  # root has none
            env={**os.environ, "HOME": home},
        )
        try:
            yield browser
        finally:
            browser.close()
