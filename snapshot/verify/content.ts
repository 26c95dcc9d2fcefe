import { type Id, idFromBytes } from "@snap/hash";
import {
  isPageRequest,
  type Location,
  ObjectKind,
  ObjectNotFoundError,
} from "@snap/pack";
import { RecipeNode, RecipeReader, RecipeRowKind } from "@snap/pack/recipe";
import type { StoreReader } from "@snap/pack/read";
import type { Pacer } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";
import type { DamageLog, FoundDamage } from "./damage_log.ts";
import { damageOf, type Wanted } from "./damage_of.ts";
import type { IdSet } from "../reach/id_set.ts";
import type { MissingPacks } from "./missing_packs.ts";
import { SideBySide } from "./side_by_side.ts";
import type { WholeCheck } from "./whole.ts";
import type { VerifyProgress } from "./verify_progress.ts";
import type { DamagedPath } from "./damage.ts";

/** Options of a walk through what records reach, and of its checks. */
export interface VerifyWalkOptions {
  readonly reader: StoreReader;
  readonly log: DamageLog;
  readonly counts: VerifyProgress;
  readonly pacer: Pacer;
  /** Reads large contents; with it every object is read, not only looked up. */
  readonly whole?: WholeCheck | undefined;
  /** Packs whose objects are read one by one. */
  readonly suspects: ReadonlySet<string>;
  readonly missing: MissingPacks;
  readonly signal?: AbortSignal | undefined;
}

const { content, recipe } = ObjectKind;
/** Memory that the check of a content needs. */
const CHECK_COST = 1 << 20;
/** Contents whose damage lies in their chunks, kept to name further paths. */
const AFFECTED_MAX = 10_000;
/** Damages that are kept of each of them. */
const AFFECTED_EACH_MAX = 16;

/** Checks the content of files: that it is there, at that size; deep ones are read. */
export class VerifyContent {
  readonly #options: VerifyWalkOptions;
  readonly #storeOptions: StoreOptions;
  readonly #seen: IdSet;
  /** By the id of content: what of it is damaged. */
  readonly #affected = new Map<Id, FoundDamage[]>();
  readonly #tasks: SideBySide;
  /** Objects that are being checked. */
  readonly #open = new Map<Id, Promise<unknown>>();

  constructor(options: VerifyWalkOptions, seen: IdSet) {
    this.#options = options;
    this.#seen = seen;
    const { reader, signal } = options;
    this.#tasks = new SideBySide(reader.ranges.isFar);
    this.#storeOptions = { signal };
  }

  /** Waits for the end of all checks. */
  async finish(): Promise<void> {
    await this.#tasks.finish();
  }

  /** Waits for the end of all checks, also of those that fail. */
  async close(): Promise<void> {
    await this.#tasks.settled();
  }

