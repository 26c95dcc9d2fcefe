/**
 * Messages between two sides of a sync, for those who look into them: a
 * transport carries them as they are.
 *
 * @module
 */
export * from "./message.ts";
export * from "./sections.ts";
