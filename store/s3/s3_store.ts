/**
 * A store in a bucket of S3, or of what speaks it.
 *
 * @module
 */
import process from "node:process";
import { Limiter } from "../wrap/limiter.ts";
import { Meter } from "../wrap/meter.ts";
import { STALL_MS } from "../wrap/fetch_bytes.ts";
import { systemTiming } from "../wrap/timing.ts";
import { BucketStore } from "./bucket_store.ts";
import { S3Client } from "./client.ts";
import {
  type CredentialSource,
  credentialSource,
  Keys,
  type S3Credentials,
} from "./credentials.ts";
import { addressOf, locate, parseS3Url } from "./location.ts";
import type { S3Store, S3StoreOptions } from "./options.ts";
import { readProfile } from "./profiles.ts";
import { Spool, spoolFolder } from "../spool/spool.ts";
import { SpooledUploads } from "../spool/spooled_uploads.ts";
import { MultipartSender } from "./multipart_sender.ts";

/** Size of the parts of an upload in bytes. */
export const PART_SIZE: number = 8 * 1024 * 1024;

/**
 * Opens a store in a bucket: `s3://BUCKET/PREFIX`. Parameters of the URL may name
 * `endpoint`, `region`, `path-style`, `profile`, `anonymous` and `single-writer`.
 * No request is made.
 *
 * @example A bucket on another server than Amazon's
 * ```ts
 * import { openS3Store } from "@snap/store/s3";
 * import { rejects } from "node:assert/strict";
 *
 * const store = await openS3Store("s3://backups/laptop?endpoint=http://127.0.0.1:65535", {
 *   credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
 *   retry: { triesMax: 1 },
 * });
 * await rejects(store.read("config/1"), { code: "ECONNREFUSED" });
 * ```
 *
 * @param url The URL.
 * @param options What goes before the URL.
 * @throws {StoreError} If the URL or an option cannot be, or no keys are to be found.
 */
export async function openS3Store(
  url: string,
  options: S3StoreOptions = {},
): Promise<S3Store> {
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
  const partSize = options.partSize ?? PART_SIZE;
  const place = addressOf(location);
  const spool = new Spool(options.spool ?? spoolFolder(place, env));
  return new BucketStore({
    client,
    spool,
    meter,
    partSize,
    uploads: (store) =>
      new SpooledUploads({
        spool,
        place,
        sender: new MultipartSender({ client, store }),
      }),
  });
}

function fixed(keys: S3Credentials): CredentialSource {
  return () => Promise.resolve(keys);
}
