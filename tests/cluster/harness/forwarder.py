"""A forwarder: what connects to a socket of one network is connected to an address in another.

A socket stays in the network namespace that it was made in, whoever accepts its connections. So a
socket that listens on the machine, handed to a process inside the cluster's namespaces, is a way in
that needs no link between the two, and is gone with that process.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Address = tuple[str, int]


@contextlib.contextmanager
def forwarding(listener: socket.socket, target: Callable[[], Address]) -> Iterator[None]:
    """Connect whoever comes to `listener` to the target of that moment, until the block ends.

    Where `target` raises OSError, or nobody is there, the connection is closed.
    """
    thread = threading.Thread(target=_accept, args=(listener, target), daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # Ends the wait for the next connection.
        thread.join()
        listener.close()


def _accept(listener: socket.socket, target: Callable[[], Address]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_connect, args=(client, target), daemon=True).start()


def _connect(client: socket.socket, target: Callable[[], Address]) -> None:
    with client, contextlib.suppress(OSError), socket.create_connection(target()) as server:
        server.settimeout(None)
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes, then that nothing more will."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
