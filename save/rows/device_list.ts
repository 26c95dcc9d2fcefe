import {
  STAT_DEVICE_MAJOR,
  STAT_DEVICE_MINOR,
  STAT_ROW_U32,
  StatTable,
} from "@snap/posix/stat-table";

/** The devices of a walk, in the order in which it meets them. */
export class DeviceList {
  /** Major and minor number of each. */
  readonly pairs: [number, number][] = [];
  #major = -1;
  #minor = -1;

  /** Adds the device of a row, unless it was met before. */
  note(stats: StatTable, row: number): void {
    const major = stats.deviceMajor(row), minor = stats.deviceMinor(row);
    if (major === this.#major && minor === this.#minor) return;
    this.#major = major;
    this.#minor = minor;
    if (this.pairs.some(([a, b]) => a === major && b === minor)) return;
    this.pairs.push([major, minor]);
  }

  /** Rows with the numbers of the devices, and nothing else. */
  toTable(): StatTable {
    const table = new StatTable(this.pairs.length);
    this.pairs.forEach(([major, minor], row) => {
      table.u32[STAT_ROW_U32 * row + STAT_DEVICE_MAJOR] = major;
      table.u32[STAT_ROW_U32 * row + STAT_DEVICE_MINOR] = minor;
    });
    return table;
  }
}
