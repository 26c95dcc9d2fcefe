import { idFromBytes } from "@snap/hash";
import { ObjectKind, ObjectNotFoundError } from "@snap/pack";
import type { RecordName } from "@snap/snapshot/records";
import { NotFoundError, StoreError } from "@snap/store";
import { SyncError, type SyncErrorCode } from "../errors.ts";
import type { LostObject } from "./peer.ts";

const HINT = "Check the source with `snap verify`";

/** An object that the source has not. */
export function goneObject(id: Uint8Array, kind: number): LostObject {
  const name = kind === ObjectKind.content ? "content" : "object";
  const error = new SyncError(
    `Cannot copy ${name} ${idFromBytes(id)}: the source has it no more`,
    { code: "GONE", hint: HINT },
  );
  return { id, error };
}

/** An object that cannot be had. */
export function lostObject(id: Uint8Array, cause: unknown): LostObject {
  if (cause instanceof SyncError) return { id, error: cause };
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new SyncError(
    `Cannot copy object ${idFromBytes(id)}: ${reason}`,
    {
      code: codeOf(cause),
      hint: HINT,
      cause,
    },
  );
  return { id, error };
}

function codeOf(cause: unknown): SyncErrorCode {
  const isGone = cause instanceof NotFoundError ||
    cause instanceof ObjectNotFoundError;
  if (isGone) return "GONE";
  return cause instanceof StoreError ? "STORE" : "MISMATCH";
}

/** Large content that is not what its recipe says. */
export function lyingError(
  id: Uint8Array,
  reason = "its chunks are other content",
): SyncError {
  return new SyncError(`Cannot copy content ${idFromBytes(id)}: ${reason}`, {
    code: "LYING",
    hint: HINT,
  });
}

/** A server that answers what it was not asked. */
export function lyingServer(location: string, sent: string): SyncError {
  return new SyncError(`Cannot trust ${location}: it sent ${sent}`, {
    code: "LYING",
  });
}

/** A record whose bytes have another id. */
export function otherRecord(name: RecordName, location: string): SyncError {
  return new SyncError(
    `Cannot take record ${name.record} of ${location}: its bytes have another id`,
    { code: "MISMATCH", hint: HINT },
  );
}
