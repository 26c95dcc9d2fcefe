import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { jsonPath, toBase64 } from "./json_line.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { openTarget } from "../snapshots/open_target.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";

/**
 * Writes a file of a snapshot to stdout.
 *
 * @throws {UsageError} If there is no path.
 * @throws {CommandError} If it is no file.
 */
export async function writeContent(
  session: Session,
  verb: string,
  text: string,
): Promise<number> {
  if (!text.includes(":")) {
    throw new UsageError(
      `Cannot ${verb} a whole snapshot: a path belongs behind it, as in ID:PATH`,
    );
  }
  return await withSnapshots(session, {}, async (snapshots) => {
    const { view, entry } = await openTarget(session, snapshots, text);
    const { isFileKind } = await import("@snap/manifest/extras");
    if (!isFileKind(entry.kind)) {
      throw new CommandError(
        `Cannot ${verb} ${JSON.stringify(text)}: it is no file`,
      );
    }
    const path = jsonPath("path", entry.path);
    let offset = 0;
    for await (const bytes of view.stream(entry, { signal: session.signal })) {
      if (session.isJson) {
        const content = toBase64(bytes);
        await session.result("", {
          type: "content",
          ...path,
          offset,
          bytes: content,
        });
      } else await session.raw(bytes);
      offset += bytes.length;
    }
    return ExitCode.done;
  });
}
