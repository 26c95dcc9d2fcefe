import { type Hasher, idToBytes } from "@snap/hash";
import { EntryKind } from "@snap/manifest/extras";
import { Tree } from "@snap/manifest";
import { isPageRequest, type Location, ObjectKind } from "@snap/pack";
import { ObjectReader, openIndex, type StoreIndex } from "@snap/pack/read";
import { RecipeNode, RecipeReader, RecipeRowKind } from "@snap/pack/recipe";
import { SharedFrameCache } from "@snap/pack/cache";
import type { Snapshots } from "@snap/snapshot";
import type { ReadStore } from "@snap/store";
import { Prng } from "../tests/_prng.ts";

const READ_SIZE = 4096;
const LARGE_SIZE_MIN = 512 * 1024;
const SMALL_SIZE_MAX = 32 * 1024;
const FILES_MAX = 500;
const SLOT_SIZES = [64, 128, 256, 512, 1024].map((kib) => kib * 1024);
const ROUND_COUNT = 3;

/** What reads take, in memory: index, decoding and checking, no kernel. */
export interface ReadCosts {
  /** Microseconds for 4 KiB anywhere in large files. */
  readonly randomUs: number;
  /** Kilobytes that one of them decodes. */
  readonly randomKilobytes: number;
  /** Microseconds for a small file whose frame is not in the cache. */
  readonly smallUs: number;
  /** Kilobytes that one of them decodes. */
  readonly smallKilobytes: number;
}

interface ContentFile {
  readonly id: Uint8Array;
  readonly size: number;
}

interface PlannedRead extends ContentFile {
  readonly offset: number;
  readonly length: number;
}

/**
 * Measures reads as a mount makes them: recipe and index pages known, frames not
 * in the cache. Stored bytes are in memory before the clock runs.
 *
 * @param snapshots A store with at least one snapshot; the newest is read.
 * @param readCount Reads of each kind.
 * @returns What they take, the best of three rounds.
 */
export async function measureReads(
  snapshots: Snapshots<ReadStore>,
  readCount: number,
): Promise<ReadCosts> {
  const files = await listFiles(snapshots);
  const prng = new Prng(4096);
  const random = Array.from(
    { length: readCount },
    () => planRead(prng, largeOnes(prng, files)),
  );
  const small = files.filter(({ size }) => size > 0 && size <= SMALL_SIZE_MAX);
  const whole = Array.from({ length: readCount }, () => {
    const file = prng.pick(small);
    return { ...file, offset: 0, length: file.size };
  });
  const reader = await MemoryReader.open(snapshots);
  const [randomUs, randomKilobytes] = await timeReads(reader, random);
  const [smallUs, smallKilobytes] = await timeReads(reader, whole);
  return { randomUs, randomKilobytes, smallUs, smallKilobytes };
}

async function listFiles(
  snapshots: Snapshots<ReadStore>,
): Promise<ContentFile[]> {
  const [record] = await snapshots.records();
  const reader = await snapshots.reader();
  const pending = [idToBytes(record.tree)];
  const files: ContentFile[] = [];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const tree = Tree.decode(await reader.readObject(id, ObjectKind.tree));
    for (let i = 0; i < tree.count; i++) {
      const kind = tree.kind(i);
      if (kind === EntryKind.directory) pending.push(tree.idBytes(i).slice());
      else if (kind === EntryKind.file || kind === EntryKind.executable) {
        files.push({ id: tree.idBytes(i).slice(), size: tree.size(i) });
      }
    }
  }
  return files;
}

const largeFiles = new WeakMap<readonly ContentFile[], ContentFile[]>();

/** Some of the large files; the largest ones where none is large. */
function largeOnes(prng: Prng, files: readonly ContentFile[]): ContentFile[] {
  let large = largeFiles.get(files);
  if (large === undefined) {
    large = files.filter(({ size }) => size >= LARGE_SIZE_MIN);
    if (large.length === 0) {
      large = files.toSorted((a, b) => b.size - a.size).slice(0, 10);
    }
    large = prng.shuffle(large).slice(0, FILES_MAX);
    largeFiles.set(files, large);
  }
  return large;
}

/** Every byte of the files is as likely. */
function planRead(prng: Prng, files: readonly ContentFile[]): PlannedRead {
  const sum = files.reduce((total, { size }) => total + size, 0);
  let at = Math.floor(prng.unit() * sum);
  for (const file of files) {
    if (at < file.size) {
      const offset = Math.min(at, Math.max(0, file.size - READ_SIZE));
      return { ...file, offset, length: Math.min(READ_SIZE, file.size) };
    }
    at -= file.size;
  }
  throw new RangeError("Cannot read as there are no bytes");
}

/** Returns microseconds and decoded kilobytes of one read. */
async function timeReads(
  reader: MemoryReader,
  reads: readonly PlannedRead[],
): Promise<[number, number]> {
  for (const read of reads) await reader.load(read);
  let best = Infinity;
  let decoded = 0;
  for (let round = 0; round < ROUND_COUNT; round++) {
    reader.forgetFrames();
    const start = performance.now();
    for (const read of reads) reader.read(read);
    best = Math.min(best, performance.now() - start);
    decoded = reader.decodedBytes;
  }
  return [1000 * best / reads.length, decoded / reads.length / 1000];
}

