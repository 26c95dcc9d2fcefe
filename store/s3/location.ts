import { switchOf } from "../switch_of.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import type { Environment, Profile } from "./profiles.ts";
import type { S3StoreOptions } from "./options.ts";

/** Place of a store, and the way to it. */
export interface S3Location {
  readonly bucket: string;
  /** Beginning of each key: empty, or ends with `/`. */
  readonly prefix: string;
  /** The address that the paths of keys are put behind. */
  readonly base: URL;
  readonly region: string;
  readonly isAnonymous: boolean;
  readonly isSingleWriter: boolean;
}

/** The address that tells a store from all others. */
export function addressOf({ base, prefix }: S3Location): string {
  return `${base.href} ${prefix}`;
}

/** Parts of a URL. */
export interface S3Url {
  readonly bucket: string;
  readonly prefix: string;
  readonly parameters: URLSearchParams;
}

const PARAMETERS = [
  "anonymous",
  "endpoint",
  "path-style",
  "profile",
  "region",
  "single-writer",
];
const BUCKET = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]$/;
const PREFIX_SIZE_MAX = 512;

/**
 * Takes `s3://bucket/prefix?region=...` apart.
 *
 * @throws {RemoteError} If it is none.
 */
export function parseS3Url(text: string): S3Url {
  const found = /^s3:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/.exec(text);
  if (found === null) {
    throw urlError(text, "it must read s3://BUCKET/PREFIX");
  }
  const [, bucket, path, query = ""] = found;
  if (/[:@]/.test(bucket)) {
    throw urlError(
      text,
      "keys have no place in it",
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are keys, and so are those of a profile in ~/.aws",
    );
  }
  if (!BUCKET.test(bucket)) {
    throw urlError(text, "the name of a bucket is 3 to 255 of a-z 0-9 . _ -");
  }
  const segments = decodePath(text, path).split("/").filter((one) =>
    one !== ""
  );
  if (segments.some((one) => one === "." || one === "..")) {
    throw urlError(text, "no part of its prefix can be . or ..");
  }
  const prefix = segments.map((one) => `${one}/`).join("");
  // A name in a store has up to 512 bytes then, as a key has 1024.
  if (new TextEncoder().encode(prefix).length > PREFIX_SIZE_MAX) {
    throw urlError(text, `its prefix has at most ${PREFIX_SIZE_MAX} bytes`);
  }
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (PARAMETERS.includes(name)) continue;
    const known = PARAMETERS.join(", ");
    throw urlError(text, `its parameters are ${known}: found ${name}`);
  }
  return { bucket, prefix, parameters };
}

function decodePath(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw urlError(text, "its prefix has a % that no two hex digits follow");
  }
}

/**
 * Puts together what is known of a place: options go before the URL, that before
 * the environment, that before the profile.
 */
export function locate(
  url: S3Url,
  options: S3StoreOptions,
  env: Environment,
  profile: Profile | undefined,
): S3Location {
  const { bucket, prefix, parameters } = url;
  // A variable that is empty is none, as the AWS CLI takes it.
  const endpoint = options.endpoint || parameters.get("endpoint") ||
    env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL ||
    profile?.get("s3.endpoint_url") || profile?.get("endpoint_url") ||
    undefined;
  const region = options.region || parameters.get("region") ||
    env.AWS_REGION || env.AWS_DEFAULT_REGION || profile?.get("region") ||
    "us-east-1";
  const isSaid = (name: string) => switchOf(name, parameters.get(name));
  const style = profile?.get("s3.addressing_style");
  const isPathStyle = options.pathStyle ?? isSaid("path-style") ??
    switchOf("SNAP_S3_PATH_STYLE", env.SNAP_S3_PATH_STYLE || null) ??
    (style === "path" ? true : style === "virtual" ? false : undefined) ??
    // Most servers that are not Amazon's have one name. A certificate for
    // *.s3.amazonaws.com does not fit a bucket with a dot.
    (endpoint !== undefined || /[.A-Z_]/.test(bucket));
  const suffix = region.startsWith("cn-")
    ? "amazonaws.com.cn"
    : "amazonaws.com";
  const address = endpoint ?? `https://s3.${region}.${suffix}`;
  const base = parseEndpoint(address);
  if (isPathStyle) base.pathname = `${withoutSlash(base.pathname)}/${bucket}/`;
  else {
    base.hostname = `${bucket}.${base.hostname}`;
    base.pathname = `${withoutSlash(base.pathname)}/`;
  }
  return {
    bucket,
    prefix,
    base,
    region,
    isAnonymous: options.anonymous ?? isSaid("anonymous") ?? false,
    isSingleWriter: options.singleWriter ?? isSaid("single-writer") ??
      false,
  };
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

function parseEndpoint(text: string): URL {
  if (URL.canParse(text)) {
    const url = new URL(text);
    const isPlain = url.username + url.password + url.search + url.hash === "";
    if (/^https?:$/.test(url.protocol) && isPlain) return url;
  }
  throw new RemoteError(
    `Cannot use endpoint ${
      JSON.stringify(withoutSecret(text))
    }: it must read https://HOST or http://HOST:PORT`,
    { code: "EINVAL", action: "open" },
  );
}

function urlError(found: string, need: string, hint?: string): RemoteError {
  return new RemoteError(
    `Cannot open store ${JSON.stringify(withoutSecret(found))}: ${need}`,
    { code: "EINVAL", action: "open", ...(hint !== undefined && { hint }) },
  );
}

/** An address without what stands between a colon and an @: a secret key may have slashes. */
function withoutSecret(url: string): string {
  return url.replaceAll(/(:\/\/[^/?#:@]*):[^?#]*@/g, "$1@");
}
