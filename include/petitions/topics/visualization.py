"""A fit comes in; pictures of it go out: pyLDAvis as one HTML page, and the topics over the weeks as SVG.

Neither loads anything from the network: scripts are pyLDAvis' own files, fonts are those of the reader.
"""

import base64
import hashlib
import io
import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bs4 import BeautifulSoup
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TEMPLATES = Environment(
    loader=PackageLoader("petitions.topics"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
KOREAN_FONTS = ("Noto Sans KR", "Noto Sans CJK KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")
LAMBDA_STEP = 0.05  # of the slider; pyLDAvis' 0.01 takes four times as long and hardly shows another term
COLUMNS, PANEL = 3, (2.6, 1.5)  # of the chart; inches
MAX_BEHIND = 20  # topics that are drawn behind each other: they would make the picture grow by the square
WEEK = 7  # days
LABEL_LETTERS = 18  # that fit over a panel, Hangul being as wide as high
LINE, OTHERS, INK = "#0072B2", "#BDBDBD", "#333333"  # the blue of Okabe and Ito, which all eyes tell from grey
# Without the first line pyLDAvis writes its state to the address, which a browser refuses in a frame or a local file.
# It is 1,210 pixels wide whatever the window: the last lines make it as small as it must be.
START = """history.replaceState = history.pushState = function () {};
new LDAvis("#topics", {{ data | tojson }});
function fit() {
  document.getElementById("topics").style.zoom = Math.min(1, document.documentElement.clientWidth / 1230);
}
fit();
addEventListener("resize", fit);"""


def draw_topics(
    topic_word: NDArray[np.floating],
    document_topic: NDArray[np.floating],
    document_lengths: NDArray[np.integer],
    terms: Sequence[str],
    topic_ids: Sequence[int],
    labels: Sequence[str],
) -> str:
    """Draw a fit by pyLDAvis; the same input gives the same page.

    Args:
        topic_word: [K, V], rows sum to 1; one topic is enough.
        document_topic: [N, K], rows sum to 1.
        document_lengths: [N], tokens; at least one is not 0.
        terms: [V].
        topic_ids: [K], the lasting ids.
        labels: [K].

    Returns:
        A whole HTML page of some 400 kB, whatever N. A circle's number is the place of its topic in the fit, from 1
        (pyLDAvis uses it as an index, so that it can be no other); a legend tells id and label of each.
    """
    import pyLDAvis  # seconds, which those who only draw trends need not wait

    n_tokens = document_lengths @ document_topic  # [K]: all that pyLDAvis makes of the documents
    prepared = pyLDAvis.prepare(
        np.asarray(topic_word, np.float64),
        (n_tokens / n_tokens.sum())[None],
        [n_tokens.sum()],
        list(terms),
        n_tokens @ topic_word,  # of each term; pyLDAvis makes the same of it
        lambda_step=LAMBDA_STEP,
        mds=place_topics,
        n_jobs=1,
        sort_topics=False,
    )
    start = _TEMPLATES.from_string(START).render(data=prepared.to_dict())
    files = (pyLDAvis.urls.D3_LOCAL, pyLDAvis.urls.LDAVIS_LOCAL)
    scripts = [*(Path(path).read_text(encoding="utf-8") for path in files), start]
    return _TEMPLATES.get_template("pyldavis.html.j2").render(
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - theirs; `start` is JSON without "<"
        hashes=[_hash(script) for script in scripts],
        css=Path(pyLDAvis.urls.LDAVIS_CSS_LOCAL).read_text(encoding="utf-8"),
        fonts=KOREAN_FONTS,
        legend=list(zip(topic_ids, labels, n_tokens / n_tokens.sum(), strict=True)),
    )


def hash_scripts(page: str) -> list[str]:
    """The sources, as a Content-Security-Policy names them, that let the scripts within a page run, and no other."""
    return [_hash(script.get_text()) for script in BeautifulSoup(page, "html.parser").find_all("script")]


def place_topics(topic_word: NDArray[np.floating]) -> NDArray[np.float64]:
    """Principal coordinates float64 [K, 2] of the Jensen-Shannon divergences of topics [K, V], for any K from 1.

    pyLDAvis' own needs three topics, and its solver, for any matrix, may answer in complex numbers (its issue 113).
    """
    divergence = squareform(pdist(np.asarray(topic_word), "jensenshannon")) ** 2  # [K, K]
    n = len(divergence)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centring @ divergence**2 @ centring / 2)
    places = np.zeros((n, 2))
    for column in range(min(n, 2)):
        vector = vectors[:, -1 - column]  # the values rise
        sign = np.sign(vector[np.abs(vector).argmax()])  # else it would be left to the solver
        places[:, column] = sign * vector * math.sqrt(max(values[-1 - column], 0))
    return places


def draw_trends(rows: Sequence[Mapping[str, Any]], tell_days: Callable[[int], str] = "{} d".format) -> str:
    """Draw the share of each topic by week, a panel a topic, the others grey behind it.

    A week that the window cuts short has a hollow dot, off the line, and its days beside its date. Its share is of few
    petitions: it does not set the scale, and stands at the top where it is higher.

    Args:
        rows: of the view topic_trend, by week and topic_id.
        tell_days: says how many days such a week has.

    Returns:
        An <svg> element whose text is text; the same rows give the same. Weeks without a petition are gaps.
    """
    import matplotlib  # the other picture, of each fit, is drawn without it

    n_in_week = Counter[date]()
    for row in rows:
        n_in_week[row["week"]] += row["n_petitions"]
    weeks = dict(sorted({row["week"]: row["n_days"] for row in rows}.items()))
    ticks = [f"{week:%Y.%m.%d}" + (f" ({tell_days(n)})" if n < WEEK else "") for week, n in weeks.items()]
    cut = [place for place, n_days in enumerate(weeks.values()) if n_days < WEEK]
    labels = {row["topic_id"]: str(row["label"]) for row in rows}
    found = {(row["topic_id"], row["week"]): row["share"] for row in rows if n_in_week[row["week"]]}
    shares = {topic_id: [found.get((topic_id, week), math.nan) for week in weeks] for topic_id in sorted(labels)}
    fonts = ["DejaVu Sans", *KOREAN_FONTS]  # the first is matplotlib's own, the others are the browser's
    with (
        matplotlib.rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": "trends", "font.sans-serif": fonts, "font.size": 8}
        ),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # here; the reader's browser has it
        figure = _draw_panels(ticks, cut, shares, labels)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = buffer.getvalue()
    return drawn[drawn.index("<svg") :]


def _draw_panels(
    ticks: Sequence[str], cut: Sequence[int], shares: Mapping[int, Sequence[float]], labels: Mapping[int, str]
) -> "Figure":
    from matplotlib.figure import Figure

    n_rows = max(1, math.ceil(len(shares) / COLUMNS))
    width, height = COLUMNS * PANEL[0], n_rows * PANEL[1]
    figure = Figure(figsize=(width, height), facecolor="white")
    panels = figure.subplots(n_rows, COLUMNS, sharey=True, squeeze=False).flat
    figure.subplots_adjust(
        left=0.5 / width, right=1 - 0.3 / width, bottom=0.3 / height, top=1 - 0.3 / height, hspace=0.45, wspace=0.12
    )
    places = range(len(ticks))
    whole = _leave_out(shares, cut) if len(cut) < len(ticks) else shares
    highest = max((share for each in whole.values() for share in each if share == share), default=0) or 1
    for topic_id, panel in zip(shares, panels, strict=False):
        for other in whole.values() if len(shares) <= MAX_BEHIND else ():
            panel.plot(places, other, color=OTHERS, linewidth=0.6)
        # the marker shows a week that stands alone between two gaps
        panel.plot(places, whole[topic_id], color=LINE, linewidth=1.8, marker=".", markersize=4)
        hollow = [min(shares[topic_id][place], highest) for place in cut]
        panel.plot(cut, hollow, color=LINE, linewidth=0, marker="o", markersize=4, markerfacecolor="white", zorder=3)
        label = labels[topic_id]
        shown = label if len(label) <= LABEL_LETTERS else f"{label[:LABEL_LETTERS]}…"
        panel.set_title(f"{topic_id}. {shown}", loc="left", fontsize=9, color=INK, parse_math=False)
        _set_axes(panel, ticks, 1.05 * highest)
    for panel in panels:
        panel.set_axis_off()
    return figure


def _leave_out(shares: Mapping[int, Sequence[float]], cut: Sequence[int]) -> dict[int, list[float]]:
    return {
        topic_id: [math.nan if place in cut else share for place, share in enumerate(each)]
        for topic_id, each in shares.items()
    }


def _set_axes(panel: "Axes", ticks: Sequence[str], top: float) -> None:
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_ylim(0, top)
    panel.yaxis.set_major_formatter("{x:.0%}")
    ends = sorted({0, len(ticks) - 1})
    panel.set_xticks(ends, [ticks[place] for place in ends])
    tick_labels = panel.get_xticklabels()  # centred ones would run into the next panel
    tick_labels[0].set_horizontalalignment("left")
    if len(ends) > 1:
        tick_labels[1].set_horizontalalignment("right")
    panel.tick_params(colors=INK, length=2)


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
