import { StatTable } from "@snap/posix/stat-table";
import type { UnrealDevice } from "../source_report.ts";
import type { FileSystems } from "./file_systems.ts";
import type { Moment } from "./previous_directory.ts";

/** Options of {@linkcode DeviceTable}. */
export interface DeviceTableOptions {
  /**
   * Where the snapshot before was begun; times from two seconds before it on
   * prove nothing. Absent if there is no snapshot before.
   */
  readonly previousStart: Moment | undefined;
  /** Knows which file systems keep change times as they should, and which make files up. */
  readonly systems: Pick<FileSystems, "isWellKnown" | "unrealType">;
  /** Believes change times on every file system. */
  readonly trustStat: boolean;
}

/** Knowledge of a device. */
interface Device {
  readonly number: number;
  /** The row of something on it. */
  readonly row: StatTable;
  readonly isTrusted: boolean;
  /** Whether a directory of it was met. */
  hasDirectory: boolean;
}

/** Two changes within this time may look like one. */
const GRACE_SEC = 2;

/** Numbers the devices of one save, and knows how far their times can be trusted. */
export class DeviceTable {
  readonly #options: DeviceTableOptions;
  readonly #trustedBefore: Moment | undefined;
  readonly #devices = new Map<number, Device>();
  /** Devices whose files are made up as they are read, as far as directories of them were met. */
  readonly unreal: UnrealDevice[] = [];
  #major = -1;
  #minor = -1;
  #device: Device = newDevice(0, { isTrusted: false });

  /**
   * Knows no device yet. The first row asked for must be the root's.
   *
   * @param options What is known of clocks and file systems.
   */
  constructor(options: DeviceTableOptions) {
    this.#options = options;
    const start = options.previousStart;
    this.#trustedBefore = start === undefined
      ? undefined
      : { sec: start.sec - GRACE_SEC, ns: start.ns };
  }

  /** Rows of the devices, in the order of their numbers. */
  get rows(): StatTable {
    const rows = new StatTable(this.#devices.size);
    for (const { row, number } of this.#devices.values()) {
      row.copyRow(0, rows, number);
    }
    return rows;
  }

  /**
   * Numbers the device of a row.
   *
   * @returns The number in this save, 0 for the device of the root.
   */
  numberOf(stats: StatTable, row: number): number {
    return this.#find(stats, row).number;
  }

  /**
   * Tells whether an equal change time means an equal entry.
   *
   * @returns Whether the entry need not be read again if its row is the same.
   */
  isTrusted(stats: StatTable, row: number): boolean {
    const moment = this.trustedBefore(stats, row);
    if (moment === undefined) return false;
    const sec = stats.ctimeSec(row);
    return sec < moment.sec ||
      (sec === moment.sec && stats.ctimeNs(row) < moment.ns);
  }

  /**
   * Gives the moment before which times are proof.
   *
   * @returns The moment, or `undefined` if nothing is proof for this row.
   */
  trustedBefore(stats: StatTable, row: number): Moment | undefined {
    if (this.#trustedBefore === undefined) return undefined;
    if (this.#find(stats, row).isTrusted) return this.#trustedBefore;
    // Such file systems set the change time to the modification time, or to 0.
    const isMade = stats.ctimeSec(row) === 0 ||
      (stats.ctimeSec(row) === stats.mtimeSec(row) &&
        stats.ctimeNs(row) === stats.mtimeNs(row));
    return isMade ? undefined : this.#trustedBefore;
  }

  /**
   * Notes where a directory lies, and so on which devices directories are.
   *
   * @param path Its path, relative to the source.
   */
  noteDirectory(path: Uint8Array, stats: StatTable, row: number): void {
    const device = this.#find(stats, row);
    if (device.hasDirectory) return;
    device.hasDirectory = true;
    const type = this.#options.systems.unrealType(stats, row);
    if (type !== undefined) this.unreal.push({ path, type });
  }

  #find(stats: StatTable, row: number): Device {
    const major = stats.deviceMajor(row), minor = stats.deviceMinor(row);
    if (major === this.#major && minor === this.#minor) return this.#device;
    const key = major * 2 ** 32 + minor;
    let device = this.#devices.get(key);
    if (device === undefined) {
      const isTrusted = this.#options.trustStat ||
        this.#options.systems.isWellKnown(stats, row);
      device = newDevice(this.#devices.size, { isTrusted });
      stats.copyRow(row, device.row, 0);
      this.#devices.set(key, device);
    }
    this.#major = major;
    this.#minor = minor;
    return this.#device = device;
  }
}

function newDevice(
  number: number,
  { isTrusted }: Pick<Device, "isTrusted">,
): Device {
  return { number, row: new StatTable(1), isTrusted, hasDirectory: false };
}
