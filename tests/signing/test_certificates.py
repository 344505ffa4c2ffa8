"""A chain is accepted if a trusted root vouches for exactly this signer, now, and for signing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.signers import (
    ALICE,
    CODE_SIGNING,
    DAY,
    Authority,
    certificate_der,
    certificate_pem,
    email,
    key_of,
)

from portrait import SignatureError, SpecError
from portrait.signing.certificates import certified_key, load_certificates, signing_chain

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

ROOT = Authority.root()
MIDDLE = ROOT.authority("Middle", path_length=0)


def certified(leaf: Certificate, *issuers: Authority, root: Authority = ROOT, identity: str = ALICE) -> Any:
    """Return the key that a chain certifies to be the identity's."""
    chain = [certificate_der(leaf), *(certificate_der(one.certificate) for one in issuers)]
    return certified_key(chain, identity, [root.certificate], "it").key


def refusal(leaf: Certificate, *issuers: Authority, root: Authority = ROOT, identity: str = ALICE) -> str:
    """Return the message with which a chain is refused."""
    with pytest.raises(SignatureError) as caught:
        certified(leaf, *issuers, root=root, identity=identity)
    assert str(caught.value).startswith("it: ")
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("issuer", [ROOT, MIDDLE], ids=["root", "intermediate"])
@pytest.mark.parametrize("purposes", [(), CODE_SIGNING], ids=["any purpose", "code signing"])
@pytest.mark.parametrize("kind", ["email", "uri"])
def test_a_chain_to_a_trusted_root_certifies_the_key(issuer: Authority, purposes: Any, kind: str) -> None:
    names = email() if kind == "email" else (x509.UniformResourceIdentifier("https://example.org/alice"),)
    leaf = issuer.issue(names=names, purposes=purposes)
    identity = ALICE if kind == "email" else "https://example.org/alice"
    issuers = () if issuer is ROOT else (issuer,)
    assert certified(leaf, *issuers, identity=identity) == key_of("alice").public_key()


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["P-384", "P-521", "Ed25519"],
)
def test_every_kind_of_key_can_be_certified(key: Any) -> None:
    assert certified(ROOT.issue(key=key, names=email())) == key.public_key()


def test_the_issuer_is_told() -> None:
    chain = [certificate_der(MIDDLE.issue(names=email())), certificate_der(MIDDLE.certificate)]
    assert certified_key(chain, ALICE, [ROOT.certificate], "it").issuer == "CN=Middle"


def test_an_authority_may_be_for_code_signing_too() -> None:
    middle = ROOT.authority("Code", purposes=CODE_SIGNING)
    certified(middle.issue(names=email(), purposes=CODE_SIGNING), middle)


def test_one_of_several_names_is_enough() -> None:
    certified(ROOT.issue(names=(*email("bob@example.org"), *email())))


@pytest.mark.parametrize(
    "identity",
    ["bob@example.org", "Alice@example.org", "alice@example.org ", "alice@example.or", "Alice", "*"],
)
def test_the_identity_must_be_exactly_the_one_of_the_certificate(identity: str) -> None:
    leaf = ROOT.issue(names=email())
    assert refusal(leaf, identity=identity) == f"it: signed by {ALICE}, and not by {identity}"


def test_a_chain_of_another_root_is_not_trusted() -> None:
    stranger = Authority.root("Stranger")
    impostor = Authority("Root", x509_with_name_of_root())
    for leaf, issuers in (
        (stranger.issue(names=email()), ()),
        (stranger.issue(names=email()), (stranger,)),
        (MIDDLE.issue(names=email()), ()),
        (stranger.issue(names=email()), (impostor,)),
    ):
        assert "no trusted root vouches for its signer" in refusal(leaf, *issuers)


def x509_with_name_of_root() -> Certificate:
    """Return a root's certificate with the name of the trusted one, and another key."""
    return Authority.root("Stranger").issue("Root", key_of("Stranger"), ca=True)


def test_a_signature_is_not_trusted_for_bringing_its_own_root() -> None:
    own = Authority.root("Own")
    assert "no trusted root" in refusal(own.issue(names=email()), own)


def test_issuers_that_go_round_in_circles_end_at_once() -> None:
    """Check a chain through which there are 9^8 ways, none of which leads to a root."""
    circle = [Authority.root("Circle") for _ in range(9)]
    assert "two certificates of the same issuer" in refusal(circle[0].issue(names=email()), *circle)


def test_a_certificate_out_of_date_is_named() -> None:
    day = f"{datetime.now(UTC) - DAY / 2:%Y-%m-%d}"
    assert f"of {ALICE}, expired on {day}" in refusal(ROOT.issue(names=email(), ends=-DAY / 2))
    assert "is not valid before" in refusal(ROOT.issue(names=email(), begins=DAY, ends=2 * DAY))
    old = ROOT.authority("Old", ends=-DAY / 2)
    assert "of CN=Old, expired on" in refusal(old.issue(names=email()), old)
    old_root = Authority.root("Root", ends=-DAY / 2)
    assert "no trusted root" in refusal(ROOT.issue(names=email()), root=old_root)


