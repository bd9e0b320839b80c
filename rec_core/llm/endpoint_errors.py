"""What a server's refusal means, in one sentence for a person and without the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_core.llm.endpoint import OURS, Endpoint
from rec_core.types import InputError

if TYPE_CHECKING:
    from openai import OpenAIError

_LONGEST = 200  # characters of a server's own words that are shown
_GO_ON = "what was written is kept; repeat the command to go on"


def explained(error: OpenAIError, endpoint: Endpoint, model: str) -> InputError:
    """Return the sentence for an error that repeating the request did not mend.

    A refused key (401) is told without the server's words, which may repeat the key; in the words of every
    other refusal it is replaced by stars.
    """
    import openai

    where = endpoint.shown
    if isinstance(error, openai.APITimeoutError):
        return InputError(
            f"{where} did not answer in time; {_GO_ON}, with a higher endpoint.timeout_seconds if its model "
            "is slow."
        )
    if isinstance(error, openai.APIConnectionError):
        return InputError(
            f"{where} cannot be reached ({_words(error.__cause__ or error, endpoint)}); see that the server "
            f"runs and that the URL is right (it often ends in /v1); {_GO_ON}."
        )
    if isinstance(error, openai.AuthenticationError):
        key = "the key it was given" if endpoint.key.get_secret_value() else "a request without a key"
        return InputError(f"{where} refuses {key}; set {OURS[1]} to a valid key of that server.")
    if not isinstance(error, openai.APIStatusError):
        return InputError(
            f"{where} gave an answer that is no chat completion; see that the URL is right (it often ends in "
            "/v1)."
        )
    said = f"{_words(error, endpoint)} ({error.status_code})"
    if error.status_code == 404:
        return InputError(f"{where} knows no model {model!r}, or no chat completions: {said}.")
    if error.status_code == 429:
        return InputError(f"{where} takes no more requests for now: {said}; {_GO_ON}.")
    if error.status_code >= 500:
        return InputError(f"{where} fails: {said}; {_GO_ON}.")
    return InputError(
        f"{where} refuses the request to the model {model!r}: {said}; change the model or the setting that "
        "is named."
    )


def withheld(error: OpenAIError) -> bool:
    """Tell whether a server's filter refused this one prompt, which says nothing about the next."""
    return str(getattr(error, "code", "")) in ("content_filter", "content_policy_violation")


def _words(error: BaseException, endpoint: Endpoint) -> str:
    body = getattr(error, "body", None)
    told = body.get("message") or body.get("detail") if isinstance(body, dict) else None
    text = " ".join(str(told or getattr(error, "message", None) or error).split())
    key = endpoint.key.get_secret_value()
    return (text.replace(key, "***") if key else text)[:_LONGEST].rstrip(" .")
