/**
 * Names of the program. The builds may write other names here: the names
 * in this repository belong to others elsewhere.
 *
 * @module
 */

/** The name of the project, in sentences. */
export const PRODUCT = "snap";

/** The name of the command, in usage lines and completions. */
export const COMMAND = "snap";
