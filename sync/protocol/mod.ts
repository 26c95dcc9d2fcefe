/**
 * Messages between two sides of a sync, for those who look into them: a
 * transport carries them as they are.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export {
  decodeMessage,
  encodeMessage,
  type Message,
  MessageType,
  type Section,
  SectionKind,
  Verb,
} from "./message.ts";
export type { TagRow } from "./sections.ts";
