import { PERMISSION_MASK } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DiskCalls } from "../disk_calls.ts";
import type { AttributeSetter } from "./target_attributes.ts";
import type { TargetDirectory } from "./target_directories.ts";

/** Attributes of an entry that was made just now. */
export interface FreshEntry {
  /** Owner, in row 0. */
  readonly stats: StatTable;
  /** Its mode. */
  readonly mode: number;
  /** Whether it has extended attributes, as from the default access control list of its directory. */
  readonly hasXattrs: boolean;
}

/** Key of what is alike in all fresh directories. */
const FRESH: object = {};
/** Bits that every file may be given when it is made: no set-id bits. */
const MODE_MASK = 0o777;

/**
 * Attributes that creation gives. They are alike within a directory, and within all that are
 * fresh, which inherit what they give: so one entry is looked at. Files and directories have an
 * object of this class each.
 */
export class FreshEntries {
  readonly #calls: DiskCalls;
  readonly #setter: AttributeSetter;
  readonly #known: WeakMap<object, FreshEntry> = new WeakMap();
  /** Bits of the mode that creation was seen to give; none are known yet. */
  #givenBits = 0;

  constructor(calls: DiskCalls, setter: AttributeSetter) {
    this.#calls = calls;
    this.#setter = setter;
  }

  /**
   * A mode with which a file can be made at once; no answer where it has to be set later.
   *
   * @param wanted The mode that the file is to have.
   */
  modeFor(
    directory: TargetDirectory,
    wanted: number | undefined,
  ): number | undefined {
    if (!directory.isFresh || wanted === undefined) return undefined;
    const known = this.#known.get(FRESH);
    // The first shows which bits the umask lets through.
    if (known === undefined) return MODE_MASK;
    const isGiven = this.#setter.keepsModes && !known.hasXattrs &&
      (wanted & ~this.#givenBits) === 0;
    return isGiven ? wanted : undefined;
  }

  /**
   * Looks at an entry that was made just now; no answer where nothing is known.
   *
   * @param made Its descriptor, and the mode that it was made with.
   */
  look(
    directory: TargetDirectory,
    { fd, mode }: { readonly fd: number; readonly mode: number },
  ): FreshEntry | undefined {
    const key = directory.isFresh ? FRESH : directory;
    const known = this.#known.get(key);
    if (known !== undefined) {
      const { stats, hasXattrs } = known;
      // In a directory that is not fresh all are made with one mode.
      const given = key === FRESH ? mode & this.#givenBits : known.mode;
      return { stats, hasXattrs, mode: given };
    }
    const stats = new StatTable(1);
    if (this.#calls.stat(fd, stats, 0) < 0) return undefined;
    if (key === FRESH) this.#givenBits = stats.mode(0) & MODE_MASK;
    const place = { fd, path: () => directory.path };
    const hasXattrs = !this.#setter.hasXattrs(place, []);
    const given = stats.mode(0) & PERMISSION_MASK;
    const found = { stats, hasXattrs, mode: given };
    this.#known.set(key, found);
    return found;
  }
}
