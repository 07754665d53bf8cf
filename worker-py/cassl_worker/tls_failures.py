"""Why no TLS connection came about, from what the library tells: words are all that it gives."""

import re

from cassl_worker.errors import CasslError

FAILURES = [
    (
        r"unable to get (local )?issuer|self.signed certificate",
        "its certificate is signed by no authority that is trusted here",
        "Give the certificate of the authority that signed it with --tls-ca.",
    ),
    (
        r"Hostname Verification Check failed",
        "its certificate is for another name",
        "Use an address that the certificate names, or make one that names this address.",
    ),
    (
        r"certificate has expired",
        "its certificate has expired",
        "Start the controller with a new certificate; check this machine's clock.",
    ),
    (
        r"certificate is not yet valid",
        "its certificate is not valid yet",
        "Check the clocks of both machines.",
    ),
    (
        r"WRONG_VERSION_NUMBER",
        "it does not speak TLS",
        "Leave --tls-ca out, or start the controller with --tls-cert and --tls-key.",
    ),
    (
        r"CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA",
        "it demands another certificate of its workers",
        "Give one that its --client-ca has signed, with --tls-cert and --tls-key.",
    ),
]
"""Pattern, fault, remedy."""


def tls_failure(details: str, address: str) -> CasslError | None:
    """details: of an RPC that did not come through. None if TLS has nothing to do with it."""
    for pattern, fault, remedy in FAILURES:
        if re.search(pattern, details):
            return CasslError("TLS_FAILED", f"No connection to {address}: {fault}.", remedy)
    return None
