/**
 * The nodes of recipes, as bytes: what a large object is made of. Byte exact in
 * `docs/FORMAT.md`.
 *
 * @module
 */
import { checkBytes, type Hasher, RECIPE_CONTEXT } from "@snap/hash";
import { getU32, ID_SIZE, isZero, setU32 } from "../bytes.ts";
import { FRAME_SIZE_MAX } from "../codec/codec.ts";

/** Most rows of a node. */
export const RECIPE_ROWS_MAX = 4096;

/** Rows from which on a node may be closed by the id of a row. */
export const RECIPE_ROWS_MIN = 256;

/** Highest level of a node: 256 rows on every level hold 2^53 bytes. */
export const RECIPE_LEVEL_MAX = 7;

/** Kinds of rows of a node. */
export const RecipeRowKind = {
  /** One chunk. */
  chunk: 1,
  /** A run of zeros, which is not stored. */
  zeros: 2,
  /** A node of the level below. */
  node: 3,
} as const;

/** Kinds of rows of a node. */
export type RecipeRowKind = (typeof RecipeRowKind)[keyof typeof RecipeRowKind];

const HEAD_SIZE = 24;
const ROW_SIZE = 41;
const ROOT_SIZE = 2 * ID_SIZE;
const MAGIC = 0x31504352;

/** Size of the largest node. */
export const RECIPE_NODE_SIZE_MAX: number = HEAD_SIZE +
  ROW_SIZE * RECIPE_ROWS_MAX + ROOT_SIZE;

/** Bytes that are not a node of a recipe, or not the one that belongs here. */
export class RecipeSyntaxError extends SyntaxError {
  /** Offset of the fault in the node. */
  readonly offset: number;

  /**
   * Makes the error.
   *
   * @param message What could not be read, and why
   * @param offset Offset in the node
   * @param options Cause, where there is one
   */
  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "RecipeSyntaxError";
    this.offset = offset;
  }
}

/** Rows of a node, column by column. */
export interface RecipeRows {
  /** Number of rows. */
  readonly count: number;
  /** 32 bytes for each row. */
  readonly ids: Uint8Array;
  /** Plain bytes of each row. */
  readonly sizes: Float64Array;
  /** {@linkcode RecipeRowKind} of each row. */
  readonly kinds: Uint8Array;
}

/** Fields of a root beside its rows. */
export interface RecipeRoot {
  /** 32 bytes of the object's id. */
  readonly id: Uint8Array;
  /** Number of the object's kind: 1, 3 or 4. */
  readonly kind: number;
}

/**
 * Whether a row closes its node, apart from the limit of 4096 rows.
 *
 * @param count Rows of the node, this one included
 * @param ids Bytes that hold the id of the row
 * @param idStart Where that id begins
 * @returns Whether the next row belongs to the next node
 */
export function closesNode(
  count: number,
  ids: Uint8Array,
  idStart: number,
): boolean {
  return count >= RECIPE_ROWS_MIN &&
    ((ids[idStart] | (ids[idStart + 1] << 8)) & 0x3ff) === 0;
}

function getU64(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at) + getU32(bytes, at + 4) * 0x1_0000_0000;
}

function setU64(bytes: Uint8Array, at: number, value: number): void {
  setU32(bytes, at, value);
  setU32(bytes, at + 4, Math.floor(value / 0x1_0000_0000));
}

/**
 * Encodes a node. The rows are taken as they are.
 *
 * @param rows 1 to 4096 rows
 * @param level 0 for rows of chunks, else one more than that of its rows
 * @param out Place for the node, at least `RECIPE_NODE_SIZE_MAX` bytes
 * @param root What a root says besides, and what hashes it
 * @returns Size of the node
 */
