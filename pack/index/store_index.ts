import { checkBytes } from "@snap/hash";
import { NotFoundError, type ReadStore, type StoreOptions } from "@snap/store";
import { type AwaitedRanges, takeSound } from "../ranges/ranges.ts";
import { RemoteRanges } from "../ranges/remote_ranges.ts";
import { isFileDamage } from "../faults.ts";
import {
  type NamedPacks,
  packKey,
  type UnnamedFound,
  type UnnamedPacks,
} from "./unnamed_packs.ts";
import { IndexSyntaxError } from "../errors.ts";
import {
  type IndexedPack,
  isPageRequest,
  type Location,
  type PageRequest,
} from "../location.ts";
import { IndexReader } from "./index_reader.ts";
import type { IndexFile } from "./index_file.ts";
import type { ObjectIndex } from "./object_index.ts";
import type { MissingOptions, TablesToCome } from "./tables_to_come.ts";
import { ObjectKind } from "../object_kind.ts";

/** Memory for pages on their way where nothing else reads the store. */
const PAGES_SIZE = 1 << 20;

/** Pages of packs that are asked for ahead. */
const PAGES_AHEAD = 16;

/** Options of {@linkcode StoreIndex}. */
export interface StoreIndexOptions {
  /** Names of tables that were left out as they are damaged, none if absent. */
  readonly damaged?: readonly string[];
  /** Tables that are read where none of the store tells of an object; an error if absent. */
  readonly unnamed?: UnnamedPacks;
  /**
   * An index of the same store, with which the tables of such packs are shared; where it
   * lists tables again, this one does, too.
   */
  readonly shared?: StoreIndex;
  /** Source of pages; the store, by promises, if absent. */
  readonly ranges?: AwaitedRanges | undefined;
  /** What lists tables again when an object or a pack is missing; nothing does if absent. */
  readonly more?: TablesToCome;
}

/** The index of a store. */
export class StoreIndex {
  /** The index. */
  readonly index: ObjectIndex;
  /** Names of tables that are there and were left out, as they are damaged. */
  readonly damaged: readonly string[];
  readonly #ranges: AwaitedRanges;
  readonly #unnamed: UnnamedPacks | undefined;
  readonly #named: NamedPacks;
  /** The index, which tells without a wait. */
  readonly #now: IndexReader;
  #distrustCount = 1;
  #generation = 0;
  readonly #more: TablesToCome | undefined;

