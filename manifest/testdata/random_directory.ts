import { EntryKind } from "../entry_kind.ts";
import { encodeExtras } from "../extras/extras.ts";
import { encodeHoles } from "../extras/holes.ts";
import { TreeDraft } from "../tree/tree_draft.ts";
import { EMPTY_ID } from "./golden.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../../tests/_manifest_builders.ts";

/** What is used of the generator in tests/_prng.ts. */
interface Prng {
  u32(): number;
  unit(): number;
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  bytes(size: number): Uint8Array;
}

/** One random entry, as an object. */
export interface RandomEntry {
  readonly name: Uint8Array;
  readonly kind: EntryKind;
  readonly id: Uint8Array;
  readonly size: number;
  readonly target: Uint8Array;
  readonly major: number;
  readonly minor: number;
}

/** One random row of attributes, as an object. */
export interface RandomRow {
  readonly mtimeSec: number;
  readonly mtimeNs: number;
  readonly ctimeSec: number;
  readonly ctimeNs: number;
  readonly inodeLow: number;
  readonly inodeHigh: number;
  readonly nlink: number;
  readonly mode: number;
  readonly device: number;
  readonly owner: RandomOwner;
  readonly extras: Uint8Array | undefined;
}

/** One random owner. */
export interface RandomOwner {
  readonly uid: number;
  readonly gid: number;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
}

const ZEROS = new Uint8Array(32);
const NONE = new Uint8Array(0);

/** Bytes without NUL and `/`; not `.` and not `..`. */
function randomName(prng: Prng): Uint8Array {
  const alphabet = prng.pick([3, 254]); // Few letters make names that begin alike.
  const name = prng.bytes(1 + prng.below(prng.pick([4, 20, 255])));
  for (let at = 0; at < name.length; at++) {
    const byte = 1 + prng.below(alphabet);
    name[at] = byte >= 0x2f ? byte + 1 : byte;
  }
  const text = String.fromCharCode(...name.subarray(0, 3));
  return text === "." || text === ".." ? Uint8Array.of(0x61) : name;
}

/** A number from 0 to 2^53 - 1, small or large. */
export function randomSize(prng: Prng): number {
  return Math.floor(prng.unit() * 2 ** prng.below(54));
}

function randomEntry(prng: Prng, name: Uint8Array): RandomEntry {
  const kind = prng.pick([1, 1, 1, 2, 3, 4, 5, 6, 7] as const);
  const size = kind <= EntryKind.executable ? randomSize(prng) : 0;
  const isFile = kind <= EntryKind.executable;
  const target = kind === EntryKind.symlink
    ? prng.bytes(1 + prng.below(100)).map((byte) => byte || 1)
    : NONE;
  const isDevice = kind >= EntryKind.characterDevice;
  return {
    name,
    kind,
    id: isFile && size === 0
      ? EMPTY_ID
      : kind <= EntryKind.directory
      ? prng.bytes(32)
      : ZEROS,
    size: kind === EntryKind.symlink ? target.length : size,
    target,
    major: isDevice ? prng.u32() : 0,
    minor: isDevice ? prng.u32() : 0,
  };
}

/** Random entries in byte order of their names. */
export function randomEntries(prng: Prng, countMax: number): RandomEntry[] {
  const names = new Map<string, Uint8Array>();
  for (let count = prng.below(countMax + 1); count > 0; count--) {
    const name = randomName(prng);
    names.set(String.fromCharCode(...name), name);
  }
  return [...names.keys()].sort().map((key) =>
    randomEntry(prng, names.get(key)!)
  );
}

/** Builds the tree of entries. */
export function buildTree(entries: readonly RandomEntry[]): Uint8Array {
  const builder = new TreeBuilder();
  for (const { name, kind } of entries) builder.add(name, 0, name.length, kind);
  for (let row = entries.length - 1; row >= 0; row--) {
    const { kind, size, id, target, major, minor } = entries[row];
    if (kind <= EntryKind.executable) builder.setContent(row, size, id);
    else if (kind === EntryKind.directory) builder.setTree(row, id);
    else if (kind === EntryKind.symlink) builder.setTarget(row, target);
    else if (kind !== EntryKind.fifo) builder.setDevice(row, major, minor);
  }
  return builder.build();
}

