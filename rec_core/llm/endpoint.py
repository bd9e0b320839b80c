"""Where an OpenAI-compatible server is and what opens it; the key leaves this record only for that server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from rec_core.types import InputError

OURS = ("ROSETTA_ENDPOINT_URL", "ROSETTA_ENDPOINT_KEY")
THEIRS = ("OPENAI_BASE_URL", "OPENAI_API_KEY")
OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Endpoint:
    """A server's base URL ("http://127.0.0.1:8000/v1") and its key, empty for a server that asks for none.

    The key shows in no text made of this record: `repr`, `str`, JSON and `asdict` have stars in its place.

    Raises:
        InputError: the URL is none, or holds a password; the key holds what no header may hold.
    """

    url: str
    key: SecretStr = field(default=SecretStr(""), repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # brackets or a port that are none
            named = False
        if not named:  # not shown: it may be the key in the wrong place
            raise InputError(
                "The endpoint's address is no URL; write it like http://127.0.0.1:8000/v1, as the server's "
                "documentation gives it."
            )
        if parts.username or parts.password:
            raise InputError(
                f"The endpoint's URL at {parts.hostname} holds a user or password; leave them out and give "
                f"the key as {OURS[1]}."
            )
        key = self.key.get_secret_value()
        if not (key.isascii() and all("!" <= character <= "~" for character in key)):
            raise InputError(
                "The endpoint's key holds blanks or characters that no key has; copy it again, without "
                "quotes and line breaks."
            )

    @classmethod
    def at(cls, url: str, key: str = "") -> Self:
        """Return the endpoint of a URL and a key as plain text; blanks around either are dropped."""
        return cls(url.strip().rstrip("/"), SecretStr(key.strip()))

    @classmethod
    def from_environment(cls, url: str | None = None, environ: Mapping[str, str] | None = None) -> Self:
        """Return the endpoint the environment names; a key goes only to the URL it stands beside.

        A URL that is given, or ROSETTA_ENDPOINT_URL, goes with ROSETTA_ENDPOINT_KEY. Without either,
        OPENAI_BASE_URL goes with OPENAI_API_KEY, and OPENAI_API_KEY alone with OpenAI's own URL. So a key of
        OpenAI never reaches another server that was named by hand.

        Raises:
            InputError: no endpoint is named.
        """
        given = os.environ if environ is None else environ
        ours, theirs = ([given.get(name, "") for name in names] for names in (OURS, THEIRS))
        if url or ours[0]:
            return cls.at(url or ours[0], ours[1])
        if any(theirs):
            return cls.at(theirs[0] or OPENAI, theirs[1])
        raise InputError(
            f"No endpoint is named; give --endpoint URL, or set {OURS[0]} (with {OURS[1]} where the server "
            f"asks for a key) or {THEIRS[1]}."
        )

    @property
    def shown(self) -> str:
        """Return the URL for people, without what follows a "?"."""
        return self.url.partition("?")[0]
