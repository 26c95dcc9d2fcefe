import { readdir, readlink } from "node:fs/promises";

/**
 * Finds programs that work in a directory, as far as the user may know.
 *
 * @param directory Its absolute path.
 * @returns Numbers of processes whose working folder is it, or lies below.
 */
export async function programsIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  const names = await readdir("/proc").catch(() => []);
  for (const name of names.filter((one) => /^[0-9]+$/.test(one))) {
    // It has ended, or is another user's.
    const folder = await readlink(`/proc/${name}/cwd`).catch(() => "");
    if (`${folder}/`.startsWith(`${directory}/`)) found.push(name);
  }
  return found;
}
