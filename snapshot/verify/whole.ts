import {
  equalBytes,
  type Hasher,
  type HashStream,
  ID_SIZE,
  idFromBytes,
  IdMismatchError,
} from "@snap/hash";
import { codecOf } from "@snap/pack/codecs";
import { ContentReader, hashZeros, type StoreReader } from "@snap/pack/read";
import { isPageRequest, type Location, ObjectKind } from "@snap/pack";
import {
  isMostlyZeros,
  type RecipeNode,
  RecipeReader,
  RecipeRowKind,
} from "@snap/pack/recipe";
import type { Pacer } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";
import type { IdSet } from "../reach/id_set.ts";
import type { VerifyProgress } from "./verify_progress.ts";

const { content } = ObjectKind;

/** Parts of {@linkcode WholeCheck}. */
export interface WholeCheckOptions {
  readonly reader: StoreReader;
  readonly counts: VerifyProgress;
  readonly pacer: Pacer;
  readonly storeOptions: StoreOptions;
  /** Takes chunks that were sound, each with the number of the pack it was read from. */
  readonly checked?: IdSet;
}

/** Hashes large contents as a whole, and the chunks that they are made of. */
export class WholeCheck {
  readonly #options: WholeCheckOptions;
  readonly #hasher: Hasher;
  readonly #whole: HashStream;
  #sparse: HashStream | undefined;
  readonly #hash = new Uint8Array(ID_SIZE);
  #frame = new Uint8Array(0);
  /** The frame that is decoded. */
  #frameKey = -1;

  constructor(options: WholeCheckOptions) {
    this.#options = options;
    this.#hasher = options.reader.hasher;
    this.#whole = this.#hasher.stream();
  }

  /** Checks one content; throws what is wrong with it. */
  async check(id: Uint8Array, root: RecipeNode): Promise<void> {
    if (this.#options.reader.ranges.isFar) {
      await this.#checkStream(id, root);
      return;
    }
    const whole = isMostlyZeros(root)
      ? this.#sparse ??= this.#hasher.sparseStream()
      : this.#whole;
    whole.reset();
    await this.#hashRows(id, root, whole);
    const actual = whole.digest();
    const expected = idFromBytes(id);
    if (actual !== expected) throw new IdMismatchError(expected, actual);
  }

  /** Reads ahead, which is worth it where stores are far. */
  async #checkStream(id: Uint8Array, root: RecipeNode): Promise<void> {
    const { reader, counts, pacer, storeOptions } = this.#options;
    const file = new ContentReader(reader, { id, size: root.plainSize, root });
    for await (const piece of file.stream(storeOptions)) {
      counts.byteCount += piece.length;
      await pacer.yield(piece.length);
    }
  }

  async #hashRows(
    id: Uint8Array,
    root: RecipeNode,
    whole: HashStream,
  ): Promise<void> {
    const { reader, counts, pacer, storeOptions } = this.#options;
    const hasher = this.#hasher;
    const size = root.plainSize;
    const rows = new RecipeReader({ hasher, id, kind: content, size, root });
    for (let step = rows.next(); step !== "end"; step = rows.next()) {
      if (step === "node") {
        rows.give(await reader.readNode(rows.wanted, storeOptions));
        continue;
      }
      if (rows.rowKind === RecipeRowKind.zeros) {
        await hashZeros(rows.size, whole, pacer);
      } else if (!this.#hashChunk(rows, whole)) {
        whole.update(await reader.readChunk(rows, storeOptions));
      }
      counts.byteCount += rows.size;
      const turn = pacer.yield(rows.size);
      if (turn !== undefined) await turn;
    }
  }

  /** Hashes a chunk without waiting; false where that is not possible, or the chunk is not sound. */
  #hashChunk(rows: RecipeReader, whole: HashStream): boolean {
    const { reader } = this.#options;
    const { ids, idStart, size } = rows;
    const location = reader.index.index.locate(ids, idStart, content);
    if (location === undefined || isPageRequest(location)) return false;
    if (location.size !== size || !this.#decode(location)) return false;
    const { offset, packNumber } = location;
    const chunk = this.#frame.subarray(offset, offset + size);
    this.#hasher.hashInto(chunk, this.#hash);
    if (!equalBytes(this.#hash, 0, ids, idStart, ID_SIZE)) return false;
    this.#options.checked?.add(ids, idStart, packNumber, 0);
    whole.update(chunk);
    return true;
  }

  /** Decodes a frame, unless it is the one before. */
  #decode(location: Location): boolean {
    const { frameKey, packName, frameOffset, storedSize } = location;
    if (this.#frameKey === frameKey) return true;
    this.#frameKey = -1;
    try {
      const { ranges } = this.#options.reader;
      const stored = ranges.take(packName, frameOffset, storedSize);
      if (stored === undefined) return false;
      const { plainSize } = location;
      if (this.#frame.length < plainSize) {
        this.#frame = new Uint8Array(plainSize);
      }
      const plain = this.#frame.subarray(0, plainSize);
      codecOf(location.codecTag).decompress(stored, plain);
    } catch {
      // The reader meets the error again, says what it means, and knows other copies.
      return false;
    }
    this.#frameKey = frameKey;
    return true;
  }
}
