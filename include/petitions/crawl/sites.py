"""Which site a source is, as the settings name it."""

from dataclasses import replace
from datetime import date
from urllib.parse import urlsplit

from petitions.errors import ConfigError
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.sources.registry import SOURCES
from petitions.sources.site import Site


def open_site(source: Source, window: Window, settings: Settings, today: date) -> Site:
    """Open what to ask and how to read it; `today` is the day in Korea that the answers are read as of.

    Raises:
        ConfigError: the source has no site, or a setting of how it is asked cannot be.
    """
    entry = SOURCES[source]
    options: dict[str, str] = {name: getattr(settings, f"{source}_{name}") for name in entry.options}
    return entry.load_site()(base_url=settings.site_url(source), window=window, today=today, **options)


def require_site(source: Source, settings: Settings) -> None:
    """Raise where a site is closed, and no mirror of it is named.

    Raises:
        ConfigError: names the setting; without it a crawl would wait for a name that is gone.
    """
    entry = SOURCES[source]
    if entry.closed_on and not settings.site_urls.get(source):
        variable = f"PETITIONS_{source.upper()}_URL"
        raise ConfigError(f"{entry.url} closed on {entry.closed_on}: set {variable} to a mirror's address")


def move_site(settings: Settings, source: Source, url: str) -> Settings:
    """Take scheme and host from a URL of a record, and the path of the site, if it has one, from the settings."""
    origin = urlsplit(url)
    moved = urlsplit(settings.site_url(source))._replace(scheme=origin.scheme, netloc=origin.netloc).geturl()
    return replace(settings, site_urls={source: moved})
