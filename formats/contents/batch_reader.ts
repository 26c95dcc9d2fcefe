import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { SharedFrameCache } from "@snap/pack/cache";
import { LocalRanges, Objects, TableList } from "@snap/pack/objects";
import { nodeFiles } from "@snap/pack/recipe-content";
import { RecipeReader, RecipeRowKind } from "@snap/pack/recipe";
import { nativeDecoders } from "@snap/posix/decoders";
import type { ContentBatch } from "./content_batch.ts";

/** Most bytes of one read, where frames follow each other in a pack. */
const AHEAD_SIZE = 512 * 1024;

/** What all readers of an export share. */
export interface BatchReaderConfig {
  /** The beginning of the path of each file of the store. */
  readonly prefix: string;
  /** Memory of a `TableList`. */
  readonly tables: SharedArrayBuffer;
  /** Memory of a `SharedFrameCache`. */
  readonly cache: SharedArrayBuffer;
}

/** A piece, as it stands in a batch. */
interface Row {
  readonly id: Uint8Array;
  /** Size of the whole content. */
  readonly size: number;
  readonly offset: number;
  /** Place for the piece. */
  readonly out: Uint8Array;
}

/** Reads batches of contents out of a local store, in a worker or not: nothing waits. */
export class BatchReader implements Disposable {
  readonly #hasher: Hasher;
  readonly #ranges: LocalRanges;
  readonly #objects: Objects;
  readonly #digest = new Uint8Array(ID_SIZE);
  /** The recipe that was read last: large content comes piece by piece. */
  #walk: { readonly id: Uint8Array; readonly reader: RecipeReader } | undefined;

  /** Opens nothing yet. */
  constructor({ prefix, tables, cache }: BatchReaderConfig, hasher: Hasher) {
    this.#hasher = hasher;
    this.#ranges = new LocalRanges({
      pathOf: (name) => prefix + name,
      calls: nodeFiles,
      aheadSize: AHEAD_SIZE,
    });
    this.#objects = new Objects({
      ranges: this.#ranges,
      cache: new SharedFrameCache(cache),
      hasher,
      decoders: nativeDecoders,
      tables: new TableList(tables),
    });
  }

  /**
   * Reads a batch into its memory. A piece that is all of a content was checked
   * against its id, of any other each chunk.
   *
   * @returns The rows that could not be read, for whatever reason, ascending.
   */
  read(batch: ContentBatch): number[] {
    const { ids, sizes, offsets, lengths, memory } = batch;
    const failed: number[] = [];
    let at = batch.start;
    for (let row = 0; row < lengths.length; row++) {
      const piece = {
        id: ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE),
        size: sizes[row],
        offset: offsets[row],
        out: new Uint8Array(memory, at, lengths[row]),
      };
      at += lengths[row];
      if (!this.#tryRead(piece)) failed.push(row);
    }
    return failed;
  }

  #tryRead(row: Row): boolean {
    try {
      return this.#read(row);
    } catch {
      // Who reads it again is told why, or finds another copy.
      this.#walk = undefined;
      return false;
    } finally {
      this.#objects.release();
    }
  }

  #read(row: Row): boolean {
    const { id, size, offset, out } = row;
    const isKnown = this.#walk !== undefined &&
      equalBytes(this.#walk.id, 0, id, 0, ID_SIZE);
    const found = isKnown
      ? "absent"
      : this.#objects.find(id, 0, ObjectKind.content);
    if (found === "absent") return this.#readRecipe(row);
    if (found?.length !== size) return false;
    out.set(found.subarray(offset, offset + out.length));
    return true;
  }

  #readRecipe(row: Row): boolean {
    const { id, size, offset, out } = row;
    const reader = this.#recipe(id, size);
    const end = offset + out.length;
    reader.seek(offset, end);
    for (let step = reader.next(); step !== "end"; step = reader.next()) {
      if (step === "node") {
        const { recipe } = ObjectKind;
        reader.give(this.#objects.take(reader.wanted, 0, recipe)!.slice());
        continue;
      }
      const from = Math.max(offset - reader.offset, 0);
      const to = Math.min(end - reader.offset, reader.size);
      const place = reader.offset + from - offset;
      if (reader.rowKind === RecipeRowKind.zeros) {
        out.fill(0, place, place + to - from);
      } else {
        const { ids, idStart } = reader;
        const chunk = this.#objects.take(ids, idStart, ObjectKind.content)!;
        if (chunk.length !== reader.size) return false;
        out.set(chunk.subarray(from, to), place);
      }
      this.#objects.release();
    }
    if (out.length < size) return true;
    // A recipe is a claim: who has all of the content can prove it.
    this.#hasher.hashInto(out, this.#digest);
    return equalBytes(this.#digest, 0, id, 0, ID_SIZE);
  }

  #recipe(id: Uint8Array, size: number): RecipeReader {
    const known = this.#walk;
    if (known !== undefined && equalBytes(known.id, 0, id, 0, ID_SIZE)) {
      return known.reader;
    }
    const own = id.slice();
    const { content: kind } = ObjectKind;
    const hasher = this.#hasher;
    const reader = new RecipeReader({ hasher, id: own, size, kind });
    this.#walk = { id: own, reader };
    return reader;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#ranges[Symbol.dispose]();
  }
}
