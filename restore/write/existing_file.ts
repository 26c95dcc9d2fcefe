import { type DiskCalls, DiskError, ExhaustedError } from "@snap/disk";
import { FileReader } from "@snap/disk/file";
import { equalBytes, type Hasher, type HashStream, ID_SIZE } from "@snap/hash";
import { encodeHoles } from "@snap/manifest/extras";
import { PASSED_HOLE_MIN, SPARSE_PART } from "@snap/pack/recipe-content";
import type { FileExtras, RestoreBatch } from "../messages.ts";
import {
  hasNumbers,
  numbersOf,
  TIME_UNIT_NS,
  wantedXattrs,
} from "./wanted_attributes.ts";

const NO_HOLES = new Float64Array(0);
/** Bytes that are read and hashed between two steps. */
const STEP_SIZE = 512 * 1024;

/** Result of comparing a file of the target with the one that is wanted. */
export type Comparison = "same" | "attributes" | "content";

/** Compares files that stand in a target with those that are wanted. */
export class ExistingFiles implements Disposable {
  readonly #reader: FileReader;
  readonly #hash: HashStream;
  readonly #sparse: HashStream;
  readonly #digest = new Uint8Array(ID_SIZE);
  readonly #hasher: Hasher;
  readonly #unitNs: number;
  readonly #hasXattrs: boolean;
  readonly #isUser: boolean;
  readonly #isReduced: boolean;
  #buffer: Uint8Array | undefined;

  constructor(
    target: Uint8Array,
    hasher: Hasher,
    options: { readonly calls: DiskCalls; readonly xattrs: boolean },
  ) {
    this.#isReduced = options.calls.reduced === true;
    this.#reader = new FileReader(target, options.calls);
    this.#hash = hasher.stream();
    this.#sparse = hasher.sparseStream();
    this.#hasher = hasher;
    this.#unitNs = TIME_UNIT_NS[this.#isReduced ? "reduced" : "full"];
    this.#isUser = options.calls.geteuid() !== 0;
    this.#hasXattrs = options.xattrs;
  }

  /**
   * Compares one file.
   *
   * @returns Steps, then what differs. What cannot be read differs.
   */
  *compare(
    batch: RestoreBatch,
    row: number,
    place: {
      readonly directory: Uint8Array;
      readonly name: Uint8Array;
      readonly extras: FileExtras | undefined;
    },
  ): Generator<number, Comparison> {
    const reader = this.#reader;
    try {
      reader.open(place.directory, place.name);
      reader.isUnchanged(reader.stats, 0);
      if (reader.stats.size(0) !== batch.sizes[row]) return "content";
      if (!(yield* this.#hasContent(batch, row))) return "content";
      if (!this.#hasHolesOf(place.extras)) return "content";
      const hasXattrs = this.#hasXattrsOf(place.extras);
      const isSame = hasXattrs &&
        hasNumbers(numbersOf(batch, row), reader.stats, 0, this.#unitNs);
      if (isSame) return "same";
      // Its other names may lie outside: they keep what they have.
      if (reader.stats.nlink(0) > 1) return "content";
      // From an ordinary user a file that is read-only takes no extended attributes.
      const isLocked = this.#isUser && (reader.stats.mode(0) & 0o200) === 0;
      return isLocked && !hasXattrs ? "content" : "attributes";
    } catch (error) {
      const isUnread = error instanceof DiskError ||
        error instanceof ExhaustedError;
      if (isUnread) return "content";
      throw error;
    } finally {
      reader.close();
    }
  }

  *#hasContent(batch: RestoreBatch, row: number): Generator<number, boolean> {
    const buffer = this.#buffer ??= new Uint8Array(STEP_SIZE);
    const size = batch.sizes[row];
    if (size === 0) return true;
    if (size <= STEP_SIZE) {
      const bytes = buffer.subarray(0, size);
      if (this.#reader.read(bytes, 0) !== size) return false;
      this.#hasher.hashInto(bytes, this.#digest);
    } else {
      const unstored = this.#reader.unstoredSize(this.#reader.stats, 0);
      const hash = unstored >= SPARSE_PART * size ? this.#sparse : this.#hash;
      hash.reset();
      for (let at = 0; at < size;) {
        const end = unstored < PASSED_HOLE_MIN
          ? at
          : this.#reader.holeEnd(at, size);
        const read = end > at
          ? hash.updateZeros(end - at)
          : this.#reader.read(buffer, at);
        if (read === 0) return false;
        if (end === at) hash.update(buffer.subarray(0, read));
        at += read;
        yield read;
      }
      hash.digestInto(this.#digest);
    }
    return equalBytes(this.#digest, 0, batch.ids, ID_SIZE * row, ID_SIZE);
  }

  /** Holes come back where a file is written anew; nothing is known of them without native calls. */
  #hasHolesOf(extras: FileExtras | undefined): boolean {
    const isKnown = extras === undefined || extras.xattrs !== undefined;
    if (this.#isReduced || !isKnown) return true;
    const wanted = encodeHoles(extras?.holes ?? NO_HOLES);
    const present = encodeHoles(this.#reader.holes(this.#reader.stats, 0));
    return equal(present, wanted);
  }

  #hasXattrsOf(extras: FileExtras | undefined): boolean {
    const wanted = wantedXattrs(extras);
    return !this.#hasXattrs || this.#isReduced || wanted === undefined ||
      this.#reader.hasXattrs(wanted);
  }

  /** Closes what is open. */
  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equalBytes(a, 0, b, 0, a.length);
}
