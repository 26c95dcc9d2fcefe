import { type Hasher, hexOf, ID_SIZE } from "@snap/hash";
import { ObjectKind, ObjectNotFoundError } from "@snap/pack";
import { RecipeNode } from "@snap/pack/recipe";
import type { CheckedFrame } from "@snap/pack/sink";
import { nativeDecoders } from "@snap/posix/decoders";
import {
  contentsOf,
  type IdSet,
  type ObjectReads,
  ReachWalk,
  type ReachWalkOptions,
} from "@snap/snapshot/reach";
import type { NamedRecord } from "@snap/snapshot/records";
import { eachOf } from "@snap/store/wrap";
import type { SyncError } from "../errors.ts";
import { rowsWithout } from "../move/frame_rows.ts";
import { idOfRow, marked, ObjectRows } from "../object_rows.ts";
import { BelowAnswers } from "./below_answers.ts";
import { isRecipeRoot, openPack } from "../packs/open_pack.ts";
import {
  type Message,
  SectionKind,
  sectionOf,
  Verb,
} from "../protocol/message.ts";
import {
  fieldsSection,
  idsSection,
  readFields,
  readIds,
} from "../protocol/sections.ts";
import { KeptFrames } from "./kept_frames.ts";
import { addChunks } from "./large_objects.ts";
import { goneObject, lyingServer } from "./lost_object.ts";
import type {
  LargeObject,
  LostObject,
  ObjectList,
  PeerInfo,
  SessionOptions,
  Source,
  Target,
  WalkedDirectory,
} from "./peer.ts";
import { readLarge } from "./read_large.ts";
import type { RemoteConnection } from "./remote_connection.ts";

/** Bytes of an answer. */
const ANSWER_SIZE = 16 << 20;
/** Stored bytes that are kept for the target. */
const KEPT_SIZE_MAX = 64 << 20;
/** Objects of one request. */
const ROWS_MAX = 16_384;
/** Requests for objects that are under way at once. */
const REQUESTS_MAX = 4;

/** Parts of a {@linkcode RemoteSource}. */
export interface RemoteSourceOptions extends SessionOptions {
  readonly connection: RemoteConnection;
  readonly hasher: Hasher;
  readonly info: PeerInfo;
}

/** Objects of a server. */
export class RemoteSource implements Source, ObjectReads {
  readonly #options: RemoteSourceOptions;
  readonly #kept = new KeptFrames();
  #below: BelowAnswers | undefined;
  /** The answer that is waited for. */
  #taking: Promise<void> | undefined;

  constructor(options: RemoteSourceOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#kept.size >= KEPT_SIZE_MAX / 2;
  }

  async *walk(
    records: readonly NamedRecord[],
    bases: readonly NamedRecord[],
    { seen, baseReader }: {
      readonly seen?: IdSet;
      readonly baseReader?: ObjectReads | undefined;
    } = {},
  ): AsyncGenerator<WalkedDirectory> {
    // What a server has left out must be readable here to be passed over.
    const known = baseReader === undefined ? [] : bases;
    const { signal, connection } = this.#options;
    const below = new BelowAnswers(connection, records, known);
    this.#below = below;
    const how = {
      ...(signal === undefined ? {} : { signal }),
      bases: known,
      ...(seen === undefined ? {} : { seen }),
      ...(baseReader === undefined ? {} : { baseReader }),
    };
    try {
      for (const record of records) yield* this.#walkOne(record, how);
    } finally {
      this.#below = undefined;
      await below[Symbol.asyncDispose]();
    }
  }

