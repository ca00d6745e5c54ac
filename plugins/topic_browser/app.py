"""The sub-app: nobody reads it without signing in to Airflow, and what fails is told in one plain page."""

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from petitions.errors import PetitionsError
from petitions.privacy import redact_error
from petitions.records import Source
from petitions.settings import Settings
from petitions.sources.registry import SOURCES
from petitions.wording import Language
from topic_browser import compare, downloads, pages, search_pages
from topic_browser.asking import Ask, choose_language, is_framed
from topic_browser.plugin import URL_PREFIX
from topic_browser.rendering import HEADERS, render_page

logger = logging.getLogger(__name__)

UNAUTHORIZED = 401


def create_app() -> FastAPI:
    """Make the sub-app. It opens nothing: the database is connected at the first page."""
    app = FastAPI(
        title="Petition topics", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None
    )
    for router in (
        search_pages.router,
        compare.router,
        downloads.router,
        pages.router,
    ):  # that of all other addresses comes last
        app.include_router(router)
    app.middleware("http")(_add_headers)
    app.exception_handler(HTTPException)(_tell_refusal)
    app.exception_handler(RequestValidationError)(_tell_bad_request)
    app.exception_handler(SQLAlchemyError)(_tell_down)
    app.exception_handler(PetitionsError)(_tell_down)
    return app


async def _add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _tell_refusal(request: Request, error: HTTPException) -> Response:
    return _tell(request, error.status_code)


def _tell_bad_request(request: Request, error: RequestValidationError) -> Response:
    return _tell(request, 400)


def _tell_down(request: Request, error: Exception) -> Response:
    cause = getattr(error, "orig", None) or error
    told = f": {redact_error(cause)}" if isinstance(cause, PetitionsError) else ""  # a driver's words may quote a row
    logger.warning("the results database gave %s%s", type(cause).__name__, told)
    return _tell(request, 503)


def _tell(request: Request, status: int) -> Response:
    """A page that needs no database; who is not signed in gets the way to do it."""
    ask = Ask(
        source=_find_source(request),
        language=_find_language(request),
        base=request.scope.get("root_path", ""),
        is_framed=is_framed(request),
        path="",
        params={},
    )
    if status == UNAUTHORIZED:
        return render_page("sign_in.html.j2", ask, status, code=status, sign_in=_link_sign_in(request, ask.base))
    return render_page("error.html.j2", ask, status, code=status)


def _find_source(request: Request) -> Source:
    """The source that was asked for, else the setting's; any, where neither can be."""
    asked = request.query_params.get("source", "")
    if asked in SOURCES:
        return Source(asked)
    try:
        return Source(Settings.from_env().source)
    except PetitionsError:
        return Source(next(iter(SOURCES)))


def _find_language(request: Request) -> Language:
    asked = request.query_params.get("lang")
    if asked in ("ko", "en"):
        return "ko" if asked == "ko" else "en"
    return choose_language(request.headers.get("accept-language", ""))


def _link_sign_in(request: Request, base: str) -> str:
    """Airflow's own page for it, which leads back to where one wanted to go."""
    wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return f"{base.removesuffix(URL_PREFIX)}/api/v2/auth/login?{urlencode({'next': wanted})}"
