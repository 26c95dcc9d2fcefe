import { type Period, PERIODS } from "./retention_rules.ts";

const DAY_MS = 24 * 3_600_000;

/** The name of each period that a time lies in. */
export type PeriodNames = Readonly<Record<Period, string>>;

/**
 * Names hours, days, weeks, months and years by the clock on the wall. Weeks
 * begin on Monday, and belong to the year of their Thursday (ISO 8601).
 */
export class LocalPeriods {
  readonly #format: Intl.DateTimeFormat;

  /** Takes the zone as IANA names it; that of the system if left out. */
  constructor(timeZone?: string) {
    this.#format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
    });
  }

  /**
   * Names the periods of a time.
   *
   * @param ms Milliseconds since 1970.
   */
  of(ms: number): PeriodNames {
    const parts: Record<string, string> = {};
    for (const { type, value } of this.#format.formatToParts(ms)) {
      parts[type] = value;
    }
    const { year, month, day, hour } = parts;
    const names = [
      `${year}-${month}-${day} ${hour}`,
      `${year}-${month}-${day}`,
      weekOf(Number(year), Number(month), Number(day)),
      `${year}-${month}`,
      year,
    ];
    return Object.fromEntries(
      PERIODS.map((period, at) => [period, names[at]]),
    ) as PeriodNames;
  }
}

function weekOf(year: number, month: number, day: number): string {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const thursday = date.getTime() + (3 - (date.getUTCDay() + 6) % 7) * DAY_MS;
  const own = new Date(thursday).getUTCFullYear();
  const first = new Date(0);
  first.setUTCFullYear(own, 0, 1);
  const week = Math.floor((thursday - first.getTime()) / DAY_MS / 7) + 1;
  return `${own}-W${week}`;
}
