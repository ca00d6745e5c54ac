"""The notebook in docs/ runs over the views and draws its three charts, as a login that may read nothing else."""

import base64
import io
import sys
from pathlib import Path

import matplotlib.image
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from invented import BERT, MONDAY, make_petitions, write_all
from petitions.store.publishing import publish

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
ROOT = Path(__file__).parents[1]


def run_notebook(url: str, folder: Path) -> list[dict]:
    """The outputs of all cells, run by a kernel of this very Python."""
    notebook = nbformat.read(ROOT / "docs" / "petitions.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "commit it without outputs"
    manager = AsyncKernelManager()
    manager._kernel_spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        language="python",
        env={"PETITIONS_DATABASE_URL": url, "PETITIONS_SOURCE": "sample", "PYTHONPATH": str(ROOT / "include"),
             "MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    )  # fmt: skip
    NotebookClient(notebook, km=manager, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_the_notebook_draws_three_charts_with_korean_in_them(engine, reader_url, tmp_path):
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT], at=MONDAY)
    outputs = run_notebook(reader_url, tmp_path)
    charts = [item["data"]["image/png"] for item in outputs if "image/png" in item.get("data", {})]
    assert len(charts) == 3
    for chart in charts:
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(chart)), format="png")
        assert len({tuple(pixel) for pixel in pixels.reshape(-1, pixels.shape[-1]).round(1)}) > 5, "it is blank"
    written = "".join(item.get("text", "") for item in outputs)
    assert "Glyph" not in written, "a font lacks Korean"
