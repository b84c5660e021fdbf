/**
 * `npm test`: runs vitest with the arguments given, shows what it shows, and ends with one plain line,
 * `N passed, N failed` (and `, N skipped` where any were). The exit code is vitest's.
 */
import { parseCLI, startVitest } from 'vitest/node';

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const vitest = await startVitest('test', filter, options);
const files = vitest.state.getTestModules();
const states = files.flatMap(file => [...file.children.allTests()]).map(test => test.result().state);
await vitest.close();

const passed = states.filter(state => state === 'passed').length;
const skipped = states.filter(state => state === 'skipped').length;
const failedTests = states.length - passed - skipped;
const failedFiles = files.filter(file => file.errors().length > 0).length;
// An error outside any test and file fails the run too.
const failed = failedTests + failedFiles || Number(process.exitCode ?? 0);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
