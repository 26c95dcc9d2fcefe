/**
 * What a program that fetches its code has to fetch before it starts.
 *
 * @module
 */

/**
 * Never called: names the modules that are loaded by computed names, so that
 * who installs, builds or checks the program knows them. `main.ts` does not
 * import this module: reading all commands costs 10 ms of each start.
 *
 * @returns The modules, all loaded.
 */
export function prefetchCommands(): Promise<unknown[]> {
  return Promise.all([
    import("./_exec_inside.ts"),
    import("./_exec_outside.ts"),
    import("./_own_command.ts"),
    import("./_prepare_mount.ts"),
    import("./_serve_mount.ts"),
    import("./_start_server.ts"),
    import("./run_command.ts"),
    import("./commands/cat.ts"),
    import("./commands/completions.ts"),
    import("./commands/diff.ts"),
    import("./commands/exec.ts"),
    import("./commands/find.ts"),
    import("./commands/help.ts"),
    import("./commands/id.ts"),
    import("./commands/init.ts"),
    import("./commands/log.ts"),
    import("./commands/ls.ts"),
    import("./commands/manifest.ts"),
    import("./commands/mount.ts"),
    import("./commands/repair.ts"),
    import("./commands/restore.ts"),
    import("./commands/save.ts"),
    import("./commands/stats.ts"),
    import("./commands/tag.ts"),
    import("./commands/umount.ts"),
    import("./commands/verify.ts"),
    import("./commands/version.ts"),
  ]);
}
