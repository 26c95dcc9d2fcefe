import { EntryKind } from "@snap/manifest/extras";

/** Rows that there is room for at first. */
const ROWS_MIN = 1024;
const ID_SIZE = 32;

/** Attributes of a node, as an archive tells them. */
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
 * name of a directory stands for. About 70 bytes each.
 */
export class DraftNodes {
  #count = 0;
  #kinds = new Uint8Array(ROWS_MIN);
  #modes = new Uint16Array(ROWS_MIN);
  #owners = new Uint32Array(ROWS_MIN);
  #seconds = new Float64Array(ROWS_MIN);
  #nanoseconds = new Uint32Array(ROWS_MIN);
  #sizes = new Float64Array(ROWS_MIN);
  #links = new Uint32Array(ROWS_MIN);
  #ids = new Uint8Array(ID_SIZE * ROWS_MIN);
  readonly #targets = new Map<number, Uint8Array>();
  readonly #extras = new Map<number, Uint8Array>();
  readonly #devices = new Map<number, readonly [number, number]>();

  /** Adds a node without a name. */
  add(kind: EntryKind, attributes: NodeAttributes): number {
    const node = this.#count++;
    if (node === this.#kinds.length) this.#grow();
    this.#kinds[node] = kind;
    this.setAttributes(node, attributes);
    return node;
  }

  /** Sets mode, time and owner. */
  setAttributes(node: number, attributes: NodeAttributes): void {
    this.#modes[node] = attributes.mode;
    this.#owners[node] = attributes.owner;
    this.#seconds[node] = attributes.mtimeSec;
    this.#nanoseconds[node] = attributes.mtimeNs;
    const kind = this.#kinds[node];
    if (kind !== EntryKind.file && kind !== EntryKind.executable) return;
    this.#kinds[node] = attributes.mode & 0o100
      ? EntryKind.executable
      : EntryKind.file;
  }

  /** Sets what a file holds. */
  setContent(node: number, size: number, id: Uint8Array): void {
    this.#sizes[node] = size;
    this.#ids.set(id, ID_SIZE * node);
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
    this.#links[node] += by;
    if (this.#links[node] > 0 || by > 0) return;
    this.#targets.delete(node);
    this.#extras.delete(node);
    this.#devices.delete(node);
  }

  kind(node: number): EntryKind {
    return this.#kinds[node] as EntryKind;
  }

  mode(node: number): number {
    return this.#modes[node];
  }

  owner(node: number): number {
    return this.#owners[node];
  }

  mtimeSec(node: number): number {
    return this.#seconds[node];
  }

  mtimeNs(node: number): number {
    return this.#nanoseconds[node];
  }

  size(node: number): number {
    return this.#sizes[node];
  }

  linkCount(node: number): number {
    return this.#links[node];
  }

  /** A view of the id of a file's content. */
  id(node: number): Uint8Array {
    return this.#ids.subarray(ID_SIZE * node, ID_SIZE * node + ID_SIZE);
  }

  target(node: number): Uint8Array {
    return this.#targets.get(node)!;
  }

  device(node: number): readonly [number, number] {
    return this.#devices.get(node)!;
  }

  extras(node: number): Uint8Array | undefined {
    return this.#extras.get(node);
  }

  #grow(): void {
    this.#kinds = larger(this.#kinds);
    this.#modes = larger(this.#modes);
    this.#owners = larger(this.#owners);
    this.#seconds = larger(this.#seconds);
    this.#nanoseconds = larger(this.#nanoseconds);
    this.#sizes = larger(this.#sizes);
    this.#links = larger(this.#links);
    this.#ids = larger(this.#ids);
  }
}

function larger<
  T extends Uint8Array | Uint16Array | Uint32Array | Float64Array,
>(
  cells: T,
): T {
  const make = cells.constructor as new (length: number) => T;
  const grown = new make(2 * cells.length);
  grown.set(cells);
  return grown;
}
