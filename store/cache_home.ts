import { nodeModule } from "./node_module.ts";

const { homedir } = nodeModule("node:os");
const { isAbsolute, join } = nodeModule("node:path");

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
