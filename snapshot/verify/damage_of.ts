import { idFromBytes, IdMismatchError } from "@snap/hash";
import {
  DamageError,
  IndexSyntaxError,
  isFileDamage,
  ObjectNotFoundError,
} from "@snap/pack";
import { NotFoundError, UnsupportedVersionError } from "@snap/store";
import type { FoundDamage } from "./damage_log.ts";
import type { DamageReason, DamageSubject } from "./damage.ts";

/** Thing that was being read when an error came. */
export interface Wanted {
  readonly id: Uint8Array;
  readonly kind: number;
}

/** Turns an error into the damage that it tells of; `undefined` if it is no damage. */
export function damageOf(
  error: unknown,
  wanted: Wanted,
): FoundDamage | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  const object = {
    subject: "object",
    id: idFromBytes(wanted.id),
    kind: wanted.kind,
    message,
  } as const;
  if (error instanceof DamageError) {
    const { id, kind, packName: storeName, reason } = error;
    return { subject: "object", id, kind, storeName, reason, message };
  }
  if (error instanceof ObjectNotFoundError) {
    const { id, kind } = error;
    return { subject: "object", id, kind, reason: "missing", message };
  }
  if (error instanceof IndexSyntaxError) {
    const [storeName] = /index\/[0-9a-f]{64}/.exec(message) ?? [];
    return { subject: "index", reason: "disk", message, storeName };
  }
  if (error instanceof NotFoundError) {
    return { ...object, reason: "missing", storeName: error.storeName };
  }
  const failed = failedRead(error);
  if (failed !== undefined) return { ...object, reason: "disk", ...failed };
  const reason = reasonOf(error);
  return reason === undefined ? undefined : { ...object, reason };
}

/** Turns an error about a whole file of the store into damage. */
export function fileDamageOf(
  error: unknown,
  subject: DamageSubject,
  storeName: string,
): FoundDamage | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  if (error instanceof NotFoundError) {
    return { subject, storeName, reason: "missing", message };
  }
  const isDamage = error instanceof UnsupportedVersionError ||
    isFileDamage(error);
  return isDamage ? { subject, storeName, reason: "disk", message } : undefined;
}

/** The file that a disk could not give; undefined for other errors. */
function failedRead(error: Error): { storeName?: string } | undefined {
  const { code, storeName } = error as {
    readonly code?: unknown;
    readonly storeName?: string;
  };
  if (code !== "SHORT" && code !== "EIO") return undefined;
  return storeName === undefined ? {} : { storeName };
}

function reasonOf(error: Error): DamageReason | undefined {
  if (error instanceof IdMismatchError) return "id";
  if (error instanceof SyntaxError) return "syntax";
  return error instanceof RangeError ? "size" : undefined;
}
