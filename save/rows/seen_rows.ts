import type { Source } from "@snap/disk/source";
import type { Hasher } from "@snap/hash";
import { pathToText } from "@snap/manifest/path";
import { S_IFMT, S_IFREG } from "@snap/posix/constants";
import { Pacer } from "@snap/posix/pacer";
import type { StatTable } from "@snap/posix/stat-table";
import type { ChangeSearch, FoundChanges, SeenSave } from "../change_finder.ts";
import { DeviceTable } from "../walk/device_table.ts";
import { FileSystems } from "../walk/file_systems.ts";
import type { KnownChanges } from "../walk/known_changes.ts";
import { isBefore } from "../walk/previous_directory.ts";
import { describeRows, type RowDescription, RowFile } from "./row_file.ts";
import { RowRecording } from "./row_recording.ts";
import { RowScan } from "./row_scan.ts";
import { RowWriter } from "./row_writer.ts";

/** Directories with errors that are noted; with more no rows are kept. */
const DOUBTS_MAX = 1000;
/** Devices that are noted; with more no rows are kept. */
const DEVICES_MAX = 1000;
/** One entry in so many may be too young to be believed; with more no rows are kept. */
const DOUBTFUL_SHARE = 4;

/** Parts of {@linkcode SeenRows}. */
interface SeenParts {
  /** The source, opened for the search alone. */
  readonly source: Source;
  /** The file of rows. */
  readonly path: string;
  readonly hasher: Hasher;
}

/** What one save has found in a file of rows, and what it puts there. */
export class SeenRows implements FoundChanges {
  /** @inheritDoc */
  known: KnownChanges | undefined;
  /** @inheritDoc */
  recorder: RowRecording | undefined;
  /** @inheritDoc */
  storeState: string | undefined;
  readonly #search: ChangeSearch;
  readonly #parts: SeenParts;
  readonly #devices: DeviceTable;
  readonly #old: RowFile | undefined;
  #writer: RowWriter | undefined;

  private constructor(search: ChangeSearch, parts: SeenParts) {
    this.#search = search;
    this.#parts = parts;
    this.#devices = devicesAt(search, parts.source.path);
    this.#old = RowFile.open(parts.path, parts.hasher);
  }

  /**
   * Compares a source with a file of rows.
   *
   * @returns What was found, to be disposed of by the caller.
   */
  static async of(search: ChangeSearch, parts: SeenParts): Promise<SeenRows> {
    const seen = new SeenRows(search, parts);
    try {
      if (!seen.#isOfPrevious || !await seen.#scan()) seen.#record();
      return seen;
    } catch (error) {
      await seen[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #isOfPrevious(): boolean {
    const { previous, trustStat } = this.#search;
    const found = this.#old?.description;
    return found !== undefined && found.record === previous?.record &&
      found.trustStat === trustStat &&
      found.fidelity === this.#parts.source.fidelity;
  }

  /** Scans, and tells whether it came to an end. */
  async #scan(): Promise<boolean> {
    const old = this.#old!;
    const reader = old.reader();
    const scan = new RowScan({
      source: this.#parts.source,
      ...{ reader, devices: this.#devices },
      doubts: new Set(old.description.doubts),
      openWriter: (end) => this.#openWriter(end),
    });
    try {
      await new Pacer(this.#search).run(scan.steps());
      old.check(reader);
    } catch {
      // Damaged rows, a full disk: as if there were none. The walk tells of the source.
      this.#search.signal?.throwIfAborted();
      this.#writer?.[Symbol.dispose]();
      this.#writer = undefined;
      return false;
    }
    const { description } = old;
    const devices = this.#devices.rows;
    const pairs = JSON.stringify(numbersOf(devices));
    if (pairs === JSON.stringify(description.devices)) {
      this.known = {
        record: this.#search.previous!.record,
        devices,
        isSame: (path) => scan.same.has(pathToText(path)),
      };
      this.storeState = description.storeState;
    }
    return true;
  }

  #record(): void {
    this.recorder = new RowRecording(this.#openWriter());
  }

  #openWriter(end?: number): RowWriter {
    const { path, hasher } = this.#parts;
    const writer = new RowWriter(path, {
      hasher,
      isTrusted: (stats, row) => isTrusted(this.#devices, stats, row),
    });
    this.#writer = writer;
    if (end !== undefined) writer.copy(this.#old!.fd, end);
    return writer;
  }

  /** @inheritDoc */
  async keep(seen: SeenSave): Promise<void> {
    try {
      this.#keep(seen, await seen.storeState());
    } catch {
      // A full disk, say: the next save walks.
    }
  }

  #keep(seen: SeenSave, storeState: string | undefined): void {
    const description = this.#describe(seen, storeState);
    if (description === undefined) return;
    if (this.#writer === undefined) {
      if (this.known === undefined && this.#old === undefined) return;
      const isSame = JSON.stringify(description) ===
        JSON.stringify(this.#old!.description);
      if (isSame) return;
    }
    const writer = this.#writer ?? this.#openWriter(this.#old!.end);
    writer.finish((hash, end) => describeRows(description, hash, end));
  }

  /** What the rows are of; nothing where they are not worth being kept. */
  #describe(
    seen: SeenSave,
    storeState: string | undefined,
  ): RowDescription | undefined {
    const { errors, errorCount, changed, changedCount, unreal } = seen;
    const { doubtfulCount = 0, rowCount = 0 } = this.#writer ?? {};
    // A scan has met them all, and so has a walk of all.
    const { rows } = this.#devices;
    const devices = numbersOf(
      this.recorder === undefined ? rows : seen.devices,
    );
    const isWorthless = this.recorder?.hasFailed === true ||
      unreal.length > 0 || errorCount + changedCount > DOUBTS_MAX ||
      devices.length > DEVICES_MAX ||
      doubtfulCount * DOUBTFUL_SHARE > rowCount;
    if (isWorthless) return undefined;
    const paths = [...errors.map((error) => error.path), ...changed];
    const { trustStat } = this.#search;
    const { fidelity } = this.#parts.source;
    return {
      ...{ record: seen.record.record, trustStat, fidelity, devices },
      doubts: [...new Set(paths.map(directoryOf))].sort(),
      storeState,
    };
  }

  /** Closes the file, and removes one that was not finished. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#writer?.[Symbol.dispose]();
    this.#old?.[Symbol.dispose]();
    return Promise.resolve();
  }
}

function directoryOf(path: Uint8Array): string {
  return pathToText(path.subarray(0, Math.max(0, path.lastIndexOf(0x2f))));
}

/** Major and minor number of devices. */
function numbersOf(rows: StatTable): [number, number][] {
  return Array.from(
    { length: rows.rows },
    (_, row) => [rows.deviceMajor(row), rows.deviceMinor(row)],
  );
}

/** Knows which times the next save may believe: those that this one would, were it the one before. */
function devicesAt(
  { startMs, trustStat }: ChangeSearch,
  path: Uint8Array,
): DeviceTable {
  const sec = Math.floor(startMs / 1000);
  return new DeviceTable({
    previousStart: { sec, ns: Math.floor((startMs - 1000 * sec) * 1e6) },
    systems: new FileSystems(path),
    trustStat,
  });
}

function isTrusted(
  devices: DeviceTable,
  stats: StatTable,
  row: number,
): boolean {
  const moment = devices.trustedBefore(stats, row);
  if (moment === undefined || !devices.isTrusted(stats, row)) return false;
  const isFile = (stats.mode(row) & S_IFMT) === S_IFREG;
  return !isFile || isBefore(stats.mtimeSec(row), stats.mtimeNs(row), moment);
}
