/**
 * A store in a bucket of S3, or of what speaks it.
 *
 * @module
 */
import process from "node:process";
import { BucketStore } from "./bucket_store.ts";
import { addressOf } from "./location.ts";
import { openClient } from "./open_client.ts";
import type { S3Store, S3StoreOptions } from "./options.ts";
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
  const { client, meter } = await openClient(url, options);
  const partSize = options.partSize ?? PART_SIZE;
  const place = addressOf(client.location);
  const spool = new Spool(
    options.spool ?? spoolFolder(place, options.env ?? process.env),
  );
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
