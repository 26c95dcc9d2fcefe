import { ID_SIZE } from "@snap/hash";
import { EntryKind } from "@snap/manifest/extras";
import { Column } from "./column.ts";
import { EntryError } from "./entry_error.ts";

/** Nodes whose ids stand in one piece of memory. */
const ID_ROWS = 1024;
const NO_IDS = new Uint8Array(0);
/** Most nodes: their names take several times as much memory as they do. */
const NODE_COUNT_MAX = 2 ** 25;

/** The largest number of an owner. */
export const OWNER_MAX = 0xffffffff;

/** Attributes of a node, as whoever has it tells them. */
export interface NodeAttributes {
  /** The 12 permission bits. */
  readonly mode: number;
  /** Modification time, whole seconds since 1970. */
  readonly mtimeSec: number;
  /** Modification time, nanoseconds after that second. */
  readonly mtimeNs: number;
  /** A number of the draft's owners. */
  readonly owner: number;
}

/**
 * Files, directories and other nodes of a snapshot that is put together: what a
 * name of a directory stands for. About 65 bytes each.
 */
export class DraftNodes {
  #count = 0;
  readonly #kinds = new Column(Uint8Array);
  readonly #modes = new Column(Uint16Array);
  readonly #owners = new Column(Uint32Array);
  readonly #seconds = new Column(Float64Array);
  readonly #nanoseconds = new Column(Uint32Array);
  readonly #sizes = new Column(Float64Array);
  readonly #links = new Column(Uint32Array);
  /** Ids of contents, of so many nodes each. */
  readonly #ids: Uint8Array[] = [];
  readonly #targets = new Map<number, Uint8Array>();
  readonly #extras = new Map<number, Uint8Array>();
  readonly #devices = new Map<number, readonly [number, number]>();

  readonly #countMax: number;

  /** Has no node yet, and so many at most. */
  constructor(countMax: number = NODE_COUNT_MAX) {
    this.#countMax = countMax;
  }

  /**
   * Adds a node without a name.
   *
   * @throws {EntryError} If there are too many.
   */
  add(kind: EntryKind, attributes: NodeAttributes): number {
    if (this.#count === this.#countMax) {
      throw new EntryError(
        undefined,
        `there are more than ${this.#countMax}`,
      );
    }
    const node = this.#count++;
    this.#kinds.set(node, kind);
    this.setAttributes(node, attributes);
    return node;
  }

  /** Sets mode, time and owner. */
  setAttributes(node: number, attributes: NodeAttributes): void {
    this.#modes.set(node, attributes.mode);
    this.#owners.set(node, attributes.owner);
    this.#seconds.set(node, attributes.mtimeSec);
    this.#nanoseconds.set(node, attributes.mtimeNs);
    const kind = this.#kinds.get(node);
    if (kind !== EntryKind.file && kind !== EntryKind.executable) return;
    const isExecutable = (attributes.mode & 0o100) !== 0;
    this.#kinds.set(node, isExecutable ? EntryKind.executable : EntryKind.file);
  }

  /** Sets what a file holds. */
  setContent(node: number, size: number, id: Uint8Array): void {
    this.#sizes.set(node, size);
    const page = node >>> 10;
    while (this.#ids.length <= page) this.#ids.push(NO_IDS);
    if (this.#ids[page] === NO_IDS) {
      this.#ids[page] = new Uint8Array(ID_SIZE * ID_ROWS);
    }
    this.#ids[page].set(id, ID_SIZE * (node % ID_ROWS));
  }

  /** Sets the target of a symbolic link. */
  setTarget(node: number, target: Uint8Array): void {
    this.#targets.set(node, target.slice());
  }

  /** Sets the numbers of a device. */
  setDevice(node: number, major: number, minor: number): void {
    this.#devices.set(node, [major, minor]);
  }

  /** Sets encoded extras, in place of those that there were. */
  setExtras(node: number, extras: Uint8Array | undefined): void {
    if (extras === undefined || extras.length === 0) this.#extras.delete(node);
    else this.#extras.set(node, extras);
  }

  /** Counts a name more, or less. */
  countLink(node: number, by: 1 | -1): void {
    const count = this.#links.get(node) + by;
    this.#links.set(node, count);
    if (count > 0) return;
    this.#targets.delete(node);
    this.#extras.delete(node);
    this.#devices.delete(node);
  }

  /** Its kind; of a file by its mode. */
  kind(node: number): EntryKind {
    return this.#kinds.get(node) as EntryKind;
  }

  /** The 12 permission bits. */
  mode(node: number): number {
    return this.#modes.get(node);
  }

  /** A number of the draft's owners. */
  owner(node: number): number {
    return this.#owners.get(node);
  }

  /** Modification time, whole seconds since 1970. */
  mtimeSec(node: number): number {
    return this.#seconds.get(node);
  }

  /** Modification time, nanoseconds after that second. */
  mtimeNs(node: number): number {
    return this.#nanoseconds.get(node);
  }

  /** Bytes of content of a file. */
  size(node: number): number {
    return this.#sizes.get(node);
  }

  /** How many names stand for it. */
  linkCount(node: number): number {
    return this.#links.get(node);
  }

  /** A view of the id of a file's content. */
  id(node: number): Uint8Array {
    const at = ID_SIZE * (node % ID_ROWS);
    return this.#ids[node >>> 10].subarray(at, at + ID_SIZE);
  }

  /** The target of a symbolic link. */
  target(node: number): Uint8Array {
    return this.#targets.get(node)!;
  }

  /** The numbers of a device: major, minor. */
  device(node: number): readonly [number, number] {
    return this.#devices.get(node)!;
  }

  /** Encoded extras, if it has any. */
  extras(node: number): Uint8Array | undefined {
    return this.#extras.get(node);
  }
}
