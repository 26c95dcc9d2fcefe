/**
 * Loads a module of this package when it is needed. Before a program starts,
 * Deno reads every file that a literal `import()` names anywhere below it: 10 ms
 * for the files of all commands. This one it cannot foresee.
 */
export function loadLate(name: string): Promise<unknown> {
  // The npm build has other extensions.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return import(new URL(`./${name}.${extension}`, import.meta.url).href);
}
