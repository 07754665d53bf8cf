/** Why no TLS connection came about, from what the library tells: words are all that it gives. */
import { CasslError } from "../core/errors.js";

interface TlsFailure {
  readonly pattern: RegExp;
  readonly fault: string;
  readonly remedy: string;
}

const FAILURES: readonly TlsFailure[] = [
  {
    pattern: /unable to verify|unable to get (local )?issuer|self.signed certificate/,
    fault: "its certificate is signed by no authority that is trusted here",
    remedy: "Give the certificate of the authority that signed it with --tls-ca.",
  },
  {
    pattern: /ERR_TLS_CERT_ALTNAME_INVALID/,
    fault: "its certificate is for another name",
    remedy: "Use an address that the certificate names, or make one that names this address.",
  },
  {
    pattern: /certificate has expired/,
    fault: "its certificate has expired",
    remedy: "Start the controller with a new certificate; check this machine's clock.",
  },
  {
    pattern: /certificate is not yet valid/,
    fault: "its certificate is not valid yet",
    remedy: "Check the clocks of both machines.",
  },
  {
    pattern: /wrong version number|packet length too long/,
    fault: "it does not speak TLS",
    remedy: "Leave --tls-ca out, or start the controller with --tls-cert and --tls-key.",
  },
  {
    pattern: /certificate required|bad certificate|unknown ca/i,
    fault: "it demands another certificate of its clients",
    remedy: "Give one that its --client-ca has signed, with --tls-cert and --tls-key.",
  },
];

/** @param details of an RPC that did not come through. Undefined if TLS has nothing to do with it. */
export function tlsFailure(details: string, address: string, cause: unknown): CasslError | undefined {
  const failure = FAILURES.find(({ pattern }) => pattern.test(details));
  if (failure === undefined) return undefined;
  return new CasslError("TLS_FAILED", `No connection to ${address}: ${failure.fault}.`, failure.remedy, { cause });
}
