"""Documents into an Elasticsearch data stream by bulk `create` with our own ids.

The official client does transport, credentials and the check that the server is Elasticsearch; the bulk body is
handed to it ready-made, so no document is decoded or encoded a second time. A document that is there already
answers 409, which is a success. (Ids are unique within one backing index: after a rollover a late second delivery
is not seen.)
"""

import logging
import ssl
from collections.abc import Sequence
from typing import Any, Literal, Self

import elastic_transport
import elasticsearch
import msgspec
from elastic_transport.client_utils import url_to_node_config
from pydantic import Field, field_validator, model_validator

from fenghuo.config import Config, Seconds
from fenghuo.errors import RemoteAnswer, RemoteError, RemoteRefused, RemoteTimeout
from fenghuo.httpcall import safe_url
from fenghuo.logs import get_logger
from fenghuo.secrets import Secret
from log_pipeline.adapters.bulk_answers import classify_items, classify_request
from log_pipeline.adapters.data_stream import index_template
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.model.event import Event
from log_pipeline.model.outcome import Answer, Rejected, Retry

_FILTER = ",".join(
    f"items.create.{field}"
    for field in ("status", "error.type", "error.reason", "error.caused_by.reason", "failure_store")
)
_HEADERS = {"accept": "application/json", "content-type": "application/x-ndjson"}


class ElasticsearchConfig(Config):
    """`sink: {type: elasticsearch}`. `index` is the data stream; give `api_key`, or `username` and `password`."""

    type: Literal["elasticsearch"]
    url: str = Field(pattern=r"^https?://[^\s]+$")
    index: str = Field(default="logs-fenghuo-default", pattern=r"^[a-z0-9][a-z0-9_.\-]{0,250}$")
    api_key: Secret | None = None
    username: str = ""
    password: Secret | None = None
    ca_file: str = ""
    compress: bool = False
    timeout: Seconds = Field(default=30.0, gt=0.0)

    @field_validator("url")
    @classmethod
    def _has_port(cls, url: str) -> str:
        try:
            url_to_node_config(url)
        except ValueError as error:
            raise ValueError("expected a URL with a host and a port, such as http://127.0.0.1:9200") from error
        return url

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        if self.ca_file and not self.url.startswith("https:"):
            raise ValueError("expected an https url beside ca_file")
        if self.ca_file:
            try:
                ssl.create_default_context(cafile=self.ca_file)
            except OSError as error:  # what is no certificate is one of these too
                raise ValueError(f"expected certificates in ca_file, {self.ca_file}: {error}") from error
        return self


def new_client(config: ElasticsearchConfig) -> elasticsearch.AsyncElasticsearch:
    """The official client, which tries nothing twice: retries are the flow's."""
    # it warns at each failed call; the flow says what is wrong, once
    logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)
    options: dict[str, Any] = {}
    if config.api_key:
        options["api_key"] = config.api_key.reveal()
    elif config.username:
        options["basic_auth"] = (config.username, config.password.reveal() if config.password else "")
    if config.ca_file:
        options["ca_certs"] = config.ca_file
    return elasticsearch.AsyncElasticsearch(
        config.url,
        max_retries=0,
        retry_on_timeout=False,
        request_timeout=config.timeout,
        http_compress=config.compress,
        **options,
    )


class ElasticsearchSink:
    """A Sink."""

    def __init__(self, config: ElasticsearchConfig, encoder: DocumentEncoder) -> None:
        self._config = config
        self._encoder = encoder
        self._client = new_client(config)
        self._url = safe_url(config.url)
        self._log = get_logger("elasticsearch")

    async def open(self) -> None:
        """Set up the index template when it is missing; the data stream comes with the first document."""
        name = f"fenghuo-{self._config.index}"
        try:
            if not await self._client.indices.exists_index_template(name=name):
                await self._client.indices.put_index_template(
                    name=name, **_arguments(index_template(self._config.index))
                )
                self._log.info("index template set up", template=name)
        except elasticsearch.ApiError as error:
            raise RemoteAnswer(self._url, error.status_code, str(error.body)) from error
        except elastic_transport.TransportError as error:
            raise _unreached(self._url, error) from error

    async def write(self, events: Sequence[Event]) -> Sequence[Answer]:
        answers: list[Answer | None] = [None] * len(events)
        lines: list[tuple[int, bytes]] = []
        for position, event in enumerate(events):
            try:
                lines.append((position, _action(event.id) + self._encoder.encode(event) + b"\n"))
            except (ValueError, RecursionError) as error:
                answers[position] = Rejected("unencodable", str(error))
        for position, answer in await self._bulk(lines):
            answers[position] = answer
        return [answer or Retry("bad_answer", "no answer") for answer in answers]

    async def close(self) -> None:
        await self._client.close()

    async def _bulk(self, lines: Sequence[tuple[int, bytes]]) -> list[tuple[int, Answer]]:
        """One call; when the server finds it too large or malformed, two calls of half the size."""
        if not lines:
            return []
        answers = await self._call(b"".join(line for _, line in lines), len(lines))
        if answers is not None:
            return [(position, answer) for (position, _), answer in zip(lines, answers, strict=True)]
        if len(lines) == 1:
            return [(lines[0][0], Rejected("refused_alone", "the server takes no request with this document"))]
        middle = len(lines) // 2
        return [*await self._bulk(lines[:middle]), *await self._bulk(lines[middle:])]

    async def _call(self, body: bytes, count: int) -> Sequence[Answer] | None:
        """The answers, or None when the request must be halved."""
        try:
            answer = await self._client.perform_request(
                "POST", f"/{self._config.index}/_bulk?filter_path={_FILTER}", headers=_HEADERS, body=body
            )
        except elasticsearch.UnsupportedProductError as error:
            return [Retry("not_elasticsearch", f"{self._url}: {error.message}")] * count
        except elasticsearch.ApiError as error:
            refused = classify_request(error.status_code, str(error.body))
            return None if refused is None else [refused] * count
        except elastic_transport.TransportError as error:
            why = _unreached(self._url, error)
            reason = "timeout" if isinstance(why, RemoteTimeout) else "unreachable"
            return [Retry(reason, str(why))] * count
        return classify_items(answer.body, count)


def _action(document_id: str) -> bytes:
    return b'{"create":{"_id":' + msgspec.json.encode(document_id) + b"}}\n"


def _arguments(template: dict[str, Any]) -> dict[str, Any]:
    """The client's names for a template's parts."""
    return {name.replace("_meta", "meta"): part for name, part in template.items()}


def _unreached(url: str, error: elastic_transport.TransportError) -> RemoteError:
    """Anything the client says that is no answer. Its product check is one of these too."""
    if isinstance(error, elastic_transport.ConnectionTimeout):
        return RemoteTimeout(url, "no answer in time")
    return RemoteRefused(url, f"{type(error).__name__}: {error.message}"[:300])
