// Lets Node run the sources: finds the packages of the workspace by name, and those of npm in the
// folder of the query, as the sources have no node_modules.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const ROOT = new URL("..", import.meta.url);
const packages = new URL(import.meta.url).searchParams.get("packages");

registerHooks({
  resolve(specifier, context, next) {
    const [, name, entry] = /^@snap\/([^/]+)(\/.+)?$/.exec(specifier) ?? [];
    if (name === undefined) {
      const isOurs = packages !== null && /^[@a-z]/.test(specifier) &&
        context.parentURL?.startsWith(ROOT.href);
      const parentURL = isOurs
        ? new URL(packages, ROOT).href
        : context.parentURL;
      return next(specifier, { ...context, parentURL });
    }
    const folder = new URL(`${name}/`, ROOT);
    const { exports } = JSON.parse(
      readFileSync(new URL("deno.json", folder), "utf8"),
    );
    const file = exports[`.${entry ?? ""}`];
    return { url: new URL(file, folder).href, shortCircuit: true };
  },
});
