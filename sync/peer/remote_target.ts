import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { ObjectKind, type PackRole } from "@snap/pack";
import type { CheckedFrame } from "@snap/pack/sink";
import { IdSet } from "@snap/snapshot/reach";
import type { NamedRecord } from "@snap/snapshot/records";
import { saveIdOf, StoreError } from "@snap/store";
import type { StoreSettings } from "@snap/store/format";
import { SyncError } from "../errors.ts";
import { singleFrame } from "../move/single_frame.ts";
import { ObjectRows } from "../object_rows.ts";
import { systemEnv } from "../options.ts";
import { MemoryPacks } from "../packs/memory_packs.ts";
import { openPack } from "../packs/open_pack.ts";
import {
  type Section,
  SectionKind,
  sectionOf,
  Verb,
} from "../protocol/message.ts";
import {
  documentsSection,
  fieldsSection,
  idsSection,
  type ProofRow,
  proofsSection,
  readFields,
  readIds,
  readProofs,
} from "../protocol/sections.ts";
import { lyingServer } from "./lost_object.ts";
import { nameRows } from "./name_rows.ts";
import type {
  Committed,
  LargeObject,
  ObjectList,
  PeerInfo,
  RecordDocument,
  SessionOptions,
  Target,
} from "./peer.ts";
import { isSessionOver, type RemoteConnection } from "./remote_connection.ts";

/** Bytes of a pack that is sent: above a quarter of the target, as smaller ones count as small. */
const PUT_SIZE = 17 << 20;
/** Plain bytes of large objects that are proved together, if there are several. */
const SEAL_SIZE = 2 ** 40;
/** Bytes of roots that are proved together. */
const ROOTS_SIZE = 8 << 20;
/** Packs on their way at once. */
const PUTS_MAX = 2;
/** Bytes of records that are written together, if there are several. */
const DOCUMENTS_SIZE = 512 << 10;
/** Objects that are asked about at once: less than the smallest body that proxies let pass. */
const ROWS_MAX = 24_576;

/** Parts of a {@linkcode RemoteTarget}. */
export interface RemoteTargetOptions extends SessionOptions {
  readonly connection: RemoteConnection;
  readonly hasher: Hasher;
  readonly info: PeerInfo;
}

