import type { Hasher } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { RecordName } from "@snap/snapshot/records";
import type { PruneStore, ReadStore } from "@snap/store";
import type { Right } from "@snap/store/serve";
import { SyncError } from "../errors.ts";
import type { Env, ProofCache } from "../options.ts";
import type { Message } from "../protocol/message.ts";
import { type IdRows, RECORD_KIND } from "../protocol/sections.ts";
import { idAt } from "../records.ts";
import type { KeptSessions } from "./kept_sessions.ts";

/** Parts that a server answers with. */
export interface ServedStore {
  readonly store: ReadStore & Partial<PruneStore>;
  readonly hasher: Hasher;
  readonly env: Env;
  readonly macKey: Uint8Array;
  readonly workMs: number;
  readonly sessions: KeptSessions;
  /** What was proved for any session. */
  readonly proofs: ProofCache;
}

/** A request, and what it may do. */
export interface ServedRequest {
  readonly message: Message;
  readonly right: Right;
  readonly signal: AbortSignal;
}

/** Names of records: each id of a record is followed by that of its tree. */
export function recordNames(rows: IdRows): RecordName[] {
  const names: RecordName[] = [];
  for (let row = 0; row < rows.count; row += 2) {
    const isPair = rows.kinds[row] === RECORD_KIND &&
      rows.kinds[row + 1] === ObjectKind.tree;
    if (!isPair) {
      throw new SyncError(
        "Cannot read a message: a record comes without its tree",
        { code: "FORMAT" },
      );
    }
    names.push({ record: idAt(rows.ids, row), tree: idAt(rows.ids, row + 1) });
  }
  return names;
}
