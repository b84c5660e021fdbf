import { SkerryError } from '@skerry/base';
import type { CommandModule } from '../command.ts';

/** `skerry dev`: a local swarm of real peers in this process. */
export const devCommand: CommandModule = {
  declare(command) {
    command.action(() => {
      throw new SkerryError('USAGE', 'skerry dev is not there yet');
    });
  },
};
