import { hexOf, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { contentsOf, IdSet, ReachWalk } from "@snap/snapshot/reach";
import type { NamedRecord } from "@snap/snapshot/records";
import { SyncError } from "../errors.ts";
import { idOfRow, ObjectRows } from "../object_rows.ts";
import { newMeter } from "../options.ts";
import { MemoryPacks } from "../packs/memory_packs.ts";
import type { LostObject, ObjectList, Target } from "../peer/peer.ts";
import { openStoreSession } from "../peer/store_session.ts";
import { openStoreSource } from "../peer/open_store_source.ts";
import type { StoreSource } from "../peer/store_source.ts";
import { type Section, SectionKind, sectionOf } from "../protocol/message.ts";
import {
  fieldsSection,
  idsSection,
  readFields,
  readIds,
} from "../protocol/sections.ts";
import { recordNames, type ServedRequest, type ServedStore } from "./served.ts";
import { cursorMarker, cursorSection, readCursor } from "./cursor.ts";

/** Plain bytes of an answer at most; more than they are they hardly become. */
const ANSWER_SIZE_MAX = 32 << 20;
/** Objects that are looked up together. */
const ROWS_MAX = 4096;
/** Records that one is compared with. */
const BASES_MAX = 8;

/** Answers what is below a record, or objects by their ids. */
export async function answerGet(
  served: ServedStore,
  request: ServedRequest,
): Promise<readonly Section[]> {
  const { message, signal } = request;
  const { store, hasher } = served;
  const meter = newMeter();
  const location = "the store of the server";
  const how = { store, hasher, meter, signal, location };
  const session = await openStoreSession(how);
  try {
    const source = await openStoreSource(how);
    try {
      const { settings } = session.info;
      const saveId = served.env.random(16);
      const random = (size: number) => served.env.random(size);
      const packs = new MemoryPacks({ saveId, random, settings, hasher });
      const sizeMax = Math.min(
        message.limit || ANSWER_SIZE_MAX,
        ANSWER_SIZE_MAX,
      );
      const collector = new Collector(source, packs, sizeMax, settings);
      const fields = readFields(sectionOf(message, SectionKind.fields));
      const want = fields.text("want");
      if (want === "objects") {
        const rows = readIds(sectionOf(message, SectionKind.ids));
        const done = await collector.takeRows(rows);
        return [fieldsSection({ done }), ...collector.sections()];
      }
      if (want !== "below") {
        throw new SyncError(
          `Cannot get ${want}: that is none of records, below, objects`,
          { code: "FORMAT" },
        );
      }
      const names = recordNames(readIds(sectionOf(message, SectionKind.ids)));
      const baseNames = recordNames(
        readIds(sectionOf(message, SectionKind.bases), 2 * BASES_MAX),
      );
      const records = await recordsOf(session, names);
      const bases = (await session.readRecords(baseNames))
        .filter((one) => one !== undefined).map(({ record }) => record);
      const contentMax = fields.count("contents");
      return await answerBelow(served, request, {
        ...{ records, bases, collector, source, contentMax },
      });
    } finally {
      await source[Symbol.asyncDispose]();
    }
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

async function recordsOf(
  session: Awaited<ReturnType<typeof openStoreSession>>,
  names: readonly { readonly tree: string; readonly record: string }[],
): Promise<NamedRecord[]> {
  const documents = await session.readRecords(names as never);
  return documents.map((one, i) => {
    if (one !== undefined) return one.record;
    throw new SyncError(`Cannot find record ${names[i].record}`, {
      code: "GONE",
    });
  });
}

async function answerBelow(
  served: ServedStore,
  { message, signal }: ServedRequest,
  work: {
    readonly records: readonly NamedRecord[];
    readonly bases: readonly NamedRecord[];
    readonly collector: Collector;
    readonly source: StoreSource;
    readonly contentMax: number;
  },
): Promise<readonly Section[]> {
  const marker = cursorMarker(served, message);
  const cursor = readCursor(sectionOf(message, SectionKind.cursor), marker);
  const { env, workMs } = served;
  const { records, bases, collector, source, contentMax } = work;
  const seen = new IdSet();
  const deadline = env.now() + workMs;
  let contentSize = 0;
  for (let number = cursor.record; number < records.length; number++) {
    const isFirst = number === cursor.record;
    const place = isFirst ? cursor.place : [];
    // What came with the records before is there.
    const before = records.slice(Math.max(0, number - BASES_MAX), number);
    const how = { bases: [...bases, ...before], seen, place, signal };
    const walk = new ReachWalk(source.reader, records[number], how);
    for (let one = await walk.next(); one; one = await walk.next()) {
      const { tree, attributes, content } = ObjectKind;
      collector.add(one.treeId, 0, tree, one.tree.bytes.length);
      collector.add(one.pageId, 0, attributes, one.page.bytes.length);
      for (const { ids, idStart, size } of contentsOf(one)) {
        if (contentSize + size > contentMax) continue;
        contentSize += size;
        if (seen.add(ids, idStart, 0, content)) {
          collector.add(ids, idStart, content, size);
        }
      }
      await collector.settle();
      if (!collector.isFull && env.now() < deadline) continue;
      const entryCount = cursor.entryCount + walk.entryCount;
      const next = { record: number, place: walk.place, entryCount };
      await collector.flush();
      return [
        fieldsSection({ isDone: false }),
        cursorSection(next, marker),
        ...collector.sections(),
      ];
    }
  }
  await collector.flush();
  return [fieldsSection({ isDone: true }), ...collector.sections()];
}

/** Gathers objects into packs, up to a size. */
class Collector {
  readonly #source: StoreSource;
  readonly #packs: MemoryPacks;
  readonly #sizeMax: number;
  readonly #target: Target;
  readonly #lost = new ObjectRows();
  #rows = new ObjectRows();
  #size = 0;

  constructor(
    source: StoreSource,
    packs: MemoryPacks,
    sizeMax: number,
    settings: Target["settings"],
  ) {
    this.#source = source;
    this.#packs = packs;
    this.#sizeMax = sizeMax;
    this.#target = packTarget(packs, settings);
  }

  get isFull(): boolean {
    return this.#size >= this.#sizeMax;
  }

  add(ids: Uint8Array, idStart: number, kind: number, size: number): void {
    this.#rows.add(ids, idStart, kind, size);
    this.#size += size;
  }

  async settle(): Promise<void> {
    if (this.#rows.count >= ROWS_MAX) await this.flush();
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = new ObjectRows();
    this.#tell(rows, await this.#source.move(rows, this.#target));
  }

  /** Takes rows whose sizes are not known, in their order; says how many. */
  async takeRows(
    rows: {
      readonly count: number;
      readonly ids: Uint8Array;
      readonly kinds: Uint8Array;
    },
  ): Promise<number> {
    const some = new ObjectRows();
    for (let row = 0; row < rows.count; row++) {
      const id = rows.ids.slice(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
      const kind = rows.kinds[row];
      const { index } = this.#source.reader;
      // Of large content the root of the recipe crosses.
      const place = await index.locate(id, kind) ??
        await index.locate(id, ObjectKind.recipe);
      const size = place?.size ?? 0;
      const isFull = some.count > 0 && some.byteCount + size > this.#sizeMax;
      if (isFull) break;
      some.add(id, 0, kind, size);
    }
    this.#tell(some, await this.#source.move(some, this.#target));
    return some.count;
  }

  sections(): Section[] {
    const packs = this.#packs.finish().map((bytes): Section => ({
      kind: SectionKind.pack,
      rows: 1,
      bytes,
    }));
    return this.#lost.count === 0
      ? packs
      : [...packs, idsSection(this.#lost, SectionKind.lost)];
  }

  #tell(rows: ObjectList, lost: readonly LostObject[]): void {
    const ids = new Set(lost.map(({ id }) => hexOf(id)));
    if (ids.size === 0) return;
    for (let row = 0; row < rows.count; row++) {
      const id = hexOf(idOfRow(rows, row));
      if (ids.delete(id)) this.#lost.addRow(rows, row);
    }
  }
}

/** Packs in memory as what a source moves into. */
function packTarget(
  packs: MemoryPacks,
  settings: Target["settings"],
): Target {
  const nothing = (): Promise<void> => Promise.resolve();
  const none = new ObjectRows();
  return {
    settings,
    takesRootsOnly: true,
    trustsRecord: () => false,
    missing: ({ count }) => Promise.resolve(new Uint8Array(count).fill(1)),
    attach: () => {},
    forgetPromises: () => {},
    takeFrame: (frame) => packs.takeFrame(frame),
    settled: nothing,
    addRoot: () => {},
    finish: nothing,
    commit: () => Promise.resolve({ count: 0, missing: none }),
    confirm: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}
