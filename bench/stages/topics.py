"""Topics of three months of the Blue House: ours, gensim, scikit-learn, tomotopy, and BERTopic over our vectors.

Ours fits our tokens, the peers python-mecab-ko's nouns of two letters or more, as their users would. What each fit says
is judged in one way, by ../shared/eval/topic_quality.py over those nouns; agreement is of fits by two seeds: topics
that share 5 of their first 10 terms with one of the other. The number of the round is the seed.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.stage import SHARED, Arguments, Contestant, Stage, data_files
from stages.tokens import read_normalized

K, TOP = 9, 20
Topics = list[list[str]]
NOUNS = """
import json, sys
from mecab import MeCab
mecab = MeCab()
texts = json.load(open(sys.argv[1]))
json.dump([[noun for noun in mecab.nouns(text) if len(noun) > 1] for text in texts], open(sys.argv[2], "w"))
"""
JUDGE = """
import io, json, pathlib, sys
from contextlib import redirect_stdout
sys.path.insert(0, sys.argv[1])
import topic_quality
from gensim import corpora
from gensim.models import CoherenceModel
folder = pathlib.Path(sys.argv[2])
documents = json.loads((folder / "nouns.json").read_text())
dictionary = corpora.Dictionary(documents)
for contestant in json.loads(sys.argv[3]):
    fits = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{contestant}-*.json"))[:2]]
    if fits:
        known = [topic_quality.split_terms(topic, dictionary) for topic in fits[0]]
        model = CoherenceModel(topics=[topic for topic in known if len(topic) > 1], texts=documents,
                               dictionary=dictionary, coherence="c_npmi", topn=20, processes=1)
        terms = [term for topic in fits[0] for term in topic[:20]]
        told = {"NPMI": round(float(model.get_coherence()), 4), "diversity": round(len(set(terms)) / len(terms), 3)}
        if len(fits) == 2:
            told["topics both seeds find"] = f"{topic_quality.matched(*fits)} of {len(fits[0])}"
        print(json.dumps([contestant, told]))
"""


@contextmanager
def write_documents(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """The texts, our tokens and python-mecab-ko's nouns of them, and our vectors for BERTopic."""
    import numpy as np
    import peers

    from petitions.encoders.bert_encoder import load_bert
    from petitions.settings import MODELS
    from petitions.text.tokenizer import tokenize_many

    texts = read_normalized(tuple(path.stem for path in data_files()))[: size["n"]]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    (folder / "tokens.json").write_text(json.dumps(tokenize_many(texts)), encoding="utf-8")
    names = [folder / "texts.json", folder / "nouns.json"]
    subprocess.run([peers.find_python("words"), "-c", NOUNS, *names], check=True)
    encoder = load_bert(str(MODELS / "sentence-small"), "cpu", cpu_engine="auto")
    np.save(folder / "vectors.npy", encoder.embed(texts))
    yield {**size, "n": len(texts), "folder": str(folder)}