/** Drafts the tree of entries: rows that are not kept are left out at the end. */
export function draftTree(
  entries: readonly RandomEntry[],
  isKept: readonly boolean[],
): TreeDraft {
  let end = 0;
  const ends = Uint32Array.from(entries, ({ name }) => end += name.length);
  const names = new Uint8Array(end);
  entries.forEach(({ name }, i) => names.set(name, ends[i] - name.length));
  const draft = new TreeDraft({ rowsMax: entries.length, names, ends });
  entries.forEach(({ kind, target, major, minor }, row) => {
    draft.add(kind);
    if (kind === EntryKind.symlink && isKept[row]) draft.setTarget(row, target);
    if (kind >= EntryKind.characterDevice) draft.setDevice(row, major, minor);
  });
  for (let row = entries.length - 1; row >= 0; row--) {
    const { kind, size, id } = entries[row];
    if (kind <= EntryKind.executable) draft.setContent(row, size, id);
    else if (kind === EntryKind.directory) draft.setTree(row, id);
    if (!isKept[row]) draft.leaveOut(row);
  }
  return draft;
}

function randomExtras(prng: Prng): Uint8Array | undefined {
  if (prng.below(4) > 0) return undefined;
  const xattrs = Array.from({ length: prng.below(4) }, (_, i) => {
    const name = prng.bytes(1 + prng.below(20)).map((byte) => byte || 1);
    name[0] = 1 + i; // Makes each name another.
    const size = prng.pick([prng.below(20), 1024, 1025, randomSize(prng)]);
    return size <= 1024
      ? { name, size, value: prng.bytes(size) }
      : { name, size, id: prng.bytes(32) };
  });
  const start = prng.below(10 ** 6);
  const holes = encodeHoles(
    Float64Array.of(start, 65536, start + 70_000, 2 ** 40),
  );
  const bytes = encodeExtras({
    xattrs,
    ...(prng.below(2) === 0 && { holes: { size: holes.length, value: holes } }),
  });
  return bytes.length === 0 ? undefined : bytes;
}

function randomOwner(prng: Prng): RandomOwner {
  return {
    uid: prng.pick([0, 1000, prng.u32()]),
    gid: prng.pick([0, 1000, prng.u32()]),
    userName: prng.bytes(prng.below(3)),
    groupName: prng.bytes(prng.below(3)),
  };
}

/** Random rows of a page. */
export function randomRows(prng: Prng, count: number): RandomRow[] {
  const owners = Array.from(
    { length: 1 + prng.below(20) },
    () => randomOwner(prng),
  );
  return Array.from({ length: count }, () => ({
    mtimeSec: prng.below(2) === 0 ? randomSize(prng) : -1 - prng.below(2 ** 32),
    mtimeNs: prng.below(10 ** 9),
    ctimeSec: randomSize(prng),
    ctimeNs: prng.below(10 ** 9),
    inodeLow: prng.u32(),
    inodeHigh: prng.u32(),
    nlink: prng.u32(),
    mode: prng.below(4096),
    device: prng.below(65536),
    owner: prng.pick(owners),
    extras: randomExtras(prng),
  }));
}

/** Builds the page of rows; extras and owners are set from the last row to the first. */
export function buildPage(
  rows: readonly RandomRow[],
  treeId: Uint8Array,
  pageIds: readonly Uint8Array[],
): Uint8Array {
  const builder = new AttributePageBuilder();
  builder.setTreeId(treeId);
  for (const id of pageIds) builder.addPageId(id);
  for (const row of rows) {
    const at = builder.addRow();
    builder.setTimes(at, row.mtimeSec, row.mtimeNs, row.ctimeSec, row.ctimeNs);
    builder.setInode(at, row.inodeLow, row.inodeHigh, row.nlink, row.device);
    builder.setMode(at, row.mode);
  }
  for (let at = rows.length - 1; at >= 0; at--) {
    const { owner, extras } = rows[at];
    const { uid, gid, userName, groupName } = owner;
    builder.setOwner(at, builder.internOwner(uid, gid, userName, groupName));
    if (extras !== undefined) builder.setExtras(at, extras);
  }
  return builder.build();
}
