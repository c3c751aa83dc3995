"""A page that is opened anew while a cell awaits: the kernel tells it what it is, and which widgets it has.

ipykernel (7.4) keeps everything but clicks until the cell's end. JupyterLab waits three seconds for the one answer; of the widgets'
states, asked for after that, it gives up a second later and waits for the other answer: for as long as the load takes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pdmigrate.runs.person import find_shell

ASKED = frozenset({"kernel_info_request", "comm_info_request"})
"""What a new page asks for before it shows a widget. To answer changes nothing."""


@contextmanager
def telling_new_pages() -> Iterator[None]:
    """While this lasts, in a cell that awaits, the kernel answers them at once."""
    kernel: Any = find_shell().kernel
    thread = getattr(kernel, "shell_channel_thread", None)
    if thread is None:  # an older ipykernel, or one without subshells: as it is everywhere
        yield
        return

    async def receive(subshell: str | None, parts: Any) -> None:
        sender, frames = kernel.session.feed_identities(parts, copy=False)
        kind = kernel.session.deserialize(frames, content=False, copy=False)["header"]["msg_type"]
        if subshell is not None or kind not in ASKED:
            await kernel.shell_main(subshell, parts)
            return
        request = kernel.session.deserialize(frames, copy=False)
        kernel._publish_status("busy", "shell", request)
        await kernel.shell_handlers[kind](thread.manager.get_subshell_to_shell_channel_socket(None), sender, request)
        kernel._publish_status("idle", "shell", request)

    thread.manager.set_on_recv_callback(receive)
    try:
        yield
    finally:
        thread.manager.set_on_recv_callback(kernel.shell_main)
