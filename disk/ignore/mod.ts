/**
 * Rules of what is left out: `.snapignore`, patterns, cache directories.
 *
 * @module
 */
export { type IgnoreOptions, IgnoreRules, RuleScope } from "./ignore_rules.ts";
/** @internal */
export { RULE_FILE_SIZE_MAX } from "./ignore_rules.ts";
