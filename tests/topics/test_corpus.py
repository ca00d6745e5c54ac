from petitions.topics.corpus import build_corpus, count_terms

LIMITS = {"no_below": 2, "no_above": 0.5, "max_repeats": 3, "max_terms": 100}


def test_rare_and_common_terms_are_pruned():
    documents = [["버스", "노선"], ["버스", "지하철"], ["버스", "노선"], ["버스", "급식"]]
    corpus = build_corpus(documents, **LIMITS)
    assert set(corpus.dictionary.token2id) == {"노선"}
    assert corpus.bags == [[(0, 1)], [], [(0, 1)], []]


def test_a_burst_of_one_word_counts_no_more_than_the_limit():
    dictionary = build_corpus([["버스"], ["버스"], ["급식"], ["급식"]], **LIMITS).dictionary
    bag = count_terms(dictionary, ["버스"] * 50 + ["급식", "처음보는말"], max_repeats=3)
    assert dict(bag) == {dictionary.token2id["버스"]: 3, dictionary.token2id["급식"]: 1}


def test_a_small_corpus_is_pruned_by_its_size():
    documents = [["버스"], ["버스"], *[[f"말{number}"] for number in range(100)]]
    assert set(build_corpus(documents, **(LIMITS | {"no_below": 10})).dictionary.token2id) == {"버스"}


def test_no_documents_give_an_empty_corpus():
    corpus = build_corpus([], **LIMITS)
    assert len(corpus.dictionary) == 0
    assert corpus.bags == []
