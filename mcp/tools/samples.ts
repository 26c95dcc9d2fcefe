import type { DiskError } from "@snap/disk";
import { jsonPath } from "@snap/manifest/path";
import { SAMPLE_MAX } from "../limits.ts";
import { COUNT, type Fields, list, open, PATH_OUT, TEXT } from "./schemas.ts";

/** Schema of what {@linkcode errorFields} writes. */
export const ERROR_FIELDS: Fields = {
  errorCount: COUNT,
  errors: list(open({ ...PATH_OUT, code: TEXT, message: TEXT }, ["message"])),
};

/** Writes errors of entries: the first few, and how many there are. */
export function errorFields(
  errors: readonly DiskError[],
  errorCount: number = errors.length,
): Record<string, unknown> {
  return {
    errorCount,
    errors: errors.slice(0, SAMPLE_MAX).map(({ path, code, message }) => ({
      ...jsonPath("path", path),
      code,
      message,
    })),
  };
}
