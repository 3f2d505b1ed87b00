/** Settings and commands of releases, as they are declared. The code behind them is loaded only when it is needed. */
import type { Settings, SettingsSchema } from '../../../singer/config.ts';
import type { CommandContext, TargetCommand } from '../../../singer/sink.ts';
import type { Address, Patience } from '../connection.ts';

/** Where the releases are. */
export interface Place {
  readonly address: Address;
  readonly patience: Patience;
  /** Name of the live schema. */
  readonly schema: string;
}

export const RELEASE_SETTINGS: SettingsSchema['properties'] = {
  release: {
    enum: ['direct', 'blue_green'],
    default: 'direct',
    description:
      'direct: load into the tables that readers see. blue_green: load everything into a schema of its own, check it, and put it in the place of default_target_schema in one moment; the former schema is kept to roll back to.',
  },
  keep_releases: {
    type: 'integer',
    minimum: 0,
    default: 2,
    description: 'Former releases to keep (release blue_green); older ones are dropped after a switch.',
  },
  allow_shrink: {
    type: 'boolean',
    default: false,
    description:
      'Let a release become live although a table is missing or has lost more than a tenth of its rows (release blue_green).',
  },
  release_checks: {
    type: 'array',
    items: { type: 'string', minLength: 1 },
    examples: [['checks/']],
    description:
      'Files with one SELECT each, or folders of *.sql, that a release must pass before it becomes live (release blue_green): no row, or a single true. Names without a schema mean the release.',
  },
};

/** What is for releases only. */
export interface ReleaseRules {
  /** Former releases to keep. */
  readonly keep: number;
  readonly allowShrink: boolean;
  /** Files and folders of the user's checks. */
  readonly checks: readonly string[];
}

/** The settings that are for releases only. */
export function releaseRules(settings: Settings): ReleaseRules {
  return {
    keep: settings.keep_releases as number,
    allowShrink: settings.allow_shrink === true,
    checks: (settings.release_checks as readonly string[] | undefined) ?? [],
  };
}

type Command = keyof typeof import('./commands.ts');

/** The commands by name. `placeOf` says where the settings put the releases. */
export function releaseCommands(placeOf: (settings: Settings) => Place): Readonly<Record<string, TargetCommand>> {
  const command = (name: Command, description: string, operand?: string): TargetCommand => ({
    description,
    ...(operand !== undefined && { operand }),
    async run(settings: Settings, context: CommandContext) {
      const commands = await import('./commands.ts');
      await commands[name](placeOf(settings), context);
    },
  });
  return {
    releases: command('listReleases', 'Lists the releases of default_target_schema, the newest first.'),
    promote: command('promote', 'Makes a release live; without a name the newest that is not.', 'RELEASE'),
    rollback: command('rollback', 'Brings back the release that was live before, or the one named.', 'RELEASE'),
    drop: command('drop', 'Removes a release that is not live; without a name the oldest former one.', 'RELEASE'),
  };
}
