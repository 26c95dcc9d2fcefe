import type { RecordFile } from "@snap/snapshot/records";
import type {
  CatalogRecord,
  CatalogSource,
  CatalogTagEntry,
} from "./catalog_source.ts";
import {
  VirtualDirectory,
  type VirtualEntry,
  type VirtualLink,
} from "./virtual_directory.ts";

/** Time within which the store is not listed again, in milliseconds. */
const FRESH_MS = 1000;
/** Records or entries of a tag that are read at once. */
const CONCURRENCY = 16;
/** The newest entry of a tag, beside the entries by time. */
const LATEST = "latest";

/** A tag, and as much of its log as was looked at. */
interface TagState {
  readonly tag: string;
  readonly directory: VirtualDirectory;
  /** Number of the newest entry. */
  head: number;
  /** Entries by number, ascending; they never change. */
  log: Map<number, CatalogTagEntry | undefined>;
  /** The set of known records that the directory was last made of. */
  madeOf: object | undefined;
  madeHead: number;
}

/** Options of {@linkcode CatalogTree}. */
export interface CatalogTreeOptions {
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Called after records appeared that were not there before. */
  readonly onNewRecords: () => void;
  /** Called when the store cannot be read; the entries known so far stay visible. */
  readonly onError: (error: unknown) => void;
}

/**
 * The directories of a mount of all snapshots: `ids/TREE`, `tags/TAG/TIME`,
 * `tags/TAG/latest`. The store is listed when a program looks, and at most once
 * a second; records and entries of tags never change and are read once.
 */
export class CatalogTree {
  readonly root: VirtualDirectory;
  readonly #source: CatalogSource;
  readonly #options: CatalogTreeOptions;
  readonly #ids: VirtualDirectory;
  readonly #tags: VirtualDirectory;
  readonly #nodes = new Map<number, VirtualDirectory | VirtualLink>();
  readonly #tagStates = new Map<number, TagState>();
  readonly #records = new Map<string, CatalogRecord>();
  #known: ReadonlyMap<string, RecordFile> = new Map();
  #nextId = 2;
  #listedMs = -Infinity;
  #listing: Promise<void> | undefined;