  /** Checks content; a promise only where something has to be read. */
  check(
    ids: Uint8Array,
    start: number,
    size: number,
    where: () => DamagedPath,
  ): Promise<void> | undefined {
    if (!this.#seen.add(ids, start, size, content)) {
      const open = this.#openOf(ids, start);
      if (open !== undefined) {
        const id = ids.slice(start, start + 32);
        return open.then(() => this.#addPath(id, 0, where));
      }
      if (this.#affected.size > 0) this.#addPath(ids, start, where);
      return undefined;
    }
    const { counts } = this.#options;
    counts.objectCount++;
    if (this.#isThere(ids, start, size)) return undefined;
    const id = ids.slice(start, start + 32);
    const check = () => this.#checkSlowly(id, size, where);
    return this.#tasks.add(CHECK_COST, () => this.#opened(id, check));
  }

  /** Runs a check, for which others can wait who come to the same object. */
  async #opened<T>(id: Uint8Array, run: () => Promise<T>): Promise<T> {
    const key = idFromBytes(id);
    const check = run();
    this.#open.set(key, check);
    try {
      return await check;
    } finally {
      this.#open.delete(key);
    }
  }

  #openOf(ids: Uint8Array, start: number): Promise<unknown> | undefined {
    if (this.#open.size === 0) return undefined;
    return this.#open.get(idFromBytes(ids, start));
  }

  /** Whether it is known at once, by index pages in memory, that all is well. */
  #isThere(ids: Uint8Array, start: number, size: number): boolean {
    const { whole, reader } = this.#options;
    if (whole !== undefined) return false;
    try {
      const answer = reader.index.index.locate(ids, start, content);
      return answer !== undefined && !isPageRequest(answer) &&
        answer.size === size && !this.#isSuspect(answer);
    } catch {
      // The slow way meets the error again, and says what it means.
      return false;
    }
  }

  async #checkSlowly(
    id: Uint8Array,
    size: number,
    where: () => DamagedPath,
  ): Promise<void> {
    try {
      if (await this.#checkWhole(id, size)) return;
      const bytes = await this.#options.reader
        .readStored(id, recipe, this.#storeOptions);
      if (bytes === undefined) throw new ObjectNotFoundError(id, content);
      const root = RecipeNode.decode(bytes, this.#options.reader.hasher);
      await this.#checkRecipe(id, size, root, where);
    } catch (error) {
      await this.#fail(error, { id, kind: content }, id, where);
    }
    this.#options.log.addPathOf(recipe, idFromBytes(id), where());
  }

  /** Checks an object that is no recipe; false where there is none. */
  async #checkWhole(id: Uint8Array, size: number): Promise<boolean> {
    const { whole, reader } = this.#options;
    const location = await reader.index
      .locate(id, content, this.#storeOptions);
    if (location === undefined) return false;
    if (location.size !== size) {
      throw new RangeError(
        `Cannot use content ${
          idFromBytes(id)
        }: it has ${location.size} bytes, not ${size}`,
      );
    }
    if (whole !== undefined || this.#isSuspect(location)) {
      await reader.readStored(id, content, this.#storeOptions);
    }
    return true;
  }

  async #checkRecipe(
    id: Uint8Array,
    size: number,
    root: RecipeNode,
    where: () => DamagedPath,
  ): Promise<void> {
    const { whole, signal } = this.#options;
    try {
      if (whole !== undefined && root.plainSize === size) {
        await whole.check(id, root);
        return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      // What is damaged is named chunk by chunk, if it is in them.
      if (!await this.#checkRows(id, size, root, where)) return;
      throw error;
    }
    await this.#checkRows(id, size, root, where);
  }

  /** Checks the chunks one by one; says whether all are sound. */
  async #checkRows(
    id: Uint8Array,
    size: number,
    root: RecipeNode,
    where: () => DamagedPath,
  ): Promise<boolean> {
    const { reader, counts, pacer } = this.#options;
    const { hasher } = reader;
    const rows = new RecipeReader({ hasher, id, kind: content, size, root });
    this.#askAhead(root);
    counts.objectCount++;
    let isSound = true;
    for (let step = rows.next(); step !== "end"; step = rows.next()) {
      const turn = pacer.yield();
      if (turn !== undefined) await turn;
      if (step === "node") {
        const node = await reader.readNode(rows.wanted, this.#storeOptions);
        this.#askAhead(rows.give(node));
        counts.objectCount++;
      } else if (rows.rowKind === RecipeRowKind.chunk) {
        const { ids, idStart } = rows;
        const whole = { id, where };
        const isGood = await this.#checkChunk(ids, idStart, rows.size, whole);
        if (!isGood) isSound = false;
      }
    }
    return isSound;
  }

  /** Announces what says where the chunks of a node lie. */
  #askAhead(node: RecipeNode): void {
    const { index, ranges } = this.#options.reader;
    if (!ranges.isFar || node.level > 0) return;
    for (let row = 0; row < node.count; row++) {
      if (node.rowKind(row) === RecipeRowKind.zeros) continue;
      index.hint(node.bytes, node.idStart(row), content);
    }
  }

  async #checkChunk(
    ids: Uint8Array,
    start: number,
    size: number,
    whole: { readonly id: Uint8Array; readonly where: () => DamagedPath },
  ): Promise<boolean> {
    const { log, counts } = this.#options;
    if (!this.#seen.add(ids, start, size, content)) {
      await this.#openOf(ids, start)?.catch(() => {});
      return log.isEmpty ||
        !log.addPathOf(content, idFromBytes(ids, start), whole.where());
    }
    counts.objectCount++;
    if (this.#isThere(ids, start, size)) return true;
    const id = ids.slice(start, start + 32);
    try {
      const check = () => this.#checkWhole(id, size);
      if (await this.#opened(id, check)) return true;
      throw new ObjectNotFoundError(id, content);
    } catch (error) {
      await this.#fail(error, { id, kind: content }, whole.id, whole.where);
      return false;
    }
  }

  #isSuspect(location: Location): boolean {
    return this.#options.suspects.has(location.packName);
  }

  async #fail(
    error: unknown,
    wanted: Wanted,
    whole: Uint8Array,
    where: () => DamagedPath,
  ): Promise<void> {
    const { signal, log, missing } = this.#options;
    signal?.throwIfAborted();
    const damage = damageOf(error, wanted);
    if (damage === undefined) throw error;
    const found = await missing.name(damage);
    log.add(found, where());
    const key = idFromBytes(whole);
    const known = this.#affected.get(key);
    if (known !== undefined) {
      if (known.length < AFFECTED_EACH_MAX) known.push(found);
    } else if (this.#affected.size < AFFECTED_MAX) {
      this.#affected.set(key, [found]);
    }
  }

  #addPath(ids: Uint8Array, start: number, where: () => DamagedPath): void {
    const damages = this.#affected.get(idFromBytes(ids, start)) ?? [];
    for (const damage of damages) this.#options.log.add(damage, where());
  }
}
