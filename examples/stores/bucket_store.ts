// A store in a bucket that is reached through an object: the binding of R2 to a
// Worker of Cloudflare, or whatever else has these methods.
import { BlobStore } from "@snap/store/blob-store";

/** What is used of a bucket. */
export interface Bucket {
  head(key: string): Promise<{ size: number } | null>;
  get(
    key: string,
    options: { range: { offset: number; length?: number | undefined } },
  ): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  put(key: string, bytes: Uint8Array, options: { onlyIf: Headers }): Promise<
    object | null
  >;
  list(options: { prefix: string; cursor?: string | undefined }): Promise<
    { objects: { key: string; size: number }[]; cursor?: string | undefined }
  >;
  delete(key: string): Promise<void>;
}

export function openBucketStore(bucket: Bucket): BlobStore {
  return new BlobStore({
    size: async (name) => (await bucket.head(name))?.size,
    async read(name, range) {
      try {
        const found = await bucket.get(name, { range });
        return found && new Uint8Array(await found.arrayBuffer());
      } catch (error) { // A range that begins at the end, or beyond it, is an error.
        const size = (await bucket.head(name))?.size ?? Infinity;
        if (range.offset < size) throw error;
        return new Uint8Array(0);
      }
    },
    async *list(prefix) {
      let cursor: string | undefined;
      do {
        const page = await bucket.list({ prefix, cursor });
        yield page.objects.map(({ key, size }) => ({ name: key, size }));
        cursor = page.cursor;
      } while (cursor !== undefined);
    },
    async create(name, bytes) {
      const onlyIf = new Headers({ "If-None-Match": "*" });
      return await bucket.put(name, bytes, { onlyIf }) !== null;
    },
    remove: (name) => bucket.delete(name),
  });
}