  constructor(source: CatalogSource, options: CatalogTreeOptions) {
    this.#source = source;
    this.#options = options;
    this.root = new VirtualDirectory(1, 1, options.now());
    this.#nodes.set(1, this.root);
    this.#ids = this.#makeDirectory(this.root);
    this.#tags = this.#makeDirectory(this.root);
    const entries = [
      ["ids", { directory: this.#ids }],
      ["tags", { directory: this.#tags }],
    ] as const;
    this.root.replace(new Map(entries), options.now());
  }

  /**
   * Finds a virtual node, as the store is now.
   *
   * @param id Lower half of its id
   * @returns The node, or `undefined` if there is none
   * @throws {Error} If the store was never listed, and cannot be
   */
  async node(id: number): Promise<VirtualDirectory | VirtualLink | undefined> {
    const node = this.#nodes.get(id);
    if (node instanceof VirtualDirectory && node !== this.root) {
      await this.#list();
    }
    return node;
  }

  /**
   * Fills a directory with its entries.
   *
   * @throws {Error} If the store cannot be read
   */
  async fill(directory: VirtualDirectory): Promise<void> {
    const state = this.#tagStates.get(directory.id);
    if (state !== undefined) await this.#fillTag(state);
  }

  /**
   * Reads the newest of some records.
   *
   * @param names Their names, at least one
   * @throws {Error} If one of them cannot be read
   */
  async newest(names: readonly RecordFile[]): Promise<CatalogRecord> {
    const records: CatalogRecord[] = [];
    await inParallel(names, async (name) => {
      const known = this.#records.get(name.record) ??
        await this.#source.record(name);
      this.#records.set(name.record, known);
      records.push(known);
    });
    return records.reduce((a, b) => isNewer(b, a) ? b : a);
  }

  /** Lists the store, once for all callers meanwhile. If that fails the entries known so far stay. */
  async #list(): Promise<void> {
    const { now, onError } = this.#options;
    if (now() - this.#listedMs < FRESH_MS) return;
    this.#listing ??= this.#listNow().finally(() => {
      this.#listing = undefined;
    });
    try {
      await this.#listing;
    } catch (error) {
      if (this.#listedMs === -Infinity) throw error;
      this.#listedMs = now();
      onError(error);
    }
  }

  async #listNow(): Promise<void> {
    const { now, onNewRecords } = this.#options;
    // Tags first: a save writes the record before the tag, and none is to lead nowhere.
    const heads = await this.#source.tags();
    const names = await this.#source.recordNames();
    const trees = new Map<string, RecordFile[]>();
    for (const name of names) {
      const same = trees.get(name.tree);
      if (same === undefined) trees.set(name.tree, [name]);
      else same.push(name);
    }
    const known = new Map<string, RecordFile>(
      names.map((name) => [name.record, name]),
    );
    const isOld = names.every(({ record }) => this.#known.has(record));
    if (!isOld || known.size !== this.#known.size) {
      for (const record of this.#records.keys()) {
        if (!known.has(record)) this.#records.delete(record);
      }
      if (!isOld) onNewRecords();
      this.#known = known;
      this.#ids.touch(now());
    }
    this.#ids.replace(
      new Map([...trees].map(([tree, records]) => [tree, { records }])),
      now(),
    );
    this.#listTags(heads);
    this.#listedMs = now();
  }

  #listTags(heads: ReadonlyMap<string, number>): void {
    const nowMs = this.#options.now();
    const entries = new Map<string, VirtualEntry>();
    for (const [tag, head] of heads) {
      const known = this.#tags.get(tag);
      const directory = known !== undefined && "directory" in known
        ? known.directory
        : this.#makeTag(tag);
      const state = this.#tagStates.get(directory.id)!;
      if (state.head !== head) directory.touch(nowMs);
      state.head = head;
      entries.set(tag, { directory });
    }
    this.#tags.replace(entries, nowMs);
  }

  #makeDirectory(parent: VirtualDirectory): VirtualDirectory {
    const { now } = this.#options;
    const made = new VirtualDirectory(this.#nextId++, parent.id, now());
    this.#nodes.set(made.id, made);
    return made;
  }

  #makeTag(tag: string): VirtualDirectory {
    const directory = this.#makeDirectory(this.#tags);
    this.#tagStates.set(directory.id, {
      tag,
      directory,
      head: 0,
      log: new Map(),
      madeOf: undefined,
      madeHead: 0,
    });
    return directory;
  }

  async #fillTag(state: TagState): Promise<void> {
    const { head, log, directory } = state;
    const known = this.#known;
    if (state.madeOf === known && state.madeHead === head) return;
    // Entries made since the tags were listed name records that are not known yet.
    const numbers = (await this.#source.tagNumbers(state.tag))
      .filter((number) => number <= head);
    const missing = numbers.filter((number) => log.get(number) === undefined);
    await inParallel(missing, async (number) => {
      log.set(number, await this.#source.tagEntry(state.tag, number));
    });
    state.log = new Map(numbers.map((number) => [number, log.get(number)]));
    const { entries, latest } = entriesOf(state.log.values(), known);
    if (latest !== undefined) {
      entries.set(LATEST, { link: this.#link(directory, latest) });
    }
    directory.replace(entries, this.#options.now());
    state.madeOf = known;
    state.madeHead = head;
  }

  /** The link `latest`: another node when it names something else. */
  #link(directory: VirtualDirectory, target: string): VirtualLink {
    const before = directory.get(LATEST);
    if (before !== undefined && "link" in before) {
      if (before.link.target === target) return before.link;
    }
    const link = { id: this.#nextId++, target };
    this.#nodes.set(link.id, link);
    return link;
  }
}

/** The log of a tag as names and records; without entries that are damaged or whose record is gone. */
function entriesOf(
  log: Iterable<CatalogTagEntry | undefined>,
  known: ReadonlyMap<string, RecordFile>,
): { entries: Map<string, VirtualEntry>; latest: string | undefined } {
  const entries = new Map<string, VirtualEntry>();
  const texts = new Map<string, string>();
  let head: string | undefined;
  for (const entry of log) {
    const { time = "", name, nonce } = entry ?? {};
    const base = timeName(time);
    head = entry?.head;
    const file = name && known.get(name.record);
    if (file === undefined || base === undefined) continue;
    let text = base;
    for (let i = 2; entries.has(text); i++) text = `${base}.${i}`;
    entries.set(text, { records: [file] });
    if (nonce !== undefined) texts.set(nonce, text);
  }
  // A damaged last slot does not say what the tag names.
  return { entries, latest: head === undefined ? undefined : texts.get(head) };
}

/** A time as a name that sorts, without colons: `2026-11-20T05-46-18Z`. */
function timeName(time: string): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}):(\d{2}):(\d{2})(\.\d*)?Z$/
    .exec(time);
  return match === null ? undefined : `${match[1]}-${match[2]}-${match[3]}Z`;
}

function isNewer(a: CatalogRecord, b: CatalogRecord): boolean {
  return a.time === b.time ? a.record > b.record : a.time > b.time;
}

/** Does something for each item, some at a time; all that began are waited for. */
async function inParallel<Item>(
  items: readonly Item[],
  use: (item: Item) => Promise<void>,
): Promise<void> {
  const next = items.values();
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (const item of next) {
      if (failure !== undefined) return;
      try {
        await use(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  if (failure !== undefined) throw failure.error;
}
