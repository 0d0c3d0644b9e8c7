"""Netlink messages: what ends an answer, what breaks one, and what of the attributes survives being cut off."""

import contextlib
import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.kernel.netlink import ATTEMPTS, Answer, Channel
from exporters.readers.rtattr import attribute, attributes, text

ERROR, DONE, OVERRUN, NOOP = 2, 3, 4, 1
DATA = 16
INTERRUPTED = 0x10


def message(kind: int, body: bytes = b"", sequence: int = 1, flags: int = 0) -> bytes:
    """One message, padded."""
    whole = struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body
    return whole.ljust(len(whole) + 3 & ~3, b"\0")


def code(number: int) -> bytes:
    """The body of a message that says how it went."""
    return struct.pack("=i", number)


def test_an_answer_is_the_bodies_up_to_its_end() -> None:
    """However the messages are spread over receives; one of another question and one that says nothing are left out."""
    answer = Answer(1)
    answer.take(message(DATA, b"abc") + message(DATA, b"old", sequence=7) + message(NOOP))
    assert not answer.done
    answer.take(message(DATA, b"defg") + message(DONE, code(0)))
    assert (answer.bodies, answer.done, answer.interrupted) == ([b"abc", b"defg"], True, False)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (message(ERROR, code(-errno.EPERM)), errno.EPERM),
        (message(DONE, code(-errno.ENOMEM)), errno.ENOMEM),
        (message(OVERRUN), errno.ENOBUFS),
        (b"", errno.EPROTO),
        (b"\x10\0", errno.EPROTO),
        (struct.pack("=IHHII", 15, DATA, 0, 1, 0), errno.EPROTO),
        (struct.pack("=IHHII", 17, DATA, 0, 1, 0), errno.EPROTO),
        (struct.pack("=IHHII", 0, DATA, 0, 1, 0), errno.EPROTO),
    ],
)
def test_what_breaks_an_answer(data: bytes, number: int) -> None:
    """What the kernel says, and what is no netlink; always an OSError."""
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        Answer(1).take(data)
    assert caught.value.errno == number


class Peer:
    """The other end of each socket that a channel opens; it has answered before it is asked."""

    def __init__(self, *answers: list[bytes]) -> None:
        self._answers = list(answers)
        self.ends: list[socket.socket] = []

    def open(self, _: int) -> socket.socket:
        """A socket on which the next answer waits."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # as if the time had passed
        for datagram in self._answers.pop(0):
            theirs.send(datagram)
        self.ends.append(theirs)
        return ours

    def close(self) -> None:
        for end in self.ends:
            end.close()


@pytest.fixture
def peers() -> Iterator[Callable[..., Peer]]:
    """Makes peers, and closes them."""
    made: list[Peer] = []

    def make(*answers: list[bytes]) -> Peer:
        made.append(Peer(*answers))
        return made[-1]

    yield make
    for peer in made:
        peer.close()


def test_a_socket_is_kept_for_the_next_question(peers: Callable[..., Peer]) -> None:
    """Each question has a number of its own."""
    answers = [message(DATA, b"one") + message(DONE, code(0)), message(DATA, b"two", 2), message(DONE, code(0), 2)]
    peer = peers(answers)
    channel = Channel(0, peer.open)
    assert [channel.dump(DATA, b"?"), channel.dump(DATA, b"?")] == [[b"one"], [b"two"]]
    channel.close()
    assert len(peer.ends) == 1
    length, kind, flags, sequence, _ = struct.unpack("=IHHII", peer.ends[0].recv(100)[:16])
    assert (length, kind, flags, sequence) == (17, DATA, 0x301, 1)


def test_a_socket_is_opened_anew_after_an_error(peers: Callable[..., Peer]) -> None:
    """What may still come of the failed question must not be taken for the next one's answer."""
    peer = peers([message(ERROR, code(-errno.EBUSY))], [message(DATA, b"late", 1) + message(DONE, code(0), 2)])
    channel = Channel(0, peer.open)
    with pytest.raises(OSError, match="busy"):
        channel.dump(DATA, b"")
    assert channel.dump(DATA, b"") == []
    channel.close()
    assert len(peer.ends) == 2


def test_silence_is_a_time_out(peers: Callable[..., Peer]) -> None:
    """Also in the middle of an answer."""
    channel = Channel(0, peers([message(DATA)]).open)
    with pytest.raises(TimeoutError):
        channel.dump(DATA, b"")


def test_a_question_that_hangs_holds_up_no_other() -> None:
    """The kernel may keep one waiting for good; the next to ask is told so in time, and has a file to read instead."""
    began, end = threading.Event(), threading.Event()

    def hangs(_: int) -> socket.socket:
        began.set()
        end.wait()
        raise OSError(errno.EINTR, os.strerror(errno.EINTR))

    def ask() -> None:
        with contextlib.suppress(OSError):
            channel.dump(DATA, b"")

    channel = Channel(0, hangs, patience=0.01)
    first = threading.Thread(target=ask)
    first.start()
    began.wait()
    with pytest.raises(TimeoutError):
        channel.dump(DATA, b"")
    end.set()
    first.join()


def test_more_than_was_made_room_for(peers: Callable[..., Peer]) -> None:
    """Nothing is cut off in silence."""
    channel = Channel(0, peers([message(DATA, bytes(70_000))]).open)
    with pytest.raises(OSError, match="more than 70016 bytes") as caught:
        channel.dump(DATA, b"")
    assert caught.value.errno == errno.EMSGSIZE


@pytest.mark.parametrize("interrupted", [1, ATTEMPTS - 1, ATTEMPTS])
def test_a_dump_that_was_interrupted_is_asked_for_again(peers: Callable[..., Peer], interrupted: int) -> None:
    """The last one is taken as it is."""
    answers = [
        message(DATA, bytes([number]), number, INTERRUPTED if number <= interrupted else 0)
        + message(DONE, code(0), number)
        for number in range(1, ATTEMPTS + 1)
    ]
    channel = Channel(0, peers(answers).open)
    assert channel.dump(DATA, b"") == [bytes([min(interrupted + 1, ATTEMPTS)])]
    channel.close()


def test_attributes() -> None:
    """By type, without the two bits that say how a value is written; what is cut off or too short ends them."""
    whole = b"head" + attribute(1, b"a\0") + attribute(2 | 0x8000, b"bcd") + attribute(1, b"again")
    assert attributes(whole, 4) == {1: b"again", 2: b"bcd"}
    assert attributes(whole[:-4], 4) == {1: b"a\0", 2: b"bcd"}
    assert attributes(struct.pack("=HH", 3, 1) * 2, 0) == {}
    assert text(b"eth0\0rest") == "eth0"


@given(st.binary(max_size=60))
def test_no_bytes_break_the_attributes(data: bytes) -> None:
    """They end in time, with values that were there."""
    assert all(value in data for value in attributes(data, 0).values())
