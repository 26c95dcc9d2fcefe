/**
 * Answers to a request. A number from 0 on is the error number of the reply, 0
 * with the body that was written; those below 0 stand here.
 *
 * @module
 */

/** Bytes are on their way: nothing is sent, the request is handled again. */
export const PENDING = -1;

/** The main thread answers. */
export const FORWARD = -2;

/** The kernel expects no reply. */
export const SILENT = -3;
