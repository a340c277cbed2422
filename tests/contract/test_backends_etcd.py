"""What documents in etcd promise beyond the suite over every backend: lost replies, members that are away, users."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from crossfade.adapters.documents import etcd_gateway, optimistic
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendChanged, BackendDenied, BackendFailed, BackendUnreachable, BackendUnready

from ..servers.etcd import EtcdServer, Guard, encoded, etcd_server, new_etcd_server
from ..servers.starting import free_port
from .backends import Subject, in_etcd

pytestmark = pytest.mark.backends


@pytest.fixture(params=["growthbook_etcd", "parameters_etcd"])
def subject(request: pytest.FixtureRequest) -> Subject:
    return in_etcd(request.param)


@pytest.fixture
def payload() -> Subject:
    return in_etcd("growthbook_etcd")


class Cutting:
    """A way to a server on which the answers to some calls get lost: the server has done what it was asked for."""

    def __init__(self, server: EtcdServer, lost: Callable[[bytes], bool]) -> None:
        self._target = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        self._lost = lost
        self.cut = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            with caller, socket.create_connection(self._target) as server:
                self._carry(caller, server)

    def _carry(self, caller: socket.socket, server: socket.socket) -> None:
        """One call a connection. Headers and body may come apart, and every call of ours has a body."""
        call = b""
        while b"\r\n\r\n" not in call or len(call.partition(b"\r\n\r\n")[2]) < _length(call):
            call += caller.recv(65_536)
        server.sendall(call.replace(b"keep-alive", b"close", 1))
        answer = b""
        while part := server.recv(65_536):
            answer += part
        if self._lost(call):
            self.cut += 1
        else:
            caller.sendall(answer)

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


def _length(call: bytes) -> int:
    head = call.partition(b"\r\n\r\n")[0].lower()
    return int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


@pytest.fixture
def losing_first_write() -> Iterator[Cutting]:
    writes = count(1)
    cutting = Cutting(etcd_server(), lambda call: b"/v3/kv/txn" in call and next(writes) == 1)
    yield cutting
    cutting.stop()


@pytest.fixture
def losing_every_write() -> Iterator[Cutting]:
    cutting = Cutting(etcd_server(), lambda call: b"/v3/kv/txn" in call)
    yield cutting
    cutting.stop()


def test_a_write_whose_reply_is_lost_is_found_in_place(subject: Subject, losing_first_write: Cutting) -> None:
    subject.settings["endpoints"] = [losing_first_write.url]
    subject.write("first", None, subject.entry("first", "A"), fence=3)
    assert losing_first_write.cut == 1
    assert subject.read("first") == subject.entry("first", "A")


def test_a_write_whose_reply_is_always_lost_can_be_repeated_and_is_found_in_place(
    subject: Subject, losing_every_write: Cutting
) -> None:
    straight = subject.settings["endpoints"]
    subject.settings["endpoints"] = [losing_every_write.url]
    with pytest.raises(BackendFailed) as failed:
        subject.write("first", None, subject.entry("first", "A"))
    assert failed.value.retryable
    assert "not known" in failed.value.message
    held = subject.held()
    subject.settings["endpoints"] = straight
    subject.write("first", None, subject.entry("first", "A"))
    assert subject.held() == held


def test_a_removal_that_somebody_overtook_while_its_reply_was_lost_is_refused(
    subject: Subject, losing_every_write: Cutting
) -> None:
    straight = subject.settings["endpoints"]
    subject.write("first", None, subject.entry("first", "A"))
    subject.settings["endpoints"] = [losing_every_write.url]
    with pytest.raises(BackendFailed):
        subject.write("first", subject.entry("first", "A"), None)
    subject.settings["endpoints"] = straight
    subject.write("first", None, subject.entry("first", "B"))
    with pytest.raises(BackendChanged):
        subject.write("first", subject.entry("first", "A"), None)


def test_a_repeat_makes_no_revision(subject: Subject) -> None:
    def revision() -> str:
        return etcd_server().post("/v3/kv/range", {"key": encoded("x")})["header"]["revision"]

    subject.write("first", None, subject.entry("first", "A"))
    before = revision()
    subject.write("first", None, subject.entry("first", "A"))
    assert revision() == before


def test_the_next_member_is_asked_when_one_cannot_be_reached(subject: Subject) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    subject.settings["endpoints"] = [away, etcd_server().url]
    subject.write("first", None, subject.entry("first", "A"))
    assert subject.read("first") == subject.entry("first", "A")


def test_a_cluster_without_a_member_that_answers_can_be_tried_again(subject: Subject) -> None:
    subject.settings["endpoints"] = [f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"]
    for call in (lambda: subject.read("first"), lambda: subject.write("first", None, None)):
        with pytest.raises(BackendFailed) as failed:
            call()
        assert failed.value.retryable
        assert failed.value.message == "etcd cannot be reached."
        assert "`endpoints`" in failed.value.next


def test_a_write_that_others_overtake_each_time_gives_up_and_can_be_tried_again(
    payload: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimistic, "TRIES", 3)
    looks = count(1)
    real = optimistic.parsed

    def overtaken(raw: bytes, where: JsonObject) -> JsonObject:
        payload.put(b'{"look": %d}' % next(looks))
        return real(raw, where)

    payload.put(b"{}")
    monkeypatch.setattr(optimistic, "parsed", overtaken)
    with pytest.raises(BackendFailed) as failed:
        payload.write("first", None, payload.entry("first", "A"))
    assert (failed.value.retryable, next(looks)) == (True, 4)


def test_a_document_larger_than_etcd_takes_is_refused_in_our_words(payload: Subject) -> None:
    large = payload.entry("second", "x" * 1_600_000)
    with pytest.raises(BackendFailed) as failed:
        payload.write("second", None, large)
    assert failed.value.message == "The document is larger than etcd takes."
    assert not failed.value.retryable
    assert payload.read("second") is None


def test_only_names_right_below_the_prefix_are_documents() -> None:
    subject = in_etcd("parameters_etcd")
    subject.write("first", None, subject.entry("first", "A"))
    prefix = str(subject.settings["prefix"])
    for other in (f"{prefix}deeper/home", f"{prefix}UPPER", f"{prefix[:-1]}0/home"):
        etcd_server().put(other, b"{}")
    assert subject.backend.entries(subject.settings) == [("home", "first")]


WRONG: list[tuple[JsonObject, list[str]]] = [
    ({}, ["/endpoints"]),
    ({"endpoints": []}, ["/endpoints"]),
    ({"endpoints": "http://127.0.0.1:2379"}, ["/endpoints"]),
    ({"endpoints": ["http://me:secret@127.0.0.1:2379"]}, ["/endpoints"]),
    ({"endpoints": ["127.0.0.1:2379"]}, ["/endpoints"]),
    ({"endpoints": ["http://127.0.0.1:2379/v3"]}, ["/endpoints"]),
    ({"endpoints": ["http://127.0.0.1:2379"], "password": "secret"}, ["/password"]),
    ({"endpoints": ["http://127.0.0.1:2379"], "user": "me"}, ["/password_env"]),
    ({"endpoints": ["http://127.0.0.1:2379"], "password_env": "SECRET"}, ["/password_env"]),
    ({"endpoints": ["http://127.0.0.1:2379"], "user": "me", "password_env": "a secret"}, ["/password_env"]),
    ({"endpoints": ["https://127.0.0.1:2379"], "certificate": "client.pem"}, ["/certificate_key"]),
    ({"endpoints": ["https://127.0.0.1:2379"], "certificate_key": "client.key"}, ["/certificate_key"]),
]


@pytest.mark.parametrize(("settings", "at"), WRONG)
def test_wrong_settings_are_named_and_never_used_or_shown(
    subject: Subject, settings: JsonObject, at: list[str]
) -> None:
    where = "key" if "key" in subject.settings else "prefix"
    whole = {where: subject.settings[where], **settings}
    problems = subject.backend.problems(whole)
    assert [pointer for pointer, _ in problems] == at
    assert all("secret" not in message for _, message in problems)
    assert subject.backend.location(whole) is None
    with pytest.raises(BackendFailed) as failed:
        subject.backend.read(whole, subject.document, "first")
    assert "secret" not in str(failed.value.as_dict())


@pytest.mark.parametrize("wrong", [None, "", 5, "with blank", "/", "a/"])
def test_a_wrong_key_is_named(payload: Subject, wrong: str | int | None) -> None:
    assert [at for at, _ in payload.backend.problems({**payload.settings, "key": wrong})] == ["/key"]


@pytest.mark.parametrize("wrong", [None, "", 5, "with blank/", "a"])
def test_a_wrong_prefix_is_named(wrong: str | int | None) -> None:
    subject = in_etcd("parameters_etcd")
    assert [at for at, _ in subject.backend.problems({**subject.settings, "prefix": wrong})] == ["/prefix"]


def test_members_in_any_order_and_spelling_are_one_location(subject: Subject) -> None:
    one: JsonObject = {**subject.settings, "endpoints": ["http://a.example:2379", "http://b.example:2379/"]}
    other: JsonObject = {**subject.settings, "endpoints": ["http://B.example:2379", "http://a.example:2379"]}
    assert subject.backend.location(one) == subject.backend.location(other)
    assert subject.backend.location(one) != subject.backend.location(subject.settings)


@pytest.fixture(scope="module")
def guarded() -> Iterator[EtcdServer]:
    """A server that asks for users; `crossfade` may read and write below crossfade/."""
    server = new_etcd_server()
    for user, password in (("root", "root's"), ("crossfade", "a secret")):
        server.post("/v3/auth/user/add", {"name": user, "password": password})
        server.post("/v3/auth/role/add", {"name": user})
        server.post("/v3/auth/user/grant", {"user": user, "role": user})
    rights = {"permType": "READWRITE", "key": encoded("crossfade/"), "range_end": encoded("crossfade0")}
    server.post("/v3/auth/role/grant", {"name": "crossfade", "perm": rights})
    server.post("/v3/auth/enable", {})
    yield server
    server.stop()


@pytest.fixture
def signed_in(guarded: EtcdServer, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setenv("ETCD_PASSWORD", "a secret")
    subject.settings |= {"endpoints": [guarded.url], "user": "crossfade", "password_env": "ETCD_PASSWORD"}
    return subject


def test_a_user_with_rights_on_the_keys_can_do_all_of_it(signed_in: Subject) -> None:
    signed_in.write("first", None, signed_in.entry("first", "A"))
    assert signed_in.read("first") == signed_in.entry("first", "A")
    assert signed_in.backend.entries(signed_in.settings) == [(signed_in.document, "first")]
    signed_in.write("first", signed_in.entry("first", "A"), None)


def test_a_session_that_ended_is_begun_anew(guarded: EtcdServer, signed_in: Subject) -> None:
    signed_in.write("first", None, signed_in.entry("first", "A"))
    token = guarded.post("/v3/auth/authenticate", {"name": "root", "password": "root's"})["token"]
    # A change of the password ends the sessions of the user; this one sets the same again.
    changed = guarded.http.post(
        "/v3/auth/user/changepw", json={"name": "crossfade", "password": "a secret"}, headers={"authorization": token}
    )
    assert changed.status_code == 200
    assert signed_in.read("first") == signed_in.entry("first", "A")


def test_a_key_without_rights_is_refused_in_our_words(signed_in: Subject) -> None:
    elsewhere: JsonObject = {"key": "other/home"} if "key" in signed_in.settings else {"prefix": "other/"}
    signed_in.settings |= elsewhere
    with pytest.raises(BackendFailed) as failed:
        signed_in.read("first")
    assert failed.value.message == "etcd does not let this user do that."
    assert not failed.value.retryable


def test_no_user_and_a_wrong_password_are_refused_in_our_words(
    guarded: EtcdServer, signed_in: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OTHER_PASSWORD", "a wrong secret")
    nobody = {name: value for name, value in signed_in.settings.items() if name not in ("user", "password_env")}
    wrong, unset = ({**signed_in.settings, "password_env": name} for name in ("OTHER_PASSWORD", "NOT_SET"))
    expected = [
        (nobody, "etcd asks for a user."),
        (wrong, "etcd does not take the user and password."),
        (unset, "The secret of this backend is not set."),
    ]
    for settings, message in expected:
        with pytest.raises(BackendFailed) as failed:
            signed_in.backend.read(settings, signed_in.document, "first")
        assert (failed.value.message, failed.value.retryable) == (message, False)
        assert "a wrong secret" not in str(failed.value.as_dict())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    return Guard(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def over_tls(certificates: Guard) -> Iterator[EtcdServer]:
    server = new_etcd_server(certificates)
    yield server
    server.stop()


@pytest.fixture
def known(
    over_tls: EtcdServer, certificates: Guard, subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Subject:
    """With a certificate in files of its own, so that no connection of another test is used."""
    monkeypatch.setenv("SSL_CERT_FILE", certificates.authority)
    subject.settings |= {
        "endpoints": [over_tls.url],
        "certificate": str(shutil.copy(certificates.client, tmp_path)),
        "certificate_key": str(shutil.copy(certificates.client_key, tmp_path)),
    }
    return subject


def test_a_cluster_of_an_authority_of_ones_own_that_asks_for_a_certificate_can_be_used(known: Subject) -> None:
    known.write("first", None, known.entry("first", "A"))
    assert known.read("first") == known.entry("first", "A")


def test_a_cluster_that_is_not_trusted_is_told_as_that(known: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(BackendUnready) as failed:
        known.read("first")
    assert failed.value.message == "The certificate of etcd is not one that is trusted here."
    assert "SSL_CERT_FILE" in failed.value.next
    assert not failed.value.retryable


def test_a_cluster_that_misses_a_certificate_is_told_as_that(known: Subject) -> None:
    del known.settings["certificate"], known.settings["certificate_key"]
    with pytest.raises(BackendDenied) as failed:
        known.read("first")
    assert "asks for a client's certificate" in failed.value.message


@pytest.mark.parametrize("wrong", ["absent.pem", "authority.pem"])
def test_a_certificate_that_cannot_be_used_is_told_as_that(known: Subject, certificates: Guard, wrong: str) -> None:
    known.settings["certificate_key"] = str(Path(certificates.authority).parent / wrong)
    with pytest.raises(BackendUnready) as failed:
        known.read("first")
    assert "`certificate_key`" in failed.value.next


def test_authorities_that_cannot_be_read_are_told_as_that(known: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/absent/authorities.pem")
    with pytest.raises(BackendUnready) as failed:
        known.read("first")
    assert "SSL_CERT_FILE" in failed.value.message


def test_a_certificate_that_was_renewed_is_read_anew(known: Subject, certificates: Guard, tmp_path: Path) -> None:
    """After a refusal, without a new start of Crossfade."""
    Guard(tmp_path)  # of another authority, over the files that the settings name
    with pytest.raises(BackendDenied):
        known.read("first")
    shutil.copy(certificates.client, tmp_path)
    shutil.copy(certificates.client_key, tmp_path)
    assert known.read("first") is None


def test_members_of_two_clusters_are_told_by_a_probe(subject: Subject) -> None:
    assert subject.backend.probe(subject.settings).version
    other = new_etcd_server()
    try:
        mixed: JsonObject = {**subject.settings, "endpoints": [etcd_server().url, other.url]}
        with pytest.raises(BackendFailed, match="different clusters"):
            subject.backend.probe(mixed)
    finally:
        other.stop()
    assert subject.backend.probe(mixed).version  # of the one that answers


def test_when_asking_took_long_no_further_member_is_asked(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    away: JsonObject = {**subject.settings, "endpoints": [f"http://127.0.0.1:{free_port()}", etcd_server().url]}
    monkeypatch.setattr(etcd_gateway, "ASKED_SECONDS", -1.0)
    with pytest.raises(BackendUnreachable):
        subject.backend.read(away, subject.document, "first")
    monkeypatch.undo()
    assert subject.backend.read(away, subject.document, "first") is None
