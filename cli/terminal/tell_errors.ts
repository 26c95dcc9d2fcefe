import { jsonPath } from "./json_line.ts";
import type { Session } from "../session.ts";
import { formatCount } from "./units.ts";

/** Errors that people are shown, of one command. */
const SHOWN_MAX = 20;

/** An error that belongs to a path. */
export interface PathError {
  readonly message: string;
  /** Name of the error number. */
  readonly code?: string;
  /** The path as bytes. */
  readonly path?: Uint8Array;
}

/**
 * Says what could not be read or written: the first few, or all to programs and
 * to those who asked for more.
 *
 * @param errors What went wrong, as far as it was kept.
 */
export function tellErrors(
  session: Session,
  errors: readonly PathError[],
  errorCount: number = errors.length,
): void {
  const isCut = !session.isJson && !session.isVerbose;
  const shown = isCut ? errors.slice(0, SHOWN_MAX) : errors;
  for (const { message, code, path } of shown) {
    session.error(message, {
      code,
      ...(path && jsonPath("path", path)),
    });
  }
  const count = errorCount - shown.length;
  if (count <= 0) return;
  const hint = shown.length < errors.length ? ": --verbose lists more" : "";
  session.error(`Cannot list ${formatCount(count)} more${hint}`);
}

/**
 * Says which files changed while they were read.
 *
 * @param changed Their paths, as far as they were kept.
 */
export async function tellChanged(
  session: Session,
  changed: readonly Uint8Array[],
  changedCount: number,
): Promise<void> {
  if (changedCount === 0) return;
  const { displayPath } = await import("@snap/manifest/path");
  tellErrors(
    session,
    changed.map((path) => ({
      message: `Cannot read ${
        displayPath(path)
      } in one state as it changed meanwhile: taken as last read`,
      code: "CHANGED",
      path,
    })),
    changedCount,
  );
}

/** Says once that native calls are missing, and what is lost by it. */
export async function tellFidelity(session: Session): Promise<void> {
  const { posixAbsentReason } = await import("@snap/posix");
  const reason = posixAbsentReason ?? "they are not there";
  session.warn(
    `Reduced fidelity without native calls: times in milliseconds, no extended attributes, names in UTF-8 only (${reason})`,
    { code: "REDUCED" },
  );
}

/** Says once which file systems have no files of their own. */
export async function tellUnreal(
  session: Session,
  unreal: readonly { readonly path: Uint8Array; readonly type: string }[],
): Promise<void> {
  const { displayPath } = await import("@snap/manifest/path");
  const [{ path, type }] = unreal;
  const where = path.length === 0 ? "the directory itself" : displayPath(path);
  const more = unreal.length > 1
    ? ` and ${formatCount(unreal.length - 1)} more`
    : "";
  session.warn(
    `Saved ${where} (${type})${more}, whose files the kernel makes up as they are read: better left out by --exclude or --one-file-system`,
    { code: "UNREAL" },
  );
}
