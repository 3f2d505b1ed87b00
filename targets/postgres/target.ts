/** The PostgreSQL target: its settings. The driver is loaded only when a run connects, because `--about` must be quick. */
import type { SettingFault, Settings } from '../../singer/config.ts';
import { LOADING_SETTINGS, type Target } from '../../singer/sink.ts';
import { type LoadMethod, type SchemaChange, SQL_SETTINGS, STATE_SETTINGS, sqlRules, statePlace } from '../settings.ts';
import type { Address, Patience, SslMode } from './connection.ts';
import { CONTROL_SCHEMA } from './releases/names.ts';
import { type Place, RELEASE_SETTINGS, releaseCommands, releaseRules } from './releases/settings.ts';
import { NAME_BYTES } from './sql.ts';

const SSL_MODES: readonly string[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] satisfies SslMode[];

export const target: Target = {
  name: 'target-postgres',
  description: 'Loads Singer streams into PostgreSQL: one table per stream, by COPY, inserted or updated by key.',
  capabilities: [
    'about',
    'activate-version',
    'batch',
    'soft-delete',
    'hard-delete',
    'structured-logging',
    'target-schema',
    'validate-records',
  ],
  settings: {
    type: 'object',
    required: [],
    properties: {
      url: {
        type: 'string',
        pattern: '^postgres(ql)?://',
        secret: true,
        examples: ['postgresql://loader@db.example.invalid:5432/reports?sslmode=verify-full'],
        description: 'Address of the database. host, port, user, password, database and sslmode replace its parts.',
      },
      host: {
        type: 'string',
        minLength: 1,
        examples: ['db.example.invalid'],
        description: 'Host of the server, or the folder of its socket.',
      },
      port: { type: 'integer', minimum: 1, maximum: 65_535, examples: [5432], description: 'Port of the server.' },
      user: { type: 'string', minLength: 1, examples: ['loader'], description: 'Role to load as.' },
      password: { type: 'string', secret: true, description: 'Password of the role.' },
      database: { type: 'string', minLength: 1, examples: ['reports'], description: 'Name of the database.' },
      sslmode: {
        enum: SSL_MODES,
        examples: ['verify-full'],
        description:
          'As for psql: prefer (the default) encrypts where the server can; require insists; verify-ca and verify-full also check who the server is.',
      },
      sslrootcert: {
        type: 'string',
        minLength: 1,
        examples: ['/etc/ssl/db-ca.pem'],
        description: 'File with the certificate of the authority that signed the server’s (PEM).',
      },
      default_target_schema: {
        type: 'string',
        default: 'public',
        pattern: '^(?!pg_)[^\\u0000]{1,63}$',
        examples: ['pmp'],
        description: 'Schema of the tables. It is created when it does not exist.',
      },
      ...SQL_SETTINGS,
      ...RELEASE_SETTINGS,
      ...LOADING_SETTINGS,
      null_byte: {
        enum: ['error', 'replace'],
        default: 'error',
        description:
          'PostgreSQL cannot store the character U+0000. error: a record with it is invalid (see on_invalid_record). replace: U+FFFD is stored for it, and counted.',
      },
      lock_timeout_seconds: {
        type: 'number',
        minimum: 0,
        default: 60,
        description: 'Seconds to wait for a table that somebody else has locked; 0 is for ever.',
      },
      statement_timeout_seconds: {
        type: 'number',
        minimum: 0,
        default: 0,
        description: 'Seconds a statement may take; 0 is for ever.',
      },
      ...STATE_SETTINGS,
    },
  },
  rules,
  commands: releaseCommands(placeOf),
  async connect(settings, run) {
    const loading = {
      ...placeOf(settings),
      loadMethod: settings.load_method as LoadMethod,
      schemaChange: settings.schema_change as SchemaChange,
      hardDelete: settings.hard_delete === true,
      replaceNull: settings.null_byte === 'replace',
      state: statePlace(settings),
    };
    if (settings.release === 'blue_green') {
      const { connectRelease } = await import('./releases/sink.ts');
      return connectRelease({ ...loading, ...releaseRules(settings) }, run);
    }
    const { connectPostgres } = await import('./sink.ts');
    return connectPostgres(loading, run);
  },
  async readState(settings) {
    const { storedState } = await import('./stored-state.ts');
    const place = statePlace(settings);
    if (place === undefined) return undefined;
    const { address, patience, schema } = placeOf(settings);
    return storedState(address, patience, schema, place);
  },
};

function rules(settings: Settings): readonly SettingFault[] {
  const faults = [...sqlRules(settings)];
  const { url, host, database, user, default_target_schema: schema } = settings;
  if (typeof schema === 'string' && Buffer.byteLength(schema) > NAME_BYTES) {
    faults.push({
      setting: 'default_target_schema',
      problem: `has ${Buffer.byteLength(schema)} bytes, and PostgreSQL cuts names at ${NAME_BYTES} bytes`,
      example: '"pmp"',
    });
  }
  if (schema === CONTROL_SCHEMA) {
    faults.push({
      setting: 'default_target_schema',
      problem: 'is the schema in which target-postgres keeps the books of releases',
      example: '"reports"',
    });
  }
  if (url === undefined && host === undefined && database === undefined && user === undefined) {
    faults.push({
      setting: 'url',
      problem: 'is missing, and so are host, user and database: no server is named',
      example: '"postgresql://loader@db.example.invalid/reports"',
    });
  }
  if (typeof url === 'string' && /^postgres(ql)?:\/\//.test(url) && !URL.canParse(url)) {
    faults.push({
      setting: 'url',
      problem: 'is not an address (characters like @, / and # in a password are written %40, %2F and %23)',
      example: '"postgresql://loader@db.example.invalid/reports"',
    });
  }
  if (typeof url === 'string' && URL.canParse(url)) faults.push(...parameterFaults(new URL(url)));
  return faults;
}

/** A parameter that is not read must not be taken for one that is: `sslmode` decides who may listen. */
function parameterFaults({ searchParams }: URL): readonly SettingFault[] {
  return [...searchParams].flatMap(([name, value]) => {
    if (name === 'host' || (name === 'sslmode' && SSL_MODES.includes(value))) return [];
    const problem =
      name === 'sslmode'
        ? `has an sslmode that is none of ${SSL_MODES.join(', ')}`
        : `has the parameter ${JSON.stringify(name)}, which is not read (only sslmode and host are; sslrootcert is a setting of its own)`;
    return [
      { setting: 'url', problem, example: '"postgresql://loader@db.example.invalid/reports?sslmode=verify-full"' },
    ];
  });
}

/** Where the settings say that the tables are. */
export function placeOf(settings: Settings): Place {
  return {
    address: addressOf(settings),
    patience: patienceOf(settings),
    schema: settings.default_target_schema as string,
  };
}

/** Where the settings say that the server is. */
export function addressOf(settings: Settings): Address {
  return {
    url: settings.url as string | undefined,
    host: settings.host as string | undefined,
    port: settings.port as number | undefined,
    user: settings.user as string | undefined,
    password: settings.password as string | undefined,
    database: settings.database as string | undefined,
    sslMode: settings.sslmode as SslMode | undefined,
    sslRootCertificate: settings.sslrootcert as string | undefined,
  };
}

/** How long the settings say that a statement may wait. */
export function patienceOf(settings: Settings): Patience {
  return {
    lockSeconds: settings.lock_timeout_seconds as number,
    statementSeconds: settings.statement_timeout_seconds as number,
  };
}
