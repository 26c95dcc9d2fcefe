import { NotFoundError, StoreError, type StoreOptions } from "@snap/store";
import type { ObjectWriter, S3Objects } from "@snap/store/s3";
import { checkSame } from "./archive_layout.ts";
import { blobName, type LayoutFiles } from "./layout.ts";
import { noFile } from "./layout_files.ts";
import { layerDigest, type LayoutTarget } from "./layout_target.ts";

const INDEX = "index.json";

/** Options of {@linkcode bucketLayout}. */
export interface BucketLayoutOptions extends StoreOptions {
  /**
   * Whether the index of another image may be replaced, whose layers then stay as
   * they are.
   *
   * @default {false}
   */
  readonly isReplacing?: boolean;
  /** About how many bytes the largest layer has: see `ObjectWriteOptions`. */
  readonly sizeHint?: number;
}

/**
 * Writes an image layout into a bucket. Each layer is made twice: first for its
 * digest, which is its name. One that is there is not sent again, and of one whose
 * upload ended early only the parts that are missing.
 *
 * @param objects The place in the bucket.
 */
export function bucketLayout(
  objects: S3Objects,
  { isReplacing = false, sizeHint = 0, signal }: BucketLayoutOptions = {},
): LayoutTarget {
  const options = { sizeHint, ...signal && { signal } };
  let isThere: Promise<boolean> | undefined;
  return {
    async layer(make) {
      // Only the same image may be there.
      isThere ??= objects.size(INDEX, options)
        .then((size) => size !== undefined && !isReplacing);
      const layer = await layerDigest(make);
      const name = blobName(layer);
      if (await objects.size(name, options) === layer.size) return layer;
      if (await isThere) throw exists();
      await writeObject(objects.write(name, options), async (writer) => {
        checkSame(layer.digest, (await make(writer)).digest);
      });
      return layer;
    },
    async document(name, bytes) {
      const isReplaced = name === INDEX && isReplacing;
      const to = { ...options, isReplacing: isReplaced };
      await writeObject(
        objects.write(name, to),
        (writer) => writer.write(bytes),
      );
    },
  };
}

async function writeObject(
  writer: ObjectWriter,
  fill: (writer: ObjectWriter) => Promise<void>,
): Promise<void> {
  try {
    await fill(writer);
    await writer.finish();
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

/**
 * Opens an image layout in a bucket.
 *
 * @param objects The place in the bucket.
 */
export function openLayoutBucket(
  objects: S3Objects,
  { signal }: StoreOptions = {},
): LayoutFiles {
  return {
    async *read(name) {
      try {
        yield* objects.read(name, signal && { signal });
      } catch (error) {
        throw error instanceof NotFoundError ? noFile(name) : error;
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function exists(): StoreError {
  return new StoreError("Cannot write image: another one is there", {
    ...{ code: "EEXIST", action: "create", storeName: INDEX },
  });
}