PURPOSES: dict[str, tuple[dict[str, Any], str]] = {
    "a server": ({"purposes": [ExtendedKeyUsageOID.SERVER_AUTH]}, "not for signing code"),
    "an authority": ({"ca": True}, "is an authority's"),
    "encryption": ({"can_sign": False}, "not for signatures"),
    "unknown rules": (
        {"extensions": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)]},
        "critical extensions",
    ),
}


@pytest.mark.parametrize(("options", "message"), PURPOSES.values(), ids=PURPOSES)
def test_a_certificate_for_something_else_is_refused(options: dict[str, Any], message: str) -> None:
    refused = refusal(ROOT.issue(names=email(), **options))
    assert "no trusted root vouches for its signer" in refused
    assert message in refused


def test_a_certificate_without_names_is_refused() -> None:
    assert "no trusted root" in refusal(ROOT.issue())
    dns = (x509.DNSName("example.org"),)
    assert "signed by nobody with a name" in refusal(ROOT.issue(names=dns), identity="example.org")


def test_only_an_authority_issues_certificates() -> None:
    not_one = Authority("Eve", ROOT.issue("Eve", key_of("Eve"), names=email("eve@example.org")))
    assert "basicConstraints" in refusal(not_one.issue(names=email()), not_one)
    no_usage = ROOT.authority("No usage", can_sign=False)
    assert "not for signing certificates" in refusal(no_usage.issue(names=email()), no_usage)


def test_an_authority_may_be_forbidden_to_make_others() -> None:
    below = MIDDLE.authority("Below")
    assert "path length" in refusal(below.issue(names=email()), below, MIDDLE)


def test_an_authority_may_be_confined_to_some_names() -> None:
    for permitted, fine in (("example.org", True), ("example.com", False)):
        constraints = x509.NameConstraints([x509.RFC822Name(permitted)], None)
        middle = ROOT.authority("Confined", extensions=[(constraints, True)])
        root = Authority.root("Confined root", extensions=[(constraints, True)])
        chains = ((middle.issue(names=email()), (middle,), ROOT), (root.issue(names=email()), (), root))
        for leaf, issuers, trusted in chains:
            if fine:
                certified(leaf, *issuers, root=trusted)
            else:
                assert "name constraints" in refusal(leaf, *issuers, root=trusted)


def test_a_key_that_does_not_sign_portraits_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    assert "a key of another kind (RSAPublicKey)" in refusal(ROOT.issue(key=key, names=email()))


def test_a_malformed_certificate_is_refused() -> None:
    whole = certificate_der(ROOT.issue(names=email()))
    for data in (b"", b"\0", whole[:-1], whole[: len(whole) // 2], b"\x30\x84\xff\xff\xff\xff"):
        with pytest.raises(SignatureError, match=r"^it: holds a certificate that cannot be read"):
            certified_key([data], ALICE, [ROOT.certificate], "it")


def test_certificates_are_read_from_pem() -> None:
    pem = certificate_pem(ROOT.certificate, MIDDLE.certificate)
    assert load_certificates(pem, "it", parameter="trusted_root") == [ROOT.certificate, MIDDLE.certificate]
    for other in (b"", b"certificate", pem.replace(b"M", b"?")):
        with pytest.raises(SpecError, match=r"^it: not certificates in PEM") as caught:
            load_certificates(other, "it", parameter="trusted_root")
        assert caught.value.parameter == "trusted_root"
    with pytest.raises(SpecError, match="more than 1000 certificates"):
        load_certificates(certificate_pem(ROOT.certificate) * 1_001, "it", parameter="trusted_root")


def test_a_signature_brings_its_chain_without_the_root() -> None:
    leaf = MIDDLE.issue(names=email())
    key = key_of("alice").public_key()
    made = signing_chain([leaf, MIDDLE.certificate, ROOT.certificate], key, "it")
    assert made.certificates == (certificate_der(leaf), certificate_der(MIDDLE.certificate))
    assert (made.identity, made.issuer) == (ALICE, "CN=Middle")
    assert certified_key(made.certificates, ALICE, [ROOT.certificate], "it").key == key


def test_a_chain_that_no_reader_would_accept_is_not_signed_with() -> None:
    leaf, middle = MIDDLE.issue(names=email()), MIDDLE.certificate
    other = ROOT.authority("Other").certificate
    for chain, message in (
        ([middle, leaf], "its first certificate is not of the private key"),
        ([MIDDLE.issue(), middle], "names no e-mail address and no URI"),
        ([MIDDLE.issue(names=email(), ends=-DAY / 2)], "its first certificate expired on"),
        ([leaf, other], "each certificate must be issued by the next"),
        ([leaf, middle, other], "each certificate must be issued by the next"),
        (long_chain(), "more than 10 certificates"),
    ):
        with pytest.raises(SpecError, match=f"^it: {message}") as caught:
            signing_chain(chain, key_of("alice").public_key(), "it")
        assert caught.value.parameter == "certificate"


def long_chain() -> list[Certificate]:
    """Return a chain of eleven certificates."""
    authorities = [ROOT]
    for i in range(10):
        authorities.append(authorities[-1].authority(f"Authority {i}"))
    return [authorities[-1].issue(names=email()), *(one.certificate for one in reversed(authorities))]
