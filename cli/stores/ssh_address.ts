import { UsageError } from "../arguments/usage_error.ts";
import { withoutPassword } from "./store_address.ts";

/** What `ssh://[USER@]HOST[:PORT]/PATH` says. */
export interface SshAddress {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: string | undefined;
  /** The path there: absolute, or below the folder of the user. */
  readonly path: string;
}

const FORM =
  /^[a-z]+:\/\/(?:([^@/]*)@)?(\[[0-9a-f:.%]+\]|[^/:]+)(?::(\d{1,5}))?(\/.*)$/i;

/**
 * Takes an address of ssh apart.
 *
 * @param url The address.
 * @returns Its parts.
 * @throws {UsageError} If it is none, or ssh would take a part of it for an option.
 */
export function parseSshUrl(url: string): SshAddress {
  const shown = JSON.stringify(withoutPassword(url));
  const found = FORM.exec(url);
  if (found === null) {
    throw new UsageError(
      `Cannot use store ${shown}: it must read ssh://[USER@]HOST[:PORT]/PATH`,
      "below the folder of the user: ssh://HOST/~/PATH",
    );
  }
  const [, user, hostText, port, path] = found;
  const host = hostText.replace(/^\[|\]$/g, "");
  // ssh would take these for options, which can run programs.
  if (host.startsWith("-") || user?.startsWith("-")) {
    throw new UsageError(
      `Cannot use store ${shown}: no host and no user begins with -`,
    );
  }
  if (user?.includes(":")) {
    throw new UsageError(
      `Cannot use store ${shown}: a password cannot stand in it`,
      "ssh asks for one, or takes a key",
    );
  }
  return { user, host, port, path: decodePath(path, shown) };
}

function decodePath(text: string, shown: string): string {
  let path: string;
  try {
    path = decodeURIComponent(text);
  } catch {
    throw new UsageError(
      `Cannot use store ${shown}: a % in its path is followed by two hex digits`,
    );
  }
  if (path.includes("\0")) {
    throw new UsageError(`Cannot use store ${shown}: its path has a NUL`);
  }
  // A path that is not absolute begins where ssh begins, and is no option.
  if (path === "/~") return ".";
  return path.startsWith("/~/") ? `./${path.slice("/~/".length)}` : path;
}

/**
 * Writes the command that is run on the other host, for the shell there.
 *
 * @param command What runs this program there, as that shell reads it.
 * @param path The folder of the store.
 * @returns One line.
 */
export function remoteLine(command: string, path: string): string {
  return `${command} serve --stdio -- '${path.replaceAll("'", `'\\''`)}'`;
}
