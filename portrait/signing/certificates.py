"""Certificates of signers: chains to sign with, and chains checked up to roots that a reader trusts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portrait.errors import SignatureError, SpecError
from portrait.extras import load
from portrait.signing.keys import is_known
from portrait.signing.signature_file import MAX_CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.x509 import Certificate

    from portrait.signing.keys import PublicKey

#: A file of roots has no more.
_MAX_ROOTS = 1_000


@dataclass(frozen=True, slots=True)
class SigningChain:
    """The certificates that a signature brings, in DER, the signer's first, and what that one says.

    ``identity`` is the first e-mail address or URI in it, ``issuer`` the authority that issued it.
    """

    certificates: tuple[bytes, ...]
    identity: str
    issuer: str


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A signer's key that a trusted root vouches for, and the authority that issued its certificate."""

    key: PublicKey
    issuer: str


def load_certificates(pem: bytes, where: str, *, parameter: str) -> list[Certificate]:
    """Read certificates in PEM.

    Args:
        pem: The content of a file.
        where: Its name, for messages.
        parameter: The library's parameter that names it.

    Raises:
        SpecError: There is none, there are too many, or one cannot be read.
        MissingExtraError: cryptography is not installed.
    """
    x509 = load("cryptography.x509", "sign")
    try:
        certificates: list[Certificate] = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError) as error:
        raise SpecError(f"{where}: not certificates in PEM: give others", parameter=parameter) from error
    if len(certificates) > _MAX_ROOTS:
        raise SpecError(
            f"{where}: more than {_MAX_ROOTS} certificates: give those that you trust", parameter=parameter
        )
    return certificates


def signing_chain(certificates: Sequence[Certificate], key: PublicKey, where: str) -> SigningChain:
    """Return the chain that the signatures of a key bring.

    A root at the end is left out: readers take roots from elsewhere.

    Args:
        certificates: The chain, the signer's certificate first.
        key: The key that signs.
        where: The name of the chain's file, for messages.

    Raises:
        SpecError: The chain is not of this key, not in order, too long, or no reader would accept its leaf.
    """
    leaf, *issuers = certificates
    serialization = load("cryptography.hazmat.primitives.serialization", "sign")

    def wrong(what: str) -> SpecError:
        return SpecError(f"{where}: {what}", parameter="certificate")

    if leaf.public_key() != key:
        raise wrong("its first certificate is not of the private key: put the signer's own first")
    names = _names(leaf)
    if not names:
        raise wrong("names no e-mail address and no URI, so that nobody can ask for its owner: get another")
    if expired := _outside_validity(leaf, datetime.now(UTC)):
        raise wrong(f"its first certificate {expired}: get another")
    while issuers and issuers[-1].subject == issuers[-1].issuer:
        issuers.pop()
    for certificate, issuer in zip([leaf, *issuers], issuers, strict=False):
        try:
            certificate.verify_directly_issued_by(issuer)
        except Exception as error:  # of several kinds, one for each way not to be issued by it
            raise wrong("each certificate must be issued by the next: put them in that order") from error
    if len(issuers) + 1 > MAX_CERTIFICATES:
        raise wrong(f"more than {MAX_CERTIFICATES} certificates: leave out those that are not needed")
    chain = tuple(one.public_bytes(serialization.Encoding.DER) for one in (leaf, *issuers))
    return SigningChain(chain, names[0], leaf.issuer.rfc4514_string())


