import { bytesOfHex } from "../records.ts";
import { equalBytes, ID_SIZE, idToBytes } from "@snap/hash";
import { ObjectKind, ObjectNotFoundError } from "@snap/pack";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import { contentsOf, IdSet, ReachWalk } from "@snap/snapshot/reach";
import {
  copyRecord,
  decodeRecord,
  listRecordNames,
  type NamedRecord,
} from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { SyncError } from "../errors.ts";
import { ObjectRows } from "../object_rows.ts";
import { newMeter } from "../options.ts";
import { openStoreSession } from "../peer/store_session.ts";
import { openStoreSource } from "../peer/open_store_source.ts";
import type { StoreSource } from "../peer/store_source.ts";
import { type Section, SectionKind, sectionOf } from "../protocol/message.ts";
import {
  fieldsSection,
  idsSection,
  readDocuments,
  readFields,
  readIds,
} from "../protocol/sections.ts";
import { recordNames, type ServedRequest, type ServedStore } from "./served.ts";
import {
  type Cursor,
  cursorMarker,
  cursorSection,
  newCursor,
  readCursor,
} from "./cursor.ts";
import {
  openSessionLookup,
  openSessionState,
  type SessionLookup,
} from "./session_state.ts";

/** Objects that are named as missing at once. */
const MISSING_MAX = 4096;
/** Records that one is compared with. */
const BASES_MAX = 8;
/** Records of one request at most. */
const RECORDS_MAX = 64;

/** A record that was sent to be written. */
interface SentRecord {
  readonly record: NamedRecord;
  readonly bytes: Uint8Array;
  /** The id of its writer. */
  readonly saveId: Uint8Array;
}

