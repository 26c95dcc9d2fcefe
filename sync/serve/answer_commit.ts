import { bytesOfHex } from "../records.ts";
import { equalBytes, hexOf, ID_SIZE, idToBytes } from "@snap/hash";
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
import { cursorMarker, cursorSection, readCursor } from "./cursor.ts";
import { openSessionState, type SessionState } from "./session_state.ts";

/** Objects that are named as missing at once. */
const MISSING_MAX = 4096;
/** Records that one is compared with. */
const BASES_MAX = 8;

/** Writes a record if all that it reaches is there, else says what is not. */
export async function answerCommit(
  served: ServedStore,
  { message, signal }: ServedRequest,
  store: WriteStore,
): Promise<readonly Section[]> {
  const { hasher, env, workMs } = served;
  const marker = cursorMarker(served, message);
  const { record, bytes } = readRecord(
    message.sections,
    served,
    hexOf(
      readWriter(message.sections),
    ),
  );
  const names = await listRecordNames(store, { signal });
  const isThere = names.some((one) => one.record === record.record);
  const fields = readFields(sectionOf(message, SectionKind.fields));
  if (isThere && !fields.flag("recheck")) {
    return [fieldsSection({ isDone: true })];
  }
  const cursor = readCursor(sectionOf(message, SectionKind.cursor), marker);
  const session = {
    ...{ ...served, session: message.session, signal, isWriting: true },
  };
  const state = await openSessionState(store, session);
  const bases = state.isHealthy && !fields.flag("recheck")
    ? await basesOf(served, message.sections, signal)
    : [];
  const source = await openStoreSource({
    ...{ store, hasher, signal, meter: newMeter() },
  });
  try {
    const check = new ReachCheck(source, state);
    const how = { bases, place: cursor.place, signal };
    const walk = new ReachWalk(source.reader, record, how);
    const deadline = env.now() + workMs;
    try {
      for (let one = await walk.next(); one; one = await walk.next()) {
        const entryCount = cursor.entryCount + walk.entryCount;
        if (entryCount > record.totals.entryCount) {
          throw new SyncError(
            `Cannot take record ${record.record} as it says that it has ${record.totals.entryCount} entries: found more`,
            { code: "LYING" },
          );
        }
        for (const content of contentsOf(one)) await check.content(content);
        if (check.missing.count >= MISSING_MAX) break;
        if (env.now() < deadline || check.missing.count > 0) continue;
        const next = { record: 0, place: walk.place, entryCount };
        return [fieldsSection({ isDone: false }), cursorSection(next, marker)];
      }
    } catch (error) {
      // A directory that is not there names itself; what is below it is met later.
      if (!(error instanceof ObjectNotFoundError)) throw error;
      check.missing.add(idToBytes(error.id), 0, error.kind, 0);
    }
    if (check.missing.count > 0) {
      return [fieldsSection({ isDone: false }), idsSection(check.missing)];
    }
    await store.sync(["packs/", "index/"], { signal });
    const saveId = readWriter(message.sections);
    if (!isThere) await copyRecord(store, record, bytes, { saveId, signal });
    return [fieldsSection({ isDone: true })];
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/** Looks objects up, each once. */
class ReachCheck {
  readonly missing = new ObjectRows();
  readonly #source: StoreSource;
  readonly #state: SessionState;
  readonly #seen = new IdSet();

  constructor(source: StoreSource, state: SessionState) {
    this.#source = source;
    this.#state = state;
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
    if (await this.#state.holds(id, content)) return;
    if (!await this.#state.holds(id, recipe)) {
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
      if (!await this.#state.holds(below, objectKind)) {
        this.missing.add(below, 0, objectKind, 0);
      } else if (isNode) await this.#node(below);
    }
  }
}

function readRecord(
  sections: readonly Section[],
  { hasher }: ServedStore,
  writer: string,
): { readonly record: NamedRecord; readonly bytes: Uint8Array } {
  const section = sections.find(({ kind }) => kind === SectionKind.documents);
  const [bytes] = readDocuments(section);
  const names = recordNames(
    readIds(sections.find(({ kind }) => kind === SectionKind.ids)),
  );
  if (bytes === undefined || names.length !== 1) {
    throw new SyncError("Cannot commit without a record", { code: "FORMAT" });
  }
  const [name] = names;
  const id = new Uint8Array(ID_SIZE);
  hasher.hashInto(bytes, id);
  if (!equalBytes(id, 0, idToBytes(name.record), 0, ID_SIZE)) {
    throw new SyncError(
      `Cannot take record ${name.record} as its bytes must have that id: found another`,
      { code: "MISMATCH" },
    );
  }
  return { record: decodeRecord({ ...name, writer }, bytes), bytes };
}

/** The save id under which the record is written here. */
function readWriter(sections: readonly Section[]): Uint8Array {
  const fields = readFields(
    sections.find(({ kind }) => kind === SectionKind.fields),
  );
  const writer = fields.text("writer", 32);
  if (!/^[0-9a-f]{32}$/.test(writer)) {
    throw new SyncError("Cannot commit without the id of a writer", {
      code: "FORMAT",
    });
  }
  return bytesOfHex(writer);
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
