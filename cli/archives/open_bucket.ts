import type { S3Objects } from "@snap/store/s3";
import { NotFoundError, StoreError } from "@snap/store";
import { UsageError } from "../arguments/usage_error.ts";
import { CommandError } from "../command_error.ts";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type { FarPlace } from "../stores/opened_store.ts";
import { placeOf } from "../stores/locate_store.ts";
import { withoutPassword } from "../stores/store_address.ts";
import { formatSize } from "../terminal/units.ts";
import type { ArchiveSource, ArchiveTarget } from "./archive_streams.ts";

/** Says whether TARGET or SOURCE is an address, and no path. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * Opens a place in a bucket.
 *
 * @param url `s3://BUCKET/PREFIX`.
 * @throws {UsageError} If it is another kind of address.
 */
export async function openBucket(
  session: Session,
  url: string,
): Promise<S3Objects> {
  return await openPlace(session, await bucketPlace(session, url));
}

async function bucketPlace(session: Session, url: string): Promise<FarPlace> {
  const place = await placeOf(session, url);
  if (place.kind === "far" && place.scheme === "s3") return place;
  throw new UsageError(
    `Cannot use ${
      JSON.stringify(withoutPassword(url))
    } for an archive: it is neither a path nor s3://`,
  );
}

async function openPlace(
  session: Session,
  place: FarPlace,
): Promise<S3Objects> {
  const { openObjects } = await loadLate(
    "stores/open_far",
  ) as typeof import("../stores/open_far.ts");
  return await openObjects(session, place);
}

/** An object of a bucket, and the place that it is in. */
interface OpenedObject {
  readonly objects: S3Objects;
  readonly name: string;
  /** Its address, without a password. */
  readonly path: string;
}

/** Opens the place of `s3://BUCKET/PREFIX/NAME`, which may have parameters. */
export async function openObject(
  session: Session,
  url: string,
): Promise<OpenedObject> {
  const place = await bucketPlace(session, url);
  const [, folder, last, parameters = ""] =
    /^([^?#]*:\/\/[^?#]*)\/([^/?#]+)(\?.*)?$/s.exec(url) ?? [];
  const path = withoutPassword(url);
  if (last === undefined) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(path)} for an archive: it names no object`,
      "s3://BUCKET/PREFIX/NAME is one",
    );
  }
  const objects = await openPlace(session, {
    ...place,
    url: `${folder}${parameters}`,
  });
  return { objects, name: decoded(last), path };
}

/** A segment of a path as the name that it stands for. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Opens an object to be written. */
export async function createObject(
  session: Session,
  url: string,
  sizeHint: number,
): Promise<ArchiveTarget> {
  const { signal, args } = session;
  const { objects, name, path } = await openObject(session, url);
  const isReplacing = args.has("existing");
  const writer = objects.write(name, { isReplacing, sizeHint, signal });
  return {
    write: (bytes) => writer.write(bytes).catch(explained(path)),
    async finish() {
      const written = await writer.finish().catch(explained(path));
      const { byteCount, sentByteCount } = written;
      if (sentByteCount === byteCount) return;
      session.note(
        `Sent ${formatSize(sentByteCount)} of ${
          formatSize(byteCount)
        }: the rest was there`,
      );
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

/** Opens an object to be read. */
export async function readObject(
  session: Session,
  url: string,
): Promise<ArchiveSource> {
  const { objects, name, path } = await openObject(session, url);
  const { signal } = session;
  async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* objects.read(name, { signal });
    } catch (error) {
      explained(path)(error);
    }
  }
  return { path, pieces: pieces() };
}

/** Throws an error of an object in words of the command line. */
export function explained(path: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof NotFoundError) {
      throw new CommandError(`Cannot read ${path}: there is no such object`);
    }
    if (error instanceof StoreError && error.code === "EEXIST") {
      throw new CommandError(
        `Cannot write ${path}: it is there`,
        "--existing replaces it",
      );
    }
    throw error;
  };
}
