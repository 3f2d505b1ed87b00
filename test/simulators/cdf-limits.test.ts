/** Sizes, and the rules of pipelines and RAW: what is one too many is refused, the largest is taken. */
import { describe, expect, test } from 'vitest';
import { type Json, make } from './cdf-client.ts';
import { asset, type Case, expectRefusal, items, known, long, many, pairs, points, update } from './cdf-refusals.ts';

const SIZES: readonly Case[] = [
  ['1001 assets', '/assets', { items: many(1_001, (at) => asset({ externalId: `n${at}` })) }, 400, /1 to 1000/],
  ['1001 identities', '/assets/byids', { items: many(1_001, (at) => ({ id: at + 1 })) }, 400, /1 to 1000/],
  ['11 data sets', '/datasets', { items: many(11, (at) => ({ externalId: `s${at}` })) }, 400, /1 to 10/],
  [
    '10,001 series of points',
    '/timeseries/data',
    { items: many(10_001, (at) => points(`s${at}`, [1, 1])) },
    400,
    /1 to 10000/,
  ],
  [
    '100,001 points',
    '/timeseries/data',
    items(points('number', ...many(100_001, () => ({})).map((_each, at) => [at, 1] as const))),
    400,
    /100000 datapoints/,
  ],
  ['an external id of 256', '/assets', items(asset({ externalId: long(256) })), 400, /externalId.*255/],
  ['an asset name of 141', '/assets', items(asset({ name: long(141) })), 400, /name.*140/],
  ['a description of 501', '/assets', items(asset({ description: long(501) })), 400, /description.*500/],
  ['a source of 129', '/assets', items(asset({ source: long(129) })), 400, /source.*128/],
  ['11 labels', '/assets', items(asset({ labels: many(11, () => ({ externalId: 'label' })) })), 400, /10 elements/],
  ['a type of 65', '/events', items({ type: long(65) }), 400, /type.*64/],
  ['a subtype of 65', '/events', items({ subtype: long(65) }), 400, /subtype.*64/],
  ['a unit of 33', '/timeseries', items({ unit: long(33) }), 400, /unit.*32/],
  ['a series description of 1001', '/timeseries', items({ description: long(1_001) }), 400, /description.*1000/],
  ['a series name of 256', '/timeseries', items({ name: long(256) }), 400, /name.*255/],
  ['a data set name of 51', '/datasets', items({ name: long(51) }), 400, /name.*50/],
  ['a key of 129 bytes', '/assets', items(asset({ metadata: { [long(129)]: '' } })), 400, /128 bytes/],
  [
    'a key of 65 characters with 130 bytes',
    '/assets',
    items(asset({ metadata: { ['é'.repeat(65)]: '' } })),
    400,
    /128 bytes/,
  ],
  ['257 pairs', '/assets', items(asset({ metadata: pairs(257) })), 400, /256 pairs/],
  [
    'a value of 5,121 characters with 10,242 bytes',
    '/assets',
    items(asset({ metadata: { k: 'é'.repeat(5_121) } })),
    400,
    /10240 bytes/,
  ],
  [
    'metadata of 10,241 bytes',
    '/assets',
    items(asset({ metadata: { a: long(5_000), b: long(5_239) } })),
    400,
    /10240 bytes in total/,
  ],
  [
    'series metadata of 10,001 bytes',
    '/timeseries',
    items({ metadata: { a: long(5_000), b: long(4_999) } }),
    400,
    /10000 bytes in total/,
  ],
  [
    'event metadata of 200,001 bytes',
    '/events',
    items({ metadata: { a: long(100_000), b: long(99_999) } }),
    400,
    /200000 bytes in total/,
  ],
  ['an event value of 128,001 bytes', '/events', items({ metadata: { a: long(128_001) } }), 400, /128000 bytes/],
  [
    'metadata that grows by an update',
    '/assets/update',
    update('child', { metadata: { add: { a: long(6_000) } } }),
    400,
    /10240 bytes/,
  ],
  ['a text point of 1,024 bytes', '/timeseries/data', items(points('text', [1, 'é'.repeat(512)])), 400, /1023 bytes/],
];

