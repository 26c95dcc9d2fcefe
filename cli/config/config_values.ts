import { formatCount, parseSize } from "../terminal/units.ts";
import { CONFIG_KEYS, type ConfigValue, JOBS_MAX } from "./config_keys.ts";

/** The least bytes a second with which anything moves before a server gives up. */
const RATE_MIN = 1024;

/** Words of the environment for a switch. */
const SWITCHES: ReadonlyMap<string, boolean> = new Map([
  ...["1", "true", "yes"].map((word) => [word, true] as const),
  ...["0", "false", "no"].map((word) => [word, false] as const),
]);

/** A value as it is used, or what it would have to be. */
export type CheckedValue =
  | { readonly value: ConfigValue; readonly need?: undefined }
  | { readonly need: string };

/**
 * Checks a value, whether it comes from a file or from the environment: a text
 * may stand for a size and for a number, too.
 */
export function checkValue(name: string, value: unknown): CheckedValue {
  switch (CONFIG_KEYS[name].kind) {
    case "switch": {
      const isOn = typeof value === "string" ? SWITCHES.get(value) : value;
      return typeof isOn === "boolean"
        ? { value: isOn }
        : { need: "it is true or false" };
    }
    case "path":
      return typeof value === "string" && /^(\/|~\/)/.test(value)
        ? { value }
        : { need: "it begins with / or ~/" };
    case "size": {
      const size = typeof value === "string" ? parseSize(value) : value;
      return typeof size === "number" && size >= 0
        ? { value: size }
        : { need: "it takes bytes such as 10g" };
    }
    case "rate": {
      const size = typeof value === "string" ? parseSize(value) : value;
      return typeof size === "number" && size >= RATE_MIN ? { value: size } : {
        need: `it takes bytes a second such as 10m, at least ${
          formatCount(RATE_MIN)
        }`,
      };
    }
    case "count": {
      const isText = typeof value === "string" && /^\d{1,9}$/.test(value);
      const count = isText ? Number(value) : value;
      const isOne = typeof count === "number" && Number.isInteger(count) &&
        count >= 1 && count <= JOBS_MAX;
      return isOne
        ? { value: count }
        : { need: `it takes a number from 1 to ${JOBS_MAX}` };
    }
    default:
      return typeof value === "string" && value !== ""
        ? { value }
        : { need: "it is a text that is not empty" };
  }
}
