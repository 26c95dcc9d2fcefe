import type { NamedRecord } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import type { View, ViewEntry } from "@snap/snapshot/view";
import { CommandError } from "../command_error.ts";
import { COMMAND } from "../product.ts";
import { resolveRecord } from "./resolve_record.ts";
import type { Session } from "../session.ts";

/** Entry that `ID[:PATH]` names. */
export interface Target {
  /** The record of the snapshot. */
  readonly record: NamedRecord;
  /** The snapshot. */
  readonly view: View;
  /** The entry, the root if there is no path. */
  readonly entry: ViewEntry;
}

/**
 * Opens what `ID[:PATH]` names. The path may be written as `ls` shows it, with
 * `%` and two digits for a byte.
 *
 * @throws {CommandError} If the snapshot has no such entry.
 */
export async function openTarget(
  session: Session,
  snapshots: Snapshots,
  text: string,
): Promise<Target> {
  const [{ parseTarget }, { View }] = await Promise.all([
    import("@snap/snapshot/records"),
    import("@snap/snapshot/view"),
  ]);
  const { snapshot, path = "" } = parseTarget(text);
  const { signal } = session;
  const record = await resolveRecord(session, snapshots, snapshot);
  const view = await View.open(snapshots, record, { signal });
  const entry = await lookup(view, path, signal);
  if (entry !== undefined) return { record, view, entry };
  throw new CommandError(
    `Cannot find ${
      JSON.stringify(path)
    } in snapshot ${snapshot}: there is no such entry`,
    `${COMMAND} ls ${snapshot} lists what there is`,
  );
}

async function lookup(
  view: View,
  path: string,
  signal: AbortSignal,
): Promise<ViewEntry | undefined> {
  const written = new TextEncoder().encode(path);
  const entry = await view.lookup(written, { signal });
  if (entry !== undefined || !path.includes("%")) return entry;
  const { parsePath } = await import("@snap/manifest/path");
  let meant: Uint8Array;
  try {
    meant = parsePath(path);
  } catch {
    return undefined;
  }
  return await view.lookup(meant, { signal });
}
