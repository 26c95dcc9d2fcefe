import { posix } from "@snap/posix";
import type { DiskCalls } from "./disk_calls.ts";
import { nodeCalls } from "./node_calls.ts";

/**
 * Chooses the best calls there are.
 *
 * @returns Native calls, or {@linkcode nodeCalls} where those are absent.
 */
export function diskCalls(): DiskCalls {
  return posix ?? nodeCalls();
}