  /**
   * Makes the index of a store; no page is read yet.
   *
   * @param index The index
   * @param store The store that its tables lie in
   * @param options Tables that were left out, and what is read in their place
   */
  constructor(
    index: ObjectIndex,
    store: ReadStore,
    options: StoreIndexOptions = {},
  ) {
    this.index = index;
    const { damaged = [], unnamed, shared, ranges } = options;
    this.damaged = damaged;
    this.#more = shared === undefined
      ? options.more
      : shared.#more?.beside(index.tables.map(({ name }) => name));
    this.#ranges = ranges ?? new RemoteRanges(store, { sizeMax: PAGES_SIZE });
    this.#unnamed = shared === undefined ? unnamed : shared.#unnamed;
    const { isFar } = this.#ranges;
    this.#now = new IndexReader(index, {
      ranges: isFar
        ? {
          take: (name, offset, length) =>
            void this.#ranges.hint(name, offset, length),
          distrust: () => false,
        }
        : this.#ranges,
    });
    this.#named = {
      distrustCount: () => this.#distrustCount,
      keys: (options) => this.#soundPacks(options),
    };
  }

  /** Changes when tables have come: what was missing before may be there now. */
  get generation(): number {
    return this.#generation;
  }

  /** Tables that lie in the store; the others are in memory. */
  get storedTables(): readonly IndexFile[] {
    return this.index.tables.filter(({ isBuilt }) => isBuilt !== true);
  }

  /** The packs that no sound table names, as far as they were looked for. */
  get unnamed(): UnnamedFound {
    return this.#unnamed?.found ?? { packs: [], damaged: [] };
  }

  /**
   * Finds an object. One that is in no table is looked for in the packs that no
   * sound table names.
   *
   * @param id 32 bytes of its id
   * @param kind Number of its kind
   * @param options What ends the wait
   * @returns Where it lies, `undefined` where no pack that is present holds it
   * @throws {IndexSyntaxError} If a page is damaged, and packs are not read in its place
   */
  async locate(
    id: Uint8Array,
    kind: number,
    options: StoreOptions = {},
  ): Promise<Location | undefined> {
    checkBytes(id, "id");
    for (;;) {
      const { generation } = this;
      const found = await this.#locateOnce(id, kind, options);
      if (found !== undefined) return found === "recipe" ? undefined : found;
      if (!await this.hasChanged(generation, options)) return undefined;
    }
  }

  async #locateOnce(
    id: Uint8Array,
    kind: number,
    options: StoreOptions,
  ): Promise<Location | "recipe" | undefined> {
    const locate = (kind: number) =>
      this.ask(() => this.index.locate(id, 0, kind), options);
    const found = await locate(kind);
    if (found !== undefined || this.#unnamed === undefined) return found;
    // What is a recipe is absent under its own kind: no reason to look further.
    const { recipe } = ObjectKind;
    if (kind !== recipe && await locate(recipe) !== undefined) return "recipe";
    await this.findUnnamed(options);
    return await locate(kind);
  }

  /**
   * Looks whether tables have come, as something is missing that was looked for.
   *
   * @param generation The generation in which it was missing
   * @param options The packs that are gone, what ends the wait
   * @returns Whether it is to be looked for again
   * @throws {StoreError} If the store fails
   */
  async hasChanged(
    generation: number,
    options: MissingOptions = {},
  ): Promise<boolean> {
    return await this.#more?.inTurn(async () => {
      if (generation === this.#generation) await this.#look(options);
      return generation !== this.#generation;
    }) ?? false;
  }

  async #look(
    options: MissingOptions,
  ): Promise<void> {
    const found = await this.#more!.list(options);
    if (found === undefined) return;
    this.index.addTables(found.files);
    if (found.isChanged) this.#renew();
    else if (options.gone !== undefined) await this.#findPacks(options);
  }

  /** Looks once more which packs no table names; those that were listed before may be gone. */
  async #findPacks(options: StoreOptions): Promise<void> {
    const { length } = this.index.tables;
    this.#unnamed?.forgetList();
    this.#distrustCount++;
    await this.findUnnamed(options);
    if (this.index.tables.length > length) this.#renew();
  }

  #renew(): void {
    this.#generation++;
    this.#distrustCount++;
    this.#unnamed?.forgetList();
  }

  /**
   * Finds content without a wait.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @returns Where it lies, `recipe` where it is one, `undefined` where only
   * {@linkcode StoreIndex.locate} can tell
   */
  contentNow(
    ids: Uint8Array,
    idStart: number,
  ): Location | "recipe" | undefined {
    const { content, recipe } = ObjectKind;
    const found = this.#locateNow(ids, idStart, content);
    if (found === "unknown") return undefined;
    if (found !== undefined) return found;
    const root = this.#locateNow(ids, idStart, recipe);
    return root === undefined || root === "unknown" ? undefined : "recipe";
  }

  /**
   * Announces the page that is needed to find an object.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of its kind
   */
  hint(ids: Uint8Array, idStart: number, kind: number): void {
    this.#locateNow(ids, idStart, kind);
  }

  /** Where an object lies, as far as that can be told at once; a page far away is announced. */
  #locateNow(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Location | undefined | "unknown" {
    try {
      const answer = this.#now.ask(() => this.index.locate(ids, idStart, kind));
      return isPageRequest(answer) ? "unknown" : answer;
    } catch {
      // Who waits meets the error again, and goes on without the table.
      return "unknown";
    }
  }

  /**
   * Finds the copies of an object, those in bad packs last, also in packs that no
   * sound table names.
   *
   * @param id 32 bytes of its id
   * @param kind Number of its kind
   * @param options What ends the wait
   * @returns Where they lie, at most 64
   * @throws {IndexSyntaxError} If a page is damaged, and packs are not read in its place
   */
  async locateAll(
    id: Uint8Array,
    kind: number,
    options: StoreOptions = {},
  ): Promise<Location[]> {
    checkBytes(id, "id");
    await this.findUnnamed(options);
    return await this.ask(() => this.index.locateAll(id, 0, kind), options);
  }

  /**
   * Looks for packs that no sound table names, reads their own tables, and adds
   * them to the index. The packs are listed once; each that is found costs one
   * request. Nothing is done where an index is asked for that is what it is.
   *
   * @param options What ends the wait
   */
  async findUnnamed(options: StoreOptions = {}): Promise<void> {
    const tables = await this.#unnamed?.find(this.#named, options) ?? [];
    const known = new Set(this.index.tables.map(({ name }) => name));
    const added = tables.filter(({ name }) => !known.has(name));
    if (added.length > 0) this.index.addTables(added);
  }

  /**
   * Goes through all pack rows of tables that are not replaced; a pack that
   * stands in several tables comes several times.
   *
   * @param options What ends the wait
   * @returns Batches of packs
   * @throws {IndexSyntaxError} If a page is damaged
   */
  async *packs(
    options: StoreOptions = {},
  ): AsyncGenerator<IndexedPack[], void, void> {
    let batch: IndexedPack[] = [];
    for (let number = 0; number < this.index.packCount;) {
      const answer = this.index.packAt(number);
      if (isPageRequest(answer)) {
        if (batch.length > 0) yield batch;
        batch = [];
        this.#hintPages(answer);
        await this.#fetch(answer, options);
        continue;
      }
      if (answer !== undefined) batch.push(answer);
      number++;
    }
    if (batch.length > 0) yield batch;
  }

  /**
   * Reads a page from the store and gives it to the index; false for one that is
   * damaged: it is asked for no more, as what is in it is read from packs.
   */
  async #fetch(
    request: PageRequest,
    options: StoreOptions,
  ): Promise<boolean> {
    const { name } = request;
    try {
      await takeSound(
        this.#ranges,
        request,
        (page) => this.index.give(request, page),
        options,
      );
      return true;
    } catch (error) {
      if (error instanceof NotFoundError && this.#more !== undefined) {
        // Others have taken its place.
        this.index.dropTable(request.table);
        await this.hasChanged(this.#generation, { ...options, gone: [name] });
        return true;
      }
      if (this.#unnamed === undefined || !isFileDamage(error)) throw error;
      this.index.skipPage(request);
      this.#distrust(name, error);
      return false;
    }
  }

  /** Announces the pages that follow. */
  #hintPages({ table, name, offset, length }: PageRequest): void {
    const { size } = this.index.tables[table];
    if (!this.#ranges.isFar) return;
    for (let i = 1; i <= PAGES_AHEAD; i++) {
      const at = offset + i * length;
      if (at < size) this.#ranges.hint(name, at, length);
    }
  }

  /**
   * Asks the index until it has all pages that it needs.
   *
   * @param question Asks it
   * @param options What ends the wait
   * @returns The answer
   * @throws {IndexSyntaxError} If a page is damaged, and packs are not read in its place
   */
  async ask<T extends object | undefined>(
    question: () => T | PageRequest,
    options: StoreOptions = {},
  ): Promise<T> {
    for (;;) {
      let answer: T | PageRequest;
      try {
        answer = question();
      } catch (error) {
        await this.#dropLiar(error, options);
        continue;
      }
      if (!isPageRequest(answer)) return answer;
      const isSound = await this.#fetch(answer, options);
      if (!isSound) await this.findUnnamed(options);
    }
  }

  /** Believes no row of a table any more of which one does not agree with the others. */
  async #dropLiar(error: unknown, options: StoreOptions): Promise<void> {
    const name = error instanceof IndexSyntaxError
      ? error.tableName
      : undefined;
    const number = this.index.tables.findIndex((one) => one.name === name);
    if (this.#unnamed === undefined || number < 0) throw error;
    this.index.dropTable(number);
    this.#distrust(name!, error);
    await this.findUnnamed(options);
  }

  #distrust(name: string, error: unknown): void {
    this.#distrustCount++;
    this.#unnamed!.tellDamage(name, error);
  }

  /** Packs in tables of which no page is known to be damaged. */
  async #soundPacks(options: StoreOptions): Promise<Set<string>> {
    const keys = new Set<string>();
    for await (const batch of this.packs(options)) {
      for (const { packName, packNumber, packSize } of batch) {
        if (!this.index.isInSoundTable(packNumber)) continue;
        keys.add(packKey(packName, packSize));
      }
    }
    return keys;
  }
}
