"""Which site a source is, as the settings name it."""

from datetime import date

from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.sources.registry import SOURCES
from petitions.sources.site import Site


def open_site(source: Source, window: Window, settings: Settings, today: date) -> Site:
    """Open what to ask and how to read it; `today` is the day in Korea that the answers are read as of.

    Raises:
        ConfigError: the source has no site.
    """
    return SOURCES[source].load_site()(base_url=settings.site_url(source), window=window, today=today)