def judge(folder: Path, arguments: Arguments) -> dict[str, dict[str, Any]]:
    """NPMI and diversity of the first seed, agreement of the first two."""
    import peers

    makers = {item.maker: item.name for item in CONTESTANTS}
    command = [peers.find_python("words"), "-c", JUDGE, SHARED / "eval", folder, json.dumps(list(makers))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {makers[maker]: told for maker, told in map(json.loads, done.stdout.splitlines())}


def keep(maker: str, fit: Callable[[Arguments, int], Callable[[], Topics]]) -> Callable[[Arguments], Any]:
    """A maker whose turns write their topics for the judge; only the fit itself is timed."""

    def make(arguments: Arguments) -> Callable[[int], dict[str, Any]]:
        import os
        import time

        def call(seed: int) -> dict[str, Any]:
            run = fit(arguments, seed)
            begin, began = os.times(), time.perf_counter()
            topics = run()
            seconds, end = time.perf_counter() - began, os.times()
            path = Path(arguments["folder"], f"{maker}-{seed}.json")
            path.write_text(json.dumps(topics), encoding="utf-8")
            return {"seconds": seconds, "cpu_s": sum(end[:4]) - sum(begin[:4])}

        return call

    return make


def _read(arguments: Arguments, name: str) -> list[list[str]]:
    documents: list[list[str]] = json.loads(Path(arguments["folder"], name).read_text("utf-8"))
    return documents


def fit_ours(arguments: Arguments, seed: int) -> Callable[[], Topics]:
    from petitions.topics.lda import fit_topics
    from petitions.topics.lda_settings import LdaSettings

    documents = _read(arguments, "tokens.json")
    return lambda: [
        [item.term for item in topic]
        for topic in fit_topics(documents, LdaSettings(random_seed=seed, n_topics=K)).top_terms
    ]


def fit_gensim(arguments: Arguments, seed: int, *, passes: int = 1, workers: int = 0) -> Callable[[], Topics]:
    from gensim.corpora import Dictionary
    from gensim.models import LdaModel, LdaMulticore

    documents = _read(arguments, "nouns.json")

    def run() -> Topics:
        dictionary = Dictionary(documents)
        if passes > 1:
            dictionary.filter_extremes(no_below=5, no_above=0.2, keep_n=30000)
        bags = [dictionary.doc2bow(document) for document in documents]
        given = {"num_topics": K, "id2word": dictionary, "random_state": seed, "passes": passes}
        if passes > 1:
            given["chunksize"] = 256
        model = LdaMulticore(bags, workers=workers, **given) if workers else LdaModel(bags, **given)
        return [[word for word, _ in model.show_topic(topic, TOP)] for topic in range(K)]

    return run


def fit_sklearn(arguments: Arguments, seed: int) -> Callable[[], Topics]:
    from sklearn.decomposition import LatentDirichletAllocation
    from sklearn.feature_extraction.text import CountVectorizer

    documents = _read(arguments, "nouns.json")

    def run() -> Topics:
        counter = CountVectorizer(analyzer=list, min_df=5, max_df=0.2)
        counts = counter.fit_transform(documents)
        model = LatentDirichletAllocation(K, random_state=seed, max_iter=10).fit(counts)
        names = counter.get_feature_names_out()
        return [[names[place] for place in row.argsort()[::-1][:TOP]] for row in model.components_]

    return run


def fit_tomotopy(arguments: Arguments, seed: int) -> Callable[[], Topics]:
    import tomotopy

    documents = _read(arguments, "nouns.json")

    def run() -> Topics:
        model = tomotopy.LDAModel(k=K, seed=seed, min_df=5)
        for document in filter(None, documents):
            model.add_doc(document)
        model.train(1000, workers=0)  # all cores
        return [[word for word, _ in model.get_topic_words(topic, TOP)] for topic in range(K)]

    return run


def fit_bertopic(arguments: Arguments, seed: int) -> Callable[[], Topics]:
    import numpy as np
    from bertopic import BERTopic
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    documents = [" ".join(words) for words in _read(arguments, "nouns.json")]
    vectors = np.load(Path(arguments["folder"], "vectors.npy"))

    def run() -> Topics:
        umap = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
        counter = CountVectorizer(token_pattern=r"\S+", lowercase=False)
        given = {"umap_model": umap, "vectorizer_model": counter, "language": "multilingual"}  # english drops Hangul
        model = BERTopic(nr_topics=K + 1, top_n_words=TOP, **given)
        model.fit(documents, vectors)
        return [[word for word, _ in words] for topic, words in model.get_topics().items() if topic >= 0]

    return run


def fit_multicore(arguments: Arguments, seed: int) -> Callable[[], Topics]:
    return fit_gensim(arguments, seed, passes=10, workers=1)


FITS = {
    "ours": fit_ours, "gensim": fit_gensim, "multicore": fit_multicore,
    "sklearn": fit_sklearn, "tomotopy": fit_tomotopy, "bertopic": fit_bertopic,
}  # fmt: skip
MAKERS = {name: keep(name, fit) for name, fit in FITS.items()}
CONTESTANTS = (
    Contestant(name="ours", maker="ours"),
    Contestant(name="gensim LdaModel, as in the study note", maker="gensim", environment="words"),
    Contestant(name="gensim LdaMulticore, pruned, 10 passes", maker="multicore", environment="words"),
    Contestant(name="scikit-learn LDA, pruned, 10 iterations", maker="sklearn", environment="words"),
    Contestant(name="tomotopy LDAModel, pruned, 1,000 iterations", maker="tomotopy", environment="words"),
    Contestant(name="BERTopic over our vectors", maker="bertopic", environment="torch"),
)
STAGES = {
    "topics": Stage(
        title="Topics",
        module="topics",
        unit="petitions",
        contestants=CONTESTANTS,
        sizes={"full": {"n": 1821, "rounds": 5}, "quick": {"n": 400, "rounds": 2}},
        prepare=write_documents,
        judge=judge,
        note="Nine topics, each round by another seed. Tokenizing and the vectors for BERTopic are not timed.",
    )
}
