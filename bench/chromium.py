"""The browser that pages are measured in, and how slow it is made."""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SLOWER = 6
# Without the device's worker, which fetches behind the page's back and answers for the server the next time.
WINDOW = {"viewport": {"width": 1280, "height": 800}, "service_workers": "block"}
