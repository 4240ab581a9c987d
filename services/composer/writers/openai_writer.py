"""The writer that calls a model: OpenAI, or any server that speaks its protocol."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient
from prometheus_client import Counter
from pydantic import BaseModel, Field, ValidationError

from chassis.calls.announcements import by_openai
from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, ProviderAway
from chassis.domain.retry import refusal
from chassis.observability.causes import cause_of
from chassis.observability.series import at_zero
from contracts.composer import TokensUsed
from services.composer.settings import ResponseFormat
from services.composer.writer import Composition, CompositionRequest, Written
from services.composer.writers.prompt import messages

# Below the idle time of common servers (uvicorn closes after 5 s), so that a request does not
# meet a connection that is just being closed.
_IDLE_SECONDS = 2.0
# aiohttp's word for "as many as there are calls", which CALL_SLOTS limits; None would mean 100.
_NO_LIMIT = 0
# What is asked for: structured output (OpenAI, "json_schema" in strict mode), any JSON object, or
# nothing, of servers that know neither. The prompt describes the object in any case.
_RESPONSE_FORMATS: dict[ResponseFormat, dict[str, Any]] = {
    "json_schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "Composition",
                "strict": True,
                "schema": Composition.model_json_schema() | {"additionalProperties": False},
            },
        }
    },
    "json_object": {"response_format": {"type": "json_object"}},
    "none": {},
}
TOKENS = Counter("realtoros_model_tokens_total", "Tokens given to and written by models.", ["kind"])
at_zero(TOKENS, ("prompt", "completion"))


class OpenAIWriter:
    """Writes with `model`; `timeout` (seconds) limits the whole call. Nothing is retried here.

    `response_format`: what the server can promise of its answer.

    One per process, since it holds the pool of connections.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None,
        model: str,
        timeout: float,
        limit: CallLimit,
        response_format: ResponseFormat = "json_schema",
    ) -> None:
        self.name = model
        self._response_format = _RESPONSE_FORMATS[response_format]
        self._timeout = timeout
        self._limit = limit
        self._client = AsyncOpenAI(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            # `write` limits the whole call. The SDK reports lost connections as timeouts, too.
            timeout=None,
            http_client=DefaultAioHttpClient(
                timeout=None,
                # A redirect would take personal data to an address that is not in the settings.
                follow_redirects=False,
                limits=httpx2.Limits(max_connections=_NO_LIMIT, keepalive_expiry=_IDLE_SECONDS),
            ),
        )

    async def write(self, request: CompositionRequest) -> Written:
        """Call the model once. Raises CallFailed, whose reason holds neither prompt nor answer."""
        await self._limit.turn()
        async with self._limit.call():
            return await self._write(request)

    async def _write(self, request: CompositionRequest) -> Written:
        response = await self._post(messages(request))
        try:
            answer = _Answer.model_validate_json(response.content)
            # First: what the call took is counted also if nothing comes of it.
            tokens = _tokens(answer.usage)
            self._limit.announced(
                by_openai(response.headers, tokens.prompt + tokens.completion if tokens else None)
            )
            return Written(_composition(answer), request.language, tokens)
        except ValueError as error:
            raise CallFailed(f"the model's answer was malformed ({type(error).__name__})") from None

    async def _post(self, conversation: list[dict[str, str]]) -> httpx2.Response:
        body = {"model": self.name, "messages": conversation, **self._response_format}
        try:
            async with asyncio.timeout(self._timeout):
                # Not chat.completions.parse(): for each call it derives the schema again
                # and checks every message against every variant: 4-5 ms CPU instead of 2.
                return await self._client.post(
                    "/chat/completions", cast_to=httpx2.Response, body=body
                )
        except openai.APIStatusError as error:
            self._limit.announced(by_openai(error.response.headers, None))
            raise _refusal(error) from None
        except (openai.OpenAIError, TimeoutError) as error:
            raise _failure(error) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Answer(BaseModel):
    """What is read of an answer; servers that speak the protocol leave out much of the rest."""

    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None


def _composition(answer: _Answer) -> Composition:
    choice = answer.choices[0]
    if choice.finish_reason == "length":
        raise CallFailed("the model's answer was cut off at its length limit")
    if choice.finish_reason == "content_filter":
        raise CallFailed("the provider's content filter stopped the letter", final=True)
    if choice.message.refusal or choice.message.content is None:
        raise CallFailed("the model refused to write this letter", final=True)
    text = choice.message.content
    # Servers that promise no JSON may put it between other words, or into a fence of Markdown.
    return Composition.model_validate_json(text[text.find("{") : text.rfind("}") + 1] or text)


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


def _tokens(usage: object) -> TokensUsed | None:
    """Count and return what the call took, if the server says so."""
    try:
        used = _Usage.model_validate(usage)
    except ValidationError:
        return None
    TOKENS.labels("prompt").inc(used.prompt_tokens)
    TOKENS.labels("completion").inc(used.completion_tokens)
    return TokensUsed(prompt=used.prompt_tokens, completion=used.completion_tokens)


def _failure(error: openai.OpenAIError | TimeoutError) -> CallFailed:
    match error:
        case TimeoutError():
            return ProviderAway("the model did not answer in time")
        case openai.APIConnectionError():
            cause = cause_of(error)
            return ProviderAway(f"the connection to the model's provider failed ({cause})")
        case _:
            return CallFailed(f"the model's answer was malformed ({type(error).__name__})")


def _refusal(error: openai.APIStatusError) -> CallFailed:
    status = error.status_code
    if "insufficient_quota" in (error.code, error.type):
        return ProviderAway(f"the provider's quota is used up ({status})", final=True)
    wait = error.response.headers.get("Retry-After")
    return refusal("the model's provider", status, wait, datetime.now(UTC))
