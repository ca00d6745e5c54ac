"""The environments of the peers, none of them a part of ours: `python bench/peers.py [FOLDER]` makes them.

Each is a virtual environment of its own with pinned versions, kept in .local/peers. What does not install is told by
name, and its contestants are told as absent in every table.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".local" / "peers"
ENVIRONMENTS = {
    "words": (
        "beautifulsoup4==4.15.0",
        "gensim==4.4.0",
        "kiwipiepy==0.24.1",
        "pandas==3.1.1",
        "pgvector==0.5.1",
        "psycopg[binary]==3.3.9",
        "python-mecab-ko==1.3.7",
        "rank-bm25==0.2.2",
        "requests==2.34.2",
        "scikit-learn==1.9.1",
        "scipy==1.17.1",
        "Scrapy==2.19.0",
        "SQLAlchemy==2.1.9",
        "tomotopy==0.14.0",
    ),
    "torch": (
        "bertopic==0.17.4",
        "onnx==1.23.2",
        "onnxruntime==1.32.0",
        "onnxscript==0.7.2",
        "sentence-transformers==6.2.0",
        "torch==2.13.0",
        "transformers==5.24.0",
    ),
    "tensorflow": (
        "simple_elmo==0.9.2",
        "tensorflow-cpu==2.21.0",
        "tf_keras==2.21.0",
        "transformers==4.57.6",
        "beautifulsoup4==4.15.0",
        "gensim==4.4.0",
        "pandas==3.1.1",
        "psycopg[binary]==3.3.9",
        "python-mecab-ko==1.3.7",
        "requests==2.34.2",
        "SQLAlchemy==2.1.9",
    ),
}


def find_python(environment: str, folder: Path | None = None) -> Path:
    """The Python of an environment; of `ours`, this one."""
    return Path(sys.executable) if environment == "ours" else (folder or FOLDER) / environment / "bin" / "python"


def install(folder: Path = FOLDER) -> list[str]:
    """Make what is not there yet or was pinned otherwise; gives the names of those that did not install."""
    failed = []
    for name, pins in ENVIRONMENTS.items():
        done = folder / name / "pins.txt"
        if done.exists() and done.read_text(encoding="utf-8").split("\n") == list(pins):
            continue
        print(f"installing the peers of {name}: {', '.join(pins)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder / name], check=True)
        command = [find_python(name, folder), "-m", "pip", "install", "--quiet", *pins]
        if subprocess.run(command).returncode:
            failed.append(name)
        else:
            done.write_text("\n".join(pins), encoding="utf-8")
    return failed


if __name__ == "__main__":
    missing = install(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else FOLDER)
    sys.exit(f"did not install: {', '.join(missing)}" if missing else 0)
