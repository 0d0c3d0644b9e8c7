"""Basic authentication lets users in and nobody else, and costs bcrypt's time once."""

import base64
from collections.abc import Iterator

import bcrypt
import pytest

from exporters.web.users import BasicAuth, Outcomes, credentials
from fenghuo.secrets import Secret


def hashed(password: bytes, prefix: bytes = b"2b") -> Secret:
    return Secret(bcrypt.hashpw(password, bcrypt.gensalt(4, prefix)).decode())


USERS = {"alice": hashed(b"wonder"), "bob": hashed("建築".encode(), b"2a")}


def header(name: str, password: str | bytes) -> str:
    password = password.encode() if isinstance(password, str) else password
    return f"Basic {base64.b64encode(name.encode() + b':' + password).decode()}"


@pytest.mark.parametrize(
    ("authorization", "admitted"),
    [
        (header("alice", "wonder"), True),
        (header("bob", "建築"), True),
        (header("alice", "wonder").replace("Basic", "bASIC"), True),
        (header("alice", "wonderland"), False),
        (header("alice", ""), False),
        (header("bob", "wonder"), False),
        (header("carol", "wonder"), False),
        (header("", ""), False),
        (header("alice", b"won\0der"), False),
        (header("alice", b"w" * 5000), False),
        (header("alice", b"\xff\xfe"), False),
        ("", False),
        ("Basic", False),
        ("Basic !!!", False),
        ("Basic \xe9\xe9", False),
        (f"Basic {base64.b64encode(b'no colon').decode()}", False),
        ("Bearer token", False),
    ],
)
def test_a_user_is_let_in_by_the_right_password(authorization: str, admitted: bool) -> None:
    """Twice the same, the second time without bcrypt; whatever the bytes are, nothing is raised."""
    auth = BasicAuth()
    assert auth.admits(USERS, authorization) is admitted
    assert auth.admits(USERS, authorization) is admitted


def test_hashes_of_other_programs_are_understood() -> None:
    """`$2y$` is how htpasswd and PHP call what others call `$2b$`."""
    users = {"alice": Secret(hashed(b"wonder").reveal().replace("$2b$", "$2y$"))}
    assert BasicAuth().admits(users, header("alice", "wonder"))


def test_only_the_first_72_bytes_of_a_password_count() -> None:
    """bcrypt looks at no more; htpasswd and Go agree."""
    users = {"alice": hashed(b"w" * 72)}
    assert BasicAuth().admits(users, header("alice", "w" * 80))


class Counting(dict[str, Secret]):
    """Users that count how often a hash is taken for a check."""

    taken = 0

    def __getitem__(self, key: str) -> Secret:
        self.taken += 1
        return super().__getitem__(key)


def test_an_unknown_name_is_checked_like_a_known_one() -> None:
    """Against a user's hash, always the same for the same name: time does not tell which names there are."""
    users = Counting(USERS)
    assert not BasicAuth().admits(users, header("mallory", "wonder"))
    assert users.taken == 1


def test_a_removed_user_and_a_changed_password_count_at_once() -> None:
    """An outcome is kept for a name, a password and a hash together."""
    auth = BasicAuth()
    assert auth.admits(USERS, header("alice", "wonder"))
    assert not auth.admits({"bob": USERS["bob"]}, header("alice", "wonder"))
    changed = {"alice": hashed(b"other")}
    assert not auth.admits(changed, header("alice", "wonder"))
    assert auth.admits(changed, header("alice", "other"))
    assert auth.admits(USERS, header("alice", "wonder"))


def test_outcomes_are_bounded() -> None:
    """The oldest goes first."""
    outcomes = Outcomes(3)
    for key in (b"a", b"b", b"c", b"d"):
        outcomes.add(key)
    assert [key in outcomes for key in (b"a", b"b", b"c", b"d")] == [False, True, True, True]
    assert len(outcomes) == 3


def test_no_password_stays_in_memory() -> None:
    """What is kept is a digest under a key of this process."""
    auth = BasicAuth()
    auth.admits(USERS, header("alice", "wonder"))
    assert "wonder" not in repr(list(kept(auth)))
    assert all(len(key) == 32 for key in kept(auth))


def kept(auth: BasicAuth) -> Iterator[bytes]:
    yield from auth._passed._keys
    yield from auth._failed._keys


def test_credentials_may_have_colons_in_the_password() -> None:
    assert credentials(header("alice", "a:b")) == ("alice", b"a:b")
