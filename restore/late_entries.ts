import { DiskError } from "@snap/disk";
import { isFileKind } from "@snap/manifest/extras";
import { joinPath } from "@snap/manifest/path";
import type {
  DeferredEntry,
  EntryMaker,
  EntryOutcome,
} from "./write/deferred_entries.ts";
import { entryError } from "./plan/entry_error.ts";
import type { LinkGroup, LinkGroups } from "./plan/link_groups.ts";
import type { OwnEntries } from "./own_entries.ts";
import type { RestoreFiles } from "./write/files.ts";

/** Entries that wait until files are there, at most. */
const COUNT_MAX = 16384;
/** Errors that say that this file can have no more names, or none at all here. */
const NO_LINK: ReadonlySet<string> = new Set([
  "EMLINK",
  "EPERM",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EXDEV",
]);

/** Parts of {@linkcode LateEntries}. */
export interface LateEntriesOptions {
  readonly maker: EntryMaker;
  readonly links: LinkGroups;
  readonly own: OwnEntries;
  readonly files: RestoreFiles;
  /** Told of each that is as it should be now. */
  readonly onMade: (entry: DeferredEntry, outcome: EntryOutcome) => void;
  readonly onError: (error: DiskError) => void;
  /** Lets messages in from time to time; throws when all is over. */
  readonly pace: () => Promise<void> | undefined;
}

/** Entries that are made when the files are there: hard links, fifos, devices, symbolic links. */
export class LateEntries {
  readonly #options: LateEntriesOptions;
  #waiting: DeferredEntry[] = [];
  /** Links to names that are not there. */
  #lost: DeferredEntry[] = [];
  #isCopyTold = false;

  constructor(options: LateEntriesOptions) {
    this.#options = options;
  }

  /**
   * Adds an entry.
   *
   * @returns When the next may come, if not at once.
   */
  add(entry: DeferredEntry): Promise<void> | undefined {
    this.#waiting.push(entry);
    return this.#waiting.length >= COUNT_MAX ? this.make(false) : undefined;
  }

  /** Makes what waits, after the files: hard links and devices first, symbolic links last. */
  async make(isLast: boolean): Promise<void> {
    await this.#options.files.finish(isLast);
    const entries = this.#waiting;
    this.#waiting = [];
    for (const isLink of [false, true]) {
      for (const entry of entries) {
        if ((entry.to !== undefined) !== isLink) continue;
        this.#make(entry);
        const turn = this.#options.pace();
        if (turn !== undefined) await turn;
      }
    }
    while (this.#lost.length > 0) {
      await this.#makeLost();
      await this.#options.files.finish(isLast);
    }
  }

  /** Of each group one becomes an entry of its own, to which the next round links the others. */
  async #makeLost(): Promise<void> {
    const entries = this.#lost;
    this.#lost = [];
    const begun = new Set<LinkGroup>();
    for (const entry of entries) {
      const group = entry.group!;
      if (begun.has(group)) this.#lost.push(entry);
      else if (group.isThere) this.#make(entry);
      else {
        begun.add(group);
        await this.#makeOwn(entry, group);
      }
      const turn = this.#options.pace();
      if (turn !== undefined) await turn;
    }
  }

  async #makeOwn(entry: DeferredEntry, group: LinkGroup): Promise<void> {
    const { files, links, onError, own } = this.#options;
    const { directory, name } = entry;
    links.begin(group, { directory, name });
    if (!isFileKind(entry.kind)) {
      const one = await own.entry(entry);
      if (one !== undefined) this.#make(one);
      return;
    }
    try {
      const file = await own.file(entry);
      if (file !== undefined) await files.add(file);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      onError(entryError(error, pathOf(entry)));
    }
  }

  #make(entry: DeferredEntry): void {
    const { links, maker, onError, onMade } = this.#options;
    if (entry.group?.isThere === false) {
      this.#lost.push(entry);
      return;
    }
    try {
      const outcome = maker.make(entry);
      onMade(entry, outcome);
      const isNew = outcome === "added" || outcome === "replaced";
      links.arrive(entry.directory, entry.name, isNew ? "written" : "found");
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (entry.group === undefined || !isNoLink(error)) {
        return onError(entryError(error, pathOf(entry)));
      }
      this.#tellCopy(entry, error);
      entry.group.isThere = false;
      this.#lost.push(entry);
    }
  }

  #tellCopy(entry: DeferredEntry, cause: DiskError): void {
    if (this.#isCopyTold) return;
    this.#isCopyTold = true;
    const action = "link instead of copying";
    this.#options.onError(
      new DiskError(action, pathOf(entry), cause.code, { cause }),
    );
  }
}

function isNoLink({ action, code }: DiskError): boolean {
  return action === "create hard link" && NO_LINK.has(code);
}

function pathOf({ directory, name }: DeferredEntry): Uint8Array {
  return joinPath(directory, name);
}
