import { bashCompletion } from "./bash_completion.ts";
import { fishCompletion } from "./fish_completion.ts";
import { zshCompletion } from "./zsh_completion.ts";

/** Shells that completions can be written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

/** Writes the completions of a shell. */
export function completionScript(shell: Shell): string {
  const write = {
    bash: bashCompletion,
    zsh: zshCompletion,
    fish: fishCompletion,
  }[shell];
  return write();
}
