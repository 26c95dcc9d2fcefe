import { readFile, stat } from "node:fs/promises";
import type { TokenGrant } from "@snap/store/serve";
import { CommandError } from "../command_error.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";

const FORM = /^(read|append|prune)\s+(\S+)$/;

/**
 * Reads the tokens of a server: a file of lines, each a right and a token.
 *
 * @throws {CommandError} If the file cannot be read, or a line is neither empty nor a comment nor that.
 */
export async function readTokens(
  session: Session,
  name: string,
): Promise<TokenGrant[]> {
  const path = await resolvePath(session, name);
  let text: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      session.warn(
        `Others of this machine may read the tokens in ${path}: chmod 600 ends that`,
      );
    }
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as Error).name === "NotCapable") throw cause;
    const { code } = cause as { code?: string };
    throw new CommandError(
      `Cannot read tokens from ${path}: ${
        code === "ENOENT" ? "there is no such file" : code ?? cause
      }`,
    );
  }
  const grants: TokenGrant[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim();
    if (words === "" || words.startsWith("#")) continue;
    const [, right, token] = FORM.exec(words) ?? [];
    // What stands there may be a token: it is not shown.
    if (token === undefined) {
      throw new CommandError(
        `Cannot read tokens from ${path}: line ${i + 1} is not RIGHT TOKEN`,
        "a right is read, append or prune",
      );
    }
    if (token.length < 16) {
      throw new CommandError(
        `Cannot read tokens from ${path}: the token of line ${
          i + 1
        } has fewer than 16 characters`,
        "openssl rand -hex 32 makes one",
      );
    }
    grants.push({ right: right as TokenGrant["right"], token });
  }
  if (grants.length === 0) {
    throw new CommandError(`Cannot read tokens from ${path}: it has none`);
  }
  return grants;
}
