import { bytesOfHex } from "../records.ts";
import { equalBytes, type Id, ID_SIZE, idToBytes } from "@snap/hash";
import { ObjectKind, ObjectNotFoundError } from "@snap/pack";
import {
  contentsOf,
  IdSet,
  type ReachedDirectory,
  ReachWalk,
} from "@snap/snapshot/reach";
import {
  copyRecord,
  decodeRecord,
  listRecordNames,
  type NamedRecord,
  type RecordFile,
  withdrawRecord,
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
import type { HeldLease } from "./kept_sessions.ts";
import { recordNames, type ServedRequest, type ServedStore } from "./served.ts";
import {
  type Cursor,
  type CursorMarker,
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
  /** The save id under which it is written here, 32 hex digits. */
  readonly writer: string;
}

/** The store that records go to, and the lease of their session. */
interface CommitTarget extends HeldLease {
  readonly store: WriteStore;
}

/** Writes records in order, up to one of which something is not there: says what. */
export async function answerCommit(
  served: ServedStore,
  { message, signal }: ServedRequest,
  { store, lease, round }: CommitTarget,
): Promise<readonly Section[]> {
  const { hasher } = served;
  const marker = cursorMarker(served, message);
  const documents = readRecords(message.sections, served);
  const fields = readFields(sectionOf(message, SectionKind.fields));
  const isRecheck = fields.flag("recheck");
  const cursor = readCursor(sectionOf(message, SectionKind.cursor), marker);
  const writers = documents.map(({ writer }) => writer);
  await lease.name(writers);
  const names = await listRecordNames(store, { signal });
  const there = new Set(names.map(({ record }) => record));
  if (!isRecheck && documents.every(({ record }) => there.has(record.record))) {
    // They may have been written by a request that was not answered.
    await lease.confirm(writers);
    return [fieldsSection({ done: documents.length })];
  }
  const session = { ...served, session: message.session, signal, round };
  const state = await openSessionState(store, { ...session, isWriting: true });
  const trusts = state.isHealthy || isRecheck;
  const bases = state.isHealthy && !isRecheck
    ? await basesOf(served, message.sections, signal)
    : [];
  const source = await openStoreSource({
    ...{ store, hasher, signal, meter: newMeter() },
  });
  try {
    const stored = await openSessionLookup(store, state, hasher);
    try {
      const written: RecordFile[] = [];
      const sections = await writeRecords(new ReachCheck(source, stored), {
        ...{ served, store, documents, cursor, marker, there, bases, signal },
        ...{ isRecheck, trusts, written },
      });
      await confirmRecords(written, { store, lease, writers });
      return sections;
    } finally {
      await stored[Symbol.asyncDispose]();
    }
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/** What {@linkcode writeRecords} writes, and what it relies on. */
interface CommitWork {
  readonly served: ServedStore;
  readonly store: WriteStore;
  readonly documents: readonly SentRecord[];
  readonly cursor: Cursor;
  readonly marker: CursorMarker;
  /** Records that stand. */
  readonly there: ReadonlySet<Id>;
  readonly bases: readonly NamedRecord[];
  readonly isRecheck: boolean;
  /** Whether records that stood before prove what they reach. */
  readonly trusts: boolean;
  readonly signal: AbortSignal;
  /** Takes the files of those that are written. */
  readonly written: RecordFile[];
}

/** Writes records up to one of which something is not there, or that takes too long. */
async function writeRecords(
  check: ReachCheck,
  work: CommitWork,
): Promise<readonly Section[]> {
  const { served: { env, workMs }, store, documents, cursor, signal } = work;
  const { there, isRecheck } = work;
  const deadline = env.now() + workMs;
  let isSynced = false;
  for (let done = cursor.record; done < documents.length; done++) {
    const { record, bytes, writer } = documents[done];
    const isThere = there.has(record.record);
    if (isThere && !isRecheck) continue;
    // What stood there before proves nothing where packs are lost.
    const before = documents.slice(0, done).map(({ record }) => record)
      .filter(({ record }) => work.trusts || !there.has(record));
    const known = [...work.bases, ...before.slice(-BASES_MAX)];
    const start = done === cursor.record ? cursor : newCursor(done);
    const stop = await check.reach(record, known, start, {
      signal,
      isLate: () => env.now() >= deadline,
    });
    if (check.missing.count > 0) {
      return [fieldsSection({ done }), idsSection(check.missing)];
    }
    if (stop !== undefined) {
      return [fieldsSection({ done }), cursorSection(stop, work.marker)];
    }
    if (!isSynced) await store.sync(["packs/", "index/"], { signal });
    isSynced = true;
    if (isThere) continue;
    const saveId = bytesOfHex(writer);
    await copyRecord(store, record, bytes, { saveId, signal });
    work.written.push({ tree: record.tree, record: record.record, writer });
  }
  return [fieldsSection({ done: documents.length })];
}

/** Sees that no packs were removed without the session; else takes its records back. */
async function confirmRecords(
  written: readonly RecordFile[],
  { store, lease, writers }: Pick<CommitTarget, "store" | "lease"> & {
    readonly writers: readonly string[];
  },
): Promise<void> {
  try {
    await lease.confirm(writers);
  } catch (error) {
    if (error instanceof SyncError) {
      for (const file of written) await withdrawRecord(store, file);
    }
    throw error;
  }
}

/** Looks objects up, each once. */
class ReachCheck {
  readonly missing = new ObjectRows();
  readonly #source: StoreSource;
  readonly #stored: SessionLookup;
  /** All but those that were only passed. */
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
        await this.#directory(one);
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

  /** Looks up a directory: it may have been read out of a pack that is being removed. */
  async #directory(one: ReachedDirectory): Promise<void> {
    const { tree, attributes, content } = ObjectKind;
    await this.#object(one.treeId, tree, one.tree.bytes.length);
    await this.#object(one.pageId, attributes, one.page.bytes.length);
    for (const { ids, idStart, size } of contentsOf(one)) {
      const id = ids.slice(idStart, idStart + ID_SIZE);
      await this.#object(id, content, size);
    }
  }

  async #object(id: Uint8Array, kind: number, size: number): Promise<void> {
    if (!this.#seen.add(id, 0, 0, kind)) return;
    if (await this.#stored.holds(id, kind)) return;
    // A recipe alone proves nothing.
    for await (const lack of this.#stored.proof.lacks(id)) {
      const isAll = equalBytes(lack.id, 0, id, 0, ID_SIZE);
      if (isAll) this.missing.add(id, 0, kind, size);
      else if (this.#seen.add(lack.id, 0, 0, lack.kind)) {
        this.missing.add(lack.id, 0, lack.kind, 0);
      }
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
    return { record, bytes, writer };
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
