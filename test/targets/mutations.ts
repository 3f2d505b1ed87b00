/**
 * Faults that a target must not have, as small changes of the sources. The suites of the target have to fail on each of
 * them: a test that cannot fail proves nothing.
 */
export interface Mutation {
  readonly fault: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly original: string;
  readonly mutated: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    fault: 'a state goes out ahead of its rows',
    file: 'singer/load.ts',
    original: 'if (this.#pendingSince === undefined) return this.#flush();',
    mutated: 'return this.#confirm(this.#state);',
  },
  {
    fault: 'the last batch is dropped',
    file: 'singer/load.ts',
    original: 'await this.#flush();\n    if (failure === undefined) await this.#finish();',
    mutated:
      'if (failure === undefined) await this.#finish();\n    if (this.#state !== undefined) await this.#confirm(this.#state);',
  },
  {
    fault: 'properties whose names clash share a column',
    file: 'targets/names.ts',
    original: 'used.has(fold(name))',
    mutated: 'false',
  },
  {
    fault: 'empty text becomes null',
    file: 'targets/sqlite/lane.ts',
    original: 'if (slot >= 0) values[place + slot] = bound;',
    mutated: "if (slot >= 0) values[place + slot] = bound === '' ? null : bound;",
  },
  {
    fault: 'long integers are rounded',
    file: 'singer/messages.ts',
    original: 'const value = parseLossless(text);',
    mutated: 'const value = JSON.parse(text) as Json;',
  },
  {
    fault: 'text is cut at NUL',
    file: 'targets/sqlite/lane.ts',
    original: 'if (slot >= 0) values[place + slot] = bound;',
    mutated: "if (slot >= 0) values[place + slot] = typeof bound === 'string' ? (bound.split('\\0')[0] ?? '') : bound;",
  },
  {
    fault: 'widening loses digits',
    file: 'targets/sqlite/widening.ts',
    original: "declared: names.has(fold(name)) ? '' : type,",
    mutated: 'declared: type,',
  },
  {
    fault: 'versions are ignored',
    file: 'singer/load.ts',
    original: 'return this.#activate(message);',
    mutated: 'return undefined;',
  },
  {
    fault: 'a record that is set aside is lost',
    file: 'singer/load.ts',
    original: 'await this.#writing(() => this.#sink.reject([reject]));',
    mutated: '',
  },
  {
    fault: 'half a last line is accepted',
    file: 'singer/load.ts',
    original: 'if (last !== undefined) await this.#line(last);',
    mutated: 'if (last?.text.endsWith("}")) await this.#line(last);',
  },
  {
    fault: 'half a load replaces the former content',
    file: 'singer/load.ts',
    original: 'if (failure === undefined) await this.#finish();',
    mutated: 'await this.#finish();',
  },
  {
    fault: 'a file of a batch is skipped',
    file: 'singer/batch-files.ts',
    original: 'for (const address of message.manifest) {',
    mutated: 'for (const address of message.manifest.slice(0, 1)) {',
  },
  {
    fault: 'the state is kept in another transaction than its rows',
    file: 'targets/sqlite/sink.ts',
    original: 'if (state !== undefined) this.#keepState(state);\n    this.#commit();\n    return this.#counted',
    mutated:
      'this.#commit();\n    if (state !== undefined) this.#keepState(state);\n    this.#commit();\n    return this.#counted',
  },
  {
    fault: 'the quick way of reading a row takes half characters as they are',
    file: 'targets/sqlite/lane.ts',
    original: "form === UNFIT || (typeof form === 'string' && !form.isWellFormed())",
    mutated: 'form === UNFIT',
  },
  {
    fault: 'a value that differs is taken for one that all rows share',
    file: 'targets/sqlite/lane.ts',
    original: 'else return values[~slot] === bound;',
    mutated: '',
  },
  {
    fault: 'a line that is read by its pattern may lack its key',
    file: 'singer/record-pattern.ts',
    original: 'const nullable = scalar.nullable && !key.includes(property);',
    mutated: 'const nullable = true;',
  },
  {
    fault: 'a line that is read by its pattern rounds long numbers',
    file: 'singer/record-pattern.ts',
    original: 'const INTEGER = String.raw`(-?[1-9]\\d{0,14}|0)`;',
    mutated: 'const INTEGER = String.raw`(-?[1-9]\\d*|0)`;',
  },
  {
    fault: 'escapes of a line that is read by its pattern stay as they are',
    file: 'singer/record-pattern.ts',
    original: "return text.includes('\\\\')",
    mutated: 'return false',
  },
  {
    fault: 'empty text becomes null where values are copied as they are spelled',
    file: 'targets/postgres/lane.ts',
    original: 'if (spelled !== undefined) {\n          text = spelled;',
    mutated: 'if (spelled) {\n          text = spelled;',
  },
  {
    fault: 'empty text becomes null',
    file: 'targets/postgres/encoding.ts',
    original: "if (typeof value === 'string' && kind !== 'json') return this.#text(value);",
    mutated: "if (typeof value === 'string' && kind !== 'json') return value === '' ? NULL : this.#text(value);",
  },
  {
    fault: 'integers that a double cannot hold are rounded',
    file: 'targets/postgres/encoding.ts',
    original: 'const digits = BigInt(whole);',
    mutated: 'const digits = BigInt(Number(whole));',
  },
  {
    fault: 'U+0000 is replaced although the settings say error',
    file: 'targets/postgres/encoding.ts',
    original: 'if (!this.#replaceNull) return NUL;',
    mutated: '',
  },
  {
    fault: 'backslashes of JSON are taken for those of COPY',
    file: 'targets/postgres/encoding.ts',
    original: "return text.replaceAll('\\\\', '\\\\\\\\');",
    mutated: 'return text;',
  },
  {
    fault: 'times finer than a microsecond are rounded',
    file: 'targets/postgres/encoding.ts',
    original: 'if (fraction === undefined || fraction.length <= 7) return value;',
    mutated: 'return value;',
  },
  {
    fault: 'widening a column of doubles keeps 15 digits',
    file: 'targets/postgres/types.ts',
    original: '}::text::numeric`;',
    mutated: '}::numeric`;',
  },
  {
    fault: 'a column made by hand may round',
    file: 'targets/postgres/tables.ts',
    original: 'return holds(holder, kind) && unlimitedType(declared, kind) === undefined;',
    mutated: 'return holds(holder, kind);',
  },
  {
    fault: 'of two rows with one key in a batch the first counts',
    file: 'targets/postgres/sql.ts',
    original: 'ctid DESC',
    mutated: 'ctid ASC',
  },
  {
    fault: 'rows that met a key are not sent again',
    file: 'targets/postgres/copy.ts',
    original: 'first.sent = 0;\n',
    mutated: '',
  },
  {
    fault: 'rows of the quick way have no version',
    file: 'targets/postgres/lane.ts',
    original: 'column.property === TABLE_VERSION ? String(digits) : NULL',
    mutated: 'column.property === TABLE_VERSION ? NULL : NULL',
  },
  {
    fault: 'the state is kept in another transaction than its rows',
    file: 'targets/postgres/sink.ts',
    original:
      'if (state !== undefined) await this.#keepState(state);\n      });\n      await this.#commit();\n    }\n    return this.#counted',
    mutated:
      '});\n      await this.#commit();\n      await this.#write(async () => state !== undefined && this.#keepState(state));\n      await this.#commit();\n    }\n    return this.#counted',
  },
  {
    fault: 'objects of others can take the place of those that are meant',
    file: 'targets/postgres/connection.ts',
    original: "SET search_path = '';",
    mutated: '',
  },
  {
    fault: 'two loads that replace a table empty it',
    file: 'targets/postgres/sink.ts',
    original: 'await session.query(LOCK_FOR_SESSION,',
    mutated: 'if (!session) await session.query(LOCK_FOR_SESSION,',
  },
  {
    fault: 'a column that somebody else has widened meanwhile is not noticed',
    file: 'targets/postgres/sink.ts',
    original: 'if (shape === this.#shape) return;',
    mutated: 'return;',
  },
  {
    fault: 'what hangs on a table is dropped with it',
    file: 'targets/postgres/overwrite.ts',
    original: 'await refuseHindrances(session, oids);',
    mutated: '',
  },
];
