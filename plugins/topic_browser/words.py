"""The words of the pages, Korean and English."""

from collections.abc import Callable

from petitions.sources.registry import SOURCES
from topic_browser.asking import Language

WORDS = {
    "app": ("청원 주제", "Petition topics"),
    "skip": ("본문으로 건너뛰기", "Skip to content"),
    "sections": ("둘러보기", "Sections"),
    "topics": ("주제", "Topics"),
    "search": ("검색", "Search"),
    "map": ("주제 지도", "Topic map"),
    "runs": ("실행과 검사", "Runs and checks"),
    "source": ("출처", "Source"),
    "show": ("보기", "Show"),
    "other_language": ("English", "한국어"),
    "window": (
        "{since}부터 {until} 전날까지 시작된 청원 {n}건, 주제 {k}개",
        "{n} petitions begun from {since} until before {until}, {k} topics",
    ),
    "published_at": ("공개", "Published"),
    "none_published": ("아직 공개된 주제가 없습니다.", "No topics are published yet."),
    "emerging": ("떠오르는 주제", "Emerging"),
    "emerging_note": (
        "마지막 28일의 비중이 그전보다 커졌습니다. z {z}",
        "Its share of the last 28 days is above that before. z {z}",
    ),
    "born": ("새 주제", "New"),
    "continued": ("이어짐", "Continued"),
    "split": ("갈라짐", "Split off"),
    "merged": ("합쳐짐", "Merged"),
    "share": ("비중", "Share"),
    "agreements": ("동의", "Agreements"),
    "n_open": ("진행 중 {n}건, 동의 수는 더 늘 수 있음", "{n} still open: their agreements are not final"),
    "open_mark": (
        "* 진행 중인 청원이 있어 동의 수가 더 늘 수 있습니다.",
        "* Some petitions are still open: their agreements are not final.",
    ),
    "n_days": ("{n}일", "{n} d"),
    "cut_weeks": (
        "속이 빈 점은 기간에 잘린 주입니다: 괄호 안은 그 주의 날수입니다.",
        "A hollow dot is a week that the window cuts short: in brackets are its days.",
    ),
    "mixed": ("여러 주제", "Mixed"),
    "mixed_note": (
        "어느 주제도 이 청원의 절반이 되지 않습니다. 가장 큰 주제 아래 둡니다.",
        "No topic has half of this petition. It stands under its largest one.",
    ),
    "reached": ("{day}에 동의 {n}건을 넘음", "Reached {n} agreements on {day}"),
    "petitions": ("청원", "Petitions"),
    "n_petitions": ("청원 {n}건", "{n} petitions"),
    "trend": (
        "주별 비중: 처음 {first}, 마지막 {last}, 최고 {highest}",
        "Share by week: first {first}, last {last}, highest {highest}",
    ),
    "highest": ("최고 {value}", "Highest {value}"),
    "weekly": ("주별 비중", "Share by week"),
    "as_numbers": ("숫자로 보기", "As numbers"),
    "week": ("주 (월요일)", "Week (Monday)"),
    "terms": ("주요 낱말", "Top terms"),
    "lineage": ("내력", "Where it came from"),
    "fit_window": ("모형의 기간", "Window of the fit"),
    "event": ("변화", "Event"),
    "from": ("앞선 주제", "Earlier topic"),
    "distance": ("거리", "Distance"),
    "title": ("제목", "Title"),
    "status": ("상태", "Status"),
    "begins_on": ("시작", "Begun"),
    "topic": ("주제", "Topic"),
    "topic_share": ("주제 비중", "Topic share"),
    "open": ("진행 중", "Open"),
    "ended": ("끝남", "Ended"),
    "answered": ("답변됨", "Answered"),
    "pages": ("쪽", "Pages"),
    "before": ("이전", "Previous"),
    "after": ("다음", "Next"),
    "page_of": ("{page} / {n}쪽", "Page {page} of {n}"),
    "original": ("원문 보기", "See the original"),
    "original_hint": (
        "Airflow 안에서는 Ctrl 또는 ⌘을 누른 채 열면 새 탭에 나옵니다.",
        "Inside Airflow, hold Ctrl or ⌘ to open it in a new tab.",
    ),
    "category": ("분야", "Category"),
    "purpose": ("취지", "Purpose"),
    "body": ("내용", "Text"),
    "scores": ("점수", "Scores"),
    "next_sentence": ("제목과 내용이 이어질 확률", "Probability that the text follows the title"),
    "moderation": ("조정 점수", "Moderation"),
    "topic_similarity": ("주제와 닮은 정도 (코사인의 차)", "Nearer to its topic than to the next (gap of cosines)"),
    "keywords": ("열쇳말", "Keywords"),
    "curve": ("동의 수의 변화", "Agreements by day"),
    "curve_label": ("{since}의 {first}건에서 {until}의 {last}건", "From {first} on {since} to {last} on {until}"),
    "neighbours": ("닮은 청원", "Petitions like this one"),
    "similarity": ("닮은 정도", "Likeness"),
    "no_rows": ("없습니다.", "None."),
    "question": ("찾을 말", "Words to look for"),
    "search_note": (
        "낱말, 이름, 숫자로 찾습니다 (BM25). 찾은 낱말이 없으면 적은 글자 그대로 찾습니다.",
        "Searches by words, names and numbers (BM25); where none is found, by the letters as they are.",
    ),
    "no_words": ("찾을 만한 낱말이 없습니다. 명사를 넣어 보세요.", "There is no word to search by. Try a noun."),
    "found": ("찾은 청원 {n}건, 낱말: {words}", "{n} petitions found by: {words}"),
    "map_note": (
        "원 사이의 거리는 주제가 다른 정도, 원의 크기는 혼합 비중입니다.",
        "Circles are apart as topics differ, and as large as their mean share of a petition.",
    ),
    "no_map": ("이 모형에는 보관된 주제 지도가 없습니다.", "No map is kept of this fit."),
    "run": ("실행", "Run"),
    "state": ("상태", "State"),
    "running": ("실행 중", "Running"),
    "checked": ("검사 통과", "Checked"),
    "published": ("공개됨", "Published"),
    "failed": ("실패", "Failed"),
    "started_at": ("시작", "Started"),
    "seconds": ("초", "Seconds"),
    "error": ("오류", "Error"),
    "checks": ("공개된 모형의 검사", "Checks of the published fit"),
    "check": ("검사", "Check"),
    "value": ("값", "Value"),
    "limit": ("기준", "Limit"),
    "outcome": ("결과", "Outcome"),
    "passed": ("통과", "Passed"),
    "quality": ("모형의 품질", "Quality of the fit"),
    "diversity": ("다양성", "Diversity"),
    "stability": ("안정성", "Stability"),
    "korean_time": ("한국 시각", "Korean time"),
    "400": ("요청을 이해할 수 없습니다.", "This request cannot be understood."),
    "401": ("Airflow에 로그인해야 볼 수 있습니다.", "Please sign in to Airflow first."),
    "403": ("볼 수 있는 권한이 없습니다.", "You may not see this."),
    "404": ("그런 쪽이 없습니다.", "There is no such page."),
    "405": ("이 쪽은 읽기만 할 수 있습니다.", "This page can only be read."),
    "503": (
        "결과 데이터베이스가 지금 답하지 않습니다. 잠시 뒤에 다시 열어 주세요.",
        "The results database does not answer now. Please try again in a moment.",
    ),
    "home": ("주제로 돌아가기", "Back to the topics"),
}


def choose_words(language: Language) -> Callable[..., str]:
    """What gives the text of a name, or of a source, with its {values} filled in; an unknown one stands for itself."""
    place = 0 if language == "ko" else 1

    def tell(name: object, **values: object) -> str:
        source = SOURCES.get(str(name))
        known = source.label if source else WORDS.get(str(name))
        return known[place].format(**values) if known else str(name)

    return tell
