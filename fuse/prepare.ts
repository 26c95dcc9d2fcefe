/**
 * Workers of a mount, started before the snapshot is known.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { PreparedMount, prepareMount } from "./mount/prepare_mount.ts";
