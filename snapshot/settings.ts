/**
 * The settings of a store, for those who read and write snapshots.
 *
 * @module
 */
export {
  DEFAULT_SETTINGS,
  formatSettings,
  FRAME_SIZE_MAX,
  parseSettings,
  type StoreSettings,
} from "@snap/store/format";
