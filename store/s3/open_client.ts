import process from "node:process";
import { Limiter } from "../wrap/limiter.ts";
import { Meter } from "../wrap/meter.ts";
import { STALL_MS } from "../wrap/fetch_bytes.ts";
import { systemTiming } from "../wrap/timing.ts";
import { S3Client } from "./client.ts";
import {
  type CredentialSource,
  credentialSource,
  Keys,
  type S3Credentials,
} from "./credentials.ts";
import { locate, parseS3Url } from "./location.ts";
import type { S3StoreOptions } from "./options.ts";
import { readProfile } from "./profiles.ts";

/** A client of a bucket, and its counter. */
export interface OpenedClient {
  readonly client: S3Client;
  readonly meter: Meter;
}

/**
 * Makes a client for `s3://BUCKET/PREFIX`. No request is made.
 *
 * @throws {StoreError} If the URL or an option cannot be, or no keys are to be found.
 */
export async function openClient(
  url: string,
  options: S3StoreOptions,
): Promise<OpenedClient> {
  const parsed = parseS3Url(url);
  const { env = process.env, timing = systemTiming } = options;
  const asked = options.profile || parsed.parameters.get("profile") ||
    undefined;
  const profileName = asked ?? (env.AWS_PROFILE || "default");
  const profile = await readProfile(profileName, env);
  const location = locate(parsed, options, env, profile);
  const isProfileAsked = asked !== undefined;
  const source = typeof options.credentials === "object"
    ? fixed(options.credentials)
    : options.credentials ??
      credentialSource({ env, profileName, isProfileAsked, profile });
  const meter = options.meter ?? new Meter();
  const client = new S3Client({
    location,
    keys: location.isAnonymous
      ? undefined
      : new Keys(source, () => timing.date()),
    limiter: options.limiter ?? new Limiter({ timing }),
    meter,
    retry: options.retry ?? {},
    timing,
    stallMs: options.stallMs ?? STALL_MS,
    fetch: options.fetch ?? fetch,
  });
  return { client, meter };
}

function fixed(keys: S3Credentials): CredentialSource {
  return () => Promise.resolve(keys);
}
