"""The one door to the model hub: a folder or a hub name in, local files out; without transformers."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from petitions.errors import FetchError, WeightsError

# The hub's library writes to stderr by itself: handed on, each of its lines would stand there twice.
logging.getLogger("huggingface_hub").propagate = False

HUB_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
# What decides, besides the weights, what becomes of a text: config, tokenizer, and the files of sentence-transformers.
READING_FILES = (
    "config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model",
    "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "*/config.json",
)  # fmt: skip
HUB_FILES = (*READING_FILES, "model*.safetensors*")
REFUSED = (401, 403, 404)  # the hub answers 401 too for a model that does not exist


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """Where the files of a model lie, and the commit of the hub that they are of (empty for a folder)."""

    folder: Path
    hub_name: str = ""
    commit: str = ""


def fetch_model(model: str, *, is_local: bool = False) -> ModelFiles:
    """Find a model: a folder, or a hub name such as "klue/bert-base" or "klue/bert-base@revision".

    A hub model is downloaded once; without network the downloaded copy of the same revision serves.

    Args:
        model: as above.
        is_local: whether nothing may be downloaded, so that a hub model is a copy that is here already.

    Raises:
        WeightsError: no such folder, nor such a model or revision on the hub.
        FetchError: the hub cannot be reached, and there is no downloaded copy.
    """
    if Path(model).is_dir():
        return ModelFiles(folder=Path(model))
    match = HUB_NAME.fullmatch(model)
    if not match:
        raise WeightsError(f"no such model folder: {model}")
    name, revision = match["name"], match["revision"]
    # Where they are needed alone: a night with nothing new reads the names of its weights, and should not wait.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(name, revision=revision, allow_patterns=list(HUB_FILES), local_files_only=is_local)
        )
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in REFUSED:
            raise WeightsError(f"{model} is neither a folder nor a model that the hub gives us ({status})") from error
        raise FetchError(f"the model hub answered {status} for {model}") from error
    except (LocalEntryNotFoundError, ConnectionError) as error:
        why = "was not downloaded here" if is_local else "the model hub cannot be reached"
        raise FetchError(f"{model} is no folder here, and {why}") from error
    return ModelFiles(folder=folder, hub_name=name, commit=folder.name)
