"""The step encode: a vector of each text by each encoder."""

from functools import partial

from petitions.encoders.registry import find_encoder
from petitions.steps.step import CHUNK, Run, read_chunks
from petitions.store import vectors
from petitions.store.parts import WHOLE, Part


def encode(run: Run, encoder: str, part: Part = WHOLE) -> int:
    """Embed the texts of a part that an encoder, such as "bert", has not seen; returns how many."""
    with run.step(f"encode {encoder}", part) as progress:
        progress.made_by = name = find_encoder(encoder).name(run.settings)
        read = partial(vectors.read_unencoded, encoder=name, limit=CHUNK, part=part)
        embed = None
        for chunk in read_chunks(run, read, progress):
            if embed is None:  # TensorFlow and the weights, which a part without new petitions need not wait for
                from petitions.steps.encoders import load_encoder

                _, embed = load_encoder(encoder, run.settings)
            embeddings = embed([item.whole for item in chunk])
            with run.engine.begin() as conn:
                vectors.upsert_embeddings(conn, name, chunk, embeddings)
    return progress.rows_out
