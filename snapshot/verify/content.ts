import { type Id, idFromBytes } from "@snap/hash";
import {
  isPageRequest,
  type Location,
  ObjectKind,
  ObjectNotFoundError,
} from "@snap/pack";
import { RecipeNode, RecipeReader, RecipeRowKind } from "@snap/pack/recipe";
import type { StoreOptions } from "@snap/store";
import type { FoundDamage } from "./damage_log.ts";
import { damageOf, type Wanted } from "./damage_of.ts";
import type { IdSet } from "../reach/id_set.ts";
import type { VerifyWalkOptions } from "./walk.ts";
import type { DamagedPath } from "./damage.ts";

const { content, recipe } = ObjectKind;
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

  constructor(options: VerifyWalkOptions, seen: IdSet) {
    this.#options = options;
    this.#seen = seen;
    const { signal } = options;
    this.#storeOptions = signal === undefined ? {} : { signal };
  }

  /** Checks content; a promise only where something has to be read. */
  check(
    ids: Uint8Array,
    start: number,
    size: number,
    where: () => DamagedPath,
  ): Promise<void> | undefined {
    if (!this.#seen.add(ids, start, size, content)) {
      if (this.#affected.size > 0) this.#addPath(ids, start, where);
      return undefined;
    }
    const { counts } = this.#options;
    counts.objectCount++;
    if (this.#isThere(ids, start, size)) return undefined;
    return this.#checkSlowly(ids.slice(start, start + 32), size, where);
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
        } as it needs ${size} bytes: found ${location.size}`,
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
    const rows = new RecipeReader({ hasher, id, kind: content, size });
    let next: RecipeNode | undefined = root;
    let isSound = true;
    for (let step = rows.next(); step !== "end"; step = rows.next()) {
      const turn = pacer.yield();
      if (turn !== undefined) await turn;
      if (step === "node") {
        const { wanted } = rows;
        rows.give(next ?? await reader.readNode(wanted, this.#storeOptions));
        next = undefined;
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

  async #checkChunk(
    ids: Uint8Array,
    start: number,
    size: number,
    whole: { readonly id: Uint8Array; readonly where: () => DamagedPath },
  ): Promise<boolean> {
    const { log, counts } = this.#options;
    if (!this.#seen.add(ids, start, size, content)) {
      return log.isEmpty ||
        !log.addPathOf(content, idFromBytes(ids, start), whole.where());
    }
    counts.objectCount++;
    if (this.#isThere(ids, start, size)) return true;
    const id = ids.slice(start, start + 32);
    try {
      if (await this.#checkWhole(id, size)) return true;
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
