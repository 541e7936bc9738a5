"""What Gradio keeps of a page in the server's memory, and how it forgets.

Gradio remembers the last value of every input and output of a session, and can write them to a
file. Here it remembers none: passphrases and messages are in memory only while a run waits or is
under way. No other module touches Gradio's own state.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Empty
from typing import Any

import gradio as gr
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder


class Forgetful(SessionState):
    """A session that remembers how its components look, but not their values."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class ForgetfulSessions(StateHolder):
    """Sessions that are all forgetful."""

    def __getitem__(self, session_id: str) -> SessionState:
        """Return a session; make it if there is none."""
        if session_id not in self.session_data:
            self.session_data[session_id] = Forgetful(self.blocks)
        return super().__getitem__(session_id)


class Kept:
    """The memory of a served page.

    Args:
        blocks: The page.
        app: The application that serves it.
    """

    def __init__(self, blocks: gr.Blocks, app: App) -> None:
        self._queue = blocks._queue
        self._sessions = app.state_holder = ForgetfulSessions()  # type: ignore[no-untyped-call]
        self._sessions.set_blocks(blocks)

    def runs(self, pages: set[str]) -> int:
        """Count the runs of some pages that wait or are under way."""
        events = list(self._queue.event_ids_to_events.values())
        return sum(event.session_hash in pages for event in events)

    async def forget(self, page: str) -> None:
        """Drop all that is kept of a closed page: waiting runs, and unread results."""
        await self._queue.clean_events(session_hash=page)
        self._queue.pending_event_ids_session.pop(page, None)
        unread = self._queue.pending_messages_per_session.get(page)
        # Gradio itself drops the queue of an open stream, and fails if it is gone
        with suppress(Empty):
            while unread is not None and not unread.empty():
                unread.get_nowait()
        self._sessions.session_data.pop(page, None)
        self._sessions.time_last_used.pop(page, None)
