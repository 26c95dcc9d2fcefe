import { type Hasher, ID_SIZE } from "@snap/hash";
import {
  DamageError,
  isPageRequest,
  type Location,
  ObjectKind,
  ObjectNotFoundError,
} from "@snap/pack";
import { RecipeNode } from "@snap/pack/recipe";
import {
  localPrefix,
  type OpenRanges,
  type StoreReader,
} from "@snap/pack/read";
import { WAIT } from "@snap/pack/recipe-content";
import { nativeDecoders } from "@snap/posix/decoders";
import { Pacer } from "@snap/posix/pacer";
import { NotFoundError, type ReadStore } from "@snap/store";
import { eachOf } from "@snap/store/wrap";
import {
  contentsOf,
  DirectoriesAhead,
  type IdSet,
  ReachWalk,
} from "@snap/snapshot/reach";
import type { NamedRecord } from "@snap/snapshot/records";
import { SyncError } from "../errors.ts";
import type { ProofCache } from "../options.ts";
import type { MoveBatch, MoveResult } from "../move/batch.ts";
import { MovePool } from "../move/move_pool.ts";
import { FAR_BATCHES_MAX, Mover } from "../move/mover.ts";
import type { FrameTaker } from "../move/open_frame.ts";
import { frameBatches, largeBatches, type Placed } from "../move/plan.ts";
import { singleFrame } from "../move/single_frame.ts";
import { idOfRow, ObjectRows } from "../object_rows.ts";
import { joinValues, LargeObjects, type LargeRow } from "./large_objects.ts";
import { goneObject, lostObject } from "./lost_object.ts";
import { spanKey } from "./span_key.ts";
import type {
  LargeObject,
  LostObject,
  ObjectList,
  SessionOptions,
  Source,
  Target,
  WalkedDirectory,
} from "./peer.ts";

/** So little is moved without workers, as they are not worth their start. */
const SMALL_SIZE = 8 << 20;

/** Parts of a {@linkcode StoreSource}. */
export interface StoreSourceOptions extends SessionOptions {
  readonly store: ReadStore;
  readonly hasher: Hasher;
}

/** Objects of a store in this process. */
export class StoreSource implements Source {
  readonly isFull = false;
  /** Reader of objects. */
  readonly reader: StoreReader;
  readonly #options: StoreSourceOptions;
  readonly #ranges: OpenRanges;
  readonly #pacer: Pacer;
  readonly #large: LargeObjects;
  #pool: { readonly pool: MovePool; readonly target: Target } | undefined;
  #batchCount = 0;
  /** Plain bytes of the batches before. */
  #batchedSize = 0;

  /** Made by {@linkcode openStoreSource}. */
  constructor(
    options: StoreSourceOptions,
    reader: StoreReader,
    ranges: OpenRanges,
  ) {
    this.#options = options;
    this.reader = reader;
    this.#ranges = ranges;
    const { signal } = options;
    this.#pacer = new Pacer(signal === undefined ? {} : { signal });
    this.#large = new LargeObjects(reader, options, this.#pacer);
  }

  async *walk(
    records: readonly NamedRecord[],
    bases: readonly NamedRecord[],
    { seen }: { readonly seen?: IdSet } = {},
  ): AsyncGenerator<WalkedDirectory> {
    for (const record of records) yield* this.#walkOne(record, bases, seen);
  }

