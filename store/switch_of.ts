import { StoreError } from "./errors.ts";

/**
 * Reads a switch of an address, which is on when nothing is behind its name.
 *
 * @param name The switch, for the error.
 * @param value What is behind it; null where it does not stand in the address.
 * @throws {StoreError} If the value is neither true nor false.
 */
export function switchOf(
  name: string,
  value: string | null,
): boolean | undefined {
  if (value === null) return undefined;
  if (/^(1|true|yes|)$/i.test(value)) return true;
  if (/^(0|false|no)$/i.test(value)) return false;
  throw new StoreError(
    `Cannot use ${name}: it is true or false: found ${JSON.stringify(value)}`,
    { code: "EINVAL", action: "open" },
  );
}
