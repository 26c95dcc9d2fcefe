import { StoreError } from "../errors.ts";

/** A place on another host: what `ssh://` and `sftp://` name. */
export interface SshAddress {
  /** The host, or a name that the user's `ssh` knows. Empty if there is none. */
  readonly host: string;
  /** The user there. Absent: the one that `ssh` chooses. */
  readonly user: string | undefined;
  /** The port. Absent: the one that `ssh` chooses. */
  readonly port: number | undefined;
  /** The path there: absolute, or `.` or `./…` below the home of the user. */
  readonly path: string;
  /** The query behind the `?`. */
  readonly parameters: URLSearchParams;
  /** The address for messages. */
  readonly location: string;
}

/** Hosts, addresses, and names of `~/.ssh/config`. The first letter is never that of an option. */
const HOST = /^[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*$/;
const USER = /^[^-\s]\S*$/;

/**
 * Reads an address such as `ssh://[USER@]HOST[:PORT]/PATH`. The path is absolute;
 * `/~/PATH` is below the home of the user.
 *
 * @example A folder of a home
 * ```ts
 * import { parseSshAddress } from "@snap/store/ssh";
 * import { strictEqual } from "node:assert/strict";
 *
 * const { host, user, path } = parseSshAddress("sftp://ann@backup.example/~/snaps");
 * strictEqual(`${user} ${host} ${path}`, "ann backup.example ./snaps");
 * ```
 *
 * @param url The address.
 * @returns Its parts.
 * @throws {StoreError} If it is none, has a password, or its host would be an option of `ssh`.
 */
export function parseSshAddress(url: string): SshAddress {
  const location = url.replace(/^([^:]+:\/\/[^/@:]*):[^/@]*@/, "$1@");
  const refuse = (reason: string) =>
    new StoreError(`Cannot open ${location}: ${reason}`, {
      code: "EINVAL",
      action: "open",
    });
  if (!URL.canParse(url)) throw refuse("it is no address");
  const parsed = new URL(url);
  if (parsed.password !== "") {
    throw refuse("a password has no place in it, as ssh has keys for that");
  }
  if (parsed.hash !== "") throw refuse("# must be written as %23");
  try {
    const host = decodeURIComponent(parsed.hostname).replace(
      /^\[(.*)\]$/,
      "$1",
    );
    if (host !== "" && !HOST.test(host)) throw refuse("its host is none");
    const user = decodeURIComponent(parsed.username);
    if (user !== "" && !USER.test(user)) throw refuse("its user is none");
    const path = pathOf(decodeURIComponent(parsed.pathname));
    if (path === undefined) {
      throw refuse("it needs a path: /PATH, or /~/PATH below the home");
    }
    if (path.includes("\0")) throw refuse("its path has a NUL");
    return {
      host,
      user: user === "" ? undefined : user,
      port: parsed.port === "" ? undefined : Number(parsed.port),
      path,
      parameters: parsed.searchParams,
      location,
    };
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw refuse("% must be followed by two digits of UTF-8");
  }
}

function pathOf(pathname: string): string | undefined {
  const path = pathname.replace(/(?<=.)\/+$/, "");
  if (path === "/~") return ".";
  if (path.startsWith("/~/")) return `./${path.slice(3)}`;
  return path.startsWith("/") ? path : undefined;
}