  async *#walkOne(
    record: NamedRecord,
    how: ReachWalkOptions,
  ): AsyncGenerator<WalkedDirectory> {
    const walk = new ReachWalk(this, record, how);
    for (let one = await walk.next(); one; one = await walk.next()) {
      if (walk.entryCount > record.totals.entryCount) {
        throw this.#lying(
          `more entries of record ${record.record} than that says`,
        );
      }
      const contents = new ObjectRows();
      for (const { ids, idStart, size } of contentsOf(one)) {
        contents.add(ids, idStart, ObjectKind.content, size);
      }
      yield { ...one, contents };
    }
  }

  async readObject(id: Uint8Array, kind: number): Promise<Uint8Array> {
    const { recipe } = ObjectKind;
    let isRecipe = false;
    const take = (): Uint8Array | undefined => {
      const own = this.#kept.take(id, kind);
      if (own !== undefined || kind === recipe) return own;
      const root = this.#kept.take(id, recipe);
      isRecipe = root !== undefined;
      return root;
    };
    let bytes = take();
    while (bytes === undefined && this.#below !== undefined) {
      // A tree and its page are asked for at once, and come in one answer.
      this.#taking ??= this.#takeBelow(this.#below)
        .finally(() => this.#taking = undefined);
      await this.#taking;
      bytes = take();
    }
    if (bytes === undefined) {
      const rows = new ObjectRows();
      rows.add(id, 0, kind, 0);
      await this.#fetch(rows, (frame) => this.#kept.keep(frame));
      bytes = take();
    }
    if (bytes === undefined) throw new ObjectNotFoundError(id, kind);
    return isRecipe ? await this.#readLarge(bytes, kind) : bytes;
  }

  async move(objects: ObjectList, target: Target): Promise<LostObject[]> {
    const lost: LostObject[] = [];
    const roots: LargeObject[] = [];
    const take = (frame: CheckedFrame): void => {
      this.#hand(frame, target, roots);
    };
    const rest = this.#kept.give(objects, take);
    await target.settled();
    await this.#fetchAll(rest, take, lost, target);
    lost.push(...await this.#moveRoots(roots, target));
    if (this.#kept.size >= KEPT_SIZE_MAX) this.#kept.clear();
    return lost;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kept.clear();
    await Promise.resolve();
  }

  /** Keeps what the next answer has. */
  async #takeBelow(below: BelowAnswers): Promise<void> {
    const answer = await below.next();
    let count = 0;
    for (const frame of this.#framesOf(answer)) {
      this.#kept.keep(frame);
      count += frame.rows.count;
    }
    below.objectsLeft -= count;
    if (below.objectsLeft < 0) {
      throw this.#lying("more objects than the records can have");
    }
    if (below.isDone) this.#below = undefined;
    else if (count === 0) throw this.#lying("an answer that leads nowhere");
  }

  *#framesOf(answer: Message): Generator<CheckedFrame, void> {
    const { hasher, meter } = this.#options;
    for (const { kind, bytes } of answer.sections) {
      if (kind !== SectionKind.pack) continue;
      meter.bytesIn += bytes.length;
      for (
        const frame of openPack(bytes, { hasher, decoders: nativeDecoders })
      ) {
        meter.objectsIn += frame.rows.count;
        yield frame;
      }
    }
  }

  /** Gives a frame to the target, but for roots: they wait for what they name. */
  #hand(frame: CheckedFrame, target: Target, roots: LargeObject[]): void {
    const { rows, plain } = frame;
    const held: number[] = [];
    for (let row = 0; row < rows.count; row++) {
      const start = rows.offsets[row];
      const bytes = plain.subarray(start, start + rows.sizes[row]);
      if (!isRecipeRoot(bytes, rows.kinds[row])) continue;
      const node = RecipeNode.decode(bytes.slice(), this.#options.hasher);
      const { id, objectKind: kind, plainSize: size, bytes: root } = node;
      roots.push({ id: id.slice(), kind, size, root, isProven: false });
      held.push(row);
    }
    if (held.length === rows.count) return;
    const free = held.length === 0 ? rows : rowsWithout(rows, held);
    target.takeFrame({ ...frame, rows: free });
  }

  /** Moves what roots name, all of it together, then the roots. */
  async #moveRoots(
    roots: readonly LargeObject[],
    target: Target,
  ): Promise<LostObject[]> {
    const lost: LostObject[] = [];
    const rows = new ObjectRows();
    const nodes = roots.map(({ root }) =>
      RecipeNode.decode(root, this.#options.hasher)
    );
    for (const node of nodes) {
      if (node.level === 0) addChunks(rows, node);
      else lost.push(...await this.#moveBelow(node, target));
    }
    await this.#moveChunks(rows, target, lost);
    const gone = new Set(lost.map(({ id }) => hexOf(id)));
    roots.forEach((root, i) => {
      // Of what lies deeper it is not known whose it is.
      const isGone = gone.size > 0 &&
        (nodes[i].level > 0 || namesAny(nodes[i], gone));
      if (!isGone) target.addRoot(root);
    });
    return lost;
  }

  /** Moves those chunks that the target lacks. */
  async #moveChunks(
    rows: ObjectRows,
    target: Target,
    lost: LostObject[],
  ): Promise<void> {
    const lack = marked(rows, await target.missing(rows));
    const take = (frame: CheckedFrame): void => void target.takeFrame(frame);
    await this.#fetchAll(lack, take, lost, target);
  }

  async #moveBelow(node: RecipeNode, target: Target): Promise<LostObject[]> {
    const rows = new ObjectRows();
    if (node.level > 0) {
      for (let row = 0; row < node.count; row++) {
        rows.add(node.bytes, node.idStart(row), ObjectKind.recipe, 0);
      }
      return await this.#moveNodes(rows, target);
    }
    const lost: LostObject[] = [];
    addChunks(rows, node);
    await this.#moveChunks(rows, target, lost);
    return lost;
  }

  /** Moves nodes, each after what is below it. */
  async #moveNodes(rows: ObjectRows, target: Target): Promise<LostObject[]> {
    const lost: LostObject[] = [];
    for (let row = 0; row < rows.count; row++) {
      const id = idOfRow(rows, row);
      const bytes = await this.readObject(id, ObjectKind.recipe);
      const node = RecipeNode.decode(bytes, this.#options.hasher);
      lost.push(...await this.#moveBelow(node, target));
      const one = new ObjectRows();
      one.add(id, 0, ObjectKind.recipe, 0);
      const lack = marked(one, await target.missing(one));
      this.#kept.give(lack, (frame) => target.takeFrame(frame));
      await target.settled();
    }
    return lost;
  }

  async #readLarge(root: Uint8Array, kind: number): Promise<Uint8Array> {
    const { hasher } = this.#options;
    return await readLarge(RecipeNode.decode(root, hasher), kind, this, hasher);
  }

  /** Asks for objects, several requests at once. */
  async #fetchAll(
    objects: ObjectRows,
    take: (frame: CheckedFrame) => void,
    lost: LostObject[],
    target: Target,
  ): Promise<void> {
    const parts: ObjectRows[] = [];
    for (let row = 0; row < objects.count; row++) {
      const last = parts.at(-1);
      // A row more than an answer takes would be asked for once more, alone.
      const isFull = last === undefined || last.count >= ROWS_MAX ||
        last.byteCount + objects.sizes[row] > ANSWER_SIZE;
      if (isFull) parts.push(new ObjectRows());
      parts.at(-1)!.addRow(objects, row);
    }
    await eachOf(parts, REQUESTS_MAX, async (part) => {
      lost.push(...await this.#fetch(part, take));
      await target.settled();
    });
  }

  /** Asks for objects until all have come, or are said to be gone. */
  async #fetch(
    objects: ObjectRows,
    take: (frame: CheckedFrame) => void,
  ): Promise<LostObject[]> {
    const { connection } = this.#options;
    const lost: LostObject[] = [];
    for (let first = 0; first < objects.count;) {
      const rows = new ObjectRows();
      const asked = new Set<string>();
      for (let row = first; row < objects.count; row++) {
        rows.addRow(objects, row);
        asked.add(hexOf(idOfRow(objects, row)));
      }
      const want = fieldsSection({ want: "objects" });
      const answer = await connection.ask(
        Verb.get,
        [want, idsSection(rows)],
        ANSWER_SIZE,
      );
      for (const frame of this.#framesOf(answer)) {
        this.#checkAsked(frame, asked);
        take(frame);
      }
      const fields = readFields(sectionOf(answer, SectionKind.fields));
      const done = fields.count("done", rows.count);
      if (done === 0) throw this.#lying("an answer that leads nowhere");
      const gone = readIds(sectionOf(answer, SectionKind.lost));
      for (let row = 0; row < gone.count; row++) {
        const id = gone.ids.slice(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
        if (!asked.delete(hexOf(id))) {
          throw this.#lying("an object that was not asked for");
        }
        lost.push(goneObject(id, gone.kinds[row]));
      }
      for (let row = first; row < first + done; row++) {
        if (!asked.has(hexOf(idOfRow(objects, row)))) continue;
        throw this.#lying(
          `neither object ${hexOf(idOfRow(objects, row))} nor that it is gone`,
        );
      }
      first += done;
    }
    return lost;
  }

  #checkAsked({ rows }: CheckedFrame, asked: Set<string>): void {
    for (let row = 0; row < rows.count; row++) {
      const id = hexOf(
        rows.ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE),
      );
      if (asked.delete(id)) continue;
      throw this.#lying(`object ${id}, which was not asked for`);
    }
  }

  #lying(sent: string): SyncError {
    return lyingServer(this.#options.info.location, sent);
  }
}

function namesAny(node: RecipeNode, ids: ReadonlySet<string>): boolean {
  for (let row = 0; row < node.count; row++) {
    const start = node.idStart(row);
    const id = node.bytes.subarray(start, start + ID_SIZE);
    if (ids.has(hexOf(id))) return true;
  }
  return false;
}
