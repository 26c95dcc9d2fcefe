// What a store must hold, judged by its files alone: nothing of what writes or reads
// them is asked.
import { equal, ok } from "node:assert/strict";
import { type Hasher, idFromBytes, idToBytes } from "@snap/hash";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { AttributePage, Tree } from "@snap/manifest";
import { EntryKind } from "@snap/manifest/extras";
import { ObjectKind, packName } from "@snap/pack";
import { contextOf } from "@snap/pack/read";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import { FrameDecoder } from "@snap/pack/recipe-content";
import {
  decodePackFooter,
  PACK_FOOTER_SIZE,
  readPackTable,
  rowsByFrame,
} from "@snap/pack/write";
import { decodeRecord, parseRecordName } from "@snap/snapshot/records";

/** An object of a pack. */
export interface PackedObject {
  readonly id: Uint8Array;
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads all objects of a pack.
 *
 * @param bytes The pack.
 * @throws {Error} If it is none.
 */
export function objectsOf(bytes: Uint8Array): PackedObject[] {
  const end = bytes.length - PACK_FOOTER_SIZE;
  const footer = decodePackFooter(bytes.subarray(end), bytes.length);
  const tableBytes = bytes.subarray(footer.tableOffset, end);
  const table = readPackTable(tableBytes, footer, hasher);
  const decoder = new FrameDecoder();
  const objects: PackedObject[] = [];
  for (const { frame, rows } of rowsByFrame(table)) {
    const start = table.frameOffset(frame);
    const stored = bytes.subarray(start, start + table.storedSize(frame));
    const plainSize = table.plainSize(frame);
    const plain = decoder.decode(table.codecTag(frame), stored, plainSize);
    for (let row = 0; row < rows.count; row++) {
      const at = rows.offsets[row];
      objects.push({
        id: rows.ids.slice(32 * row, 32 * row + 32),
        kind: rows.kinds[row],
        bytes: plain.slice(at, at + rows.sizes[row]),
      });
    }
  }
  return objects;
}

/** What the files of a store say. */
export class Oracle {
  /** Records, by the names of their files. */
  readonly records: Map<string, Uint8Array> = new Map();
  readonly #objects = new Map<string, Uint8Array>();
  readonly #forgotten = new Set<string>();
  /** Roots of recipes that came before what they name. */
  readonly #early = new Map<string, PackedObject>();
  /** Directories that are known to be whole: nothing ever goes. */
  readonly #whole = new Set<string>();

  /** Looks at a file that has just come into the store. */
  created(name: string, bytes: Uint8Array): void {
    const [folder, rest] = name.split("/");
    if (folder === "packs") this.#checkPack(name, bytes);
    if (folder === "forgotten") this.#forgotten.add(rest);
    if (folder === "snapshots") {
      this.checkRecord(name, bytes);
      this.records.set(name, bytes);
    }
  }

  /** Looks at what goes. */
  removed(name: string): void {
    const file = parseRecordName(name);
    const isForgotten = file !== undefined && this.#forgotten.has(file.record);
    const isPassing = /^(index|leases)\//.test(name);
    ok(isForgotten || isPassing, `${name} is removed, and nobody forgot it`);
    this.records.delete(name);
  }

  /** Checks that a record is what its name says, and that all it reaches is there. */
  checkRecord(name: string, bytes: Uint8Array): void {
    const file = parseRecordName(name);
    ok(file !== undefined, `${name} is no name of a record`);
    equal(hasher.idOf(bytes), file.record, `${name} has another id`);
    const { tree, page } = decodeRecord(file, bytes);
    this.#checkDirectory(name, idToBytes(tree), idToBytes(page));
  }

  #checkPack(name: string, bytes: Uint8Array): void {
    const id = new Uint8Array(32);
    hasher.hashInto(bytes, id);
    equal(name, packName(id), "A pack has another id");
    for (const { id, kind, bytes: object } of objectsOf(bytes)) {
      const isRoot = kind === ObjectKind.recipe &&
        RecipeNode.decode(object, hasher).isRoot;
      if (!isRoot) checkId(id, object, contextOf(kind), name);
      else this.#early.set(id.toHex(), { id, kind, bytes: object });
      this.#objects.set(keyOf(id, kind), object);
    }
    this.#checkRoots(name);
  }

