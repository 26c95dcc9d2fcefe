/**
 * Loads a module of Node by a call that no bundler follows: what only programs with
 * a disk run is in nobody's way in a browser.
 *
 * @param name Its name.
 * @returns The module.
 * @throws {TypeError} If this runtime has none.
 */
export function nodeModule<Name extends NodeModuleName>(
  name: Name,
): NodeModules[Name] {
  const found = globalThis.process?.getBuiltinModule?.(name);
  if (found !== undefined) return found as NodeModules[Name];
  throw new TypeError(`Cannot load ${name}: only Deno and Node have it`);
}

/** What is loaded so. */
interface NodeModules {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:fs/promises": typeof import("node:fs/promises");
  readonly "node:os": typeof import("node:os");
  readonly "node:path": typeof import("node:path");
  readonly "node:timers/promises": typeof import("node:timers/promises");
}

type NodeModuleName = keyof NodeModules;
