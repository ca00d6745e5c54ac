"""The artifact store: files by name under a folder or an object store (file, s3, gs), through fsspec.

A file is there whole or not at all: on a local disk it is written under another name and then moved; object stores
put whole objects anyway.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath

import fsspec
from fsspec.implementations.local import LocalFileSystem

from petitions.addresses import hide_login
from petitions.errors import ConfigError, PermanentError

_UNFINISHED = ".unfinished-"


class ArtifactStore:
    """Files under `url`, which is shown without a login; their paths are relative, with "/" between the parts."""

    def __init__(self, url: str) -> None:
        """Open a store, which need not exist yet.

        Raises:
            ConfigError: fsspec does not know the address, or lacks the library for it.
        """
        self.url = hide_login(url) if "://" in url else url
        try:
            self._files, root = fsspec.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ConfigError(
                f"PETITIONS_ARTIFACTS must be a folder or an s3, gs or file address, got {self.url!r}: {error}"
            ) from None
        self._root = str(root).rstrip("/")

    def write(self, path: str, content: bytes) -> None:
        """Write a file, in the place of one of that name."""
        where = self._locate(path)
        if isinstance(self._files, LocalFileSystem):
            _replace_file(Path(where), content)
        else:
            self._files.pipe_file(where, content)

    def read(self, path: str) -> bytes:
        """Read a file.

        Raises:
            PermanentError: there is none of that name.
        """
        try:
            content: bytes = self._files.cat_file(self._locate(path))
        except FileNotFoundError:
            raise PermanentError(f"no artifact {path} in {self.url}") from None
        return content

    def exists(self, path: str) -> bool:
        """Tell whether there is a file of that name."""
        return bool(self._files.isfile(self._locate(path)))

    def list(self, prefix: str = "") -> list[str]:
        """Name all files in the folder `prefix`, sorted; none where there is no such folder."""
        return [*self.sizes(prefix)]

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Tell the bytes of each file in the folder `prefix`, in the order of the names."""
        found = self._files.find(self._locate(prefix) if prefix else self._root, detail=True)
        sizes = {name.removeprefix(self._root).lstrip("/"): int(about["size"]) for name, about in found.items()}
        return {name: sizes[name] for name in sorted(sizes) if not PurePosixPath(name).name.startswith(_UNFINISHED)}

    def delete(self, path: str) -> None:
        """Delete a file; that there is none of that name is fine, as object stores have it."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._locate(path))

    def _locate(self, path: str) -> str:
        parts = path.split("/")
        if not all(parts) or {".", ".."} & set(parts) or any(sign in path for sign in "\\\0:*?["):
            raise ConfigError(f"an artifact's path must be relative, without '..' or any of \\ : * ? [, got {path!r}")
        return f"{self._root}/{path}"


def _replace_file(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    except BaseException:
        os.unlink(unfinished)
        raise
