/** `--about` and `--version`: answered without config, network or the libraries that only a run needs. */
import type { SettingsSchema } from './config.ts';

/** What `--about` tells. The field names are those of the Singer SDK, which the Meltano Hub reads. */
export interface About {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  readonly settings: SettingsSchema;
}

export type AboutFormat = 'text' | 'json' | 'markdown';

function rows(
  settings: SettingsSchema,
): readonly { name: string; required: boolean; fallback: string; description: string }[] {
  return Object.entries(settings.properties).map(([name, node]) => ({
    name,
    required: settings.required?.includes(name) ?? false,
    fallback: node.default === undefined ? '' : JSON.stringify(node.default),
    description: node.description ?? '',
  }));
}

/** The text of `--about` in the format asked for. */
export function aboutText(about: About, format: AboutFormat): string {
  const { name, description, version, capabilities, settings } = about;
  if (format === 'json') {
    return JSON.stringify(
      {
        name,
        description,
        version,
        supported_node_versions: '>=22.19',
        capabilities,
        settings: { type: 'object', ...settings },
      },
      null,
      2,
    );
  }
  if (format === 'markdown') {
    return [
      `# \`${name}\``,
      '',
      description,
      '',
      '## Capabilities',
      '',
      ...capabilities.map((capability) => `* \`${capability}\``),
      '',
      '## Settings',
      '',
      '| Setting | Required | Default | Description |',
      '|:--|:--|:--|:--|',
      ...rows(settings).map(
        (row) =>
          `| ${row.name} | ${row.required ? 'True' : 'False'} | ${row.fallback.replaceAll('|', '\\|')} | ${row.description.replaceAll('|', '\\|')} |`,
      ),
    ].join('\n');
  }
  return [
    `${name} v${version}: ${description}`,
    '',
    `Capabilities: ${capabilities.join(', ')}`,
    '',
    'Settings:',
    ...rows(settings).map(
      (row) =>
        `  ${row.name}${row.required ? ' (required)' : ''}${row.fallback === '' ? '' : ` [${row.fallback}]`}\n      ${row.description}`,
    ),
  ].join('\n');
}
