/**
 * The contract of taps: what every one of them must do, whatever it reads. The real `runTap` runs in memory against
 * the tap's simulator, in virtual time.
 */
import { describe, it } from 'vitest';
import { commandCases, nestedCases } from './tap/commands.ts';
import { messageCases } from './tap/messages.ts';
import { type Cases, Scene, type TapUnderTest } from './tap/scene.ts';
import { stopCases } from './tap/stops.ts';

/** Runs the whole contract. An excused case must fail: an excuse that is no longer needed is found out. */
export function tapContract(subject: TapUnderTest): void {
  const groups: Readonly<Record<string, Cases>> = {
    messages: messageCases,
    commands: { ...commandCases, ...nestedCases(subject) },
    'states and stops': stopCases,
  };
  for (const [group, cases] of Object.entries(groups)) {
    describe(`${subject.name}: ${group}`, () => {
      for (const [name, run] of Object.entries(cases)) {
        const excuse = subject.excuses[name];
        const define = excuse === undefined ? it : it.fails;
        define(excuse === undefined ? name : `${name} (excused: ${excuse})`, () => inScene(subject, run));
      }
    });
  }
}

async function inScene(subject: TapUnderTest, run: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = await Scene.open(subject);
  try {
    await run(scene);
  } finally {
    await scene.close();
  }
}
