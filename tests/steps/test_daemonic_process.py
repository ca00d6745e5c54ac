"""A task of a Celery worker is a daemonic process, which may have no children of `multiprocessing`."""

import multiprocessing

import numpy as np
import pytest
from gensim.corpora import Dictionary

from petitions.steps.petition_map import project
from petitions.text import tokenizer
from petitions.text.tokenizer import MIN_TEXTS_FOR_PROCESSES, tokenize_many
from petitions.topics.coherence import measure_c_v, measure_npmi
from petitions.topics.visualization import draw_topics

TEXTS = [f"{number}번 버스 노선과 학교 급식" if number % 2 else "학교 급식과 학생" for number in range(400)]
TOPICS = [["버스", "노선"], ["학교", "급식"]]


def measure(pipe=None):
    """The tokens, two coherences, a page of pyLDAvis and a map: all of the package that could start processes."""
    tokenizer.count_cpus = lambda: 2
    documents = tokenize_many(TEXTS)
    dictionary = Dictionary(documents)
    generator = np.random.default_rng(0)
    page = draw_topics(
        topic_word=generator.dirichlet(np.ones(len(dictionary)), 2),
        document_topic=generator.dirichlet(np.ones(2), len(documents)),
        document_lengths=np.array([len(document) for document in documents]),
        terms=[dictionary[number] for number in range(len(dictionary))],
        topic_ids=[0, 1],
        labels=["버스", "학교"],
    )
    coherences = measure_npmi(TOPICS, documents), measure_c_v(TOPICS, documents)
    found = (documents, coherences, page, project(generator.normal(size=(400, 8)))[0].tolist())
    if pipe is not None:
        pipe.send(found)
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all_that_could_start_processes_works_in_a_daemonic_one(monkeypatch):
    monkeypatch.setattr(tokenizer, "count_cpus", lambda: 2)
    assert len(TEXTS) > MIN_TEXTS_FOR_PROCESSES
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=measure, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    found = ours.recv()  # EOFError when the process failed
    process.join()
    assert found == measure()
