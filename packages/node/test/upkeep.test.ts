import { expect, test } from 'vitest';
import { startUpkeep } from '../src/upkeep.ts';
import { recordingLog } from './hosts.ts';

test('what lapses is dropped and what was moved is made again while what is held is still being published, and a stop ends both', async () => {
  const expired = Promise.withResolvers<void>();
  const succeeded = Promise.withResolvers<void>();
  let hasPublished = false;
  const stop = startUpkeep(
    {
      publishAll: async signal => {
        const { promise, resolve } = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => resolve());
        await promise;
        hasPublished = true;
      },
      expire: async () => expired.resolve(),
      succeed: async () => succeeded.resolve(),
    },
    recordingLog(),
    { restartPublishMs: 1, expireLookMs: 1, successionLookMs: 1 },
  );
  await expired.promise;
  await succeeded.promise;
  expect(hasPublished).toBe(false);
  await stop();
  expect(hasPublished).toBe(true);
});
