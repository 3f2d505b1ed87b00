/** A target in memory: what is left in its tables after all runs. */
import type { Json } from '../../singer/lossless.ts';
import { type Output, object } from '../contract/tap/outside.ts';
import type { Fields } from './servicedesk.ts';

interface Row {
  readonly record: Fields;
  readonly version: Json | undefined;
}

/** Rows by key; the last one of a key stays, and rows of other versions go when one is complete. */
export class Mirror {
  readonly #streams = new Map<string, Map<string, Row>>();
  readonly #keys = new Map<string, readonly string[]>();

  /** Takes the messages up to the last state: what came behind it was never confirmed. With `all`, to the end. */
  load({ messages }: Output, all = true): void {
    const end = all ? messages.length : messages.findLastIndex(({ type }) => type === 'STATE');
    for (const message of messages.slice(0, end)) {
      const name = String(message.stream);
      const rows = this.#streams.get(name) ?? new Map<string, Row>();
      this.#streams.set(name, rows);
      if (message.type === 'SCHEMA') this.#keys.set(name, message.key_properties as readonly string[]);
      if (message.type === 'RECORD') {
        const record = object(message.record);
        const key = JSON.stringify((this.#keys.get(name) ?? []).map((property) => record[property]));
        rows.set(key, { record, version: message.version });
      }
      if (message.type === 'ACTIVATE_VERSION') {
        for (const [key, row] of rows) if (row.version !== message.version) rows.delete(key);
      }
    }
  }

  rows(stream: string): readonly string[] {
    return [...(this.#streams.get(stream) ?? new Map<string, Row>()).values()]
      .map(({ record }) => JSON.stringify(record))
      .sort();
  }

  /** Versions that the rows of a stream have. */
  versions(stream: string): readonly Json[] {
    const rows = [...(this.#streams.get(stream) ?? new Map<string, Row>()).values()];
    return [...new Set(rows.map(({ version }) => version ?? null))];
  }
}
