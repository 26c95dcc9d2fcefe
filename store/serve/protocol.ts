/** Constants that server and client of the request model agree on: docs/PROTOCOL.md. */

/** The header that every answer of a server has, and its only value so far. */
export const PROTOCOL_HEADER = "snap-protocol";
/** The version of the request model. */
export const PROTOCOL_VERSION = "1";
/** Size of the bodies that a client begins with: the default limit of nginx. */
export const BODY_SIZE_START: number = 1024 * 1024;
/** Size of the largest body that a server takes if nobody says otherwise. */
export const BODY_SIZE_MAX: number = 32 * 1024 * 1024;
/** Size of the largest file that a server takes if nobody says otherwise: that of a pack. */
export const FILE_SIZE_MAX: number = 2 ** 31;
/** Longest wait for the next byte in milliseconds if nobody says otherwise. */
export const IDLE_MS = 30_000;

/** Verbs of requests, with the path segment of those that are no HTTP method. */
export type Verb =
  | "read"
  | "create"
  | "remove"
  | "health"
  | "hello"
  | "size"
  | "list"
  | "sync"
  | "part"
  | "join"
  | "exchange";

/** The verbs that are posted to `~verb`, which no name in a store can be. */
export const POSTED_VERBS: ReadonlySet<string> = new Set<Verb>([
  "hello",
  "size",
  "list",
  "sync",
  "part",
  "join",
  "exchange",
]);

/** The id of an upload: the SHA-256 of the file in hex. */
export const UPLOAD_ID: RegExp = /^[0-9a-f]{64}$/;

/** The path of a name: only `%` has to be escaped of what a name can hold. */
export function pathOf(name: string): string {
  return name.replaceAll("%", "%25");
}

/** The hex digits of a hash. */
export function hexDigits(hash: ArrayBuffer): string {
  return Array.from(
    new Uint8Array(hash),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
