// Temporary folders for tests that make many stores: in memory where there is such a disk.
import { accessSync, constants, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes an empty folder that is quick to fill. */
export function makeFastFolder(): string {
  return mkdtempSync(join(base(), "store-test-"));
}

function base(): string {
  try {
    accessSync("/dev/shm", constants.W_OK | constants.X_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}
