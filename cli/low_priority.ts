/** The nice value of a command that nobody waits for. */
export const LOW_PRIORITY = 10;
