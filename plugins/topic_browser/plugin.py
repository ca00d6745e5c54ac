"""The plugin: an entry in Airflow's navigation, and the sub-app that answers it.

Scheduler, workers and triggerer load this file too, so the app is made only where it is asked for: in the api-server.
"""

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

URL_PREFIX = "/topic-browser"


class TopicBrowserPlugin(AirflowPlugin):
    """Petition topics in the navigation, in a frame and in a tab: the same pages, under /topic-browser/."""

    name = "topic_browser"

    @cached_property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        """The sub-app, mounted beside Airflow's own."""
        from topic_browser.app import create_app

        return [{"name": "Petition topics", "app": create_app(), "url_prefix": URL_PREFIX}]

    @cached_property
    def external_views(self) -> list[Any]:  # type: ignore[override]
        """The entries; Airflow may be served under a path of its own."""
        base = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
        return [
            {
                "name": "Petition topics",
                "href": f"{base}{URL_PREFIX}/",
                "url_route": "topic-browser",
                "destination": "nav",
                "category": "browse",
            },
            {  # without a route of Airflow's its navigation opens it in a tab, where links to originals open tabs too
                "name": "Petition topics, in a tab",
                "href": f"{base}{URL_PREFIX}/",
                "destination": "nav",
                "category": "browse",
            },
        ]
