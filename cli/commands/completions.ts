import { completionScript, SHELLS } from "../completion/completion_scripts.ts";
import { ExitCode } from "../exit_code.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** `snap completions bash|zsh|fish` */
export async function run(session: Session): Promise<number> {
  const [text] = session.args.positionals;
  const shell = SHELLS.find((one) => one === text);
  if (shell === undefined) {
    throw new UsageError(
      `Cannot complete for ${JSON.stringify(text)}: shells are ${
        SHELLS.join(", ")
      }`,
    );
  }
  const script = completionScript(shell);
  await session.result(script.trimEnd(), {
    type: "completions",
    shell,
    text: script,
  });
  return ExitCode.done;
}
