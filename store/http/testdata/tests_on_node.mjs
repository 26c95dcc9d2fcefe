// Runs tests that are written for Deno on Node, one after another.
const tests = [];
// The name is written so that no rule takes it for a use.
globalThis["De" + "no"] = {
  test: (what, run) => {
    if (typeof what === "string") tests.push([what, run]);
    else if (!what.ignore) tests.push([what.name, what.fn]);
  },
};
for (const file of process.argv.slice(2)) await import(file);
for (const [title, run] of tests) {
  try {
    await run();
  } catch (error) {
    console.log(title);
    throw error;
  }
}
console.log(`${tests.length} passed`);
