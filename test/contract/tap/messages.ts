/** What comes out of a whole run, and that any state of it is a place to go on from. */
import { expect } from 'vitest';
import { approximate } from '../../../singer/lossless.ts';
import type { JsonSchema } from '../../../singer/messages.ts';
import { compileRecordCheck } from '../../../singer/record-check.ts';
import { type Output, object } from './outside.ts';
import { type Cases, Scene } from './scene.ts';

type Message = Output['messages'][number];

/** Stream and key of every record but the books', which tell of runs and not of the source. */
export function keysOf(
  scene: Scene,
  messages: readonly Message[],
  schemas: readonly Message[] = messages,
): Set<string> {
  const books = new Set(scene.streams.filter(({ automatic }) => automatic).map(({ name }) => name));
  const keys = new Map(
    schemas
      .filter(({ type }) => type === 'SCHEMA')
      .map(({ stream, key_properties }) => [stream, key_properties as readonly string[]]),
  );
  return new Set(
    messages
      .filter(({ type, stream }) => type === 'RECORD' && !books.has(String(stream)))
      .map(
        ({ stream, record }) =>
          `${String(stream)} ${(keys.get(stream) ?? []).map((key) => String(object(record)[key])).join(' ')}`,
      ),
  );
}

export const messageCases: Cases = {
  async 'a whole run ends with 0 and brings every stream'(scene) {
    const output = await scene.run();
    expect(output.code, output.summary).toBe(0);
    const streams = new Set([...keysOf(scene, output.messages)].map((key) => key.split(' ')[0]));
    expect(streams.size).toBeGreaterThan(1);
  },

  async 'every schema comes before the first record of its stream, with its keys'(scene) {
    const { messages } = await scene.run();
    const seen = new Map<string, readonly string[]>();
    for (const { type, stream, schema, key_properties, record } of messages) {
      if (type === 'SCHEMA') {
        seen.set(String(stream), key_properties as readonly string[]);
        const names = Object.keys(object(object(schema).properties));
        for (const key of key_properties as readonly string[]) expect(names).toContain(key);
      }
      if (type !== 'RECORD') continue;
      expect([...seen.keys()]).toContain(stream);
      for (const key of seen.get(String(stream)) ?? []) expect(object(record)[key] ?? null).not.toBeNull();
    }
  },

  async 'every record fits its schema and has no property beyond it'(scene) {
    const { messages } = await scene.run();
    const checks = new Map(
      messages
        .filter(({ type }) => type === 'SCHEMA')
        .map(({ stream, schema }) => [
          stream,
          { check: compileRecordCheck(schema as JsonSchema), names: object(object(schema).properties) },
        ]),
    );
    for (const { type, stream, record } of messages) {
      if (type !== 'RECORD' || record === undefined) continue;
      const { check, names } = checks.get(stream) ?? { check: undefined, names: {} };
      expect(check?.(approximate(record))).toEqual([]);
      expect(Object.keys(object(record)).filter((name) => !(name in names))).toEqual([]);
    }
  },

  async 'states are never empty, and the last message is one'(scene) {
    const { messages, states } = await scene.run();
    expect(messages.at(-1)?.type).toBe('STATE');
    for (const state of states) expect(Object.keys(state)).not.toEqual([]);
    expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(states.length);
  },

  async 'every state resumes: rows before it and rows of a run from it are all rows'(scene) {
    const { messages } = await scene.run();
    const whole = keysOf(scene, messages);
    expect(messages.filter(({ type }) => type === 'STATE').length).toBeGreaterThan(2);
    for (const [at, message] of messages.entries()) {
      if (message.type !== 'STATE' || message.value === undefined) continue;
      const rest = await scene.run({ state: message.value });
      expect(rest.code, rest.summary).toBe(0);
      const both = new Set([...keysOf(scene, messages.slice(0, at)), ...keysOf(scene, rest.messages)]);
      expect([...whole].filter((key) => !both.has(key))).toEqual([]);
    }
  },

  async 'a run from the last state makes no request and writes nothing'(scene) {
    const first = await scene.run();
    const state = first.states.at(-1);
    const requests = scene.source.requests();
    const again = await scene.run(state === undefined ? {} : { state });
    expect(again.code).toBe(0);
    expect(again.stdout).toBe('');
    expect(scene.source.requests()).toBe(requests);
  },

  async 'the same input gives the same bytes'(scene) {
    const first = await scene.run();
    const other = await Scene.open(scene.subject);
    try {
      const settings = Object.fromEntries(Object.entries(other.source.settings));
      const second = await other.run({ settings });
      expect(second.stdout).toBe(first.stdout);
    } finally {
      await other.close();
    }
  },

  async 'a good run logs neither the word error nor exception'(scene) {
    const output = await scene.run();
    expect(output.stderr.replaceAll('errors_total', '')).not.toMatch(/error|exception/i);
    for (const line of output.logs) expect(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']).toContain(line.level);
  },
};
