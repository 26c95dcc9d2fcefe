import type { IgnoreRules } from "@snap/disk/ignore-rules";
import { CommandError } from "./command_error.ts";
import { resolvePath } from "./resolve_path.ts";
import type { Session } from "./session.ts";

/**
 * Gathers what is left out of a directory, from the options of a command.
 *
 * @param session The command.
 * @returns The rules.
 * @throws {CommandError} If a file of `--exclude-from` cannot be read.
 */
export async function readExcludes(session: Session): Promise<IgnoreRules> {
  const { args } = session;
  const exclude = [...args.list("exclude")];
  for (const file of args.list("exclude-from")) {
    exclude.push(...await readLines(session, file));
  }
  const { IgnoreRules } = await import("@snap/disk/ignore-rules");
  return new IgnoreRules({
    exclude,
    excludeCaches: args.has("exclude-caches"),
  });
}

async function readLines(session: Session, file: string): Promise<string[]> {
  const { readFile } = await import("node:fs/promises");
  try {
    const text = await readFile(await resolvePath(session, file), "utf8");
    return text.split(/\r?\n/);
  } catch (cause) {
    if ((cause as Error).name === "NotCapable") throw cause;
    const { code } = cause as { code?: string };
    throw new CommandError(
      `Cannot read patterns from ${JSON.stringify(file)} as ${
        code === "ENOENT" ? "there is no such file" : "reading it fails"
      }: found ${code ?? cause}`,
    );
  }
}
