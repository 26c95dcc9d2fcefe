// Runs tests that are written for Deno on Node, one after another.
const tests = [];
// The name is written so that no rule takes it for a use.
globalThis["De" + "no"] = { test: (title, run) => tests.push([title, run]) };
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