  /** Checks the recipes all of whose parts are there by now. */
  #checkRoots(at: string): void {
    for (const [key, { id, bytes }] of this.#early) {
      const content = this.#below(bytes);
      if (content === undefined) continue;
      const { objectKind } = RecipeNode.decode(bytes, hasher);
      checkId(id, content, contextOf(objectKind), at);
      this.#early.delete(key);
    }
  }

  #checkDirectory(at: string, treeId: Uint8Array, pageId: Uint8Array): void {
    const key = keyOf(treeId, ObjectKind.tree) +
      keyOf(pageId, ObjectKind.attributes);
    if (this.#whole.has(key)) return;
    const tree = Tree.decode(this.#bytes(at, treeId, ObjectKind.tree));
    const page = AttributePage.decode(
      this.#bytes(at, pageId, ObjectKind.attributes),
    );
    ok(page.belongsTo(tree, treeId), `${at}: the page is of another tree`);
    let directories = 0;
    for (let row = 0; row < tree.count; row++) {
      const kind = tree.kind(row), inner = `${at}/${row}`;
      if (kind === EntryKind.directory) {
        const below = page.pageIdBytes(directories++);
        this.#checkDirectory(inner, tree.idBytes(row), below);
      }
      const isFile = kind === EntryKind.file || kind === EntryKind.executable;
      if (!isFile || tree.size(row) === 0) continue;
      const bytes = this.#bytes(inner, tree.idBytes(row), ObjectKind.content);
      equal(bytes.length, tree.size(row), `${inner} has another size`);
    }
    this.#whole.add(key);
  }

  /** The bytes of an object, whose id they have. */
  #bytes(at: string, id: Uint8Array, kind: number): Uint8Array {
    const direct = this.#objects.get(keyOf(id, kind));
    if (direct !== undefined) return direct;
    const root = this.#objects.get(keyOf(id, ObjectKind.recipe));
    ok(root, `${at}: ${idFromBytes(id)} of kind ${kind} is not in the store`);
    const bytes = this.#below(root);
    ok(bytes, `${at}: parts of ${idFromBytes(id)} are not in the store`);
    checkId(id, bytes, contextOf(kind), at);
    return bytes;
  }

  /** What is below a node of a recipe, if all of it is there. */
  #below(bytes: Uint8Array): Uint8Array | undefined {
    const node = RecipeNode.decode(bytes, hasher);
    const parts: Uint8Array[] = [];
    for (let row = 0; row < node.count; row++) {
      const kind = node.rowKind(row), start = node.idStart(row);
      const id = node.bytes.subarray(start, start + 32);
      if (kind === RecipeRowKind.zeros) {
        parts.push(new Uint8Array(node.size(row)));
        continue;
      }
      const isNode = kind === RecipeRowKind.node;
      const part = this.#objects.get(
        keyOf(id, isNode ? ObjectKind.recipe : ObjectKind.content),
      );
      const inner = part && isNode ? this.#below(part) : part;
      if (inner === undefined) return undefined;
      parts.push(inner);
    }
    return new Uint8Array(Buffer.concat(parts));
  }
}

function keyOf(id: Uint8Array, kind: number): string {
  return `${kind} ${id.toHex()} `;
}

function checkId(
  id: Uint8Array,
  bytes: Uint8Array,
  context: Parameters<Hasher["deriveInto"]>[0] | undefined,
  at: string,
): void {
  const hash = new Uint8Array(32);
  if (context === undefined) hasher.hashInto(bytes, hash);
  else hasher.deriveInto(context, bytes, hash);
  const found = hash.toHex(), wanted = id.toHex();
  equal(found, wanted, `${at} holds an object that is not what its id says`);
}
