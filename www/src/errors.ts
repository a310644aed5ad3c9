/** What developers are told went wrong. docs/errors.md has a row for each code: what it means, and what to do. */

export type ErrorCode =
  | "client_missing"
  | "element_unsupported"
  | "engine_missing"
  | "engine_stopped"
  | "engine_unavailable"
  | "option_invalid"
  | "program_refused"
  | "program_unavailable"
  | "provider_missing"
  | "users_unsupported"
  | "visitor_invalid"
  | "worker_missing"
  | "worker_refused"
  | "worker_unavailable";

/** An error with a code for programs, and with the place of its description. */
export class IdoineError extends Error {
  override readonly name: string = "IdoineError";
  readonly code: ErrorCode;
  /** Where it is described, in the repository and in the package. */
  readonly docs: string;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(`${message} [${code}]`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.docs = `docs/errors.md#${code}`;
  }
}