  async *#walkOne(
    record: NamedRecord,
    bases: readonly NamedRecord[],
    seen: IdSet | undefined,
  ): AsyncGenerator<WalkedDirectory> {
    const { signal } = this.#options;
    const ahead = new DirectoriesAhead(this.reader, { signal });
    const how = signal === undefined ? {} : { signal };
    const walk = new ReachWalk(this.reader, record, {
      ...how,
      bases,
      ...(seen === undefined ? {} : { seen }),
    });
    let isFirst = true;
    try {
      for (let one = await walk.next(); one; one = await walk.next()) {
        const { tree, page, treeId } = one;
        ahead.enter(isFirst ? undefined : treeId, tree, page);
        isFirst = false;
        if (walk.entryCount > record.totals.entryCount) {
          throw tooManyError(record);
        }
        const contents = new ObjectRows();
        for (const { ids, idStart, size } of contentsOf(one)) {
          contents.add(ids, idStart, ObjectKind.content, size);
        }
        yield { ...one, contents };
        await this.#pacer.yield();
      }
    } finally {
      await ahead.close();
    }
  }

  async move(objects: ObjectList, target: Target): Promise<LostObject[]> {
    const placed: Placed[] = [];
    const large: LargeRow[] = [];
    const lost: LostObject[] = [];
    const { ids, kinds, sizes } = objects;
    for (let row = 0; row < objects.count; row++) {
      const idStart = ID_SIZE * row, kind = kinds[row];
      const place = this.#locateNow(ids, idStart, kind) ??
        await this.#locate(ids, idStart, kind);
      if (place === undefined) {
        lost.push(goneObject(idOfRow(objects, row), kind));
      } else if (place.kind === kind) placed.push({ place, ids, idStart });
      else large.push({ id: idOfRow(objects, row), kind, size: sizes[row] });
    }
    if (target.takesRootsOnly === true) {
      for (const { id } of large.splice(0)) {
        lost.push(...await this.#moveOther(id, ObjectKind.recipe, target));
      }
    }
    const batches: MoveBatch[] = frameBatches(placed, {
      number: this.#batchCount,
      isFar: this.#ranges.isFar,
    });
    this.#batchCount += batches.length;
    const own = target.writer === undefined ? large.splice(0) : [];
    const spans = new Map<number, LargeRow>();
    for (const one of large) {
      try {
        // Read here: roots lie side by side, and each thread would decode all of them.
        const { plainSize: size, bytes: root } = await this.#large.root(one);
        const object = { ...one, size, root };
        for (const batch of largeBatches(object, this.#batchCount)) {
          spans.set(batch.number, one);
          batches.push(batch);
          this.#batchCount++;
        }
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        lost.push(lostObject(one.id, error));
      }
    }
    const results = await this.#run(batches, target);
    const byNumber = new Map(results.map((one) => [one.number, one]));
    for (const batch of batches) {
      if (batch.type !== "frames") continue;
      for (const row of byNumber.get(batch.number)?.failed ?? []) {
        const id = batch.rows.ids.slice(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
        lost.push(...await this.#moveOther(id, batch.rows.kinds[row], target));
      }
    }
    const values = new Map<LargeRow, (Uint8Array | undefined)[]>();
    for (const [number, one] of spans) {
      const some = values.get(one) ?? [];
      some.push(byNumber.get(number)?.value);
      values.set(one, some);
    }
    for (const [one, some] of values) {
      lost.push(...await this.#large.finish(one, some, target));
    }
    if (own.length > 0) {
      lost.push(...await this.#large.moveMissing(own, target, this));
    }
    return lost;
  }

  /**
   * Says what the chunks of a large object that lie here are: nothing is moved.
   *
   * @param large The object; its root may lie elsewhere.
   * @param proofs What was hashed before, and when it is time to stop.
   * @returns Its id by its chunks, if all of them are here and sound.
   */
  async identify(
    { id, kind, size, root }: LargeObject,
    proofs?: ProofCache & { readonly isLate?: () => boolean },
  ): Promise<Uint8Array | "late" | undefined> {
    // What has just come may stand in no table yet.
    await this.reader.index.findUnnamed(this.#how);
    const mover = this.#mover({ takeFrame: () => {} });
    const values: Uint8Array[] = [];
    const { hasher } = this.#options;
    const node = RecipeNode.decode(root, hasher);
    for (const batch of largeBatches({ id, kind, size, root }, 0)) {
      const key = spanKey(batch, node, hasher);
      const known = proofs?.get(key);
      if (known !== undefined) {
        values.push(known);
        continue;
      }
      if (proofs?.isLate?.()) return "late";
      const { value } = await this.#moveHere(mover, batch);
      if (value === undefined) {
        return await this.#identifyOther({ id, kind, size, root });
      }
      proofs?.set(key, value);
      values.push(value);
    }
    return joinValues(values, kind);
  }

  /** The same where the first copy of a part is damaged or gone. */
  async #identifyOther(
    { root, ...large }: LargeRow & { readonly root: Uint8Array },
  ): Promise<Uint8Array | undefined> {
    const node = RecipeNode.decode(root, this.#options.hasher);
    try {
      return await this.#large.identify(large, node);
    } catch (error) {
      const isPart = error instanceof ObjectNotFoundError ||
        error instanceof DamageError || error instanceof NotFoundError;
      if (isPart) return undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ranges[Symbol.asyncDispose]();
  }

  /** Where an object, or the root of its recipe, lies, if that can be said at once. */
  #locateNow(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location | undefined {
    try {
      const { index } = this.reader.index;
      for (const one of [kind, ObjectKind.recipe]) {
        const answer = index.locate(ids, idStart, one);
        if (answer === undefined) continue;
        return isPageRequest(answer) ? undefined : answer;
      }
    } catch {
      // Who waits meets the error again, and goes on without the table.
    }
    return undefined;
  }

  async #locate(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Promise<Location | undefined> {
    const id = ids.slice(idStart, idStart + ID_SIZE);
    return await this.reader.index.locate(id, kind, this.#how) ??
      await this.reader.index.locate(id, ObjectKind.recipe, this.#how);
  }

  async #run(
    batches: readonly MoveBatch[],
    target: Target,
  ): Promise<MoveResult[]> {
    const { meter } = this.#options;
    const sizes = new Map(
      batches.map(({ number, byteCount }) => [number, byteCount]),
    );
    const onResult = (result: MoveResult): void => {
      meter.objectsIn += result.objectCount;
      meter.bytesDone += sizes.get(result.number)!;
      meter.bytesIn += result.storedByteCount;
    };
    const pool = await this.#poolFor(batches, target);
    if (pool !== undefined) return await pool.run(batches, onResult);
    const results: MoveResult[] = [];
    const movers: Mover[] = [];
    const count = this.#ranges.isFar ? FAR_BATCHES_MAX : 1;
    await eachOf(batches, count, async (batch) => {
      const mover = movers.pop() ?? this.#mover(target);
      const result = await this.#moveHere(mover, batch);
      movers.push(mover);
      results.push(result);
      onResult(result);
      await target.settled();
    });
    return results;
  }

  async #moveHere(mover: Mover, batch: MoveBatch): Promise<MoveResult> {
    const steps = mover.move(batch);
    for (;;) {
      // What the steps want they say before they wait.
      this.#ranges.forgetWanted();
      let step = steps.next();
      while (!step.done && step.value !== WAIT) {
        const turn = this.#pacer.yield(step.value);
        if (turn !== undefined) await turn;
        this.#ranges.forgetWanted();
        step = steps.next();
      }
      if (step.done) return step.value;
      await this.#ranges.arrived(this.#how);
    }
  }

  get #how(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  #mover(taker: FrameTaker): Mover {
    return new Mover({
      ranges: this.#ranges,
      index: () => this.reader.index.index,
      hasher: this.#options.hasher,
      decoders: nativeDecoders,
      isFar: this.#ranges.isFar,
      taker,
    });
  }

  /** The workers, where both sides are folders and there is enough to do. */
  async #poolFor(
    batches: readonly MoveBatch[],
    target: Target,
  ): Promise<MovePool | undefined> {
    if (this.#pool?.target === target) return this.#pool.pool;
    const { workers = 0, store, hasher } = this.#options;
    const sourcePrefix = localPrefix(store);
    const { writer } = target;
    if (workers === 0 || writer === undefined || sourcePrefix === undefined) {
      return undefined;
    }
    for (const { byteCount } of batches) this.#batchedSize += byteCount;
    if (this.#batchedSize < SMALL_SIZE) return undefined;
    const { index } = this.reader;
    const { liveTables } = index.index;
    const tables = liveTables.map((
      { name, size, head, bytes },
    ) => ({ name, size, head, bytes }));
    const options = { workers, sourcePrefix, tables, writer, hasher };
    const pool = new MovePool(options);
    this.#pool = { pool, target };
    target.attach(pool);
    return await Promise.resolve(pool);
  }

  /** Moves an object from wherever a sound copy of it is. */
  async #moveOther(
    id: Uint8Array,
    kind: number,
    target: Target,
  ): Promise<LostObject[]> {
    try {
      const bytes = await this.reader.readStored(id, kind, this.#how);
      if (bytes === undefined) return [goneObject(id, kind)];
      target.takeFrame(singleFrame(bytes, id, kind));
      await target.settled();
      return [];
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      return [lostObject(id, error)];
    }
  }
}

function tooManyError(record: NamedRecord): SyncError {
  return new SyncError(
    `Cannot copy record ${record.record}: it has more than the ${record.totals.entryCount} entries that it says`,
    { code: "LYING", hint: "Check the source with `snap verify`" },
  );
}
