/**
 * Records of snapshots, the names that people give for them, and tags.
 *
 * @module
 */
export { forgetRecords, type ForgetRecordsOptions } from "./forget_records.ts";
export {
  decodeRecord,
  encodeRecord,
  type NamedRecord,
  parseTime,
  type PathSample,
  type RecordFile,
  type RecordName,
  type SnapshotRecord,
  type Totals,
} from "./record.ts";
export {
  findRecord,
  listRecords,
  type ListRecordsOptions,
  readRecord,
} from "./records.ts";
export {
  AmbiguousIdError,
  type RecordSource,
  type ResolveOptions,
  resolveSnapshot,
  SnapshotNotFoundError,
} from "./resolve_snapshot.ts";
export {
  deleteTag,
  listTags,
  retreatTag,
  type Tag,
  type TaggedRecord,
  tagLog,
  tagSnapshot,
  type TagSnapshotOptions,
  type TagSource,
} from "./tags.ts";
export {
  writeRecord,
  type WriteRecordOptions,
  type WrittenRecord,
} from "./write_record.ts";
/** @internal */
export { checkRemovable, listForgotten } from "./forget_records.ts";
/** @internal */
export { formatRecordName, parseRecordName, RECORDS_PREFIX } from "./record.ts";
/** @internal */
export { recordFields } from "./record_fields.ts";
/** @internal */
export {
  type OrderedRecords,
  orderRecords,
  type OrderRecordsOptions,
  partLater,
} from "./record_order.ts";
/** @internal */
export {
  finishedSaves,
  listRecordNames,
  type ListRecordNamesOptions,
} from "./records.ts";
/** @internal */
export { parseTarget, type SnapshotTarget } from "./resolve_snapshot.ts";
/** @internal */
export { formerRecord, taggedRecord } from "./tags.ts";
/** @internal */
export {
  confirmRecords,
  copyRecord,
  recordStands,
  withdrawRecord,
} from "./write_record.ts";
