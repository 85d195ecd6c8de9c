"""The web actor with a shorter wait, so that a test sees in two seconds what takes twenty in earnest."""

from actors.core.runtime import Context
from web import api_recording
from web.actor import run as run_web

NOTICE_S = 2.0


def run(context: Context) -> None:
    """Be the web actor, with little patience for a silent writer."""
    api_recording.NOTICE_S = NOTICE_S
    run_web(context)
