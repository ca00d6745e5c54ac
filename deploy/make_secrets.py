"""Make the secrets of docker-compose.yaml: random, in .local/secrets (ignored by Git), for their owner alone.

The folder keeps others out. Within it, what Postgres and Redis read is open to any user, since their containers run as
the users of their images; the rest is its owner's, who must be AIRFLOW_UID.

Run it again after an update: what is there stays, what is missing is made. Needs nothing but Python.
"""

import argparse
import base64
import json
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = """\
# Environment of all services of Airflow, where docker-compose.yaml does not set it; see docs/monitoring.md.
# PETITIONS_NOTIFY_WEBHOOK=https://hooks.example.org/…
# PETITIONS_NOTIFY_EMAIL=night@example.org
"""
OF_OTHER_USERS = ("postgres_password", "redis_password")  # read by user 999 of each container
ROLES = {"airflow": "airflow", "petitions": "petitions", "petition_page": "petitions"}  # role: its database


def make_secrets(folder: Path) -> list[str]:
    """Write the secrets that are missing; gives their names. Passfiles are 0600: libpq reads no other kind."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    made: list[str] = []

    def keep(name: str, text: str) -> str:
        path = folder / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
            made.append(name)
        if name in OF_OTHER_USERS:
            path.chmod(0o644)
        return path.read_text(encoding="utf-8")

    admin = keep("postgres_password", secrets.token_urlsafe(24))
    redis = keep("redis_password", secrets.token_urlsafe(24))
    pgpass = "".join(f"postgres:5432:{name}:{role}:{secrets.token_urlsafe(24)}\n" for role, name in ROLES.items())
    pgpass = keep("pgpass", pgpass)
    owner = f"postgres:5432:petitions:petition_owner:{secrets.token_urlsafe(24)}\n"
    keep("pgpass_admin", f"{pgpass}{owner}postgres:5432:*:postgres:{admin}\n")
    keep("broker_url", f"redis://:{redis}@redis:6379/0")
    keep("fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    keep("jwt_secret", secrets.token_urlsafe(64))
    keep("api_secret_key", secrets.token_urlsafe(32))
    keep("airflow_passwords", json.dumps({"admin": secrets.token_urlsafe(18)}))
    keep("connections.json", "{}\n")
    keep("settings.env", SETTINGS)
    return made


def main() -> None:
    """Make them, and tell which."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local" / "secrets")
    folder = parser.parse_args().folder
    made = make_secrets(folder)
    print(f"{folder}: made {', '.join(made) or 'nothing, all are there'}")  # noqa: T201 a script speaks
    if os.geteuid() == 0:
        print("made by root: chown them to the user of AIRFLOW_UID, which is not root")  # noqa: T201


if __name__ == "__main__":
    main()
