"""A local mail server for the demo and for tests: keeps every mail in a folder, once per Message-ID, sends none on."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller

HOST = "127.0.0.1"
SIZE_LIMIT = 4 << 20


class Keeper:
    """aiosmtpd's handler: one file per Message-ID and recipient, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def handle_DATA(self, _server, _session, envelope) -> str:
        for recipient in envelope.rcpt_tos:
            self.keep(recipient, envelope.content)
        return "250 kept"

    def keep(self, recipient: str, content: bytes) -> bool:
        """Keep a mail; False when the same Message-ID for this recipient is here already."""
        name = message_from_bytes(content, policy=default)["Message-ID"] or hashlib.sha256(content).hexdigest()
        mark = hashlib.sha256(f"{recipient}\n{name}".encode()).hexdigest()[:32]
        fresh = self.folder / f".{mark}.{os.getpid()}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        try:
            os.link(fresh, self.folder / f"{mark}.eml")
        except FileExistsError:
            return False
        finally:
            fresh.unlink()
        return True


class Sink:
    """The server as a context manager, on 127.0.0.1. `port` 0: any free one."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        self._controller = Controller(
            Keeper(folder), hostname=HOST, port=self.port, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True
        )

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    def __enter__(self) -> Sink:
        self._controller.start()
        return self

    def __exit__(self, *_error) -> None:
        self._controller.stop()

    def mails(self) -> list:
        """The mails kept, as email messages, by file name."""
        return kept_mails(self.folder)


def kept_mails(folder: Path) -> list:
    """Every mail in a sink's folder, as email messages."""
    return [message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("*.eml"))]


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def serve_sink(folder: Path, port: int, port_file: Path | None = None) -> None:
    """Serve until interrupted. `port_file` receives the port once the server listens."""
    with Sink(folder, port) as sink:
        if port_file is not None:
            fresh = port_file.with_name(f".{port_file.name}.{os.getpid()}")
            fresh.write_text(str(sink.port))
            os.replace(fresh, port_file)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return