/** Writes records in order, up to one of which something is not there: says what. */
export async function answerCommit(
  served: ServedStore,
  { message, signal }: ServedRequest,
  store: WriteStore,
): Promise<readonly Section[]> {
  const { hasher } = served;
  const marker = cursorMarker(served, message);
  const documents = readRecords(message.sections, served);
  const fields = readFields(sectionOf(message, SectionKind.fields));
  const isRecheck = fields.flag("recheck");
  const cursor = readCursor(sectionOf(message, SectionKind.cursor), marker);
  const names = await listRecordNames(store, { signal });
  const there = new Set(names.map(({ record }) => record));
  if (!isRecheck && documents.every(({ record }) => there.has(record.record))) {
    return [fieldsSection({ done: documents.length })];
  }
  const session = { ...served, session: message.session, signal };
  const state = await openSessionState(store, { ...session, isWriting: true });
  const trusts = state.isHealthy || isRecheck;
  const bases = state.isHealthy && !isRecheck
    ? await basesOf(served, message.sections, signal)
    : [];
  const source = await openStoreSource({
    ...{ store, hasher, signal, meter: newMeter() },
  });
  try {
    const stored = await openSessionLookup(store, state);
    try {
      const check = new ReachCheck(source, stored);
      const deadline = served.env.now() + served.workMs;
      let isSynced = false;
      for (let done = cursor.record; done < documents.length; done++) {
        const { record, bytes, saveId } = documents[done];
        const isThere = there.has(record.record);
        if (isThere && !isRecheck) continue;
        // What stood there before proves nothing where packs are lost.
        const before = documents.slice(0, done).map(({ record }) => record)
          .filter(({ record }) => trusts || !there.has(record));
        const known = [...bases, ...before.slice(-BASES_MAX)];
        const start = done === cursor.record ? cursor : newCursor(done);
        const stop = await check.reach(record, known, start, {
          signal,
          isLate: () => served.env.now() >= deadline,
        });
        if (check.missing.count > 0) {
          return [fieldsSection({ done }), idsSection(check.missing)];
        }
        if (stop !== undefined) {
          return [fieldsSection({ done }), cursorSection(stop, marker)];
        }
        if (!isSynced) await store.sync(["packs/", "index/"], { signal });
        isSynced = true;
        if (!isThere) {
          await copyRecord(store, record, bytes, { saveId, signal });
        }
      }
      return [fieldsSection({ done: documents.length })];
    } finally {
      await stored[Symbol.asyncDispose]();
    }
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/** Looks objects up, each once. */
class ReachCheck {
  readonly missing = new ObjectRows();
  readonly #source: StoreSource;
  readonly #stored: SessionLookup;
  /** Contents and nodes. */
  readonly #seen = new IdSet();
  /** Directories. */
  readonly #passed = new IdSet();

  constructor(source: StoreSource, stored: SessionLookup) {
    this.#source = source;
    this.#stored = stored;
  }

  /** Goes through what a record reaches; returns where to go on if it gets late. */
  async reach(
    record: NamedRecord,
    bases: readonly NamedRecord[],
    from: Cursor,
    { signal, isLate }: {
      readonly signal: AbortSignal;
      readonly isLate: () => boolean;
    },
  ): Promise<Cursor | undefined> {
    const how = { bases, seen: this.#passed, place: from.place, signal };
    const walk = new ReachWalk(this.#source.reader, record, how);
    try {
      for (let one = await walk.next(); one; one = await walk.next()) {
        const entryCount = from.entryCount + walk.entryCount;
        if (entryCount > record.totals.entryCount) {
          throw new SyncError(
            `Cannot take record ${record.record}: it has more than the ${record.totals.entryCount} entries that it says`,
            { code: "LYING" },
          );
        }
        for (const content of contentsOf(one)) await this.content(content);
        if (this.missing.count >= MISSING_MAX) break;
        if (this.missing.count > 0 || !isLate()) continue;
        return { ...from, place: walk.place, entryCount };
      }
    } catch (error) {
      // A directory that is not there names itself; what is below it is met later.
      if (!(error instanceof ObjectNotFoundError)) throw error;
      this.missing.add(idToBytes(error.id), 0, error.kind, 0);
    }
    return undefined;
  }

  async content(
    { ids, idStart, size }: {
      readonly ids: Uint8Array;
      readonly idStart: number;
      readonly size: number;
    },
  ): Promise<void> {
    const { content, recipe } = ObjectKind;
    if (!this.#seen.add(ids, idStart, 0, content)) return;
    const id = ids.slice(idStart, idStart + ID_SIZE);
    if (await this.#stored.holds(id, content)) return;
    if (!await this.#stored.holds(id, recipe)) {
      this.missing.add(id, 0, content, size);
    } else await this.#node(id);
  }

  /** Looks up what a node of a recipe names: a recipe alone proves nothing. */
  async #node(id: Uint8Array): Promise<void> {
    const bytes = await this.#source.reader.readNode(id);
    const node = RecipeNode.decode(bytes, this.#source.reader.hasher);
    for (let row = 0; row < node.count; row++) {
      const kind = node.rowKind(row);
      if (kind === RecipeRowKind.zeros) continue;
      const start = node.idStart(row);
      const below = node.bytes.slice(start, start + ID_SIZE);
      const isNode = kind === RecipeRowKind.node;
      const objectKind = isNode ? ObjectKind.recipe : ObjectKind.content;
      if (!this.#seen.add(below, 0, 0, objectKind)) continue;
      if (!await this.#stored.holds(below, objectKind)) {
        this.missing.add(below, 0, objectKind, 0);
      } else if (isNode) await this.#node(below);
    }
  }
}

function readRecords(
  sections: readonly Section[],
  { hasher }: ServedStore,
): SentRecord[] {
  const find = (wanted: number): Section | undefined =>
    sections.find(({ kind }) => kind === wanted);
  const documents = readDocuments(find(SectionKind.documents));
  const names = recordNames(readIds(find(SectionKind.ids), 2 * RECORDS_MAX));
  const writers = Object.values(
    readFields(find(SectionKind.fields)).object("writers"),
  );
  const { length } = documents;
  if (length === 0 || names.length !== length || writers.length !== length) {
    throw new SyncError(
      "Cannot commit without a record, and the id of a writer for each",
      { code: "FORMAT" },
    );
  }
  return documents.map((bytes, i) => {
    const name = names[i], writer = writers[i];
    const id = new Uint8Array(ID_SIZE);
    hasher.hashInto(bytes, id);
    if (!equalBytes(id, 0, idToBytes(name.record), 0, ID_SIZE)) {
      throw new SyncError(
        `Cannot take record ${name.record}: its bytes have another id`,
        { code: "MISMATCH" },
      );
    }
    if (typeof writer !== "string" || !/^[0-9a-f]{32}$/.test(writer)) {
      throw new SyncError("Cannot commit without the id of a writer", {
        code: "FORMAT",
      });
    }
    const record = decodeRecord({ ...name, writer }, bytes);
    return { record, bytes, saveId: bytesOfHex(writer) };
  });
}

async function basesOf(
  served: ServedStore,
  sections: readonly Section[],
  signal: AbortSignal,
): Promise<NamedRecord[]> {
  const section = sections.find(({ kind }) => kind === SectionKind.bases);
  const names = recordNames(readIds(section, 2 * BASES_MAX));
  const session = await openStoreSession({
    ...served,
    ...{ signal, meter: newMeter(), location: "the store of the server" },
  });
  try {
    return (await session.readRecords(names)).filter((one) => one !== undefined)
      .map(({ record }) => record);
  } finally {
    await session[Symbol.asyncDispose]();
  }
}
