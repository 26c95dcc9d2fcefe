import { idFromBytes, idToBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import {
  decodeHoles,
  DEPTH_MAX,
  EntryKind,
  ManifestSyntaxError,
} from "@snap/manifest/extras";
import { joinPath } from "@snap/manifest/path";
import { ObjectKind } from "@snap/pack";
import type { StoreOptions } from "@snap/store";
import { damageOf, type Wanted } from "./damage_of.ts";
import { DirectoriesAhead } from "../reach/directories_ahead.ts";
import { IdSet } from "../reach/id_set.ts";
import { VerifyContent, type VerifyWalkOptions } from "./content.ts";
import type { DamagedPath } from "./damage.ts";
import type { NamedRecord } from "../records/record.ts";

/** One directory on the way down. */
interface Level {
  readonly tree: Tree;
  readonly page: AttributePage | undefined;
  readonly path: Uint8Array;
  row: number;
  directories: number;
}

/** Goes through all that records reach: each directory, and each content, once. */
export class VerifyWalk {
  readonly #options: VerifyWalkOptions;
  readonly #storeOptions: StoreOptions;
  readonly #seen = new IdSet();
  readonly #content: VerifyContent;
  readonly #ahead: DirectoriesAhead;
  readonly #levels: Level[] = [];
  #record!: NamedRecord;

  constructor(options: VerifyWalkOptions) {
    this.#options = options;
    const { reader, signal } = options;
    this.#ahead = new DirectoriesAhead(reader, { contents: true, signal });
    this.#storeOptions = { signal };
    this.#content = new VerifyContent(options, this.#seen);
  }

  /** Goes through what a record reaches and was not seen before. */
  async record(record: NamedRecord): Promise<void> {
    this.#record = record;
    const { pacer } = this.#options;
    const levels = this.#levels;
    levels.length = 0;
    const root = new Uint8Array(0);
    await this.#enter(idToBytes(record.tree), idToBytes(record.page), root);
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const pending = this.#step(level);
      if (pending !== undefined) await pending;
      const turn = pacer.yield();
      if (turn !== undefined) await turn;
    }
    // Paths are those of this record.
    await this.#content.finish();
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.#ahead.close();
    await this.#content.close();
  }

  /** Checks the next row; a promise only where something has to be read. */
  #step(level: Level): Promise<void> | undefined {
    const { tree } = level;
    if (level.row === tree.count) {
      this.#levels.pop();
      return undefined;
    }
    const row = level.row++;
    const kind = tree.kind(row);
    if (kind === EntryKind.directory) {
      const page = level.page?.pageIdBytes(level.directories++);
      const path = joinPath(level.path, tree.name(row));
      return this.#enter(tree.idBytes(row), page, path);
    }
    const size = tree.size(row);
    if (kind > EntryKind.executable || size === 0) return undefined;
    return this.#content.check(tree.bytes, tree.idStart(row), size, () => ({
      snapshot: this.#record.tree,
      path: joinPath(level.path, tree.name(row)),
    }));
  }

  /** Reads a directory, unless it was seen, and goes down into it. */
  async #enter(
    treeId: Uint8Array,
    pageId: Uint8Array | undefined,
    path: Uint8Array,
  ): Promise<void> {
    const isNew = pageId === undefined
      ? this.#seen.add(treeId, 0, 1, ObjectKind.tree)
      : this.#seen.addPair(pageId, 0, treeId, 0);
    const where = { snapshot: this.#record.tree, path };
    if (!isNew) {
      this.#ahead.skip(treeId);
      this.#addPaths(treeId, pageId, where);
      return;
    }
    const { log, counts } = this.#options;
    if (this.#levels.length > DEPTH_MAX) {
      await this.#fail(
        depthError(),
        { id: treeId, kind: ObjectKind.tree },
        where,
      );
      return;
    }
    const tree = await this.#read(treeId, ObjectKind.tree, where, Tree.decode);
    if (tree === undefined) return;
    const page = pageId && await this.#read(
      pageId,
      ObjectKind.attributes,
      where,
      AttributePage.decode,
    );
    counts.treeCount++;
    this.#ahead.enter(treeId, tree, page);
    if (page !== undefined && !page.belongsTo(tree, treeId)) {
      const id = idFromBytes(pageId!);
      const message = `Cannot use attributes ${id}: they are not of tree ${
        idFromBytes(treeId)
      }`;
      const kind = ObjectKind.attributes;
      log.add(
        { subject: "object", reason: "syntax", id, kind, message },
        where,
      );
      this.#push(tree, undefined, path);
      return;
    }
    this.#push(tree, page, path);
    if (page !== undefined && page.extraRows > 0) {
      await this.#checkExtras(tree, page, path);
    }
  }

  #push(tree: Tree, page: AttributePage | undefined, path: Uint8Array): void {
    this.#levels.push({ tree, page, path, row: 0, directories: 0 });
  }

  async #read<T>(
    id: Uint8Array,
    kind: number,
    where: DamagedPath,
    decode: (bytes: Uint8Array) => T,
  ): Promise<T | undefined> {
    const { reader, counts, pacer } = this.#options;
    if (this.#seen.add(id, 0, 0, kind)) counts.objectCount++;
    try {
      const bytes = await reader.readObject(id, kind, this.#storeOptions);
      await pacer.yield(bytes.length);
      return decode(bytes);
    } catch (error) {
      await this.#fail(error, { id, kind }, where);
      return undefined;
    }
  }

  /** Checks that large attributes and hole lists are there, and that the latter are lists. */
  async #checkExtras(
    tree: Tree,
    page: AttributePage,
    path: Uint8Array,
  ): Promise<void> {
    for (let row = 0; row < page.rows; row++) {
      const extras = page.extras(row);
      if (extras === undefined) continue;
      const where = (): DamagedPath => ({
        snapshot: this.#record.tree,
        path: row === 0 ? path : joinPath(path, tree.name(row - 1)),
      });
      for (const { id, size } of extras.xattrs) {
        if (id !== undefined) await this.#content.check(id, 0, size, where);
      }
      const { id, size } = extras.holes ?? {};
      if (id === undefined) continue;
      await this.#content.check(id, 0, size!, where);
      await this.#read(id, ObjectKind.content, where(), decodeHoles);
    }
  }

  /** Names another path to a directory that is known to be damaged. */
  #addPaths(
    treeId: Uint8Array,
    pageId: Uint8Array | undefined,
    where: DamagedPath,
  ): void {
    const { log } = this.#options;
    if (log.isEmpty) return;
    log.addPathOf(ObjectKind.tree, idFromBytes(treeId), where);
    if (pageId === undefined) return;
    log.addPathOf(ObjectKind.attributes, idFromBytes(pageId), where);
  }

  async #fail(
    error: unknown,
    wanted: Wanted,
    where: DamagedPath,
  ): Promise<void> {
    const { signal, log, missing } = this.#options;
    signal?.throwIfAborted();
    const damage = damageOf(error, wanted);
    if (damage === undefined) throw error;
    log.add(await missing.name(damage), where);
  }
}

function depthError(): ManifestSyntaxError {
  return new ManifestSyntaxError(
    `Cannot verify tree: directories nest more than ${DEPTH_MAX} deep`,
    0,
  );
}