const OTHERS: readonly Case[] = [
  [
    'two runs at once',
    '/extpipes/runs',
    items({ externalId: 'plex-340884', status: 'seen' }, { externalId: 'plex-340884', status: 'seen' }),
    400,
    /1 to 1/,
  ],
  [
    'a run of nobody',
    '/extpipes/runs',
    items({ externalId: 'nobody', status: 'seen' }),
    400,
    /./,
    { missing: [{ externalId: 'nobody' }] },
  ],
  ['a status of a run', '/extpipes/runs', items({ externalId: 'plex-340884', status: 'done' }), 400, /status/],
  [
    'a message of 1001',
    '/extpipes/runs',
    items({ externalId: 'plex-340884', status: 'failure', message: long(1_001) }),
    400,
    /message.*1000/,
  ],
  ['a pipeline without a data set', '/extpipes', items({ externalId: 'p', name: 'P' }), 400, /dataSetId: is required/],
  [
    'a pipeline that exists',
    '/extpipes',
    ({ set }) => items({ externalId: 'plex-340884', name: 'P', dataSetId: set }),
    409,
    /./,
    { duplicated: [{ externalId: 'plex-340884' }] },
  ],
  ['rows of no table', '/raw/dbs/plex/tables/boms/rows', items({ key: 'k', columns: {} }), 404, /not found: plex/],
  [
    'a row without columns',
    '/raw/dbs/plex/tables/boms/rows',
    items({ key: 'k' }),
    400,
    /missing fields/,
    { missingFields: ['columns'] },
  ],
  [
    'a row of 5 MiB',
    '/raw/dbs/plex/tables/boms/rows?ensureParent=true',
    items({ key: 'k', columns: { a: long(5 * 1_024 * 1_024) } }),
    400,
    /5242880 bytes/,
  ],
  [
    'a key of 1,025',
    '/raw/dbs/plex/tables/boms/rows?ensureParent=true',
    items({ key: long(1_025), columns: {} }),
    400,
    /key.*1024/,
  ],
  [
    'a database name of 33',
    `/raw/dbs/${long(33)}/tables/boms/rows?ensureParent=true`,
    items({ key: 'k', columns: {} }),
    400,
    /database name.*32/,
  ],
  [
    'a table name of 65',
    `/raw/dbs/plex/tables/${long(65)}/rows?ensureParent=true`,
    items({ key: 'k', columns: {} }),
    400,
    /table name.*64/,
  ],
  ['a delete of data sets', '/datasets/delete', items({ externalId: 'plex_master' }), 404, /Not Found/],
  ['an unknown path', '/parts', items(asset()), 404, /Not Found/],
];

for (const given of [...SIZES, ...OTHERS]) test(`${given[0]} (${given[1]})`, () => expectRefusal(given));

describe('the largest that is allowed', () => {
  const cases: readonly (readonly [string, string, Json])[] = [
    [
      '1000 assets in any order',
      '/assets',
      {
        items: many(1_000, (at) =>
          asset({ externalId: `n${at}`, ...(at < 999 && { parentExternalId: `n${at + 1}` }) }),
        ),
      },
    ],
    ['10 data sets', '/datasets', { items: many(10, (at) => ({ externalId: `s${at}`, name: long(50) })) }],
    [
      'an asset',
      '/assets',
      items(
        asset({
          name: long(140),
          description: long(500),
          source: long(128),
          externalId: long(255),
          metadata: { a: long(5_000), b: long(5_238) },
        }),
      ),
    ],
    ['256 pairs', '/assets', items(asset({ metadata: pairs(256) }))],
    [
      'an event',
      '/events',
      items({ type: long(64), subtype: long(64), metadata: { a: long(128_000), b: long(71_998) } }),
    ],
    [
      'a series',
      '/timeseries',
      items({ name: long(255), description: long(1_000), unit: long(32), metadata: { a: long(9_999) } }),
    ],
    [
      '100,000 points',
      '/timeseries/data',
      items(points('number', ...many(100_000, () => ({})).map((_each, at) => [at, 1e100] as const))),
    ],
    [
      'a text point',
      '/timeseries/data',
      items(points('text', [4_102_444_799_999, long(1_023)], [-2_208_988_800_000, ''])),
    ],
    ['a run', '/extpipes/runs', items({ externalId: 'plex-340884', status: 'failure', message: long(1_000) })],
  ];
  test.each(cases)('%s', async (_name, path, body) => {
    const { server } = await known();
    const reply = await server.post(path, body);
    expect(reply.status, reply.text.slice(0, 500)).toBeLessThan(202);
  });
});

test('subtrees of more than 100,000 assets', async () => {
  const { server } = await known();
  for (let batch = 0; batch < 101; batch += 1) {
    const children = many(1_000, (at) => asset({ externalId: `n${batch}_${at}`, parentExternalId: 'root' }));
    await make(server, '/assets', ...children);
  }
  const reply = await server.post('/assets/list', { filter: { assetSubtreeIds: [{ externalId: 'root' }] } });
  expect([reply.status, reply.error().message]).toEqual([400, expect.stringMatching(/100000/)]);
}, 30_000);
