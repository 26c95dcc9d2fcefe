import { nodeModule } from "../node_module.ts";
import { StoreError } from "../errors.ts";

const { open } = nodeModule("node:fs/promises");

/**
 * Reads a part of a file.
 *
 * @throws {StoreError} If it ends before the part does.
 */
export async function readPart(
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const file = await open(path, "r");
  try {
    let done = 0;
    while (done < length) {
      const at = offset + done;
      const { bytesRead } = await file.read(bytes, done, length - done, at);
      if (bytesRead === 0) {
        throw new StoreError(
          `Cannot store ${path}: it has ${at} bytes, not ${offset + length}`,
          { code: "SHORT", action: "adopt", path },
        );
      }
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
