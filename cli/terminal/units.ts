/** Numbers as people read them. @module */

const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * Writes a size with its unit.
 *
 * @example Three digits are enough
 * ```ts
 * import { formatSize } from "./units.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(formatSize(1536), "1.5 KiB");
 * strictEqual(formatSize(999), "999 B");
 * ```
 */
export function formatSize(byteCount: number): string {
  let value = byteCount;
  let unit = 0;
  while (value >= 999.5 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${SIZE_UNITS[unit]}`;
}

/** Writes a count with a comma after each three digits. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Writes a count and what is counted. */
export function formatCounted(
  count: number,
  one: string,
  many: string = `${one}s`,
): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/**
 * Writes a time that passes.
 *
 * @param ms Milliseconds.
 * @returns Text like `0:07` or `1:02:03`.
 */
export function formatDuration(ms: number): string {
  const sec = Math.max(0, Math.round(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const min = Math.floor(sec / 60);
  if (min < 60) return `${min}:${two(sec % 60)}`;
  return `${Math.floor(min / 60)}:${two(min % 60)}:${two(sec % 60)}`;
}

/**
 * Writes a time of a record in the time zone of the user.
 *
 * @returns Text like `2026-11-20 05:46:18`.
 */
export function formatLocalTime(text: string): string {
  const date = new Date(`${text.slice(0, 19)}Z`);
  if (Number.isNaN(date.getTime())) return text;
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ");
}

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
};

/**
 * Reads a size such as `64k`, `4MiB` or `1000`.
 *
 * @returns Bytes, or `undefined` if it is no size.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12})([kmg]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * FACTORS[match[2].toLowerCase()];
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Reads how long something takes, such as `90s` or `40m`.
 *
 * @returns Milliseconds, or `undefined` if it is no such time.
 */
export function parseWait(text: string): number | undefined {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * UNITS_MS[match[2]];
}

/**
 * Reads a time: of a day, or of a moment, in the time zone of the user unless `Z` says otherwise;
 * or how long ago it was, such as `90m` or `3d`.
 *
 * @param nowMs What time it is, in milliseconds since 1970.
 * @returns Milliseconds since 1970, or `undefined` if it is no time.
 */
export function parseTime(text: string, nowMs: number): number | undefined {
  const ago = /^(\d{1,9})([smhdw])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * UNITS_MS[ago[2]];
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z?))?$/
      .exec(text);
  if (match === null) return undefined;
  const [, day, time = "00:00", zone = ""] = match;
  const ms = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(ms) ? undefined : ms;
}
