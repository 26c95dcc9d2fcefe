import type { RetentionRules } from "@snap/maintenance/forget";
import { CommandError } from "../command_error.ts";
import { configOf } from "../config/config_file.ts";
import type { Session } from "../session.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Reads the rules of what is kept, from options or from the configuration.
 *
 * @returns The rules; undefined where records are named instead.
 * @throws {UsageError} If a rule has a value that cannot be, or there is no rule.
 * @throws {CommandError} If the configuration has no such rules.
 */
export async function retentionRules(
  session: Session,
): Promise<RetentionRules | undefined> {
  const { args } = session;
  const { parseRules, RetentionRuleError, RULE_NAMES } = await import(
    "@snap/maintenance/forget"
  );
  const words: Record<string, unknown> = {};
  for (const name of RULE_NAMES.filter((one) => args.has(one))) {
    words[name] = name === "keep-tag" ? args.list(name) : args.text(name);
  }
  const [first] = Object.keys(words);
  if (args.has("policy")) {
    if (first !== undefined) {
      throw new UsageError(`Cannot use --policy and --${first} at once`);
    }
    return parseRules(await policyOf(session, args.text("policy")!));
  }
  if (first === undefined && !args.has("unsafe-keep-none")) {
    if (args.positionals.length > 0) return undefined;
    throw new UsageError(
      "Cannot forget without ID and without a rule",
      "--keep-last 3 is one, --policy takes those of the configuration",
    );
  }
  try {
    return parseRules(words);
  } catch (error) {
    if (!(error instanceof RetentionRuleError)) throw error;
    throw new UsageError(`Cannot use --${error.rule}: ${error.reason}`);
  }
}

async function policyOf(
  session: Session,
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { path, policies } = await configOf(session);
  const table = policies.get(name);
  if (table !== undefined) return table;
  const place = name === "" ? "[policy]" : `[policies.${name}]`;
  const near = nearest(name, [...policies.keys()].filter((one) => one !== ""));
  throw new CommandError(
    `Cannot forget by a policy: there is no ${place} in ${
      path ?? "a configuration"
    }`,
    near === undefined ? undefined : `did you mean --policy=${near}?`,
  );
}
