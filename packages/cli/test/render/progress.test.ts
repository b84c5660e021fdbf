import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createProgress } from '../../src/render/progress.ts';

function createStage(isTTY: boolean, quiet = false) {
  let nowMs = 5000;
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 20 });
  const progress = createProgress({ stream, quiet, clock: { nowMs: () => nowMs } });
  return {
    progress,
    wait: (ms: number) => {
      nowMs += ms;
    },
    written: () => (stream.read() as string | null) ?? '',
  };
}

describe('createProgress', () => {
  it('shows nothing in the first second, then a line at most every 100 ms, and takes it away', () => {
    const { progress, wait, written } = createStage(true);
    wait(999);
    progress.show(() => 'early');
    expect(written()).toBe('');
    wait(1);
    progress.show(elapsedMs => `at ${elapsedMs}`);
    wait(99);
    progress.show(() => 'too soon');
    expect(written()).toBe('\r\u001b[2Kat 1000');
    wait(1);
    progress.show(() => 'a line that is far too long');
    expect(written()).toBe('\r\u001b[2Ka line that is far…');
    progress.clear();
    progress.clear();
    expect(written()).toBe('\r\u001b[2K');
  });

  it('writes nothing where the stream is no terminal, or when quiet', () => {
    for (const stage of [createStage(false), createStage(true, true)]) {
      stage.wait(2000);
      stage.progress.show(() => 'x');
      stage.progress.clear();
      expect(stage.written()).toBe('');
    }
  });
});
