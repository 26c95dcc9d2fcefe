import { ImportError } from "../errors.ts";

/** Media types of an image. */
export const MediaType = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** The annotation that names an image of a layout. */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** What a blob is, and by what it is known. */
export interface Descriptor {
  readonly mediaType: string;
  /** Such as `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Bytes of the blob. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: {
    readonly architecture?: string;
    readonly os?: string;
  };
}

/** The files of an image layout, in a folder or in an archive. */
export interface LayoutFiles extends AsyncDisposable {
  /**
   * Reads a file.
   *
   * @param name Its path in the layout.
   * @returns Its bytes, in pieces of any size.
   * @throws {ImportError} If there is none.
   */
  read(name: string): AsyncIterable<Uint8Array>;
}

/** The path of a blob in a layout. */
export function blobName({ digest }: Pick<Descriptor, "digest">): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/**
 * Reads the descriptors of a list in a document.
 *
 * @param what The document, for errors.
 * @throws {ImportError} If one is none.
 */
export function descriptorsOf(value: unknown, what: string): Descriptor[] {
  if (!Array.isArray(value)) throw noDocument(what);
  return value.map((one) => descriptorOf(one, what));
}

/** Checks that a value of a document is a descriptor. */
export function descriptorOf(value: unknown, what: string): Descriptor {
  const { digest, size, mediaType } = (value ?? {}) as Partial<Descriptor>;
  if (
    typeof digest !== "string" || typeof mediaType !== "string" ||
    !(Number.isSafeInteger(size) && size! >= 0)
  ) throw noDocument(what);
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new ImportError(
      `Cannot import image as its digests must be of SHA-256: found ${
        JSON.stringify(digest.slice(0, 80))
      }`,
    );
  }
  return value as Descriptor;
}

/** The error of a document that is not what it has to be. */
export function noDocument(what: string): ImportError {
  return new ImportError(
    `Cannot import image as its ${what} is not one of OCI`,
  );
}