/** Reads content synchronously, with all that is stored in memory. */
class MemoryReader {
  /** Plain bytes decoded since frames were forgotten. */
  decodedBytes = 0;
  readonly #store: ReadStore;
  readonly #index: StoreIndex;
  readonly #hasher: Hasher;
  readonly #stored = new Map<number, Uint8Array>();
  readonly #nodes = new Map<string, RecipeNode>();
  readonly #recipes = new Map<string, RecipeReader>();
  readonly #out = new Uint8Array(SMALL_SIZE_MAX);
  #objects!: ObjectReader;

  private constructor(store: ReadStore, index: StoreIndex, hasher: Hasher) {
    this.#store = store;
    this.#index = index;
    this.#hasher = hasher;
    this.forgetFrames();
  }

  static async open({ store, hasher }: Snapshots): Promise<MemoryReader> {
    const cacheSize = 256 << 20; // All pages stay.
    const index = await openIndex(store, { hasher, cacheSize });
    return new MemoryReader(store, index, hasher);
  }

  /** Begins with an empty cache, too small for what comes to be met again. */
  forgetFrames(): void {
    const cache = SharedFrameCache.create({
      sizeMax: 1 << 20,
      slotSizes: SLOT_SIZES,
    });
    this.#objects = new ObjectReader({ cache, hasher: this.#hasher });
    this.decodedBytes = 0;
  }

  /** Brings everything into memory that a read will want. */
  async load(read: PlannedRead): Promise<void> {
    const { content, recipe } = ObjectKind;
    const direct = await this.#index.locate(read.id, content);
    if (direct !== undefined) return await this.#loadFrame(direct);
    const rows = this.#rowsOf(read);
    for (let step = rows.next(); step !== "end"; step = rows.next()) {
      if (step === "node") {
        const id = rows.wanted.slice();
        const at = await this.#index.locate(id, recipe);
        await this.#loadFrame(at!);
        const bytes = this.#take(at!, id, 0).slice();
        this.#objects.release();
        const node = RecipeNode.decode(bytes, this.#hasher);
        this.#nodes.set(id.toHex(), node);
        rows.give(node);
      } else if (rows.rowKind === RecipeRowKind.chunk) {
        const id = rows.ids.slice(rows.idStart, rows.idStart + 32);
        await this.#loadFrame((await this.#index.locate(id, content))!);
      }
    }
  }

  /** Reads a range that was loaded, as a mount does: find, decode, check, copy. */
  read(read: PlannedRead): void {
    const direct = this.#index.index.locate(read.id, 0, ObjectKind.content);
    if (isPageRequest(direct)) throw new Error("Cannot find a page");
    if (direct !== undefined) {
      this.#out.set(this.#take(direct, read.id, 0));
      this.#objects.release();
      return;
    }
    const rows = this.#rowsOf(read);
    for (let step = rows.next(); step !== "end"; step = rows.next()) {
      if (step === "node") rows.give(this.#nodes.get(rows.wanted.toHex())!);
      else if (rows.rowKind === RecipeRowKind.chunk) this.#copyRow(rows, read);
    }
  }

  #copyRow(rows: RecipeReader, { offset, length }: PlannedRead): void {
    const { ids, idStart } = rows;
    const at = this.#index.index.locate(ids, idStart, ObjectKind.content);
    if (at === undefined || isPageRequest(at)) {
      throw new Error("Cannot find a chunk");
    }
    const chunk = this.#take(at, ids, idStart);
    const start = Math.max(0, offset - rows.offset);
    const end = Math.min(rows.size, offset + length - rows.offset);
    this.#out.set(chunk.subarray(start, end));
    this.#objects.release();
  }

  #take(at: Location, ids: Uint8Array, idStart: number): Uint8Array {
    const known = this.#objects.take(at, ids, idStart);
    if (known !== undefined) return known;
    this.#objects.release();
    this.decodedBytes += at.plainSize;
    const stored = this.#stored.get(at.frameKey)!;
    return this.#objects.decode(at, stored, ids, idStart);
  }

  #rowsOf({ id, size, offset, length }: PlannedRead): RecipeReader {
    const key = id.toHex();
    let rows = this.#recipes.get(key);
    if (rows === undefined) {
      const kind = ObjectKind.content;
      rows = new RecipeReader({ hasher: this.#hasher, id, size, kind });
      this.#recipes.set(key, rows);
    }
    rows.seek(offset, offset + length);
    return rows;
  }

  async #loadFrame(at: Location): Promise<void> {
    const { frameKey, packName, frameOffset, storedSize } = at;
    if (this.#stored.has(frameKey)) return;
    const range = { offset: frameOffset, length: storedSize };
    this.#stored.set(frameKey, await this.#store.read(packName, range));
  }
}
