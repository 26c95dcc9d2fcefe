/**
 * The small files of a store: config, settings, documents, tags.
 *
 * @module
 */
export {
  DEFAULT_SETTINGS,
  formatSettings,
  parseSettings,
  type SomeStoreSettings,
  type StoreSettings,
} from "./settings.ts";
export {
  initStore,
  type InitStoreOptions,
  readConfig,
  type ReadConfigOptions,
  type StoreConfig,
} from "./store_config.ts";
export type {
  AnyTagSlot,
  DamagedTagSlot,
  TagBody,
  TagEntry,
  TagLink,
  TagSlot,
} from "./tag_log.ts";
export {
  type TagEntriesOptions,
  TagStore,
  type TagStoreOptions,
} from "./tag_store.ts";
/** @internal */
export {
  decodeDocument,
  type Document,
  DOCUMENT_SIZE_MAX,
  type DocumentInput,
  encodeDocument,
} from "./document.ts";
/** @internal */
export {
  decodeNamed,
  type DocumentForm,
  type DocumentFormName,
  documentForms,
  PATH_SAMPLE_MAX,
} from "./document_form.ts";
/** @internal */
export {
  count,
  type FieldFault,
  type FieldType,
  id,
  saveId,
  text,
  time,
  timeText,
} from "./fields.ts";
/** @internal */
export { readDocument } from "./read_document.ts";
/** @internal */
export { FRAME_SIZE_MAX } from "./settings.ts";
/** @internal */
export { decodeSlot, NO_RECORD } from "./tag_log.ts";
