// Lets Node run the sources: finds the packages of the workspace by name.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const ROOT = new URL("..", import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    const [, name, entry] = /^@snap\/([^/]+)(\/.+)?$/.exec(specifier) ?? [];
    if (name === undefined) return next(specifier, context);
    const folder = new URL(`${name}/`, ROOT);
    const { exports } = JSON.parse(
      readFileSync(new URL("deno.json", folder), "utf8"),
    );
    const file = exports[`.${entry ?? ""}`];
    return { url: new URL(file, folder).href, shortCircuit: true };
  },
});
