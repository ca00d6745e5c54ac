"""The words of the report, Korean and English."""

from petitions.wording import Language, Tell, make_teller

WORDS = {
    "title": ("청원 주제 보고서", "Report on petition topics"),
    "window": (
        "{since}부터 {until} 전날까지 시작된 청원 {n}건, 주제 {k}개.",
        "{n} petitions begun from {since} until the day before {until}, {k} topics.",
    ),
    "moments": (
        "공개 {published} · 마지막 수집 {seen} (한국 시각) · 모형 {model}",
        "Published {published} · last collected {seen} (Korean time) · fit {model}",
    ),
    "findings": ("한눈에 보기", "What stands out"),
    "rose": ("늘어난 주제", "Topics that rose"),
    "fell": ("줄어든 주제", "Topics that fell"),
    "moved_rose": (
        "‘{label}’ 주제가 청원의 {before}에서 {after}로 늘었습니다 (최근 28일 {n}건, z {z}).",
        "“{label}” rose from {before} of petitions to {after} ({n} in the last 28 days, z {z}).",
    ),
    "moved_fell": (
        "‘{label}’ 주제가 청원의 {before}에서 {after}로 줄었습니다 (최근 28일 {n}건, z {z}).",
        "“{label}” fell from {before} of petitions to {after} ({n} in the last 28 days, z {z}).",
    ),
    "none_rose": (
        "지난 28일 동안 우연이라고 보기 어려울 만큼 늘어난 주제가 없습니다.",
        "No topic rose in the last 28 days by more than chance would make it.",
    ),
    "none_fell": (
        "지난 28일 동안 우연이라고 보기 어려울 만큼 줄어든 주제가 없습니다.",
        "No topic fell in the last 28 days by more than chance would make it.",
    ),
    "words_rose": ("늘어난 낱말", "Words that rose"),
    "words_fell": ("줄어든 낱말", "Words that fell"),
    "term": ("{term} ({before} → {after})", "{term} ({before} → {after})"),
    "no_words": ("뚜렷하게 달라진 낱말이 없습니다.", "No word changed clearly."),
    "copied": ("되풀이된 글", "Texts posted again"),
    "copies": (
        "같은 글을 그대로, 또는 고쳐서 다시 올린 것이 {groups}가지, 모두 {n}건입니다. 가장 많은 것은 ‘{title}’ ({k}건, "
        "{first} – {last})입니다.",
        "{groups} texts were posted again, as they were or rewritten, in {n} petitions. Most often: “{title}” ({k}, "
        "{first} – {last}).",
    ),
    "no_copies": ("두 번 올라온 글이 없습니다.", "No text was posted twice."),
    "new": ("새 주제", "New topics"),
    "born": ("‘{label}’ 주제는 앞선 모형에 없었습니다.", "“{label}” was not there in the fit before."),
    "none_born": ("앞선 모형에 없던 주제는 없습니다.", "Every topic was there in the fit before."),
    "first_fit": (
        "첫 모형이라 견줄 앞선 모형이 없습니다.",
        "This is the first fit, with none to compare.",
    ),
    "loudest_one": ("동의가 많은 청원", "Most agreements"),
    "loudest_is": ("‘{title}’ (동의 {n}{mark})", "“{title}” ({n} agreements{mark})"),
    "reached": (
        "{n}건이 동의 {threshold}을 넘었습니다.",
        "{n} petitions reached {threshold} agreements.",
    ),
    "edited": ("관리자가 고칠 만한 청원", "Likeliest to be edited by a moderator"),
    "edited_note": (
        "청와대 관리자가 고친 글에서 배운 확률로, 내용의 참·거짓을 가리지 않습니다. "
        "청원 {n}건 가운데 {expected}건쯤입니다.",
        "By a probability learned from what the Blue House's moderators edited; it judges no truth. About {expected} "
        "of {n} petitions.",
    ),
    "edited_is": ("‘{title}’ ({probability})", "“{title}” ({probability})"),
    "unripe": ("아직 진행 중", "Still open"),
    "n_open": (
        "청원 {n}건은 아직 진행 중이라 동의 수가 더 늘 수 있습니다. *표는 그런 청원이 든 수입니다.",
        "{n} petitions are still open and may gather more agreements. A * marks each number that holds some of them.",
    ),
    "weekly": ("주별 청원 수", "Petitions a week"),
    "weekly_note": (
        "그 주에 시작된 청원입니다. 테두리만 있는 막대는 기간에 잘린 주로, 괄호 안이 그 날수입니다.",
        "By the week they began in. An outlined bar is a week that the window cuts short: in brackets are its days.",
    ),
    "topics_note": (
        "비중은 청원을 주된 주제로 센 것, 균형 비중은 모든 분야를 같게, 동의 비중은 모든 동의를 같게 본 것입니다.",
        "Share counts petitions by main topic. In balanced share every category weighs the same, in agreement share "
        "every agreement.",
    ),
    "name": ("이름", "Name"),
    "balanced_share": ("균형 비중", "Balanced share"),
    "agreement_share": ("동의 비중", "Agreement share"),
    "loudest": ("주제별로 동의가 많은 청원", "Petitions of each topic with most agreements"),
    "loudest_note": (
        "글의 절반 이상이 그 주제인 청원만 보입니다. 여러 주제가 섞인 청원은 뺐습니다.",
        "Only petitions at least half of which are the topic. Those of several topics are left out.",
    ),
    "no_examples": ("글의 절반 이상이 이 주제인 청원이 없습니다.", "No petition is this topic by half."),
    "trends": ("주별 추이", "By week"),
    "trends_note": (
        "그 주에 시작된 청원 가운데 각 주제의 비중입니다. 속이 빈 점은 기간에 잘린 주라 선에 잇지 "
        "않고, 높으면 맨 위에 둡니다.",
        "The share of each topic among the petitions that began in the week. A hollow dot is a week cut short: off the "
        "line, and at the top where it is higher.",
    ),
    "by_week": ("주별 비중 (주의 월요일)", "Share by week (its Monday)"),
    "moves": ("늘고 준 주제", "What rose and fell"),
    "moves_note": (
        "마지막 28일과 그전을 견준 것입니다. z가 -2와 2 사이면 우연일 수 있고, 주제가 여럿이면 그 밖의 우연도 "
        "드물지 않습니다.",
        "The last 28 days against those before. A z between -2 and 2 may be chance; of many topics some lie beyond it "
        "by chance.",
    ),
    "share_recent": ("최근 비중", "Share, recent"),
    "share_before": ("이전 비중", "Share, before"),
    "n_recent": ("최근 청원", "Petitions, recent"),
    "n_before": ("이전 청원", "Petitions, before"),
    "petition-map": ("청원 지도", "Map of petitions"),
    "petition_map_note": (
        "점 하나가 청원 하나입니다. 뜻이 비슷한 청원끼리 가까이 있고, 색은 주제입니다. 청원 {n}건을 그렸습니다 "
        "(많으면 2,000건만 골라서). 점에 올리면 제목이 보이고, 누르면 원문으로 갑니다.",
        "A dot is a petition: those alike in meaning are near each other, colours are topics. {n} petitions are drawn "
        "(2,000 of them where there are more). Point at a dot for its title, click for the original.",
    ),
    "petition_map_label": (
        "청원 {n}건의 지도: 뜻이 비슷하면 가깝고, 색은 주제",
        "Map of {n} petitions: near if alike in meaning, coloured by topic",
    ),
    "no_petition_map": (
        "이 모형에는 보관된 청원 지도가 없습니다. 파일이 없거나 읽을 권한이 없습니다.",
        "No map of petitions is kept of this fit: the file is missing, or may not be read.",
    ),
    "map": ("주제 지도", "Map of topics"),
    "map_note": (
        "원 사이의 거리는 주제가 다른 정도, 원의 크기는 혼합 비중입니다. 원 번호와 주제 ID의 짝은 아래 표에 있습니다. "
        "지도 안의 글은 pyLDAvis의 영어 그대로입니다.",
        "Circles are apart as topics differ, and as large as their mean share of a petition. A table names them.",
    ),
    "no_map": (
        "이 모형에는 보관된 주제 지도가 없습니다. 파일이 없거나 읽을 권한이 없습니다.",
        "No map of topics is kept of this fit: the file is missing, or may not be read.",
    ),
    "new_codes": ("사이트의 새 코드", "New codes of the site"),
    "new_code": (
        "{kind} ‘{code}’ ({n}건): 이 판이 모르는 코드라 사이트가 적은 그대로 두었습니다.",
        "{kind} “{code}” ({n} petitions): this version does not know it, and keeps it as the site says it.",
    ),
    "no_code": ("없음", "none"),
    "category": ("분야", "Category"),
    "state": ("상태", "State"),
    "result": ("결과", "Result"),
    "stage": ("심사 단계", "Stage"),
    "quality": ("품질과 검사", "Quality and checks"),
    "all_passed": ("공개 전 검사 {n}가지를 모두 통과했습니다.", "All {n} checks before publishing passed."),
    "some_failed": (
        "공개 전 검사 {n}가지 중 {k}가지가 실패했습니다.",
        "{k} of {n} checks before publishing failed.",
    ),
    "checks": ("공개 전 검사", "Checks before publishing"),
    "measure": ("지표", "Measure"),
    "meaning": ("뜻", "Meaning"),
    "npmi": ("낱말의 결속 (NPMI)", "Coherence (NPMI)"),
    "npmi_means": (
        "주요 낱말이 같은 청원에 함께 나오는 정도, -1에서 1",
        "how often the top terms of a topic stand in one petition, -1 to 1",
    ),
    "c_v": ("문맥의 결속 (c_v)", "Coherence of contexts (c_v)"),
    "c_v_means": (
        "주요 낱말이 쓰이는 문맥이 닮은 정도, 0에서 1",
        "how alike the contexts of top terms are, 0 to 1",
    ),
    "diversity_means": (
        "모든 주제의 주요 낱말 가운데 서로 다른 낱말의 비율",
        "distinct words among the top terms of all topics",
    ),
    "stability_means": ("다른 난수로 만든 모형과 일치하는 정도", "agreement of fits from other seeds"),
    "changed_share": ("바뀐 비율", "Changed"),
    "changed_share_means": (
        "앞선 모형과 주제가 달라진 청원의 비율",
        "petitions that have another main topic than in the fit before",
    ),
    "passed": ("통과", "passed"),
    "failed": ("실패", "failed"),
    "made_by": (
        "엔진 {engine} · 형태소 분석 {tokenizer} · 난수 {seed} · 낱말 {n_terms}개",
        "Engine {engine} · tokenizer {tokenizer} · seed {seed} · {n_terms} terms",
    ),
}


def choose_words(language: Language) -> Tell:
    """What gives the words of the report; see `make_teller`."""
    return make_teller(WORDS, language)
