/**
 * Finds the module of a worker that stands beside the one that starts it: a source, or what
 * was built of it. In a bundle both are in one folder, by the names that they have here.
 *
 * @param base Address of the module that starts it, `import.meta.url`.
 * @param name Name of the worker's module without its ending.
 * @returns Its address.
 */
export function besideUrl(base: string, name: string): URL {
  const ending = base.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${ending}`, base);
}
