"""What the demo's three pods say, second by second. Pure: the same second says the same lines.

A small shop: `web` serves pages and calls `checkout`, which calls `payment`. Now and then a payment fails;
during a burst the payment provider is gone and most of them fail.
"""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from fenghuo.clock import rfc3339

NAMESPACE = "shop"
BURST_BEGINS = 8.0
BURST_LASTS = 24.0
BURST_EVERY = 600.0
"""Seconds. Some seven errors a second make the starter rule LogErrorBurst (more than one a second over a minute,
for half a minute) fire after 45 s or so, and resolve before two minutes are over."""

CARDS = ("visa", "mastercard", "unionpay", "alipay")
PAGES = ("/", "/cart", "/checkout", "/search?q=lantern", "/product/beacon-42", "/healthz")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod with one container, and the way it writes its lines."""

    name: str
    container: str

    @property
    def file_name(self) -> str:
        """As a kubelet names the link in /var/log/containers: `<pod>_<namespace>_<container>-<64 hex>.log`."""
        container_id = hashlib.sha256(f"{self.name}/{self.container}".encode()).hexdigest()
        return f"{self.name}_{NAMESPACE}_{self.container}-{container_id}.log"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a container; `at` is Unix seconds."""

    pod: Pod
    at: float
    stream: str
    text: str

    def cri(self) -> str:
        """The line as containerd writes it: time, stream, F for a full line, text."""
        return f"{rfc3339(self.at)} {self.stream} F {self.text}\n"


WEB = Pod("web-6f7d9c5b8-q2x4z", "web")
CHECKOUT = Pod("checkout-7c9fbd64d5-l8k2p", "checkout")
PAYMENT = Pod("payment-5d8f6b7c44-x9v7m", "payment")
PODS = (WEB, CHECKOUT, PAYMENT)


def in_burst(elapsed: float) -> bool:
    """Whether the payment provider is gone, `elapsed` seconds after the start."""
    return 0 <= elapsed % BURST_EVERY - BURST_BEGINS < BURST_LASTS


def lines_of_second(second: int, start: float) -> list[Line]:
    """The lines of the `second`-th second since `start` (Unix seconds), oldest first."""
    chance = random.Random(second)
    at = start + second
    orders = 4 if in_burst(second) else 1
    lines = [_web(at, chance)]
    for order in range(orders):
        # The first second has a failure too, so that the counter of errors is there before the burst.
        fails = chance.random() < 0.9 if in_burst(second) else second % 20 == 0
        lines += _order(at + order / (orders + 1), chance, fails)
    return sorted(lines, key=lambda line: line.at)


def _web(at: float, chance: random.Random) -> Line:
    client, length, spent = chance.randint(2, 250), chance.randint(400, 9000), chance.randint(3, 90)
    text = f'INFO 10.42.0.{client} "GET {chance.choice(PAGES)} HTTP/1.1" 200 {length} {spent}ms'
    return Line(WEB, at, "stdout", text)


def _order(at: float, chance: random.Random, fails: bool) -> list[Line]:
    number, card = chance.randint(10_000, 99_999), chance.choice(CARDS)
    amount = chance.randint(500, 90_000) / 100
    outcome: Callable[[float, int, str, float], list[Line]] = _failed if fails else _paid
    return outcome(at, number, card, amount)


def _paid(at: float, number: int, card: str, amount: float) -> list[Line]:
    return [
        Line(PAYMENT, at + 0.02, "stdout", f'level=info msg="payment accepted" order={number} card={card}'),
        Line(CHECKOUT, at + 0.05, "stdout", _json("info", "order placed", number, amount)),
    ]


def _failed(at: float, number: int, card: str, amount: float) -> list[Line]:
    reason = f'level=error msg="payment refused: provider timed out" order={number} card={card} after=3s'
    return [
        Line(PAYMENT, at + 0.02, "stderr", reason),
        Line(CHECKOUT, at + 0.05, "stderr", _json("error", "payment failed, order kept for a retry", number, amount)),
    ]


def _json(level: str, message: str, number: int, amount: float) -> str:
    return json.dumps({"level": level, "message": message, "order": number, "amount": amount})
