import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { hashed } from "../compress/hashed.ts";
import { plainArchive } from "../compress/plain_archive.ts";
import {
  type ImportOptions,
  type ImportResult,
  type ImportRun,
  importSnapshot,
} from "../import_snapshot.ts";
import { ArchiveSyntaxError, ImportError } from "../errors.ts";
import { addTar } from "../tar/add_tar.ts";
import { LayerRules } from "./layer_rules.ts";
import {
  blobName,
  type Descriptor,
  descriptorOf,
  descriptorsOf,
  type LayoutFiles,
  MediaType,
  noDocument,
  REF_NAME,
} from "./layout.ts";

/** Most bytes of a document of an image. */
const DOCUMENT_SIZE_MAX = 8 * 1024 * 1024;
/** Indexes that name indexes. */
const INDEX_DEPTH_MAX = 8;

/** Options of {@linkcode importOci}. */
export interface ImportOciOptions extends ImportOptions {
  /** The name of the image, where the layout has several. */
  image?: string;
  /** The architecture, where an image has several; such as `amd64`. */
  architecture?: string;
}

/** A layer that was imported. */
export interface ImportedLayer {
  /** Digest of the layer as it is stored. */
  readonly digest: string;
  /** Digest of its plain archive. */
  readonly diffId: string;
}

/** Result of {@linkcode importOci}. */
export interface ImportOciResult extends ImportResult {
  /** Digest of the manifest of the image. */
  readonly manifest: string;
  /** Its layers, the lowest first. */
  readonly layers: readonly ImportedLayer[];
}

/** An image whose documents were read. */
interface Image {
  readonly manifest: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly string[];
}

/**
 * Makes a snapshot of an image: of what its layers come to, one over the other. Each
 * is read once, as it goes into the store, and has to have both its digests.
 *
 * @param snapshots The store to import into.
 * @param files The image layout.
 * @param options Which image, what the record says.
 * @returns The snapshot.
 * @throws {ImportError} If the layout has no such image, or a digest is another one.
 * @throws {ArchiveSyntaxError} If a layer is damaged.
 * @throws {StoreError} If the store fails.
 */
export async function importOci(
  snapshots: Snapshots<WriteStore>,
  files: LayoutFiles,
  options: ImportOciOptions = {},
): Promise<ImportOciResult> {
  const image = await readImage(files, options);
  const result = await importSnapshot(snapshots, {
    isRooted: true,
    fill: async (run) => {
      for (const [i, layer] of image.layers.entries()) {
        await addLayer(run, files, layer, image.diffIds[i]);
      }
    },
  }, options);
  const layers = image.layers.map(({ digest }, i) => ({
    digest,
    diffId: image.diffIds[i],
  }));
  return { ...result, manifest: image.manifest.digest, layers };
}

async function addLayer(
  run: ImportRun,
  files: LayoutFiles,
  layer: Descriptor,
  diffId: string,
): Promise<void> {
  const stored = hashed(files.read(blobName(layer)));
  const plain = hashed(run.limit.pieces(plainArchive(stored)));
  const rules = new LayerRules(run.draft);
  try {
    await addTar(run, plain, { rules });
  } catch (error) {
    const isOurs = error instanceof ImportError ||
      error instanceof ArchiveSyntaxError;
    if (!isOurs) throw error;
    throw new ImportError(`${error.message}; layer ${layer.digest}`);
  }
  checkDigest(stored.digest(), layer);
  const found = `sha256:${plain.digest().sha256}`;
  if (found === diffId) return;
  throw new ImportError(
    `Cannot import image as the archive of layer ${layer.digest} is to have digest ${diffId}: found ${found}`,
  );
}

function checkDigest(
  { sha256, byteCount }: {
    readonly sha256: string;
    readonly byteCount: number;
  },
  { digest, size }: Descriptor,
): void {
  if (`sha256:${sha256}` === digest && byteCount === size) return;
  throw new ImportError(
    `Cannot import image as blob ${digest} is to have ${size} bytes of this digest: found ${byteCount} bytes of sha256:${sha256}`,
  );
}

async function readImage(
  files: LayoutFiles,
  options: ImportOciOptions,
): Promise<Image> {
  const index = await readDocument(files, "index.json", "index");
  const manifest = await chooseManifest(files, index, options);
  const document = await readBlob(files, manifest, "manifest");
  const layers = descriptorsOf(document.layers, "manifest");
  const config = descriptorOf(document.config, "manifest");
  const { rootfs } = await readBlob(files, config, "config");
  const diffIds = (rootfs as { diff_ids?: unknown } | undefined)?.diff_ids;
  if (!Array.isArray(diffIds) || diffIds.length !== layers.length) {
    throw noDocument("config");
  }
  return { manifest, layers, diffIds: diffIds.map(String) };
}

/** Finds the manifest of the one image that is meant. */
async function chooseManifest(
  files: LayoutFiles,
  first: Readonly<Record<string, unknown>>,
  { image, architecture }: ImportOciOptions,
): Promise<Descriptor> {
  let document = first;
  for (let depth = 0; depth < INDEX_DEPTH_MAX; depth++) {
    const all = descriptorsOf(document.manifests, "index");
    const meant = all.filter(({ annotations, platform }) =>
      (depth > 0 || image === undefined || annotations?.[REF_NAME] === image) &&
      (architecture === undefined || platform?.architecture === undefined ||
        platform.architecture === architecture)
    );
    if (meant.length !== 1) throw notOne(all, meant.length);
    const [found] = meant;
    if (found.mediaType !== MediaType.index) return found;
    document = await readBlob(files, found, "index");
  }
  throw noDocument("index");
}

function notOne(all: readonly Descriptor[], count: number): ImportError {
  const names = all.map(({ annotations, platform, digest }) =>
    annotations?.[REF_NAME] ?? platform?.architecture ?? digest
  );
  return new ImportError(
    `Cannot import image as ${count} of ${all.length} are meant`,
    `--image names one, --architecture says for which machine: ${
      names.slice(0, 10).join(", ")
    }`,
  );
}

async function readBlob(
  files: LayoutFiles,
  descriptor: Descriptor,
  what: string,
): Promise<Readonly<Record<string, unknown>>> {
  return await readDocument(files, blobName(descriptor), what, descriptor);
}

async function readDocument(
  files: LayoutFiles,
  name: string,
  what: string,
  descriptor?: Descriptor,
): Promise<Readonly<Record<string, unknown>>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const pieces = hashed(files.read(name));
  for await (const piece of pieces) {
    size += piece.length;
    if (size > DOCUMENT_SIZE_MAX) throw noDocument(what);
    parts.push(piece);
  }
  if (descriptor !== undefined) checkDigest(pieces.digest(), descriptor);
  try {
    const value = JSON.parse(new TextDecoder().decode(Buffer.concat(parts)));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // What is no JSON is no document.
  }
  throw noDocument(what);
}
