/** What requests and answers of all kinds have. Everything in wire/ is said as JSON. */

/** A header that every request which changes something must have: pages of other origins cannot send it. */
export const CHANGE_HEADER = "x-cassl-dashboard";

export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

/** `GET /api/session`. */
export interface Session {
  readonly version: string;
  /** Whether somebody has to sign in with a token. */
  readonly signInNeeded: boolean;
  /** Whether somebody has signed in, and may sign out. */
  readonly isSignedIn: boolean;
  /** Whether runs may be cancelled and the like. */
  readonly mayChange: boolean;
}

export interface TextTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
