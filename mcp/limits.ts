/** The most calls that are at work at once; others wait. */
export const CALLS_MAX = 8;
/** The most calls that are at work or wait; more are refused. */
export const CALLS_WAITING_MAX = 64;
/** The most bytes of one message of a client. */
export const MESSAGE_SIZE_MAX: number = 4 * 1024 * 1024;
/** The most roots, of the command line or of a client. */
export const ROOTS_MAX = 64;
/** The most entries of a page. */
export const PAGE_COUNT_MAX = 1000;
/** Entries of a page where nothing else is asked for. */
export const PAGE_COUNT = 200;
/** The most bytes of JSON of a page: a page ends before it has more, and has one entry at least. */
export const PAGE_SIZE_MAX: number = 256 * 1024;
/** The most bytes of a file in one answer. */
export const READ_SIZE_MAX: number = 1024 * 1024;
/** Bytes of a file in one answer where nothing else is asked for. */
export const READ_SIZE: number = 64 * 1024;
/** The most changes that one restore makes. */
export const CHANGES_MAX = 1_000_000;
/** Errors, conflicts and the like that an answer lists; all are counted. */
export const SAMPLE_MAX = 20;
/** The longest path, in bytes. */
export const PATH_SIZE_MAX: number = 64 * 1024;
/** The longest message of a snapshot, in UTF-16 units. */
export const TEXT_LENGTH_MAX = 4096;
/** The longest pattern, in UTF-16 units. */
export const PATTERN_LENGTH_MAX = 1024;
