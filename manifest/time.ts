/**
 * Times as records, tags and lists have them.
 *
 * @module
 */
const YEAR_0_SEC = -62_167_219_200;
const YEAR_10000_SEC = 253_402_300_800;

/**
 * Writes a time as RFC 3339 in UTC with nanoseconds, or, outside of the years 0 to
 * 9999, as `@` and seconds since 1970.
 *
 * @param sec Whole seconds since 1970.
 * @param ns Nanoseconds after that second.
 */
export function formatTime(sec: number, ns: number): string {
  const fraction = String(ns).padStart(9, "0");
  if (!(sec >= YEAR_0_SEC && sec < YEAR_10000_SEC)) {
    return `@${sec}+0.${fraction}`;
  }
  return `${new Date(sec * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}
