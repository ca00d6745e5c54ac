"""Run one step of a pipeline in this process and kill it, without warning, at a chosen SQL statement.

    python doomed.py STEP STATEMENT SOURCE UNTIL MONTHS

STATEMENT counts from 1 the statements that the step sends; 0 never kills. Settings come from the environment. On the
way out a step that was not killed prints how many statements it sent.
"""

import os
import signal
import sys
from datetime import date

from sqlalchemy import event

from petitions.pipeline import Pipeline


def main() -> None:
    step, fatal, source, until, months = sys.argv[1:6]
    pipeline = Pipeline.open(source=source, until=date.fromisoformat(until), months=int(months))
    sent = 0

    def count(conn, cursor, statement, parameters, context, executemany):
        nonlocal sent
        sent += 1
        if sent == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(pipeline.engine, "before_cursor_execute", count)
    event.listen(pipeline.engine, "commit", lambda conn: count(conn, None, "COMMIT", None, None, False))
    if step in ("score", "check", "publish"):
        getattr(pipeline, step)(pipeline.read_model_id())
    else:
        getattr(pipeline, step)()
    print(sent)


if __name__ == "__main__":
    main()
