import { COMMANDS, findCommand } from "../arguments/command_table.ts";
import { ExitCode } from "../exit_code.ts";
import { commandHelp, programHelp } from "../arguments/help_text.ts";
import { nearest } from "../arguments/nearest.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** `snap help [COMMAND]` */
export async function run(session: Session): Promise<number> {
  const [name] = session.args.positionals;
  const spec = name === undefined ? undefined : findCommand(name);
  if (name !== undefined && spec === undefined) {
    const near = nearest(name, COMMANDS.map((one) => one.name));
    throw new UsageError(
      `Cannot help with ${JSON.stringify(name)}: there is no such command`,
      near && `did you mean ${near}?`,
    );
  }
  const text = spec === undefined ? programHelp() : commandHelp(spec);
  await session.result(text.trimEnd(), { type: "help", text });
  return ExitCode.done;
}
