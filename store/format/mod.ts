/**
 * The small files of a store: config, settings, documents, tags.
 *
 * @module
 */
export * from "./document.ts";
export * from "./document_form.ts";
export * from "./fields.ts";
export * from "./read_document.ts";
export * from "./settings.ts";
export * from "./store_config.ts";
export * from "./tag_log.ts";
export * from "./tag_store.ts";
