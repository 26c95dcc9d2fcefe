/** Files that wait for their upload: where they lie, whichever store they go to. */
import { nodeModule } from "./node_module.ts";
import { cacheHome } from "./cache_home.ts";
import { StoreError } from "./errors.ts";
import { checkSaveId, randomHex } from "./hex.ts";

const { mkdir } = nodeModule("node:fs/promises");
const { join } = nodeModule("node:path");

/** Where files lie that wait for their upload. */
export interface SpoolPlace {
  /**
   * The folder, which is made. Default: one in the user's cache, which is not in
   * memory, and in which the next save removes what a killed one left.
   */
  readonly spoolFolder?: string | undefined;
  /** The environment, which tells the user's cache. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** A path for a file that is to be uploaded. No file is there yet. */
export async function newSpoolPath(
  saveId: string,
  { spoolFolder, env = globalThis.process.env }: SpoolPlace = {},
): Promise<string> {
  checkSaveId(saveId);
  const folder = spoolFolder ?? join(cacheHome(env), "spool", "files");
  await makeSpoolFolder(folder);
  return join(folder, `${saveId}-${randomHex()}`);
}

/** Makes a folder for files that are to be uploaded. */
export async function makeSpoolFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw spoolFailure(folder, error);
  }
}

/** The error of a folder for files that are to be uploaded. */
export function spoolFailure(folder: string, cause: unknown): unknown {
  const code = (cause as { code?: unknown }).code;
  if (typeof code !== "string") return cause;
  return new StoreError(
    `Cannot use ${folder} for files that wait for their upload: ${code}`,
    { code, action: "adopt", path: folder, cause },
  );
}
