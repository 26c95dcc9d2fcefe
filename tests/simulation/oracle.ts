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
import { decodeNamed } from "@snap/store/format";

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
  /** Records that count, by the names of their files. */
  readonly records: Map<string, Uint8Array> = new Map();
  readonly #objects = new Map<string, Uint8Array>();
  /** How many packs hold an object. */
  readonly #copies = new Map<string, number>();
  /** What packs hold. */
  readonly #packs = new Map<string, readonly string[]>();
  readonly #forgotten = new Set<string>();
  readonly #voids = new Set<string>();
  /** Packs that rounds have decided to remove, as hex digits. */
  readonly #final = new Set<string>();
  /** Files of records of which somebody was told. */
  readonly #acknowledged = new Set<string>();
  /** Roots of recipes that came before what they name. */
  readonly #early = new Map<string, PackedObject>();
  /** What directories need that are known to be whole. */
  readonly #whole = new Map<string, ReadonlySet<string>>();
  /** What records need. */
  readonly #needs = new Map<string, ReadonlySet<string>>();

  /** Looks at a file that has just come into the store. */
  created(name: string, bytes: Uint8Array): void {
    const [folder, rest, last] = name.split("/");
    if (folder === "packs") this.#checkPack(name, bytes);
    if (folder === "forgotten") this.#forgotten.add(rest);
    if (name.startsWith("gc/void/")) this.#voided(last);
    else if (folder === "gc") this.#seeStep(name, bytes);
    if (folder === "snapshots") this.#seeRecord(name, bytes);
  }

  /** Looks at what goes. */
  removed(name: string): void {
    const file = parseRecordName(name);
    const isPassing = /^(index|leases|gc)\/[^/]+/.test(name) &&
      !/^gc\/(void|bad)\//.test(name);
    if (name.startsWith("packs/")) this.#removePack(name);
    else ok(isPassing || file !== undefined, `${name} is removed`);
    if (file === undefined) return;
    const mayGo = this.#forgotten.has(file.record) ||
      this.#voids.has(file.writer);
    ok(mayGo, `${name} is removed, and neither void nor forgotten`);
    this.#forget(name);
  }

  /** Notes that somebody was told of a record. */
  acknowledged(name: string): void {
    this.#acknowledged.add(name);
    const file = parseRecordName(name)!;
    if (this.#forgotten.has(file.record)) return;
    ok(this.records.has(name), `${name} was acknowledged, and does not count`);
  }

  /** Sees that each pack has something that a record needs. */
  checkClean(): void {
    const needed = new Set<string>();
    for (const needs of this.#needs.values()) {
      for (const key of needs) needed.add(key);
    }
    for (const [name, keys] of this.#packs) {
      ok(keys.some((key) => needed.has(key)), `No record needs ${name}`);
    }
  }

  /** Checks that a record is what its name says, and that all it reaches is there. */
  checkRecord(name: string, bytes: Uint8Array): void {
    const file = parseRecordName(name);
    ok(file !== undefined, `${name} is no name of a record`);
    equal(hasher.idOf(bytes), file.record, `${name} has another id`);
    const { tree, page } = decodeRecord(file, bytes);
    const needs = this.#checkDirectory(name, idToBytes(tree), idToBytes(page));
    this.#needs.set(name, needs);
  }

  #seeRecord(name: string, bytes: Uint8Array): void {
    // What a save that is void has written nobody reads.
    const file = parseRecordName(name);
    if (file !== undefined && this.#voids.has(file.writer)) return;
    this.checkRecord(name, bytes);
    this.records.set(name, bytes);
  }

  #forget(name: string): void {
    this.records.delete(name);
    this.#needs.delete(name);
  }

  #seeStep(name: string, bytes: Uint8Array): void {
    const { body } = decodeNamed(name, bytes);
    if (body.step !== "final") return;
    for (const id of body.packs as string[]) this.#final.add(id);
  }

  #voided(save: string): void {
    this.#voids.add(save);
    for (const name of [...this.records.keys()]) {
      const { writer, record } = parseRecordName(name)!;
      if (writer !== save) continue;
      const isLost = this.#acknowledged.has(name) &&
        !this.#forgotten.has(record);
      ok(!isLost, `${name} was acknowledged, and counts no more`);
      this.#forget(name);
    }
  }

  #removePack(pack: string): void {
    const id = pack.slice(pack.lastIndexOf("/") + 1);
    ok(this.#final.has(id), `${pack} is removed, and no round has decided so`);
    const lost = new Set<string>();
    for (const key of this.#packs.get(pack) ?? []) {
      const left = this.#copies.get(key)! - 1;
      this.#copies.set(key, left);
      if (left > 0) continue;
      lost.add(key);
      this.#objects.delete(key);
      if (key.startsWith(`${ObjectKind.recipe} `)) {
        this.#early.delete(key.split(" ")[1]);
      }
    }
    this.#packs.delete(pack);
    if (lost.size === 0) return;
    this.#whole.clear();
    for (const [name, needs] of [...this.#needs]) {
      // It may be there in another form.
      if (!needs.isDisjointFrom(lost)) {
        this.checkRecord(name, this.records.get(name)!);
      }
    }
  }

  #checkPack(name: string, bytes: Uint8Array): void {
    const id = new Uint8Array(32);
    hasher.hashInto(bytes, id);
    equal(name, packName(id), "A pack has another id");
    const keys = new Set<string>();
    for (const { id, kind, bytes: object } of objectsOf(bytes)) {
      const isRoot = kind === ObjectKind.recipe &&
        RecipeNode.decode(object, hasher).isRoot;
      if (!isRoot) checkId(id, object, contextOf(kind), name);
      else this.#early.set(id.toHex(), { id, kind, bytes: object });
      this.#objects.set(keyOf(id, kind), object);
      keys.add(keyOf(id, kind));
    }
    for (const key of keys) {
      this.#copies.set(key, (this.#copies.get(key) ?? 0) + 1);
    }
    this.#packs.set(name, [...keys]);
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

  /** Checks a directory and all below it; gives what they need. */
  #checkDirectory(
    at: string,
    treeId: Uint8Array,
    pageId: Uint8Array,
  ): ReadonlySet<string> {
    const own = [
      keyOf(treeId, ObjectKind.tree),
      keyOf(pageId, ObjectKind.attributes),
    ];
    const known = this.#whole.get(own.join());
    if (known !== undefined) return known;
    const needs = new Set<string>();
    const tree = Tree.decode(this.#bytes(at, treeId, ObjectKind.tree, needs));
    const page = AttributePage.decode(
      this.#bytes(at, pageId, ObjectKind.attributes, needs),
    );
    ok(page.belongsTo(tree, treeId), `${at}: the page is of another tree`);
    let directories = 0;
    for (let row = 0; row < tree.count; row++) {
      const kind = tree.kind(row), inner = `${at}/${row}`;
      if (kind === EntryKind.directory) {
        const below = page.pageIdBytes(directories++);
        const inside = this.#checkDirectory(inner, tree.idBytes(row), below);
        for (const key of inside) needs.add(key);
      }
      const isFile = kind === EntryKind.file || kind === EntryKind.executable;
      if (!isFile || tree.size(row) === 0) continue;
      const { content } = ObjectKind;
      const bytes = this.#bytes(inner, tree.idBytes(row), content, needs);
      equal(bytes.length, tree.size(row), `${inner} has another size`);
    }
    this.#whole.set(own.join(), needs);
    return needs;
  }

  /** The bytes of an object, whose id they have; what they are made of is noted. */
  #bytes(
    at: string,
    id: Uint8Array,
    kind: number,
    needs: Set<string>,
  ): Uint8Array {
    const direct = this.#objects.get(keyOf(id, kind));
    if (direct !== undefined) {
      needs.add(keyOf(id, kind));
      return direct;
    }
    const key = keyOf(id, ObjectKind.recipe);
    const root = this.#objects.get(key);
    ok(root, `${at}: ${idFromBytes(id)} of kind ${kind} is not in the store`);
    needs.add(key);
    const bytes = this.#below(root, needs);
    ok(bytes, `${at}: parts of ${idFromBytes(id)} are not in the store`);
    checkId(id, bytes, contextOf(kind), at);
    return bytes;
  }

  /** What is below a node of a recipe, if all of it is there. */
  #below(bytes: Uint8Array, needs?: Set<string>): Uint8Array | undefined {
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
      const key = keyOf(id, isNode ? ObjectKind.recipe : ObjectKind.content);
      const part = this.#objects.get(key);
      needs?.add(key);
      const inner = part && isNode ? this.#below(part, needs) : part;
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
