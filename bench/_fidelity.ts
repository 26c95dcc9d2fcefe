/** What there is of an entry beside its content, and a command that lists it. */
const FACTS: Readonly<Record<string, string>> = {
  "modes": `find . -mindepth 1 ! -type l -printf '%P %m\\n'`,
  "times": `find . -type f -printf '%P %Ts\\n'`,
  "nanoseconds": `find . -type f -printf '%P %T@\\n'`,
  "times of folders": `find . -mindepth 1 -type d -printf '%P %Ts\\n'`,
  "owners": `find . -mindepth 1 -printf '%P %U %G\\n'`,
  "hard links": `find . -type f -links +1 -printf '%P %n\\n'`,
  "attributes": `getfattr -Rhd -m '^user' . | cat`,
};

/** Makes `$TREE` with one of each; what the machine refuses is not asked for. */
export const MAKE_FACTS = `mkdir -p "$TREE/folder" && cd "$TREE" &&
  echo file >file && ln file link && echo other >folder/other &&
  { setfattr -n user.bench -v 1 file; chown -h 1:2 folder/other; chmod 640 file
    touch -d '2001-02-03 04:05:06.123456789' file folder; true; }`;

/** Prints the names of the facts in which `$TARGET` differs from `$TREE`, one a line. */
export const PRINT_LOST: string = Object.entries(FACTS)
  .map(([name, list]) => `${differs(list)} || echo '${name}'`).join("\n") +
  "\ntrue";

/** Reads what {@linkcode PRINT_LOST} has printed. */
export function parseLost(output: string): string[] {
  const lost = output.split("\n").filter(Boolean);
  return lost.includes("times")
    ? lost.filter((name) => name !== "nanoseconds")
    : lost;
}

/**
 * Returns the command that fails where `$TARGET` is not what `$TREE` is.
 *
 * @param lost The names of facts that do not count.
 * @returns A command for a shell, which says what differs.
 */
export function compareTrees(lost: readonly string[]): string {
  const all = lost.includes("times") ? [...lost, "nanoseconds"] : lost;
  const kept = Object.entries(FACTS).filter(([name]) => !all.includes(name))
    .map(([name, list]) =>
      ` && { ${differs(list)} || { echo 'the ${name} are others'; false; }; }`
    );
  return `diff -rq --no-dereference "$TREE" "$TARGET"${kept.join("")}`;
}

function differs(list: string): string {
  const sorted = (root: string): string =>
    `<(cd "${root}" && { ${list}; } 2>/dev/null | LC_ALL=C sort)`;
  return `cmp -s ${sorted("$TREE")} ${sorted("$TARGET")}`;
}