def certified_key(
    chain: Sequence[bytes], identity: str, roots: Sequence[Certificate], where: str
) -> CertifiedKey:
    """Check that a chain leads from an identity to a trusted root, and return the identity's key.

    The chain must be valid now. The certificate of the signer is one for signing code, or for any purpose.

    Args:
        chain: The certificates of a signature, in DER, the signer's first.
        identity: The e-mail address or URI of the signer, as the certificate spells it.
        roots: The certificates of authorities that are trusted to name signers.
        where: The name of the signature's file, for messages.

    Raises:
        SignatureError: It does not.
    """
    x509 = load("cryptography.x509", "sign")
    verification = load("cryptography.x509.verification", "sign")
    try:
        leaf, *issuers = (x509.load_der_x509_certificate(certificate) for certificate in chain)
        names = _names(leaf)
        key = leaf.public_key()
    except Exception as error:  # whatever a malformed certificate raises
        raise SignatureError(f"{where}: holds a certificate that cannot be read: {_line(error)}") from error
    now = datetime.now(UTC)
    for certificate in (leaf, *issuers):
        if expired := _outside_validity(certificate, now):
            raise SignatureError(
                f"{where}: a certificate of its signer, of {_name(certificate)}, {expired}: ask the signer "
                "to sign again"
            )
    # Of issuers with one name, each may have issued each: the ways through them multiply.
    if len({issuer.subject for issuer in issuers}) < len(issuers):
        raise SignatureError(
            f"{where}: holds two certificates of the same issuer: ask the signer to sign again"
        )
    authority, signer = _policies()
    try:
        builder = verification.PolicyBuilder().store(verification.Store(roots)).time(now)
        builder = builder.extension_policies(ca_policy=authority, ee_policy=signer)
        builder.build_client_verifier().verify(leaf, issuers)
    except Exception as error:  # a chain that is not valid, or one that cannot be read to its end
        raise SignatureError(
            f"{where}: no trusted root vouches for its signer: {_line(error)}: check who signed it, and "
            "which roots you trust"
        ) from error
    if identity not in names:
        raise SignatureError(
            f"{where}: signed by {', '.join(names) or 'nobody with a name'}, and not by {identity}"
        )
    if not is_known(key):
        raise SignatureError(f"{where}: signed with a key of another kind ({type(key).__name__})")
    return CertifiedKey(key, leaf.issuer.rfc4514_string())


def _names(leaf: Certificate) -> list[str]:
    """Return the e-mail addresses and URIs that a certificate names."""
    x509 = load("cryptography.x509", "sign")
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        name
        for kind in (x509.RFC822Name, x509.UniformResourceIdentifier)
        for name in names.get_values_for_type(kind)
    ]


def _outside_validity(certificate: Certificate, now: datetime) -> str:
    """Return in words that a certificate is not valid yet, or not any more; nothing if it is."""
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if now < certificate.not_valid_before_utc:
        return f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    return ""


def _policies() -> tuple[Any, Any]:
    """Return what the extensions of an authority's and of a signer's certificate must say.

    The chain's signatures, dates, path lengths and constraints on names are checked by the verifier itself,
    as is that no critical extension is unknown.
    """
    x509 = load("cryptography.x509", "sign")
    verification = load("cryptography.x509.verification", "sign")
    agnostic = verification.Criticality.AGNOSTIC
    code_signing = load("cryptography.x509.oid", "sign").ExtendedKeyUsageOID.CODE_SIGNING

    def require(fits: Callable[[Any], bool], what: str) -> Callable[[Any, Any, Any], None]:
        def check(_policy: Any, _certificate: Any, extension: Any) -> None:
            if extension is not None and not fits(extension):
                raise ValueError(what)

        return check

    signs_code = require(lambda usage: code_signing in usage, "a certificate is not for signing code")
    permit = verification.ExtensionPolicy.permit_all().may_be_present(
        x509.ExtendedKeyUsage, agnostic, signs_code
    )
    authority = permit.require_present(x509.BasicConstraints, agnostic, None).require_present(
        x509.KeyUsage,
        agnostic,
        require(lambda usage: usage.key_cert_sign, "an issuer is not for signing certificates"),
    )
    signer = (
        permit.require_present(x509.SubjectAlternativeName, agnostic, None)
        .may_be_present(
            x509.BasicConstraints,
            agnostic,
            require(lambda constraints: not constraints.ca, "the signer's certificate is an authority's"),
        )
        .may_be_present(
            x509.KeyUsage,
            agnostic,
            require(lambda usage: usage.digital_signature, "the signer's certificate is not for signatures"),
        )
    )
    return authority, signer


def _name(certificate: Certificate) -> str:
    return ", ".join(_names(certificate)) or certificate.subject.rfc4514_string()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
