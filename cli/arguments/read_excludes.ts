import type { IgnoreRules } from "@snap/disk/ignore";
import { CommandError } from "../command_error.ts";
import { resolvePath } from "./resolve_path.ts";
import type { Session } from "../session.ts";

/**
 * Gathers what is left out of a directory, from the options of a command.
 *
 * @throws {CommandError} If a file of `--exclude-from` cannot be read.
 */
export async function readExcludes(session: Session): Promise<IgnoreRules> {
  const { args } = session;
  const { IgnoreRules, RULE_FILE_SIZE_MAX } = await import(
    "@snap/disk/ignore"
  );
  const excludeFiles: Uint8Array[] = [];
  for (const file of args.list("exclude-from")) {
    // Before anything is read: nobody would hear of a failure meanwhile.
    const { orAborted } = await import("@snap/store/wrap");
    const patterns = readPatterns(session, file, RULE_FILE_SIZE_MAX);
    // A pipe may never say anything.
    excludeFiles.push(await orAborted(patterns, session.signal));
  }
  return new IgnoreRules({
    exclude: args.list("exclude"),
    excludeFiles,
    excludeCaches: args.has("exclude-caches"),
  });
}

async function readPatterns(
  session: Session,
  file: string,
  sizeMax: number,
): Promise<Uint8Array> {
  const { open } = await import("node:fs/promises");
  const bytes = new Uint8Array(sizeMax + 1);
  let size = 0;
  try {
    const handle = await open(await resolvePath(session, file));
    try {
      // A pipe gives what it has, piece by piece.
      for (let count = -1; count !== 0 && size <= sizeMax; size += count) {
        count = (await handle.read(bytes, size, bytes.length - size)).bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if ((cause as Error).name === "NotCapable") throw cause;
    const { code } = cause as { code?: string };
    throw new CommandError(
      `Cannot read patterns from ${JSON.stringify(file)}: ${
        code === "ENOENT" ? "there is no such file" : code ?? cause
      }`,
    );
  }
  if (size <= sizeMax) return bytes.slice(0, size);
  throw new CommandError(
    `Cannot read patterns from ${JSON.stringify(file)}: it has more than ${
      sizeMax / (1 << 20)
    } MiB`,
  );
}