export function encodeRecipeNode(
  rows: RecipeRows,
  level: number,
  out: Uint8Array,
  root?: RecipeRoot & { readonly hasher: Hasher },
): number {
  const { count, ids, sizes, kinds } = rows;
  const sizesStart = HEAD_SIZE + ID_SIZE * count;
  const kindsStart = sizesStart + 8 * count;
  let plainSize = 0;
  for (let i = 0; i < count; i++) {
    plainSize += sizes[i];
    setU64(out, sizesStart + 8 * i, sizes[i]);
  }
  setU32(out, 0, MAGIC);
  setU32(out, 4, level | (root === undefined ? 0 : 1 << 8 | root.kind << 16));
  setU32(out, 8, count);
  setU32(out, 12, 0);
  setU64(out, 16, plainSize);
  out.set(ids.subarray(0, ID_SIZE * count), HEAD_SIZE);
  out.set(kinds.subarray(0, count), kindsStart);
  const end = kindsStart + count;
  if (root === undefined) return end;
  out.set(root.id, end);
  const checkStart = end + ID_SIZE;
  const before = out.subarray(0, checkStart);
  root.hasher.deriveInto(RECIPE_CONTEXT, before, out, checkStart);
  return checkStart + ID_SIZE;
}

/** One node of a recipe: a view of its bytes, read in place. */
export class RecipeNode {
  /** Bytes of the node; they must not change. */
  readonly bytes: Uint8Array;
  /** 32 bytes under which the node stands: in a root the id of the object. */
  readonly id: Uint8Array;
  /** 0 where the rows are chunks, else one more than that of the rows' nodes. */
  readonly level: number;
  /** Whether the node is the root. */
  readonly isRoot: boolean;
  /** In a root the number of the object's kind, else 0. */
  readonly objectKind: number;
  /** Number of rows. */
  readonly count: number;
  /** Plain bytes below the node. */
  readonly plainSize: number;
  readonly #starts: Float64Array;

  private constructor(bytes: Uint8Array, id: Uint8Array, starts: Float64Array) {
    this.bytes = bytes;
    this.id = id;
    this.level = bytes[4];
    this.isRoot = bytes[5] === 1;
    this.objectKind = bytes[6];
    this.count = starts.length - 1;
    this.plainSize = starts[this.count];
    this.#starts = starts;
  }

  /**
   * Reads a node and checks all of it, the check of a root included. It is for
   * the caller to compare `id` with the one that was asked for.
   *
   * @param bytes Bytes of the node; they must not change afterwards
   * @param hasher What hashes it
   * @returns The node
   * @throws {RecipeSyntaxError} If the bytes are not a node
   */
  static decode(bytes: Uint8Array, hasher: Hasher): RecipeNode {
    checkBytes(bytes, "recipe");
    const end = checkHead(bytes);
    const starts = readSizes(bytes);
    checkRows(bytes, starts);
    const id = bytes[5] === 1
      ? bytes.subarray(end, end + ID_SIZE)
      : new Uint8Array(ID_SIZE);
    if (bytes[5] === 1) checkRoot(bytes, end, hasher);
    else hasher.deriveInto(RECIPE_CONTEXT, bytes, id);
    return new RecipeNode(bytes, id, starts);
  }

  /**
   * Gives the kind of a row.
   *
   * @param row Number of the row
   * @returns Its kind
   */
  rowKind(row: number): RecipeRowKind {
    return this.bytes[HEAD_SIZE + 40 * this.count + row] as RecipeRowKind;
  }

  /**
   * Where the id of a row begins in `bytes`.
   *
   * @param row Number of the row
   * @returns Offset of its 32 bytes
   */
  idStart(row: number): number {
    return HEAD_SIZE + ID_SIZE * row;
  }

  /**
   * How many plain bytes a row stands for.
   *
   * @param row Number of the row
   * @returns Plain bytes, at least 1
   */
  size(row: number): number {
    return this.#starts[row + 1] - this.#starts[row];
  }

  /**
   * Where a row begins in the plain bytes of the node.
   *
   * @param row Number of the row, or the number of rows for the end
   * @returns Offset from the first plain byte below the node
   */
  start(row: number): number {
    return this.#starts[row];
  }

  /**
   * Finds the row that a plain byte is in.
   *
   * @param offset Offset from the first plain byte below the node
   * @returns Number of the row; the number of rows where it is past the end
   */
  rowAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle + 1] <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function refuse(need: string, found: number, offset: number): never {
  throw new RecipeSyntaxError(
    `Cannot read recipe node as ${need}: found ${found}`,
    offset,
  );
}