/** Objects and records into the store of a server. */
export class RemoteTarget implements Target {
  readonly settings: StoreSettings;
  readonly #options: RemoteTargetOptions;
  readonly #puts = new Set<Promise<void>>();
  #promised = new IdSet();
  #packs: MemoryPacks;
  #putSize = PUT_SIZE;
  #roots: LargeObject[] = [];
  /** The session in which the parts of the roots went. */
  #session: Uint8Array;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: RemoteTargetOptions) {
    this.#options = options;
    this.settings = options.info.settings;
    this.#session = options.connection.session;
    this.#packs = this.#newPacks();
  }

  trustsRecord(): boolean {
    // What the server does not trust is missing when the record is to be written.
    return this.#options.recheck !== true;
  }

  async missing(objects: ObjectList): Promise<Uint8Array> {
    const { connection } = this.#options;
    const bits = new Uint8Array(objects.count);
    let rows = new ObjectRows();
    let numbers: number[] = [];
    const ask = async (): Promise<void> => {
      if (rows.count === 0) return;
      const asked = rows;
      const answer = await connection.askInSession(Verb.missing, () => [
        idsSection(asked),
      ]);
      const section = sectionOf(answer, SectionKind.bits);
      const size = Math.ceil(rows.count / 8);
      if (section?.rows !== rows.count || section.bytes.length !== size) {
        throw this.#lying(
          `an answer that is not one for ${rows.count} objects`,
        );
      }
      numbers.forEach((row, i) => {
        bits[row] = section.bytes[i >> 3] >> (i & 7) & 1;
      });
      rows = new ObjectRows();
      numbers = [];
    };
    for (let row = 0; row < objects.count; row++) {
      const kind = objects.kinds[row];
      if (!this.#promised.add(objects.ids, ID_SIZE * row, 0, kind)) continue;
      rows.addRow(objects, row);
      numbers.push(row);
      if (rows.count === ROWS_MAX) await ask();
    }
    await ask();
    return bits;
  }

  attach(): void {}

  forgetPromises(): void {
    this.#promised = new IdSet();
  }

  takeFrame(frame: CheckedFrame): void {
    this.#packs.takeFrame(frame);
    this.#options.meter.objectsOut += frame.rows.count;
    const { role } = frame;
    if (this.#packs.isFull(role, this.#putSize)) this.#send(role);
  }

  async settled(): Promise<void> {
    while (this.#puts.size >= PUTS_MAX) await Promise.race(this.#puts);
    this.#throwFailure();
  }

  addRoot(large: LargeObject): void {
    this.#roots.push(large);
  }

  async finish(): Promise<void> {
    this.#send();
    while (this.#puts.size > 0) await Promise.race(this.#puts);
    this.#throwFailure();
    this.#options.meter.phase = "prove";
    const roots = this.#roots.splice(0);
    const { connection } = this.#options;
    try {
      for (let first = 0; first < roots.length;) {
        // A new session may lack their parts: the commit says so, and all of it comes again.
        if (connection.session !== this.#session) break;
        let end = first, size = 0, rootsSize = 0;
        while (
          end < roots.length && size < SEAL_SIZE && rootsSize < ROOTS_SIZE
        ) {
          size += roots[end].size;
          rootsSize += roots[end++].root.length;
        }
        await this.#seal(roots.slice(first, end));
        first = end;
      }
    } catch (error) {
      if (!isSessionOver(error)) throw error;
      await connection.renew(this.#session, error);
    }
    this.#session = connection.session;
  }

  async commit(
    documents: readonly RecordDocument[],
    bases: readonly NamedRecord[],
  ): Promise<Committed> {
    let count = 0;
    while (count < documents.length) {
      const some = firstDocuments(documents.slice(count));
      const one = await this.#commitSome(some, bases);
      count += one.count;
      if (one.count < some.length) return { ...one, count };
    }
    return { count, missing: new ObjectRows() };
  }

  async #commitSome(
    documents: readonly RecordDocument[],
    bases: readonly NamedRecord[],
  ): Promise<Committed> {
    const { connection, recheck } = this.#options;
    const records = documents.map(({ record }) => record);
    let writers: readonly string[] = [];
    let cursor: readonly Section[] = [];
    let begun: Uint8Array | undefined;
    let roundsLeft = records.reduce(
      (sum, { totals }) => sum + totals.entryCount + 1,
      1,
    );
    while (roundsLeft-- > 0) {
      const answer = await connection.askInSession(Verb.commit, (session) => {
        if (session !== begun) {
          // What another session has looked at may be gone, its save ids be void.
          cursor = [];
          writers = records.map(() => connection.newSaveId());
        }
        begun = session;
        return [
          fieldsSection({ writers, recheck: recheck === true }),
          idsSection(nameRows(records)),
          documentsSection(documents.map(({ bytes }) => bytes)),
          idsSection(nameRows(bases), SectionKind.bases),
          ...cursor,
        ];
      });
      const fields = readFields(sectionOf(answer, SectionKind.fields));
      const count = fields.count("done", records.length);
      if (count === records.length) {
        return { count, missing: new ObjectRows() };
      }
      const next = sectionOf(answer, SectionKind.cursor);
      if (next !== undefined) {
        cursor = [next];
        continue;
      }
      const { count: lack, ids, kinds } = readIds(
        sectionOf(answer, SectionKind.ids),
      );
      if (lack === 0) throw this.#lying("an answer that leads nowhere");
      const sizes = new Float64Array(lack);
      return { count, missing: { count: lack, ids, kinds, sizes } };
    }
    throw this.#lying(
      `a walk without an end through record ${records[0].record}`,
    );
  }

  async confirm(): Promise<void> {
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#puts);
  }

  #newPacks(): MemoryPacks {
    const { connection, hasher, env = systemEnv } = this.#options;
    return new MemoryPacks({
      saveId: connection.session,
      random: (size) => env.random(size),
      settings: this.settings,
      hasher,
    });
  }

  /** Sends what was taken so far, of one role or all of it. */
  #send(role?: PackRole): void {
    const packs = this.#packs.finish(role);
    if (packs.length === 0) return;
    const put = this.#put(packs).catch((error) => {
      this.#failure ??= { error };
    }).finally(() => this.#puts.delete(put));
    this.#puts.add(put);
  }

  async #put(packs: readonly Uint8Array[]): Promise<void> {
    const { connection, meter } = this.#options;
    const kind = SectionKind.pack;
    try {
      await connection.askInSession(
        Verb.put,
        (session) =>
          packs.flatMap((bytes) => this.#packsIn(session, bytes))
            .map((bytes): Section => ({ kind, rows: 1, bytes, hasRoom: true })),
      );
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      return await this.#putInParts(packs, error);
    }
    meter.bytesOut += packs.reduce((sum, { length }) => sum + length, 0);
  }

  /** A pack as one of a session: the one in which it was begun may be over. */
  #packsIn(session: Uint8Array, bytes: Uint8Array): readonly Uint8Array[] {
    const saveId = saveIdOf(bytes)!;
    if (equalBytes(saveId, 0, session, 0, saveId.length)) return [bytes];
    const packs = this.#newPacks();
    const { hasher } = this.#options;
    for (const frame of openPack(bytes, { hasher })) packs.takeFrame(frame);
    return packs.finish();
  }

  /** Sends again, in smaller packs, what is too much for somebody on the way. */
  async #putInParts(
    packs: readonly Uint8Array[],
    cause: unknown,
  ): Promise<void> {
    const size = packs.reduce((sum, { length }) => sum + length, 0);
    const { hasher } = this.#options;
    this.#putSize = Math.min(this.#putSize, Math.ceil(size / 2));
    let part = this.#newPacks();
    let frames = 0, parts = 0;
    const send = async (): Promise<void> => {
      const some = part.finish();
      if (some.length === 0) return;
      parts++;
      // One frame alone cannot be made smaller.
      if (frames === 1 && parts === 1 && some[0].length >= size) throw cause;
      await this.#put(some);
      part = this.#newPacks();
      frames = 0;
    };
    for (const bytes of packs) {
      for (const frame of openPack(bytes, { hasher })) {
        // Two frames never go together again if they are all there is.
        const isFull = part.size + frame.stored.length > size / 2;
        if (frames > 0 && isFull) await send();
        part.takeFrame(frame);
        frames++;
      }
    }
    await send();
  }

  async #seal(roots: readonly LargeObject[]): Promise<void> {
    const { connection } = this.#options;
    const pack = this.#newPacks();
    for (const { id, root } of roots) {
      pack.takeFrame(singleFrame(root, id, ObjectKind.recipe));
    }
    const [bytes] = pack.finish();
    const proofs: ProofRow[] = [];
    for (;;) {
      const answer = await connection.ask(Verb.seal, [
        { kind: SectionKind.pack, rows: 1, bytes },
        proofsSection(proofs),
      ]);
      const fields = readFields(sectionOf(answer, SectionKind.fields));
      if (fields.flag("isSealed")) return;
      const fresh = readProofs(sectionOf(answer, SectionKind.proofs));
      if (fresh.length === 0) {
        throw this.#lying("no proof of content that it has not proved");
      }
      proofs.push(...fresh);
    }
  }

  #throwFailure(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #lying(sent: string): SyncError {
    return lyingServer(this.#options.info.location, sent);
  }
}

/** As many documents as a message takes well, at least one. */
function firstDocuments(
  documents: readonly RecordDocument[],
): readonly RecordDocument[] {
  let size = 0;
  const end = documents.findIndex(({ bytes }, i) =>
    (size += bytes.length) > DOCUMENTS_SIZE && i > 0
  );
  return end < 0 ? documents : documents.slice(0, end);
}

function isTooLarge(error: unknown): boolean {
  if (error instanceof SyncError) return error.code === "LARGE";
  return error instanceof StoreError && error.code === "TOOLARGE";
}
