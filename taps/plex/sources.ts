/** Which data source stands behind a stream, and with which inputs. */

import { HttpFailure } from '../../http/judge.ts';
import type { Settings } from '../../singer/config.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { isObject, type Json } from '../../singer/lossless.ts';
import type { Api } from './connection.ts';
import { execute, type Input, type Inputs, inputsOf, type Table } from './data-source.ts';
import { asked } from './dates.ts';
import { kindOf } from './failures.ts';
import type { Reading } from './stream.ts';
import type { Slice } from './windows.ts';

/** Ids of data sources as plants use them; a tenant may number its own otherwise. */
export const DATA_SOURCE_IDS = { checksheets: 4142, specifications: 6429, daily: 18765, simple: 22870 } as const;
export type SourceName = keyof typeof DATA_SOURCE_IDS;

interface Configured {
  readonly id: number;
  readonly inputs: Inputs;
}

/** The data source that the settings name, else the usual one. */
export function configuredSource(settings: Settings, name: SourceName): Configured {
  const sources = isObject(settings.datasources) ? settings.datasources : {};
  const given = sources[name];
  const source = given !== undefined && isObject(given) ? given : {};
  const { id, inputs } = source;
  return {
    id: typeof id === 'number' ? id : DATA_SOURCE_IDS[name],
    inputs: inputs !== undefined && isObject(inputs) ? inputs : {},
  };
}

/** Inputs with the window in the place of `{begin}` and `{end}`. */
export function filled(inputs: Inputs, { begin, end }: Slice): Inputs {
  const places: Readonly<Record<string, string>> = { '{begin}': asked(begin), '{end}': asked(end) };
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replace(/\{(?:begin|end)\}/g, (place) => places[place] ?? place) : value,
    ]),
  );
}

function namesWindow(inputs: Inputs): boolean {
  return Object.values(inputs).some((value) => typeof value === 'string' && /\{(?:begin|end)\}/.test(value));
}

/** The inputs of a data source that take a window, by their names: `Inspection_Date_Begin`, `End_Date`. */
export function windowInputs(inputs: readonly Input[]): Inputs {
  const dates = inputs.filter(({ type }) => /date|time/i.test(type)).map(({ name }) => name);
  const begin = dates.find((name) => /begin|start|from/i.test(name));
  const end = dates.find((name) => /end|to$|until|thru/i.test(name) && name !== begin);
  return begin === undefined || end === undefined ? {} : { [begin]: '{begin}', [end]: '{end}' };
}

/** A data source as a run uses it. */
export class DataSource {
  readonly id: number;
  readonly #api: Api;
  readonly #stream: string;
  readonly #format: 1 | 2;
  #inputs: Inputs;

  private constructor(api: Api, stream: string, { id, inputs }: Configured, format: 1 | 2) {
    this.#api = api;
    this.#stream = stream;
    this.#format = format;
    this.#inputs = inputs;
    this.id = id;
  }

  /**
   * Looks at the data source's own description: which inputs it has, whether the configured ones are among them, and, where
   * none names the window, which take it.
   * @throws ConnectorError `config` when there is no web-service user; HttpFailure when the user may not.
   */
  static async open(reading: Reading, stream: string, name: SourceName): Promise<DataSource> {
    const { connection, settings, run } = reading;
    const api = connection.dataSources;
    if (api === undefined) throw withoutUser(stream);
    const configured = configuredSource(settings, name);
    const source = new DataSource(api, stream, configured, settings.datasource_format as 1 | 2);
    let known: readonly Input[];
    try {
      known = await inputsOf(api, stream, source.id);
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure) || kindOf(thrown) === 'access') throw thrown;
      run.log.info(
        'inputs_unknown',
        `${stream}: data source ${source.id} does not tell its inputs: ${thrown.message}`,
        {
          stream,
        },
      );
      return source;
    }
    const names = known.map((input) => input.name);
    const unknown = Object.keys(configured.inputs).filter((input) => !names.includes(input));
    if (unknown.length > 0) {
      const text = `${stream}: data source ${source.id} has no input ${unknown.join(', ')}; it has ${names.join(', ')}`;
      run.log.warn('inputs_differ', text, { stream, inputs: names });
    }
    if (!namesWindow(configured.inputs)) source.#inputs = { ...windowInputs(known), ...configured.inputs };
    return source;
  }

  /** True when the window can be asked for. */
  get hasWindow(): boolean {
    return namesWindow(this.#inputs);
  }

  /** The rows of a window. @throws HttpFailure when it is refused or fails. */
  run(window: Slice, more: Inputs = {}): Promise<Table> {
    const inputs: Record<string, Json> = { ...filled(this.#inputs, window), ...more };
    return execute(this.#api, this.#stream, this.id, inputs, this.#format);
  }

  /** The error of an answer that was cut and cannot be narrowed. */
  tooLong(window: Slice): ConnectorError {
    const span = `${asked(window.begin)} to ${asked(window.end)}`;
    const text = `data source ${this.id} cuts its answer for ${span} at its row limit`;
    const hint = 'give it inputs that narrow it, with {begin} and {end} for the window, in datasources';
    return new ConnectorError('upstream', text, { stream: this.#stream }, { hint });
  }
}

function withoutUser(stream: string): ConnectorError {
  const text = 'there is no web-service user for the Data Source API';
  return new ConnectorError(
    'config',
    text,
    { stream },
    { hint: 'set ds_username and ds_password; Plex support makes such a user' },
  );
}
