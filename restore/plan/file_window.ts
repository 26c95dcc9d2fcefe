import { ID_SIZE } from "@snap/hash";
import type { Location } from "@snap/pack";
import type { Tree } from "@snap/manifest";
import type { FileExtras } from "../messages.ts";
import type { WantedNumbers } from "../write/wanted_attributes.ts";

/** A file that is to be restored. */
export interface WindowFile {
  /** Path of its directory; the same bytes for all files of one. */
  readonly directory: Uint8Array;
  /** Whether that, and all above it below the target, were made by this restore. */
  readonly isFresh: boolean;
  readonly tree: Tree;
  readonly row: number;
  readonly numbers: WantedNumbers;
  /** A `FilePlan`. */
  readonly plan: number;
  /** Where its content lies; absent if it has none or is a recipe. */
  readonly location: Location | undefined;
  readonly extras: FileExtras | undefined;
}

/** Files that wait to be put in the order of packs, column by column. */
export class FileWindow {
  readonly sizeMax: number;
  count = 0;
  byteCount = 0;
  /** Paths of directories. */
  readonly directories: Uint8Array[] = [];
  /** Whether each is fresh. */
  readonly fresh: boolean[] = [];
  readonly packs: string[] = [];
  readonly extras: Map<number, FileExtras> = new Map();
  readonly directory: Uint32Array;
  readonly ids: Uint8Array;
  readonly nameEnds: Uint32Array;
  readonly sizes: Float64Array;
  readonly mtimeSecs: Float64Array;
  readonly mtimeNs: Uint32Array;
  readonly modes: Uint32Array;
  readonly uids: Uint32Array;
  readonly gids: Uint32Array;
  readonly plans: Uint8Array;
  /** Number of the pack; -1 without content, -2 for a recipe. */
  readonly pack: Int32Array;
  readonly frameOffsets: Uint32Array;
  readonly storedSizes: Uint32Array;
  readonly plainSizes: Uint32Array;
  readonly codecs: Uint8Array;
  readonly offsets: Uint32Array;
  #names = new Uint8Array(64 * 1024);
  #packNumbers = new Map<string, number>();
  #lastDirectory: Uint8Array | undefined;

  constructor(sizeMax: number) {
    this.sizeMax = sizeMax;
    this.directory = new Uint32Array(sizeMax);
    this.ids = new Uint8Array(sizeMax * ID_SIZE);
    this.nameEnds = new Uint32Array(sizeMax);
    this.sizes = new Float64Array(sizeMax);
    this.mtimeSecs = new Float64Array(sizeMax);
    this.mtimeNs = new Uint32Array(sizeMax);
    this.modes = new Uint32Array(sizeMax);
    this.uids = new Uint32Array(sizeMax);
    this.gids = new Uint32Array(sizeMax);
    this.plans = new Uint8Array(sizeMax);
    this.pack = new Int32Array(sizeMax);
    this.frameOffsets = new Uint32Array(sizeMax);
    this.storedSizes = new Uint32Array(sizeMax);
    this.plainSizes = new Uint32Array(sizeMax);
    this.codecs = new Uint8Array(sizeMax);
    this.offsets = new Uint32Array(sizeMax);
  }

  /** Whether it takes no more. */
  get isFull(): boolean {
    return this.count === this.sizeMax;
  }

  /** Names, one after the other. */
  get names(): Uint8Array {
    return this.#names;
  }

  /** Adds a file. */
  add(file: WindowFile): void {
    const { tree, row, numbers, location } = file;
    const at = this.count++;
    this.#addDirectory(file);
    this.directory[at] = this.directories.length - 1;
    this.#addName(at, tree, row);
    const idStart = tree.idStart(row);
    this.ids.set(tree.bytes.subarray(idStart, idStart + ID_SIZE), at * ID_SIZE);
    const size = tree.size(row);
    this.sizes[at] = size;
    this.byteCount += size;
    this.modes[at] = numbers.mode;
    this.uids[at] = numbers.uid;
    this.gids[at] = numbers.gid;
    this.mtimeSecs[at] = numbers.mtimeSec;
    this.mtimeNs[at] = numbers.mtimeNs;
    this.plans[at] = file.plan;
    if (location === undefined) this.pack[at] = size === 0 ? -1 : -2;
    else this.#addLocation(at, location);
    if (file.extras !== undefined) this.extras.set(at, file.extras);
  }

  #addDirectory({ directory, isFresh }: WindowFile): void {
    if (directory === this.#lastDirectory) return;
    this.#lastDirectory = directory;
    this.directories.push(directory);
    this.fresh.push(isFresh);
  }

  #addName(at: number, tree: Tree, row: number): void {
    const start = at === 0 ? 0 : this.nameEnds[at - 1];
    const from = tree.nameStart(row), to = tree.nameEnd(row);
    const end = start + to - from;
    if (end > this.#names.length) {
      const larger = new Uint8Array(2 * this.#names.length);
      larger.set(this.#names);
      this.#names = larger;
    }
    this.#names.set(tree.bytes.subarray(from, to), start);
    this.nameEnds[at] = end;
  }

  #addLocation(at: number, location: Location): void {
    let pack = this.#packNumbers.get(location.packName);
    if (pack === undefined) {
      pack = this.packs.length;
      this.packs.push(location.packName);
      this.#packNumbers.set(location.packName, pack);
    }
    this.pack[at] = pack;
    this.frameOffsets[at] = location.frameOffset;
    this.storedSizes[at] = location.storedSize;
    this.plainSizes[at] = location.plainSize;
    this.codecs[at] = location.codecTag;
    this.offsets[at] = location.offset;
  }
}
