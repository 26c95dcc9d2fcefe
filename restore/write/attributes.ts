import type { DiskError } from "@snap/disk";
import { type AttributePage, type OwnerIds, PageOwners } from "@snap/manifest";
import {
  decodeHoles,
  EntryKind,
  type ExtraValue,
  isFileKind,
} from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import { attempt } from "../plan/read_directory.ts";
import { type FileExtras, KEEP } from "../messages.ts";
import { tolerateDamage } from "../plan/tolerate_damage.ts";
import { type WantedNumbers, wantedXattrs } from "./wanted_attributes.ts";

/** Largest value of an extended attribute, as Linux has it. */
const XATTR_SIZE_MAX = 65536;
/** Largest list of holes that is read: some ten million holes. */
const HOLES_SIZE_MAX = 64 * 1024 * 1024;
/** The set-id bits mean nothing without the owner. */
const MODE_WITHOUT_OWNER = 0o1777;

/** Parts of {@linkcode RestoreAttributes}. */
export interface RestoreAttributesOptions {
  readonly reader: StoreReader;
  readonly owners: OwnerIds;
  /** Whether owners are restored. */
  readonly owner: boolean;
  /** Whether extended attributes are restored. */
  readonly xattrs: boolean;
  /** Whether the saver could not read extended attributes and holes. */
  readonly isReduced: boolean;
  readonly onError: (error: DiskError) => void;
  readonly signal: AbortSignal | undefined;
}

/** Of extras that cannot be known. */
const UNKNOWN: FileExtras = {};

/** Reads rows of attribute pages as what entries are to have on this machine. */
export class RestoreAttributes {
  readonly #options: RestoreAttributesOptions;
  readonly #owners: PageOwners;

  constructor(options: RestoreAttributesOptions) {
    this.#options = options;
    this.#owners = new PageOwners(options.owners);
  }

  /**
   * The numbers of a row.
   *
   * @param page The page; without it what a new entry usually has.
   */
  numbers(
    page: AttributePage | undefined,
    row: number,
    kind: number,
  ): WantedNumbers {
    if (page === undefined) return usualNumbers(kind);
    const { owner } = this.#options;
    const isUnknown = page.mtimeSec(row) === 0 && page.mtimeNs(row) === 0 &&
      page.inodeLow(row) === 0 && page.inodeHigh(row) === 0;
    const mask = owner || kind === EntryKind.directory
      ? 0o7777
      : MODE_WITHOUT_OWNER;
    return {
      mode: kind === EntryKind.symlink ? KEEP : page.mode(row) & mask,
      uid: owner ? this.#owners.uid(page, row) : KEEP,
      gid: owner ? this.#owners.gid(page, row) : KEEP,
      mtimeSec: page.mtimeSec(row),
      mtimeNs: isUnknown ? KEEP : page.mtimeNs(row),
    };
  }

  /**
   * Extras of an entry whose row has none.
   *
   * @returns Nothing where it has none; what stands for unknown without a page.
   */
  noExtras(page: AttributePage | undefined): FileExtras | undefined {
    return page === undefined || this.#options.isReduced ? UNKNOWN : undefined;
  }

  /**
   * Extended attributes and holes of a row, with values that are objects of their own.
   *
   * @returns The extras; nothing where it has none.
   */
  async extras(
    page: AttributePage | undefined,
    row: number,
    { kind, path }: { readonly kind: number; readonly path: Uint8Array },
  ): Promise<FileExtras | undefined> {
    if (page?.hasExtras(row) !== true) return this.noExtras(page);
    const owner = ObjectKind.attributes;
    const tolerance = tolerateDamage(path, this.#options);
    const found = await attempt(page.treeId, owner, tolerance, async () => {
      return { extras: await this.#read(page, row, kind) };
    });
    return found === undefined ? UNKNOWN : found.extras;
  }

  /**
   * The extended attributes that an entry is to have.
   *
   * @returns All of them; nothing if it keeps those it has.
   */
  xattrs(extras: FileExtras | undefined): FileExtras["xattrs"] {
    return this.#options.xattrs ? wantedXattrs(extras) : undefined;
  }

  async #read(
    page: AttributePage,
    row: number,
    kind: number,
  ): Promise<FileExtras | undefined> {
    const extras = page.extras(row);
    if (extras === undefined) return undefined;
    const xattrs: { name: Uint8Array; value: Uint8Array }[] = [];
    if (this.#options.xattrs) {
      for (const one of extras.xattrs) {
        const value = await this.#value(one, XATTR_SIZE_MAX);
        xattrs.push({ name: one.name.slice(), value });
      }
    }
    if (extras.holes === undefined || !isFileKind(kind)) return { xattrs };
    const holes = await this.#value(extras.holes, HOLES_SIZE_MAX);
    return { xattrs, holes: decodeHoles(holes) };
  }

  async #value(value: ExtraValue, sizeMax: number): Promise<Uint8Array> {
    if (value.value !== undefined) return value.value.slice();
    const { reader, signal } = this.#options;
    return await reader.readObject(value.id!, ObjectKind.content, {
      sizeMax,
      signal,
    });
  }
}

function usualNumbers(kind: number): WantedNumbers {
  const isOpen = kind === EntryKind.directory || kind === EntryKind.executable;
  const mode = kind === EntryKind.symlink ? KEEP : isOpen ? 0o755 : 0o644;
  return { mode, uid: KEEP, gid: KEEP, mtimeSec: 0, mtimeNs: KEEP };
}
