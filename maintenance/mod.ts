/**
 * What is kept, what is removed, what is mended.
 *
 * @module
 */
export {};
