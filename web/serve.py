"""Serving the portal to people: waitress, a production server in plain Python."""

from __future__ import annotations

from waitress import create_server
from waitress.server import BaseWSGIServer, MultiSocketServer

from core.settings import Settings
from web.app import create_app

THREADS = 8


def server(settings: Settings, host: str = "127.0.0.1", port: int = 8400) -> BaseWSGIServer | MultiSocketServer:
    """A bound server, not yet running: `.run()` serves until `.close()`. Port 0 takes a free one."""
    return create_server(create_app(settings), host=host, port=port, threads=THREADS, ident=None)


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8400) -> None:
    """Serve until interrupted."""
    server(settings, host, port).run()