/** Checks all before the rows, and the size; returns where the rows end. */
function checkHead(bytes: Uint8Array): number {
  if (bytes.length < HEAD_SIZE + ROW_SIZE) {
    refuse("it has 65 bytes or more", bytes.length, bytes.length);
  }
  const magic = getU32(bytes, 0);
  if (magic !== MAGIC) refuse(`it begins with ${MAGIC}`, magic, 0);
  if (bytes[4] > RECIPE_LEVEL_MAX) refuse("levels are 0 to 7", bytes[4], 4);
  if (bytes[5] > 1) refuse("the mark of a root is 0 or 1", bytes[5], 5);
  const kind = bytes[6];
  const kindIsGood = bytes[5] === 0
    ? kind === 0
    : kind === 1 || kind === 3 || kind === 4;
  if (!kindIsGood) refuse("kinds are 1, 3, 4, 0 below a root", kind, 6);
  if (bytes[7] !== 0) refuse("byte 7 is reserved", bytes[7], 7);
  const count = getU32(bytes, 8);
  if (count < 1 || count > RECIPE_ROWS_MAX) {
    refuse("it has 1 to 4096 rows", count, 8);
  }
  const reserved = getU32(bytes, 12);
  if (reserved !== 0) refuse("byte 12 is reserved", reserved, 12);
  const end = HEAD_SIZE + ROW_SIZE * count;
  const size = end + (bytes[5] === 1 ? ROOT_SIZE : 0);
  if (bytes.length !== size) {
    refuse(`its ${count} rows need ${size} bytes`, bytes.length, 8);
  }
  return end;
}

function readSizes(bytes: Uint8Array): Float64Array {
  const count = getU32(bytes, 8);
  const starts = new Float64Array(count + 1);
  let at = HEAD_SIZE + ID_SIZE * count;
  let sum = 0;
  for (let i = 0; i < count; i++, at += 8) {
    const size = getU64(bytes, at);
    sum += size;
    if (size < 1 || sum > Number.MAX_SAFE_INTEGER) {
      refuse("sizes are 1 or more and their sum below 2^53", size, at);
    }
    starts[i + 1] = sum;
  }
  const claimed = getU64(bytes, 16);
  if (claimed !== sum) refuse(`its sizes add up to ${sum}`, claimed, 16);
  return starts;
}

function checkRows(bytes: Uint8Array, starts: Float64Array): void {
  const count = starts.length - 1;
  const level = bytes[4];
  const kindsStart = HEAD_SIZE + 40 * count;
  for (let i = 0; i < count; i++) {
    const kind = bytes[kindsStart + i];
    const idStart = HEAD_SIZE + ID_SIZE * i;
    if (kind === RecipeRowKind.zeros) {
      if (level !== 0) refuse("its rows are nodes", kind, kindsStart + i);
      if (!isZero(bytes, idStart, idStart + ID_SIZE)) {
        refuse("runs of zeros have no id", bytes[idStart], idStart);
      }
      if (i > 0 && bytes[kindsStart + i - 1] === RecipeRowKind.zeros) {
        refuse("runs of zeros never stand side by side", i, kindsStart + i);
      }
      continue;
    }
    const wanted = level === 0 ? RecipeRowKind.chunk : RecipeRowKind.node;
    if (kind !== wanted) refuse(`row kind is ${wanted}`, kind, kindsStart + i);
    const size = starts[i + 1] - starts[i];
    if (level === 0 && size > FRAME_SIZE_MAX) {
      refuse("chunks have 4 MiB or less", size, HEAD_SIZE + 32 * count + 8 * i);
    }
    if (i < count - 1 && closesNode(i + 1, bytes, idStart)) {
      refuse(`row ${i} closes it`, count, idStart);
    }
  }
}

function checkRoot(bytes: Uint8Array, rowsEnd: number, hasher: Hasher): void {
  const start = rowsEnd + ID_SIZE;
  const check = new Uint8Array(ID_SIZE);
  hasher.deriveInto(RECIPE_CONTEXT, bytes.subarray(0, start), check);
  for (let i = 0; i < ID_SIZE; i++) {
    if (bytes[start + i] !== check[i]) {
      refuse("a root ends with its BLAKE3", bytes[start + i], start + i);
    }
  }
}
