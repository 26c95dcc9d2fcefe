import { formatTime } from "@snap/manifest/time";
import { parseTime } from "@snap/snapshot/records";

/**
 * The time of a record that takes the place of another: a nanosecond later.
 *
 * @param time The time of the other.
 */
export function justAfter(time: string): string {
  const { sec, ns } = parseTime(time);
  return ns < 999_999_999 ? formatTime(sec, ns + 1) : formatTime(sec + 1, 0);
}
