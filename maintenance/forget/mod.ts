/**
 * What is kept and what is forgotten: rules, what they keep, and forgetting.
 *
 * @module
 */
export * from "./apply_rules.ts";
export { type Duration, formatDuration, parseDuration } from "./duration.ts";
export * from "./errors.ts";
export * from "./forget.ts";
export * from "./plan_retention.ts";
export * from "./retention_rules.ts";
