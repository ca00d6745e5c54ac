"""Tells people that a task failed or that a night is late: a webhook, an e-mail, both or none, by setting.

A notice holds task, window, reason and the link to the log, never a petition: an error that this project raised speaks
for itself, all but what it found in an answer of a site; of any other one only the name is sent, since a driver's
message may quote the rows it was given (`petitions.privacy.redact_error`).
Sent to PETITIONS_NOTIFY_WEBHOOK as JSON {"text": ...}, and to PETITIONS_NOTIFY_EMAIL over the connection
`smtp_default`. The webhook's address is a secret: no error and no log line holds it.
"""

import asyncio
import html
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[attr-defined]  # its stub lacks them
from airflow.sdk.bases.notifier import BaseNotifier

SEOUL = ZoneInfo("Asia/Seoul")
LONGEST_REASON = 300  # characters
WEBHOOK_SECONDS = 10
NIGHT_HOURS = 6  # from queued to published; a usual night takes minutes, so that it is late long before the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message: a subject of one line, and a text that begins with it."""

    subject: str
    text: str


class PetitionNotifier(BaseNotifier):
    """Takes a failed task's context (in the task, or in the dag-processor), or that of a missed deadline."""

    def notify(self, context: Any) -> None:
        """Send it where the settings say.

        Raises:
            ConfigError: a PETITIONS_* setting that cannot be.
            FetchError: the webhook did not take it. Airflow logs what is raised here, and goes on.
        """
        send_notice(write_notice(context))

    async def async_notify(self, context: Any) -> None:
        """The same in the triggerer, which runs the callbacks of deadlines and must not be held up."""
        await asyncio.to_thread(self.notify, context)


def write_notice(context: Any) -> Notice:
    """Write what happened; see the module for what is left out."""
    if "deadline" in context:
        run = context["dag_run"]  # the answer of the API about the run, as a dictionary
        subject = f"{run['dag_id']} is late"
        where = _link_to_run(run["dag_id"], run["dag_run_id"])
        lines = [
            f"window: {tell_window(run.get('conf') or {}, run.get('data_interval_end'))}",
            f"reason: not done by {_to_seoul(context['deadline']['deadline_time']):%Y-%m-%d %H:%M} in Seoul",
        ]
    else:
        task = context["ti"]
        subject = f"{task.dag_id}.{task.task_id} failed"
        where = task.log_url
        lines = [
            f"window: {tell_window(context.get('params') or {}, context.get('data_interval_end'))}",
            f"reason: {tell_reason(context.get('exception') or context.get('reason'))}",
        ]
    return Notice(subject=subject, text="\n".join([subject, *lines, where]))


def tell_reason(error: object) -> str:
    """One line of an error, without what it found in an answer; the name alone where it may quote a petition."""
    from airflow.sdk.exceptions import AirflowException

    from petitions.privacy import redact_error

    if error is None:
        return "unknown, see the log"
    if not isinstance(error, BaseException) or isinstance(error, AirflowException):
        line = (str(error).splitlines() or [""])[0]  # a text comes from Airflow itself: a killed worker
    else:
        line = redact_error(error)
    if not line:
        return f"{type(error).__name__}, see the log"
    return f"{type(error).__name__}: {line}"[:LONGEST_REASON] if isinstance(error, BaseException) else line


def tell_window(params: Any, data_interval_end: datetime | str | None) -> str:
    """Source, months and last day of the window, as far as they are known.

    Raises:
        ConfigError: the source is that of the settings, and one of them cannot be.
    """
    from petitions.settings import Settings

    until = params.get("until")
    if not until and data_interval_end:
        until = _to_seoul(data_interval_end).date()
    source = params.get("source") or Settings.from_env().source
    if not until:
        return f"{source}, until unknown"
    return f"{source}, {params.get('months') or 3} months until {date.fromisoformat(str(until))}"


def send_notice(notice: Notice) -> None:
    """Send it by webhook and e-mail, whichever is set; see `PetitionNotifier.notify` for what it raises."""
    from petitions.settings import Settings

    settings = Settings.from_env()
    try:
        if settings.notify_webhook:
            _post(settings.notify_webhook, notice)
    finally:
        if settings.notify_email:
            _mail(settings.notify_email, notice)


def _post(webhook: str, notice: Notice) -> None:
    import requests

    from petitions.errors import FetchError

    try:
        with _unlogged():
            requests.post(webhook, json={"text": notice.text}, timeout=WEBHOOK_SECONDS).raise_for_status()
    except requests.HTTPError as error:
        raise FetchError(f"the webhook answers with status {error.response.status_code}") from None
    except requests.RequestException as error:
        raise FetchError(f"the webhook does not answer: {type(error).__name__}") from None


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep urllib3 from logging the path that it asks for, as it does where Airflow logs at DEBUG: it is the secret."""
    log, asker = logging.getLogger("urllib3.connectionpool"), threading.get_ident()

    def is_of_others(record: logging.LogRecord) -> bool:
        return record.thread != asker

    log.addFilter(is_of_others)
    try:
        yield
    finally:
        log.removeFilter(is_of_others)


def _mail(addresses: str, notice: Notice) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    with SmtpHook() as hook:
        hook.send_email_smtp(
            to=addresses, subject=notice.subject, html_content=f"<pre>{html.escape(notice.text)}</pre>"
        )


def _to_seoul(moment: datetime | str) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(SEOUL)


def _link_to_run(dag_id: str, run_id: str) -> str:
    from urllib.parse import quote

    from airflow.configuration import conf

    base = conf.get("api", "base_url", fallback="http://localhost:8080/").rstrip("/")
    return f"{base}/dags/{quote(dag_id)}/runs/{quote(run_id)}"


NIGHT_DEADLINE = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(hours=NIGHT_HOURS),
    callback=AsyncCallback(PetitionNotifier),
    name="night",
)
