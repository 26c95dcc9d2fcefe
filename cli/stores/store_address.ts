import { COMMAND } from "../product.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** Schemes of stores far away, as users write them, and what each is. */
export const SCHEMES: Readonly<Record<string, string>> = {
  s3: "s3://BUCKET/PREFIX, a bucket of S3",
  http: `http://HOST/PATH, ${COMMAND} serve or a web server`,
  https: `https://HOST/PATH, ${COMMAND} serve or a web server`,
  sftp: `sftp://HOST/PATH, a host without ${COMMAND}`,
  ssh: `ssh://HOST/PATH, ${COMMAND} on another host`,
};

/** The name of a store as a user wrote it. */
export type StoreAddress =
  /** The address of a store far away. */
  | { readonly kind: "far"; readonly url: string; readonly scheme: string }
  /** A folder. */
  | { readonly kind: "folder"; readonly path: string }
  /** A name of the configuration, or a folder that stands in the current one. */
  | { readonly kind: "name"; readonly name: string };

/**
 * Tells what a user means by the text that names a store: `SCHEME://...` is far
 * away; what has a slash, `.` and `..` are folders; other words are names.
 *
 * @param text The text.
 * @returns What it is.
 * @throws {UsageError} If the scheme is none, or it reads `HOST:PATH`, as for rsync and scp.
 */
export function parseAddress(text: string): StoreAddress {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  if (scheme !== undefined) return farAddress(text, scheme);
  const [first] = text.split("/", 1);
  if (first.includes(":")) {
    const [, host, path] = /^([^:]*):(.*)$/s.exec(text)!;
    throw new UsageError(
      `Cannot use store ${JSON.stringify(text)}: a colon before the first /`,
      `a folder is ./${text}, another host is ssh://${host || "HOST"}/${
        path.startsWith("/") ? path.slice(1) : `~/${path}`
      }`,
    );
  }
  const isFolder = text === "" || text === "." || text === ".." ||
    text.includes("/");
  return isFolder
    ? { kind: "folder", path: text }
    : { kind: "name", name: text };
}

function farAddress(text: string, scheme: string): StoreAddress {
  if (Object.hasOwn(SCHEMES, scheme)) {
    return { kind: "far", url: text, scheme };
  }
  if (scheme === "file") {
    throw new UsageError(
      `Cannot use store ${JSON.stringify(text)}: a folder has no scheme`,
      `write ${text.slice("file://".length) || "its path"}`,
    );
  }
  throw new UsageError(
    `Cannot use store ${
      JSON.stringify(withoutPassword(text))
    }: there is no scheme ${scheme}`,
    `there are ${
      Object.keys(SCHEMES).map((one) => `${one}://`).join(", ")
    }; a folder is ./${scheme}:...`,
  );
}

/**
 * An address without the password that may stand in it, for people. A secret key
 * of S3 may have slashes.
 *
 * @param url The address.
 * @returns The same with the user alone.
 */
export function withoutPassword(url: string): string {
  return url.replace(
    /^(s3:\/\/[^/@:]*):.*@|^([a-z0-9+.-]+:\/\/[^/@:]*):[^/@]*@/i,
    "$1$2@",
  );
}
