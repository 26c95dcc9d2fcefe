import { fileChecks } from "./file_checks.ts";
import { metadataChecks } from "./metadata_checks.ts";
import { mountChecks } from "./mount_checks.ts";
import { nameChecks } from "./name_checks.ts";
import type { Check } from "./suite.ts";

/** Every check. */
export const checks: Check[] = [
  ...fileChecks,
  ...nameChecks,
  ...metadataChecks,
  ...mountChecks,
];
