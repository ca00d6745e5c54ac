"""The tables of the crawl itself: answers that were no petition, how far it came, and the pace of each site."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, DateTime, Index, Integer, Table, Text, false

from petitions.store.tables import check_source, metadata

_FIRST_ARTIFACT = 'where the raw bytes of the first such answer are: "file#offset"; empty where nothing came'
_ASIDE = "no answer at any try, while the site answered for others: asked for again on later nights"

crawl_reject = Table(
    "crawl_reject",
    metadata,
    Column("reject_id", Text(collation="C"), primary_key=True, comment="SHA-256 of source, url and reason"),
    Column("source", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("artifact", Text, nullable=False, comment=_FIRST_ARTIFACT),
    Column("seen_at", DateTime(timezone=True), nullable=False, comment="when it was first seen"),
    Column("is_aside", Boolean, nullable=False, server_default=false(), comment=_ASIDE),
    check_source(),
    Index(None, "source", "url"),
    comment="One row is one answer of a site that was no petition, and why.",
)

crawl_progress = Table(
    "crawl_progress",
    metadata,
    Column("source", Text(collation="C"), primary_key=True),
    Column("since", Date, primary_key=True),
    Column("until", Date, primary_key=True, comment="first day after the window"),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="of the crawl that is told of here"),
    Column("stage", Text, nullable=False, comment='a list of the site, "known", "sample" or "done"'),
    Column("page", Integer, nullable=False, comment="pages of that list whose petitions are all stored"),
    Column("after", Text, nullable=False, comment="in the stage known: the last petition that was asked for"),
    Column(
        "finished_on", Date, comment="day on which the latest crawl of all lists that came to its end began, in Korea"
    ),
    CheckConstraint("page >= 0", name="page"),
    CheckConstraint("since < until", name="until"),
    comment="One row is how far the latest crawl of a source over a window came; a killed one goes on from there.",
)

site_pace = Table(
    "site_pace",
    metadata,
    Column("site", Text(collation="C"), primary_key=True, comment="host and port"),
    Column("free_at", DateTime(timezone=True), nullable=False, comment="when it may be asked next"),
    comment="One row is the pace that all processes keep together towards a site.",
)
