"""A writer behind an OpenAI-compatible endpoint: a few requests at a time, repeated when a server is busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from rec_core.config import Config
from rec_core.llm.endpoint import Endpoint
from rec_core.llm.endpoint_errors import explained, withheld
from rec_core.llm.writer import Answer, Ask, Finish, SamplingConfig

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_NO_KEY = "none"  # the client wants a key; a server that asks for none ignores it
_REACH_SECONDS = 10.0
_CLOSE_SECONDS = 5.0
_FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "filter"}


class EndpointConfig(Config):
    """How an endpoint is asked; nothing here changes what is asked."""

    concurrency: int = Field(4, ge=1, le=256, description="Requests that wait for an answer at once.")
    timeout_seconds: float = Field(
        120.0,
        gt=0,
        le=3600,
        description="Longest wait for one answer; a provider may charge for one that was given up.",
    )
    retries: int = Field(
        6,
        ge=0,
        le=50,
        description="Repeats of a request after 429, 5xx, a timeout or a lost connection; the wait between "
        "them doubles from half a second to eight, or is what the server asks for (at most two minutes).",
    )
    token_limit: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="What the server calls the longest answer; newer OpenAI models: the latter."
    )


class EndpointWriter:
    """Writes through an endpoint's chat completions, one user message per ask.

    The next request is sent when an answer was taken, so that whoever takes them can put each on disk before
    more is paid for. Requests run in a thread with a loop of their own, which a notebook's loop does not
    disturb; leaving the block ends what is still under way.

    Differs from `LocalWriter`: texts are not repeatable, because servers need not take a seed.

    Args:
        endpoint: where, and the key.
        model: what the server calls it.
        sampling: temperature, top_p and the longest answer.
        config: how many at once, timeouts, repeats.
    """

    def __init__(
        self, endpoint: Endpoint, model: str, sampling: SamplingConfig, config: EndpointConfig
    ) -> None:
        self._endpoint, self._model, self._sampling, self._config = endpoint, model, sampling, config
        self._pending: set[Future[Answer]] = set()

    def __enter__(self) -> Self:
        from openai import AsyncOpenAI

        self._client = AsyncOpenAI(
            base_url=self._endpoint.url,
            api_key=self._endpoint.key.get_secret_value() or _NO_KEY,
            timeout=self._config.timeout_seconds,
            max_retries=self._config.retries,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._started(self._reach(self._client)).result()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._started(self._end()).result(_CLOSE_SECONDS)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """Yield answers as they come; a prompt that a server's filter refuses has an empty one.

        Raises:
            InputError: wrong key, unknown model, no such server, or a failure that repeating did not mend.
        """
        left = iter(asks)
        while True:
            while len(self._pending) < self._config.concurrency and (ask := next(left, None)) is not None:
                self._pending.add(self._started(self._ask(ask)))
            if not self._pending:
                return
            for future in wait(self._pending, return_when=FIRST_COMPLETED).done:
                self._pending.remove(future)
                yield future.result()

    def in_flight(self, seconds: float) -> Iterator[Answer]:
        """Yield the answers that still come within `seconds`; requests that failed are passed over."""
        end = time.monotonic() + seconds
        while self._pending and (left := end - time.monotonic()) > 0:
            for future in wait(self._pending, left, FIRST_COMPLETED).done:
                self._pending.remove(future)
                if future.exception() is None:
                    yield future.result()

    def _started(self, work: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _reach(self, client: AsyncOpenAI) -> None:
        """Ask for the list of models, which costs nothing: is there a server, and does it take the key?"""
        import openai

        asked = client.with_options(timeout=_REACH_SECONDS, max_retries=0)
        try:
            await asked.models.with_raw_response.list()
        except (openai.APIConnectionError, openai.AuthenticationError) as error:
            raise explained(error, self._endpoint, self._model) from None
        except openai.APIStatusError:
            return  # a server need not list its models

    async def _ask(self, ask: Ask) -> Answer:
        import openai

        request: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": "user", "content": ask.prompt}],
            "temperature": self._sampling.temperature,
            "top_p": self._sampling.top_p,
            self._config.token_limit: self._sampling.max_new_tokens,
        }
        started = time.monotonic()
        try:
            reply: Any = await self._client.chat.completions.create(**request)
            choice = reply.choices[0]
            text, finish = choice.message.content or "", _FINISHES.get(choice.finish_reason, "stop")
            if not isinstance(text, str):
                raise TypeError("the answer is no text")
        except openai.OpenAIError as error:
            if not withheld(error):
                raise explained(error, self._endpoint, self._model) from None
            return Answer(ask, "", "filter", None, None, time.monotonic() - started)
        except (AttributeError, IndexError, TypeError, ValueError):  # no chat completion came back
            raise explained(openai.OpenAIError(), self._endpoint, self._model) from None
        usage = getattr(reply, "usage", None)
        told = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
        counts = [count if isinstance(count, int) else None for count in told]
        return Answer(ask, text, finish, counts[0], counts[1], time.monotonic() - started)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()
