import type { StoreOptions } from "../store.ts";
import type { Meter } from "../wrap/meter.ts";
import { addressOf } from "./location.ts";
import { objectHead } from "./object_head.ts";
import { type ObjectWriteOptions, ObjectWriter } from "./object_writer.ts";
import { openClient } from "./open_client.ts";
import type { S3StoreOptions } from "./options.ts";
import { readObject } from "./read_object.ts";
import { PART_SIZE } from "./s3_store.ts";

/** Which bytes of an object are read. */
export interface ObjectReadOptions extends StoreOptions {
  /**
   * The first byte.
   *
   * @default {0}
   */
  readonly offset?: number;
  /** How many bytes at most; all if left out. */
  readonly length?: number;
}

/** Objects of a bucket that are no files of a store: archives, layers. */
export interface S3Objects {
  /** Requests and bytes so far. */
  readonly meter: Meter;
  /** The address of the bucket, and of the prefix of all names. */
  readonly location: string;

  /**
   * Asks for the size of an object.
   *
   * @returns Its bytes; undefined if it is absent.
   * @throws {StoreError} If the server fails.
   */
  size(name: string, options?: StoreOptions): Promise<number | undefined>;

  /**
   * Reads an object, range after range; all of them are of one version of it.
   *
   * @returns Its bytes, in pieces.
   * @throws {NotFoundError} If it is absent.
   * @throws {StoreError} If the server fails, or it is replaced meanwhile.
   */
  read(
    name: string,
    options?: ObjectReadOptions,
  ): AsyncGenerator<Uint8Array, void, void>;

  /**
   * Writes an object while its bytes are made. If the same bytes were sent before,
   * and that ended early, only the parts that are missing are sent.
   */
  write(name: string, options?: ObjectWriteOptions): ObjectWriter;
}

/**
 * Opens a place in a bucket, `s3://BUCKET/PREFIX`, for objects of any name. No
 * request is made.
 *
 * @example An archive in a bucket
 * ```ts ignore
 * import { openS3Objects } from "@snap/store/s3";
 *
 * const objects = await openS3Objects("s3://backups/layers");
 * const writer = objects.write("base.tar");
 * await writer.write(new Uint8Array(10240));
 * await writer.finish();
 * for await (const piece of objects.read("base.tar")) console.log(piece.length);
 * ```
 *
 * @param url The URL.
 * @param options What goes before the URL.
 * @throws {StoreError} If the URL or an option cannot be, or no keys are to be found.
 */
export async function openS3Objects(
  url: string,
  options: S3StoreOptions = {},
): Promise<S3Objects> {
  const { client, meter } = await openClient(url, options);
  const { partSize = PART_SIZE } = options;
  return {
    meter,
    location: addressOf(client.location),
    async size(name, options) {
      return (await objectHead(client, name, options?.signal))?.size;
    },
    read(name, { offset = 0, length = Infinity, signal } = {}) {
      return readObject({ client, name, offset, length, signal });
    },
    write(name, options = {}) {
      return new ObjectWriter({ client, name, partSize, options });
    },
  };
}
