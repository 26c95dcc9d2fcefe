/** How much is in a tree. */
export interface TreeSize {
  /** Regular files. */
  readonly fileCount: number;
  /** The sum of their sizes. */
  readonly byteCount: number;
}

/** Adds up the files of a tree. */
export async function sizeOfTree(path: string): Promise<TreeSize> {
  const { stdout } = await new Deno.Command("find", {
    args: [path, "-type", "f", "-printf", "%s\\n"],
    stderr: "inherit",
  }).output();
  let fileCount = 0;
  let byteCount = 0;
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    if (line === "") continue;
    fileCount++;
    byteCount += Number(line);
  }
  return { fileCount, byteCount };
}
