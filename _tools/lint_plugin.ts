const plugin: Deno.lint.Plugin = { name: "snap", rules: {} };
export default plugin;
