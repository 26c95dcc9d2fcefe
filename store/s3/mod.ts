/**
 * A store in a bucket of S3, or of what speaks it: Ceph, MinIO, R2 and others.
 *
 * @example Opening makes no request
 * ```ts
 * import { openS3Store } from "@snap/store/s3";
 *
 * const store = await openS3Store("s3://backups/laptop?region=eu-central-1", {
 *   credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
 * });
 * console.log(store.meter.requests); // 0
 * ```
 *
 * @module
 */
export type { CredentialSource, S3Credentials } from "./credentials.ts";
export type { S3Store, S3StoreOptions } from "./options.ts";
export type {
  ObjectWriteOptions,
  ObjectWriter,
  WrittenObject,
} from "./object_writer.ts";
export type { ObjectReadOptions, S3Objects } from "./s3_objects.ts";
export { openS3Store } from "./s3_store.ts";
export { openS3Objects } from "./s3_objects.ts";
