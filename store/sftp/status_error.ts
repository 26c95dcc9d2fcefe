import { cannot } from "../cannot.ts";
import type { StoreAction } from "../errors.ts";
import { RemoteError } from "../wrap/remote_error.ts";

/** Statuses of answers. */
export const STATUS = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

/** A status other than that of success. */
export class SftpStatusError extends Error {
  readonly status: number;
  /** The message of the server, without characters that act on a terminal. */
  readonly said: string;

  constructor(status: number, said: string) {
    super(`SFTP status ${status}: ${said}`);
    this.name = "SftpStatusError";
    this.status = status;
    this.said = said.replace(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 200).trim();
  }
}

/** Whether an error is an answer with a certain status. */
export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof SftpStatusError && statuses.includes(error.status);
}

/** Free space on the disk of a server. */
export interface DiskSpace {
  readonly byteCount: number;
  readonly fileCount: number;
  readonly isReadOnly: boolean;
}

/** The action, for an error. */
export interface Doing {
  readonly action: StoreAction;
  /** A name in the store, or the store. */
  readonly subject: string;
  /** Bytes that were to be written. */
  readonly bytes?: number;
}

type Reason = readonly [code: string, reason: string, isTransient?: boolean];

const REASONS: Readonly<Record<number, Reason>> = {
  [STATUS.noSuchFile]: ["ENOENT", "what it needs is not there"],
  [STATUS.permissionDenied]: ["EACCES", "the server does not permit it"],
  [STATUS.badMessage]: ["EINVAL", "the server does not take it"],
  [STATUS.noConnection]: ["ECONNRESET", "the server has no connection", true],
  [STATUS.connectionLost]: ["ECONNRESET", "the server lost its own", true],
  [STATUS.unsupported]: ["ENOTSUP", "the server has no means for it"],
};

/** The error that an answer is. What is none stays what it is. */
export function answerError(
  error: unknown,
  { action, subject, bytes = 0 }: Doing,
  space?: DiskSpace,
): unknown {
  if (!(error instanceof SftpStatusError)) return error;
  const [code, reason, isTransient = false] = REASONS[error.status] ??
    spaceReason(space, bytes) ?? failureReason(error);
  return new RemoteError(`${cannot(action, subject)}: ${reason} (${code})`, {
    code,
    action,
    storeName: subject,
    isTransient,
    cause: error,
  });
}

/** A failure has no reason; most often it is one of these. */
function spaceReason(
  space: DiskSpace | undefined,
  bytes: number,
): Reason | undefined {
  if (space === undefined) return undefined;
  if (space.isReadOnly) return ["EROFS", "the disk of the server is read-only"];
  return space.byteCount < bytes + 65_536 || space.fileCount === 0
    ? ["ENOSPC", "the disk of the server is full"]
    : undefined;
}

function failureReason({ said, status }: SftpStatusError): Reason {
  const isSilent = said === "" || /^failure$/i.test(said);
  return [
    "EREMOTEIO",
    isSilent
      ? `the server failed, and does not say why (${status})`
      : `the server says: ${said}`,
  ];
}
