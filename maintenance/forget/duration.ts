/** A time that passes, by the calendar. */
export interface Duration {
  /** Years. */
  readonly years: number;
  /** Months. */
  readonly months: number;
  /** Days, also those of weeks. */
  readonly days: number;
  /** Hours. */
  readonly hours: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_DAYS = 7;
const FORM =
  /^(?:(\d{1,5})y)?(?:(\d{1,5})m)?(?:(\d{1,5})w)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?$/;

/**
 * Reads a duration: `y` years, `m` months, `w` weeks, `d` days, `h` hours, in
 * this order, such as `1y6m` or `30d`.
 *
 * @returns The duration; undefined if it is none, or nothing.
 */
export function parseDuration(text: string): Duration | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [years, months, weeks, days, hours] = match.slice(1)
    .map((digits) => Number(digits ?? 0));
  if (years + months + weeks + days + hours === 0) return undefined;
  return { years, months, days: WEEK_DAYS * weeks + days, hours };
}

/** Writes a duration as {@linkcode parseDuration} reads it. */
export function formatDuration(duration: Duration): string {
  const { years, months, days, hours } = duration;
  const parts = [[years, "y"], [months, "m"], [days, "d"], [hours, "h"]];
  return parts.filter(([count]) => count !== 0).flat().join("");
}

/**
 * Goes back in time. A month before 31 March is the last day of February.
 *
 * @param ms Milliseconds since 1970.
 * @returns Milliseconds since 1970.
 */
export function before(ms: number, duration: Duration): number {
  const { years, months, days, hours } = duration;
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - 12 * years - months);
  const monthEnd = new Date(date);
  monthEnd.setUTCMonth(monthEnd.getUTCMonth() + 1, 0);
  date.setUTCDate(Math.min(day, monthEnd.getUTCDate()));
  return date.getTime() - days * DAY_MS - hours * HOUR_MS;
}
