"""What a moderator leaves in a text that he edits, taken out: a model that is to say whether he would must not see it.

His notice is cut when a petition is stored; other wordings of it are cut here. He writes asterisks over names, so
that a word keeps its ending: "**은". The whole word goes, since a particle that stands alone would tell as much as
the asterisks; so do all brackets and quotation marks, of which it may leave one of two, and line breaks, among which a
notice stood.
"""

import re

# Ends with its sentence; the site has used several wordings. Bounded, as all here: a hostile text may be of any length.
_NOTICE = re.compile(
    r"(?:본|해당)\s{0,3}(?:게시물|게시글|청원)[^\n\]］.]{0,80}관리자[^\n\]］.]{0,40}"
    r"(?:수정|삭제|비공개|숨김|변경)\s{0,3}(?:되었|됐|처리)[^\n\]］.]{0,20}\.?"
)
_MASK = re.compile("[*＊∗✱✲﹡⁎٭]|[○〇◯●]{2}")  # noqa: RUF001 - signs that look alike are meant
# A particle, or how a person is called, that stands apart behind a masked word.
_PARTICLES = "은 는 이 가 을 를 의 에 에게 에서 와 과 도 로 으로 만 씨 님 씨가 씨는 라는 라고 들이 들은 들을 들의"
_APART = frozenset(re.findall(r"\S+", _PARTICLES))
# A masked word takes one of a pair with it, so that what is left tells of it: none stays.
_PAIRED = re.compile(r"[()\[\]{}<>「」『』“”‘’\"'（）［］【】〈〉《》]")  # noqa: RUF001


def cut_marks(text: str) -> str:
    """A text on one line without notice, masked words, brackets and quotation marks; twice is as good as once."""
    kept: list[str] = []
    is_behind = False  # a masked word
    for word in _NOTICE.sub(" ", text).split():
        is_masked = _MASK.search(word) is not None
        if not is_masked and not (is_behind and word.rstrip(".,!?") in _APART):
            kept.append(word)
        is_behind = is_masked
    return " ".join(_PAIRED.sub(" ", " ".join(kept)).split())
