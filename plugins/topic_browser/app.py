"""The sub-app: nobody reads it without signing in to Airflow, and what fails is told in one plain page."""

import logging
from collections.abc import Awaitable, Callable

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from petitions.errors import PetitionsError
from petitions.privacy import redact_error
from petitions.records import Source
from topic_browser.asking import Ask, choose_language
from topic_browser.pages import router
from topic_browser.rendering import HEADERS, render_page

logger = logging.getLogger(__name__)


def create_app() -> FastAPI:
    """Make the sub-app. It opens nothing: the database is connected at the first page."""
    app = FastAPI(
        title="Petition topics", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None
    )
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
    """A page that needs neither database nor settings."""
    ask = Ask(
        source=Source("sample"),
        language=choose_language(request.headers.get("accept-language", "")),
        base=request.scope.get("root_path", ""),
        is_framed=False,
        path="",
        params={},
    )
    return render_page("error.html.j2", ask, status, code=status)
