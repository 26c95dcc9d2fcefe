import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { blobName } from "./layout.ts";
import {
  BLOBS,
  type ExportedLayer,
  type LayoutTarget,
  type MakeLayer,
} from "./layout_target.ts";

/**
 * Writes an image layout into a folder.
 *
 * @param folder One that is empty.
 */
export function folderLayout(folder: string): LayoutTarget {
  return {
    layer: (make) => writeLayer(folder, make),
    async document(name, bytes) {
      await mkdir(join(folder, BLOBS), { recursive: true });
      await writeFile(join(folder, name), bytes, { flag: "wx" });
    },
  };
}

/** Writes a layer, which gets its name when its digest is known. */
async function writeLayer(
  folder: string,
  make: MakeLayer,
): Promise<ExportedLayer> {
  await mkdir(join(folder, BLOBS), { recursive: true });
  const temporary = join(folder, "layer");
  const handle = await open(temporary, "wx");
  let layer: ExportedLayer;
  try {
    layer = await make({
      async write(bytes) {
        for (let at = 0; at < bytes.length;) {
          at += (await handle.write(bytes, at)).bytesWritten;
        }
      },
    });
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(folder, blobName(layer)));
  return layer;
}
