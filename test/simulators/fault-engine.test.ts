import { expect, test } from 'vitest';
import { FaultEngine, type FaultRule, type FaultVocabulary, parseRule } from '../../simulators/faults.ts';

type Action = { readonly type: 'fail'; readonly ms?: number } | { readonly type: 'spoil' } | { readonly type: 'curse' };

const VOCABULARY: FaultVocabulary<Action> = {
  fail: { path: '^/api/', alters: false, parameters: ['ms'] },
  spoil: { path: '^/api/', alters: true, parameters: [] },
  curse: {
    path: '^/api/',
    alters: false,
    parameters: [],
    spell: (_action, now) => ({ scope: '^/api/', until: now + 100 }),
  },
};

function engine(rules: readonly FaultRule<Action>[], seed = 1): FaultEngine<Action> {
  const made = new FaultEngine<Action>(seed, VOCABULARY);
  for (const rule of rules) made.add(rule);
  return made;
}

function firings(made: FaultEngine<Action>, pages: readonly number[], path = '/api/a'): boolean[] {
  const attempts = new Map<number, number>();
  return pages.map((page, at) => {
    const attempt = (attempts.get(page) ?? 0) + 1;
    attempts.set(page, attempt);
    return made.decide({ path, page, attempt, now: at * 10 }).instead !== undefined;
  });
}

const FAIL = { type: 'fail' } as const;
const [yes, no] = [true, false];

test.each([
  { name: 'no match means every request', rule: { action: FAIL }, pages: [1, 2], expected: [yes, yes] },
  { name: 'times', rule: { times: 2, action: FAIL }, pages: [1, 2, 3], expected: [yes, yes, no] },
  {
    name: 'a page range',
    rule: { match: { pages: [2, 3] }, action: FAIL },
    pages: [1, 2, 3, 4],
    expected: [no, yes, yes, no],
  },
  { name: 'nth fires once', rule: { match: { nth: 2 }, action: FAIL }, pages: [1, 2, 3], expected: [no, yes, no] },
  {
    name: 'nth with times',
    rule: { match: { nth: 2 }, times: 2, action: FAIL },
    pages: [1, 2, 3, 4],
    expected: [no, yes, yes, no],
  },
  {
    name: 'nth counts within the pages',
    rule: { match: { nth: 2, pages: [5, 5] }, action: FAIL },
    pages: [1, 5, 2, 5],
    expected: [no, no, no, yes],
  },
  {
    name: 'attempts',
    rule: { match: { attempts: 1 }, action: FAIL },
    pages: [1, 1, 2, 2],
    expected: [yes, no, yes, no],
  },
  {
    name: 'for_ms from the first firing',
    rule: { match: { for_ms: 15 }, action: FAIL },
    pages: [1, 1, 1],
    expected: [yes, yes, no],
  },
  { name: 'another path', rule: { match: { path: '^/api/b' }, action: FAIL }, pages: [1], expected: [no] },
  {
    name: 'a spell lasts',
    rule: { match: { pages: [2, 2] }, times: 1, action: { type: 'curse' } },
    pages: [1, 2, 3, 4],
    expected: [no, yes, yes, yes],
  },
] satisfies { name: string; rule: FaultRule<Action>; pages: number[]; expected: boolean[] }[])(
  '$name',
  ({ rule, pages, expected }) => {
    expect(firings(engine([rule]), pages)).toEqual(expected);
  },
);

test('the first replacing rule wins and altering rules stay unspent', () => {
  const made = engine([
    { id: 'spoil', times: 1, action: { type: 'spoil' } },
    { id: 'fail', times: 1, action: FAIL },
  ]);
  const ask = () => made.decide({ path: '/api/a', page: 1, attempt: 1, now: 0 });
  expect(ask()).toMatchObject({ instead: { id: 'fail' }, alterations: [] });
  expect(ask()).toEqual({ alterations: [{ id: 'spoil', action: { type: 'spoil' } }] });
  expect(made.rules.map(({ seen, fired }) => [seen, fired])).toEqual([
    [2, 1],
    [2, 1],
  ]);
});

const PAGES = Array.from({ length: 2_000 }, (_, at) => at + 1);
const TENTH: FaultRule<Action> = { id: 'tenth', match: { probability: 0.1 }, action: FAIL };

test('probability is a function of seed, rule, path, page and attempt', () => {
  const first = firings(engine([TENTH]), PAGES);
  expect(firings(engine([TENTH]), PAGES)).toEqual(first);
  // The order of requests does not matter, as a shared sequence of random numbers would.
  expect(firings(engine([TENTH]), PAGES.toReversed()).toReversed()).toEqual(first);
  expect(firings(engine([TENTH], 2), PAGES)).not.toEqual(first);
  expect(firings(engine([{ ...TENTH, id: 'other' }]), PAGES)).not.toEqual(first);
  expect(firings(engine([TENTH]), PAGES, '/api/b')).not.toEqual(first);
  const share = first.filter(Boolean).length / PAGES.length;
  expect(share).toBeGreaterThan(0.07);
  expect(share).toBeLessThan(0.13);
});

test('a page that failed by chance succeeds on a later attempt', () => {
  const made = engine([TENTH]);
  const first = firings(made, PAGES);
  const failed = PAGES.filter((_, at) => first[at]);
  const stuck = failed.filter((page) =>
    [2, 3, 4, 5, 6].every((attempt) => made.decide({ path: '/api/a', page, attempt, now: 0 }).instead),
  );
  expect(failed.length).toBeGreaterThan(0);
  expect(stuck).toEqual([]);
});

test('a removed rule takes its spell along', () => {
  const made = engine([{ id: 'curse', times: 1, action: { type: 'curse' } }]);
  const ask = () => made.decide({ path: '/api/a', page: 1, attempt: 1, now: 0 }).instead?.id;
  expect(ask()).toBe('curse');
  expect(ask()).toBe('curse');
  expect(made.remove('curse')).toBe(1);
  expect(ask()).toBeUndefined();
});

test('rules that came as JSON', () => {
  expect(parseRule({ action: 'fail' }, VOCABULARY)).toEqual({ action: { type: 'fail' } });
  const full = { id: 'a', match: { path: 'x', pages: [1, 2], nth: 1 }, times: 1, action: { type: 'fail', ms: 3 } };
  expect(parseRule(full, VOCABULARY)).toEqual(full);
});

test.each([
  [7, 'must be an object'],
  [{ action: 'explode' }, 'unknown fault action "explode"; known actions: fail, spoil, curse'],
  [{}, 'unknown fault action "undefined"'],
  [{ action: { type: 'spoil', ms: 1 } }, 'unknown key "ms" in action spoil'],
  [{ action: 'fail', when: 1 }, 'unknown key "when" in the rule; known keys: id, match, times, action'],
  [{ action: 'fail', match: { page: 1 } }, 'unknown key "page" in match'],
  [{ action: 'fail', match: { pages: 3 } }, 'match.pages must be [first, last]'],
  [{ action: 'fail', match: { nth: '1' } }, 'match.nth must be a number'],
  [{ action: 'fail', times: 'x' }, 'times must be a number'],
  [{ action: 'fail', id: 1 }, 'id must be a string'],
])('refuses %j', (value, message) => {
  expect(() => parseRule(value, VOCABULARY)).toThrow(message);
});

test('refuses a second rule of the same name and an action it does not know', () => {
  const made = engine([{ id: 'a', action: FAIL }]);
  expect(() => made.add({ id: 'a', action: FAIL })).toThrow('"a" exists already');
  expect(() => parseRule({ action: { type: 'toString' } }, VOCABULARY)).toThrow('unknown fault action "toString"');
});
