import { UsageError } from "../arguments/usage_error.ts";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";

/**
 * Tells whether a command is to speak as snapdir does.
 *
 * @throws {UsageError} If `--as` names something else, or stands with what needs the format of its own.
 */
export function isAsSnapdir({ args }: Session): boolean {
  const format = args.text("as");
  if (format === undefined) {
    if (!args.has("no-follow")) return false;
    throw new UsageError(
      "Cannot use --no-follow without --as snapdir: links are entries here",
    );
  }
  if (format !== "snapdir") {
    throw new UsageError(
      `Cannot use --as ${JSON.stringify(format)}: there is snapdir`,
    );
  }
  if (args.has("attributes")) {
    throw new UsageError("Cannot use --attributes with --as snapdir");
  }
  return true;
}

/** Loads what writes manifests of snapdir: few commands need it. */
export async function loadSnapdirManifest(): Promise<
  typeof import("./snapdir_manifest.ts")
> {
  return await loadLate(
    "archives/snapdir_manifest",
  ) as typeof import("./snapdir_manifest.ts");
}
