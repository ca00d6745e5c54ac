"""The pictures of docs/images that show pages, of the sample as `make demo` gives it: run after it, look at each one.

    PYTHONPATH=include:plugins .venv/bin/python bench/pictures.py

The pages of the topic browser are served by its sub-app alone, to somebody who is signed in; needs Debian's chromium.
"""

import argparse
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import uvicorn
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from playwright.sync_api import sync_playwright
from topic_browser.app import create_app

PORT = 18932
PAGES = f"http://127.0.0.1:{PORT}/topic-browser"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
DRAW_MS = 1500  # for scripts of the map


def start_pages() -> uvicorn.Server:
    """Serve the pages at the address that they have in Airflow."""
    pages, site = create_app(), FastAPI()
    pages.dependency_overrides[get_user] = lambda: SimpleNamespace()  # noqa: PLW0108 - FastAPI reads a signature
    site.mount("/topic-browser", pages)
    server = uvicorn.Server(uvicorn.Config(site, host="127.0.0.1", port=PORT, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.1)
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--petition", default="sample:d-027")
    parser.add_argument("--output", type=Path, default=IMAGES)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.html")
        command = ["petitions", "report", "--source", "sample", "--lang", "en", "--output", str(report)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shots: tuple[tuple[str, str, Literal["light", "dark"], int, int], ...] = (
            ("report", report.as_uri(), "light", 1100, 1500),
            ("topic-browser-topics", f"{PAGES}/?source=sample&lang=en", "light", 1280, 860),
            ("topic-browser-petition", f"{PAGES}/petition/{args.petition}?source=sample&lang=en", "dark", 1280, 860),
            ("topic-browser-map", f"{PAGES}/map?source=sample&lang=en", "dark", 1280, 1130),
        )
        server = start_pages()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for name, url, scheme, width, height in shots:
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US"
                )
                page.goto(url, wait_until="load")
                page.wait_for_timeout(DRAW_MS)
                page.screenshot(path=args.output / f"{name}.png")
                print(args.output / f"{name}.png", page.title())
            browser.close()
        server.should_exit = True


if __name__ == "__main__":
    main()
