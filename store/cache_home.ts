import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * The folder in which this user's programs keep what can be made again.
 *
 * @param env Variables of the environment.
 */
export function cacheHome(
  env: Readonly<Record<string, string | undefined>>,
): string {
  const { XDG_CACHE_HOME: cache = "", HOME = homedir() } = env;
  return join(isAbsolute(cache) ? cache : join(HOME, ".cache"), "snap");
}
