// Trees and attribute pages as docs/FORMAT.md describes them, written in the
// plainest way: what tests compare the drafts of manifest with, and make
// directories of. Nothing is checked, so a test may build what no save makes.
import type { AttributePage, Tree } from "@snap/manifest";
import { EntryKind, isDeviceKind } from "@snap/manifest/extras";

interface TreeRow {
  readonly name: Uint8Array;
  readonly kind: EntryKind;
  id: Uint8Array;
  low: number;
  high: number;
  target: Uint8Array;
}

const NONE = new Uint8Array(0);

/** Bytes that grow, with little-endian numbers. */
class Writer {
  readonly #parts: Uint8Array[] = [];

  bytes(parts: readonly Uint8Array[]): this {
    for (const part of parts) this.#parts.push(part);
    return this;
  }

  u16(numbers: readonly number[]): this {
    return this.bytes([new Uint8Array(Uint16Array.from(numbers).buffer)]);
  }

  u32(numbers: readonly number[]): this {
    return this.bytes([new Uint8Array(Uint32Array.from(numbers).buffer)]);
  }

  i64(numbers: readonly number[]): this {
    const column = BigInt64Array.from(numbers, BigInt);
    return this.bytes([new Uint8Array(column.buffer)]);
  }

  finish(): Uint8Array {
    const size = this.#parts.reduce((size, { length }) => size + length, 0);
    const out = new Uint8Array(size);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

function ends(runs: readonly Uint8Array[]): number[] {
  let end = 0;
  return runs.map(({ length }) => end += length);
}

/** Makes the bytes of a tree, of rows in the order of their names. */
export class TreeBuilder {
  readonly #rows: TreeRow[] = [];

  add(names: Uint8Array, start: number, end: number, kind: EntryKind): number {
    const name = names.slice(start, end);
    const id = new Uint8Array(32);
    return this.#rows.push({ name, kind, id, low: 0, high: 0, target: NONE }) -
      1;
  }

  setContent(row: number, size: number, ids: Uint8Array, idStart = 0): void {
    const high = Math.floor(size / 2 ** 32);
    const id = ids.slice(idStart, idStart + 32);
    Object.assign(this.#rows[row], { id, low: size % 2 ** 32, high });
  }

  setTree(row: number, ids: Uint8Array, idStart = 0): void {
    this.#rows[row].id = ids.slice(idStart, idStart + 32);
  }

  setTarget(row: number, target: Uint8Array): void {
    this.#rows[row].target = target.slice();
  }

  setDevice(row: number, major: number, minor: number): void {
    Object.assign(this.#rows[row], { low: major, high: minor });
  }

  copyRow(tree: Tree, from: number): number {
    const name = tree.name(from);
    const kind = tree.kind(from);
    const row = this.add(name, 0, name.length, kind);
    if (kind === EntryKind.directory) {
      this.setTree(row, tree.bytes, tree.idStart(from));
    } else if (kind === EntryKind.symlink) {
      this.setTarget(row, tree.target(from));
    } else if (isDeviceKind(kind)) {
      this.setDevice(row, tree.deviceMajor(from), tree.deviceMinor(from));
    } else if (kind !== EntryKind.fifo) {
      this.setContent(row, tree.size(from), tree.bytes, tree.idStart(from));
    }
    return row;
  }

  build(): Uint8Array {
    const rows = this.#rows;
    const names = rows.map(({ name }) => name);
    const targets = rows.map(({ target }) => target);
    const targetEnds = ends(targets);
    const values = rows.flatMap(({ kind, low, high, target }, row) =>
      kind === EntryKind.symlink
        ? [targetEnds[row] - target.length, target.length]
        : [low, high]
    );
    return new Writer()
      .bytes([new TextEncoder().encode("TRE1")])
      .u32([rows.length, ends(names).at(-1) ?? 0, targetEnds.at(-1) ?? 0])
      .bytes(rows.map(({ id }) => id))
      .u32(values)
      .u32(ends(names))
      .bytes([Uint8Array.from(rows, ({ kind }) => kind)])
      .bytes(names)
      .bytes(targets)
      .finish();
  }
}

interface PageRow {
  times: readonly number[];
  inode: readonly number[];
  mode: number;
  owner: number;
  extras: Uint8Array;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
}

/** Makes the bytes of an attribute page; row 0 is that of the directory. */
export class AttributePageBuilder {
  #treeId = new Uint8Array(32);
  readonly #pageIds: Uint8Array[] = [];
  readonly #rows: PageRow[] = [];
  readonly #owners: Owner[] = [];
  readonly #ownerNumbers = new Map<string, number>();

  setTreeId(ids: Uint8Array, idStart = 0): void {
    this.#treeId = ids.slice(idStart, idStart + 32);
  }

  addPageId(ids: Uint8Array, idStart = 0): void {
    this.#pageIds.push(ids.slice(idStart, idStart + 32));
  }

  addRow(): number {
    const row = { times: [0, 0, 0, 0], inode: [0, 0, 0, 0], mode: 0, owner: 0 };
    return this.#rows.push({ ...row, extras: NONE }) - 1;
  }

  /** Modification and change time: seconds and nanoseconds of each. */
  setTimes(row: number, ...times: [number, number, number, number]): void {
    this.#rows[row].times = times;
  }

  /** Lower and upper word of the inode, link count, device. */
  setInode(row: number, ...inode: [number, number, number, number]): void {
    this.#rows[row].inode = inode;
  }

  setMode(row: number, mode: number): void {
    this.#rows[row].mode = mode;
  }

  setOwner(row: number, owner: number): void {
    this.#rows[row].owner = owner;
  }

  setExtras(row: number, extras: Uint8Array): void {
    this.#rows[row].extras = extras.slice();
  }

  internOwner(
    uid: number,
    gid: number,
    userName: Uint8Array,
    groupName: Uint8Array,
  ): number {
    const key = `${uid} ${gid} ${userName} ${groupName}`;
    let number = this.#ownerNumbers.get(key);
    if (number === undefined) {
      number = this.#owners.push({
        uid,
        gid,
        userName: userName.slice(),
        groupName: groupName.slice(),
      }) - 1;
      this.#ownerNumbers.set(key, number);
    }
    return number;
  }

  copyRow(page: AttributePage, from: number): number {
    const row = this.addRow();
    this.setTimes(
      row,
      page.mtimeSec(from),
      page.mtimeNs(from),
      page.ctimeSec(from),
      page.ctimeNs(from),
    );
    this.setInode(
      row,
      page.inodeLow(from),
      page.inodeHigh(from),
      page.nlink(from),
      page.device(from),
    );
    this.setMode(row, page.mode(from));
    const owner = this.internOwner(
      page.uid(from),
      page.gid(from),
      page.userName(from),
      page.groupName(from),
    );
    this.setOwner(row, owner);
    const extras = page.extraRows === 0 ? undefined : page.extrasBytes(from);
    if (extras !== undefined) this.setExtras(row, extras);
    return row;
  }

  build(): Uint8Array {
    const rows = this.#rows;
    const used = [...new Set(rows.map(({ owner }) => owner))];
    const numbers = new Map(used.map((owner, number) => [owner, number]));
    const owners = used.map((owner) => this.#owners[owner]);
    const names = owners.flatMap((one) => [one.userName, one.groupName]);
    const nameEnds = ends(names);
    const withExtras = [...rows.keys()].filter((row) =>
      rows[row].extras.length > 0
    );
    const extras = withExtras.map((row) => rows[row].extras);
    const times = (at: number) => rows.map((row) => row.times[at]);
    const inode = (at: number) => rows.map((row) => row.inode[at]);
    const seconds = (at: number) =>
      times(at).map((sec) => Math.max(-SEC_MAX, Math.min(sec, SEC_MAX)));
    return new Writer()
      .bytes([new TextEncoder().encode("ATT1")])
      .u32([rows.length, this.#pageIds.length, owners.length])
      .u32([nameEnds.at(-1) ?? 0, extras.length, ends(extras).at(-1) ?? 0, 0])
      .bytes([this.#treeId, ...this.#pageIds])
      .i64(seconds(0))
      .i64(seconds(2))
      .u32(rows.flatMap((row) => [row.inode[0], row.inode[1]]))
      .u32(times(1))
      .u32(times(3))
      .u32(inode(2))
      .u32(rows.map(({ owner }) => numbers.get(owner)!))
      .u16(rows.map(({ mode }) => mode))
      .u16(inode(3))
      .u32(owners.flatMap(({ uid, gid }, i) => [
        uid,
        gid,
        nameEnds[2 * i],
        nameEnds[2 * i + 1],
      ]))
      .bytes(names)
      .u32(withExtras)
      .u32(ends(extras))
      .bytes(extras)
      .finish();
  }
}

const SEC_MAX = Number.MAX_SAFE_INTEGER;
