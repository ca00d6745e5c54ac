"""Which site a source is, as the settings name it."""

from datetime import date

from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from petitions.sources.site import Site


def open_site(source: Source, window: Window, settings: Settings, today: date) -> Site:
    """Choose what to ask and how to read it; `today` is the day in Korea that the answers are read as of."""
    if source is Source.ASSEMBLY:
        return AssemblySite(base_url=settings.assembly_url.rstrip("/"), window=window, today=today)
    return BlueHouseSite(base_url=settings.bluehouse_url.rstrip("/"), window=window)
