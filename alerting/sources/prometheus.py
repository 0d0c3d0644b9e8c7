"""Prometheus, and whatever answers `POST /api/v1/query` as it does: Thanos, Mimir, VictoriaMetrics.

A query has a deadline, the answer a largest size, and a failure that may pass (no connection, 5xx) one second
try. Format: Prometheus' HTTP API, "Expression query result formats".
"""

import base64
from typing import Literal
from urllib.parse import quote_plus, urlencode

import msgspec
from pydantic import Field, field_validator

from alerting.engine.ports import Result, Sample
from fenghuo.clock import Clock
from fenghuo.config import Config, Seconds
from fenghuo.durations import format_duration
from fenghuo.errors import RemoteAnswer, RemoteError, RemoteRefused, RemoteTooLarge
from fenghuo.httpcall import Answer, HttpCaller, Request, safe_url
from fenghuo.secrets import Secret

RETRY_AFTER = 0.5
"""Seconds before the second try."""


class PrometheusConfig(Config):
    """One entry of `sources:` of type prometheus.

    `timeout` is for the whole query with its second try; `largest_answer` bounds bytes, `most_series` series.
    """

    name: str
    type: Literal["prometheus"] = "prometheus"
    url: str
    username: str = ""
    password: Secret = Secret("")
    bearer_token: Secret = Secret("")
    timeout: Seconds = Field(default=30.0, gt=0)
    largest_answer: int = Field(default=32 << 20, ge=1024)
    most_series: int = Field(default=50_000, ge=1)

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("expected a URL such as http://127.0.0.1:9090")
        return url.rstrip("/")

    def build(self, http: HttpCaller, clock: Clock) -> "Prometheus":
        """The source that this describes."""
        return Prometheus(self, http, clock)


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}
    value: tuple[float, str] | None = None
    histogram: object = None


class _Data(msgspec.Struct):
    result_type: str = msgspec.field(name="resultType")
    result: msgspec.Raw


class _Envelope(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    error_type: str = msgspec.field(default="", name="errorType")
    warnings: tuple[str, ...] = ()
    is_partial: bool = msgspec.field(default=False, name="isPartial")


class Prometheus:
    """A Source over HTTP."""

    def __init__(self, config: PrometheusConfig, http: HttpCaller, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._headers = {"Content-Type": "application/x-www-form-urlencoded", **_authorization(config)}

    async def query(self, expr: str, at: float) -> Result:
        begun = self._clock.monotonic()
        try:
            return await self._once(expr, at, self._config.timeout)
        except RemoteError as error:
            left = self._config.timeout - (self._clock.monotonic() - begun) - RETRY_AFTER
            if not _may_pass(error) or left <= 0:
                raise
        await self._clock.sleep(RETRY_AFTER)
        return await self._once(expr, at, left)

    def link(self, expr: str) -> str:
        return f"{safe_url(self._config.url)}/graph?g0.expr={quote_plus(expr)}&g0.tab=1"

    async def _once(self, expr: str, at: float, timeout: float) -> Result:
        # Thanos answers with what it has unless told otherwise, and half an answer resolves what still burns
        form = {"query": expr, "time": f"{at:.3f}", "timeout": format_duration(timeout), "partial_response": "false"}
        answer = await self._http.call(
            Request(
                "POST",
                f"{self._config.url}/api/v1/query",
                body=urlencode(form).encode(),
                headers=self._headers,
                timeout=timeout,
                largest_answer=self._config.largest_answer,
            )
        )
        return self._read(answer)

    def _read(self, answer: Answer) -> Result:
        try:
            envelope = msgspec.json.decode(answer.body, type=_Envelope)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            answer.ok()
            raise RemoteAnswer(
                answer.url, answer.status, f"no answer of Prometheus ({error}): {answer.text()}"
            ) from error
        if envelope.status != "success" or envelope.data is None:
            raise RemoteAnswer(answer.url, answer.status, f"{envelope.error_type}: {envelope.error}")
        answer.ok()
        if envelope.is_partial:  # VictoriaMetrics' word for it
            raise RemoteAnswer(answer.url, answer.status, "a partial answer: a part of the storage is away")
        try:
            samples = _samples(envelope.data)
        except (msgspec.DecodeError, ValueError) as error:
            raise RemoteAnswer(answer.url, answer.status, f"no answer of Prometheus: {error}") from error
        if len(samples) > self._config.most_series:
            raise RemoteTooLarge(
                answer.url, f"{len(samples)} series are more than most_series {self._config.most_series}"
            )
        return Result(samples, envelope.warnings)


def _samples(data: _Data) -> list[Sample]:
    """The series of a vector, or the one of a scalar. Raises ValueError for other results."""
    if data.result_type == "scalar":
        scalar = msgspec.json.decode(data.result, type=tuple[float, str])
        return [Sample({}, float(scalar[1]))]
    if data.result_type != "vector":
        raise ValueError(f"the expression gives a {data.result_type}, expected a vector or a scalar")
    series = msgspec.json.decode(data.result, type=list[_Series])
    if any(one.value is None and one.histogram is None for one in series):
        raise ValueError("a series without a value")
    # a native histogram has no value to compare and makes no alert, as in Prometheus
    return [Sample(one.metric, float(one.value[1])) for one in series if one.value is not None]


def _may_pass(error: RemoteError) -> bool:
    """Whether a second try may end better: no connection, or a server in trouble."""
    return isinstance(error, RemoteRefused) or (isinstance(error, RemoteAnswer) and error.status in (502, 503, 504))


def _authorization(config: PrometheusConfig) -> dict[str, str]:
    if config.bearer_token:
        return {"Authorization": f"Bearer {config.bearer_token.reveal()}"}
    if config.username:
        pair = f"{config.username}:{config.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}
