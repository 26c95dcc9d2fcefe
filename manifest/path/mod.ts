/**
 * Paths and names: what is safe, and how they are shown.
 *
 * @module
 */
export { displayPath, parsePath, pathToText } from "./path.ts";
/** @internal */
export { jsonPath, toBase64 } from "./json_path.ts";
/** @internal */
export { escapeInvisible, joinPath, splitPath } from "./path.ts";
/** @internal */
export { checkName, checkTarget } from "./safe_name.ts";
