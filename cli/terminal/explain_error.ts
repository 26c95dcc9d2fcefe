import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";

/** An error as the user gets it. */
export interface Explanation {
  /** One line; absent when there is nothing to say. */
  readonly message?: string;
  /** Advice for the user. */
  readonly hint?: string;
  /** The name of its class, for programs. */
  readonly name?: string;
  /** Where it was thrown, for `--verbose`. */
  readonly stack?: string;
  /** The answer to the shell. */
  readonly exitCode: number;
}

/** Advice for the user, by the name of the class of an error. */
const HINTS: Readonly<Record<string, string>> = {
  NotAStoreError: `${COMMAND} init makes a store; --store names another`,
  SnapshotNotFoundError:
    `${COMMAND} log --any lists what there is, -v says in which store`,
  EntryNotFoundError: `${COMMAND} ls ID lists what there is`,
  UnsupportedVersionError: `a newer ${COMMAND} made it: use that`,
  BrokenSnapshotError:
    `${COMMAND} verify names what is damaged; --despite ID goes on, and keeps what is left of the snapshot`,
  NoLeasesError:
    "--single-writer goes on: nobody else may write into the store meanwhile",
  TargetNotEmptyError: "--existing writes into it, and --dry-run shows what",
};

/** Hint where a certificate is one's own. */
const CERTIFICATE_HINT =
  "a certificate of one's own is trusted by DENO_CERT=FILE, on Node by NODE_EXTRA_CA_CERTS=FILE";

/** Advice for stores far away, by the code of the error. */
const CODE_HINTS: Readonly<Record<string, string>> = {
  ENOKEYS:
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are keys, and so are those of a profile in ~/.aws",
  ECERT: CERTIFICATE_HINT,
  TLS: CERTIFICATE_HINT,
  TOOLARGE:
    "a proxy on the way should take bodies of 32 MiB: client_max_body_size 32m in nginx",
};

/** Advice where a server does not know who asks. */
const TOKEN_HINT =
  "SNAP_TOKEN is the token, or that of a store in the configuration";

/** Finds the words for an error, and the answer to the shell. */
export function explainError(error: unknown, session: Session): Explanation {
  const { signal } = session;
  if (signal.aborted && isAbort(error, signal.reason)) {
    return { exitCode: signal.reason?.exitCode ?? ExitCode.interrupted };
  }
  if (!(error instanceof Error)) {
    return { message: oneLine(String(error)), exitCode: ExitCode.failed };
  }
  const isUsage = error.name === "UsageError";
  const denied = deniedFlag(error) ?? deniedPathFlag(error, session);
  const message = denied === undefined
    ? describe(error)
    : `Cannot go on without a permission: ${oneLine(error.message)}`;
  const hint = denied === undefined
    ? ownHint(error) ?? HINTS[error.name] ?? farHint(error)
    : `${denied} allows it`;
  return {
    message,
    name: error.name,
    exitCode: isUsage ? ExitCode.usage : ExitCode.failed,
    hint,
    stack: session.isVerbose ? error.stack : undefined,
  };
}

/** Whether an error is the interruption itself, or a failure because of it. */
function isAbort(error: unknown, reason: unknown): boolean {
  for (let at = error, depth = 0; depth < 8; depth++) {
    if (at === reason) return true;
    if (!(at instanceof Error)) return false;
    if (at.name === "AbortError" || at.name === "InterruptError") return true;
    at = at.cause;
  }
  return false;
}

function ownHint(error: Error): string | undefined {
  if ("hint" in error && typeof error.hint === "string") return error.hint;
  if ("candidates" in error && Array.isArray(error.candidates)) {
    return `it may be ${error.candidates.slice(0, 5).join(", ")}`;
  }
  return undefined;
}

/** Hints for errors of a store far away. */
function farHint(error: Error): string | undefined {
  if (error.name !== "RemoteError") return undefined;
  const { code, status } = error as { code?: unknown; status?: unknown };
  return status === 401 ? TOKEN_HINT : CODE_HINTS[String(code)];
}

/** Says which flag of Deno allows what was refused. */
function deniedFlag(error: Error): string | undefined {
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 8;
    at = at.cause, depth++
  ) {
    const isDenied = at.name === "NotCapable" ||
      ("code" in at && at.code === "ERR_ACCESS_DENIED");
    if (!isDenied) continue;
    return /--allow-[a-z]+/.exec(at.message)?.[0] ?? "--allow-all";
  }
  return undefined;
}

/** Says which flag of Deno allows a path, for an error of the disk, which has lost its cause. */
function deniedPathFlag(
  error: Error,
  { context }: Session,
): string | undefined {
  if (!("path" in error && error.path instanceof Uint8Array)) return undefined;
  const path = new TextDecoder().decode(error.path);
  if (!path.startsWith("/") || context.isAllowed === undefined) {
    return undefined;
  }
  if (!context.isAllowed("read", path)) return "--allow-read";
  const isRead = "action" in error &&
    /^(open|read|stat|list)/.test(String(error.action));
  return isRead || context.isAllowed("write", path)
    ? undefined
    : "--allow-write";
}

/** An error in one line, ours as it is, others said to be what they are. */
function describe(error: Error): string {
  const text = oneLine(error.message);
  if (/^Cannot /.test(text)) return text;
  return `Cannot go on after an error in the program: ${error.name}: ${text}`;
}

/** Lines of an error become one; what else it may have of a store is escaped where it is written. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
