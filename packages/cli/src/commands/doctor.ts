import type { CommandModule } from '../command.ts';
import type { DoctorDocument } from '../doctor/document.ts';

const afterHelp = `
Each check is ok, warn or bad, with what was found and what to do. bad means that
keys are at risk, or that others will not deal with this node. The exit code is
0 once the daemon has answered, whatever it found: --json says {ok, checks,
standing}, and ok is false where anything is bad.

Examples:
  skerry doctor
  skerry doctor --json | jq -e .ok`;

/** `skerry doctor`: what is wrong with a node, and what to do. */
export const doctorCommand: CommandModule = {
  declare(command, invocation) {
    command.addHelpText('after', afterHelp).action(async () => {
      const { connectDaemon } = await import('../daemon/client.ts');
      const { document } = await connectDaemon(await invocation.findHome()).call('doctor', {});
      const { renderDoctor } = await import('../render/doctor-text.ts');
      await invocation.print(document, () => renderDoctor(document as DoctorDocument, invocation));
    });
  },
};
