#!/usr/bin/env node
// CommonJS (see package.json beside it) without types or imports, so that an old Node gets as far as the check.
{
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 18)) {
    process.stderr.write(
      `skerry: USAGE: Node 22.18 or newer is needed and this is ${process.versions.node}; in a checkout, npx skerry brings its own\n`,
    );
    process.exitCode = 2;
  } else {
    // Node keeps what it made of the sources, so that a command starts in half the time: beside the sources, where only
    // who can change those can put code for us to run. Where nothing can be written there, it does without.
    process.getBuiltinModule('node:module').enableCompileCache(`${__dirname}/../node_modules/.cache/skerry`);
    void import('../src/main.ts')
      .then(({ main }) => main(process.argv.slice(2), process))
      .then(exitCode => {
        process.exitCode = exitCode;
      });
  }
}
