import { sharedCopy } from "../bytes.ts";
import type { Hasher } from "@snap/hash";
import {
  NotFoundError,
  type ReadStore,
  type StoreEntry,
  type StoreOptions,
} from "@snap/store";
import { isFileDamage } from "../faults.ts";
import { PACK_PREFIX, packIdOf, packName } from "../file_name.ts";
import type { IndexPack } from "../index_writer/index_run.ts";
import { hasNoPackList } from "./pack_set.ts";
import { decodeIndexHead } from "./index_table.ts";
import type { IndexFile } from "./index_file.ts";
import type { DamagedPack } from "../index_writer/read_packs.ts";

/** Packs that are read at once. */
const READS_AT_ONCE = 8;
/** Objects of one table that is built; the tables of their packs are in memory meanwhile. */
const TABLE_OBJECTS = 2 ** 17;
/** Objects of all packs that are read without an index: some 50 bytes of memory each. */
export const UNNAMED_OBJECTS_MAX: number = 2 ** 23;

/** Few stores have packs that no table names: a reader loads this once it meets one. */
const indexWriter = () => import("../index_writer/mod.ts");

/** Packs that no sound table names. */
export interface UnnamedFound {
  /** Packs whose own tables were read. */
  readonly packs: readonly StoreEntry[];
  /** Packs that are damaged themselves. */
  readonly damaged: readonly DamagedPack[];
}

/** Options of {@linkcode UnnamedPacks}. */
export interface UnnamedPacksOptions {
  /** The store. */
  readonly store: ReadStore;
  /** Hasher. */
  readonly hasher: Hasher;
  /** Told of a table of which a page is damaged, each once. */
  readonly onMend?: ((name: string, error: unknown) => void) | undefined;
  /** Told when packs were found that no sound table names. */
  readonly onUnnamed?: ((found: UnnamedFound) => void) | undefined;
}

/** The index, which tells which packs the sound tables name. */
export interface NamedPacks {
  /** Changes when a table is not believed any more. */
  distrustCount(): number;
  /** Packs in tables that are believed in full, by {@linkcode packKey}. */
  keys(options: StoreOptions): Promise<Set<string>>;
}

/**
 * Reads the tables of packs that no sound table of the index names, and keeps
 * tables of them in memory: the packs are what counts, the index saves time.
 */
export class UnnamedPacks {
  readonly #options: UnnamedPacksOptions;
  /** All packs of the store, once they are listed. */
  #listed: StoreEntry[] | undefined;
  readonly #seen = new Set<string>();
  readonly #tables: IndexFile[] = [];
  readonly #packs: StoreEntry[] = [];
  readonly #damaged: DamagedPack[] = [];
  readonly #mended = new Set<string>();
  #objectCount = 0;
  #finding: Promise<void> = Promise.resolve();
  /** How much each index distrusted when the search was made last for it. */
  readonly #knownCounts = new WeakMap<NamedPacks, number>();

  /** Looks for nothing yet. */
  constructor(options: UnnamedPacksOptions) {
    this.#options = options;
  }

  /** Objects found so far. */
  get found(): UnnamedFound {
    return { packs: this.#packs, damaged: this.#damaged };
  }

  /** Forgets which packs are there: others have come. */
  forgetList(): void {
    this.#listed = undefined;
  }

  /** Tells of a damaged table. */
  tellDamage(name: string, error: unknown): void {
    if (this.#mended.has(name)) return;
    this.#mended.add(name);
    this.#options.onMend?.(name, error);
  }

  /** The tables in memory, once all packs are in a table; a search is made once for all who ask. */
  async find(
    named: NamedPacks,
    options: StoreOptions,
  ): Promise<readonly IndexFile[]> {
    // A search that failed or was interrupted is made again.
    const before = this.#finding.catch(() => {});
    this.#finding = before.then(() => this.#find(named, options));
    await this.#finding;
    return this.#tables;
  }

  async #find(named: NamedPacks, options: StoreOptions): Promise<void> {
    while (this.#knownCounts.get(named) !== named.distrustCount()) {
      const count = named.distrustCount();
      this.#listed ??= await this.#list(options);
      const keys = await named.keys(options);
      // What a table was believed to name counts no more when a page of it was damaged.
      if (count !== named.distrustCount()) continue;
      const unnamed = this.#listed.filter(({ name, size }) =>
        !keys.has(packKey(name, size)) && !this.#seen.has(name)
      );
      await this.#read(unnamed, options);
      this.#knownCounts.set(named, count);
      if (unnamed.length > 0) this.#options.onUnnamed?.(this.found);
    }
  }

  async #list(options: StoreOptions): Promise<StoreEntry[]> {
    const entries: StoreEntry[] = [];
    try {
      const packs = this.#options.store.list(PACK_PREFIX, options);
      for await (const batch of packs) {
        entries.push(
          ...batch.filter(({ name }) => packIdOf(name) !== undefined),
        );
      }
    } catch (error) {
      // What is wrong with the object that is looked for says more.
      if (!hasNoPackList(error)) throw error;
    }
    return entries.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async #read(
    entries: readonly StoreEntry[],
    options: StoreOptions,
  ): Promise<void> {
    let packs: IndexPack[] = [];
    let objectCount = 0;
    for (let at = 0; at < entries.length; at += READS_AT_ONCE) {
      options.signal?.throwIfAborted();
      const some = entries.slice(at, at + READS_AT_ONCE);
      const reads = some.map((entry) => this.#readOne(entry, options));
      await Promise.allSettled(reads); // Whoever started work waits for its end.
      for (const pack of await Promise.all(reads)) {
        if (pack === undefined) continue;
        packs.push(pack);
        objectCount += pack.table.objectCount;
      }
      if (this.#objectCount + objectCount > UNNAMED_OBJECTS_MAX) {
        throw tooMany();
      }
      if (objectCount < TABLE_OBJECTS) continue;
      await this.#build(packs);
      packs = [];
      objectCount = 0;
    }
    await this.#build(packs);
  }

  async #readOne(
    entry: StoreEntry,
    options: StoreOptions,
  ): Promise<IndexPack | undefined> {
    const { store, hasher } = this.#options;
    try {
      const { readPack } = await indexWriter();
      return await readPack(store, entry, { ...options, hasher });
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      if (!isFileDamage(error)) throw error;
      this.#seen.add(entry.name);
      this.#damaged.push({ name: entry.name, error });
      return undefined;
    }
  }

  async #build(packs: readonly IndexPack[]): Promise<void> {
    if (packs.length === 0) return;
    const { buildIndex } = await indexWriter();
    const { hasher } = this.#options;
    // Nobody else ever sees these tables: they need no salt of their own.
    const tables = buildIndex(packs, {
      saveId: new Uint8Array(16),
      salt: new Uint8Array(32),
      timeMs: 0,
      hasher,
    });
    for (const { name, size, bytes } of tables) {
      const head = decodeIndexHead(bytes, size, hasher);
      // Shared, as workers look things up, too.
      const shared = sharedCopy(bytes);
      this.#tables.push({ name, size, head, bytes: shared, isBuilt: true });
    }
    for (const { id, size, table } of packs) {
      const name = packName(id);
      this.#seen.add(name);
      this.#packs.push({ name, size });
      this.#objectCount += table.objectCount;
    }
  }
}

/** Name and size of a pack as one key: a row is a claim about a pack of its size. */
export function packKey(name: string, size: number): string {
  return `${name} ${size}`;
}

function tooMany(): Error {
  return new Error(
    `Cannot read the store without its index as its packs have at most ${UNNAMED_OBJECTS_MAX} objects then: found more`,
  );
}
