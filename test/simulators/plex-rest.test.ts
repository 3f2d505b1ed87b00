import { describe, expect, test } from 'vitest';
import { call, DAY_BEFORE, get, keyHeader, PATHS, plex, refusal, rowsOf } from './plex-client.ts';

const UUID = '00000000-0000-4000-8000-000000000000';
const HISTORY = '/production/v1/production-history';

/** The fields of each endpoint, as Plex documents them. */
const FIELDS: Readonly<Record<string, string>> = {
  '/mdm/v1/tenants': 'id code',
  '/mdm/v1/buildings': 'id buildingCode buildingType name active address city state country zipCode',
  '/mdm/v1/parts':
    'id number name revision description type group source productType status note leadTimeDays buildingCode createdById createdDate modifiedById modifiedDate allergens',
  '/mdm/v1/operations': 'id code type inventoryType',
  '/mdm/v1/part-operations':
    'id partId operationId type operationNumber active subOperation shippable multiple netWeight',
  '/production/v1/production-definitions/workcenters':
    'workcenterId workcenterCode name workcenterType workcenterGroup buildingId buildingCode tankSilo productionLineId ipAddress plcName',
  '/production/v1/production-definitions/workcenter-statuses':
    'id description canRunProduction productionStatus setupStatus downtimeStatus maintenanceStatus idleStatus offStatus excessSetup noOperatorRequired clockoutOperators defaultAfterJobChange active laborCostSubTypeId workcenterGroupWorkcenters linkedWorkcenterEvents',
  '/production/v1/production-definitions/approved-workcenters':
    'workcenterId workcenterCode workcenterName partId partNo partRevision partNoRevision partOperationId operationId operationNo operationCode crewSize standardProductionRate idealRate targetRate setupTime setupCrewSize sequenceRate note',
  '/production/v1/production-definitions/locations': 'id locationName locationType buildingCode buildingId',
  [`${HISTORY}/workcenter-status-entries?${DAY_BEFORE}`]:
    'workcenterId workcenterCode logDate workcenterStatus jobId jobCode partId partNumber revision partNumberRevision partOperationId operationNumber operationCode duration',
  [`${HISTORY}/production-entries?${DAY_BEFORE}`]:
    'transactionDate workcenterId workcenterCode serialNo lotNo employeeId employeeName quantity jobId jobCode jobNo partId partNumber revision partNumberRevision partOperationId operationNumber operationCode masterUnitNo masterUnitId lotId heatCode heatNo heatId unit trackingNo shelfDateTime manufacturedDateTime bestByDateTime useByDateTime sellByDateTime',
  [`${HISTORY}/scrap-entries?${DAY_BEFORE}`]:
    'transactionDate scrapReason transactionType quantity workcenterId workcenterCode jobId jobCode partId partNumber revision partNumberRevision partOperationId operationNumber operationCode serialNo',
  '/scheduling/v1/jobs':
    'id externalJobCode jobNumber createdDate partId partNumber partRevision partNumberRevision dueDate completedDate quantity quantityCompleted jobStatus buildingId buildingCode jobType earliestStartDateTime priority',
  '/inventory/v1/inventory-definitions/locations':
    'locationId locationCode buildingName buildingCode locationType inventoryLocation supplyLocation tankSilo',
  '/inventory/v1/inventory-tracking/containers':
    'serialNo partId partNo revision partNoRevision partName partOperationId operationNo operationCode containerStatus locationId location quantity quantityInventoryUnit grossWeight netWeight tareWeight containerType trackingNo addDateTime updateDateTime containerShelfDateTime masterUnitId masterUnitNo lotId lotNo heatId heatCode heatNo eun inventoryType',
  [`${PATHS.moves}?${DAY_BEFORE}`]:
    'adjustmentDate serialNo quantity netWeight adjustmentCode partId partNumber revision partNumberRevision partOperationId operationCode operationNumber location locationId movedFromLocation movedFromLocationId',
  [`/inventory/v1/inventory-history/container-adjustments?${DAY_BEFORE}`]:
    'adjustmentDate serialNo quantity netWeight adjustmentCode partId partNumber revision partNumberRevision partOperationId operationCode operationNumber location locationId',
  '/quality/v1/part-specifications':
    'id partId partNumber partRevision specificationNumber description formula formulaType defaultGageType plcName specialSymbol customerSpecified toleranceType note functionRequirementType specificationDimensionType updatedDateTime',
};

const words = (text: string): string[] => text.split(' ').sort();

describe('lists are bare arrays with the documented fields', () => {
  test.each(Object.entries(FIELDS))('%s', async (path, fields) => {
    const rows = await rowsOf(await plex(), path);
    expect(Array.isArray(rows)).toBe(true);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(Object.keys(row).sort()).toEqual(words(fields));
  });

  test('boms of a part, the status of a workcenter, the operations of a job, a checksheet', async () => {
    const server = await plex();
    const [part] = await rowsOf(server, PATHS.parts);
    const [line] = await rowsOf(server, `${PATHS.boms}?partId=${part?.id}`);
    expect(Object.keys(line ?? {}).sort()).toEqual(
      words(
        'id partId partNumber partRevision partNumberRevision partOperationId partOperationCode partOperationNumber partOperationType componentPartId componentPartNumber componentPartRevision componentPartNumberRevision componentSupplyItemId componentSupplyItemNumber componentUnitOfMeasure quantity minimumQuantity maximumQuantity quantityFixed depletionUnitOfMeasure depletionConversionFactor sortOrder active position side scaling validate autoDeplete transferHeat note',
      ),
    );
    const [workcenter] = await rowsOf(server, PATHS.workcenters);
    const status = (await get(server, `${PATHS.control}/${workcenter?.workcenterId}`)).json();
    expect(Object.keys(status).sort()).toEqual(
      words(
        'id code name type statusId statusDescription jobId jobNumber jobOperationId operationNumber operationCode jobOperationQuantity lotId productionLineId batches operators',
      ),
    );
    const [job] = await rowsOf(server, PATHS.jobs);
    const [operation] = await rowsOf(server, `${PATHS.jobs}/${job?.id}/operations`);
    expect(Object.keys(operation ?? {}).sort()).toEqual(
      words(
        'jobId jobNumber partId partNumber partRevision partNumberRevision jobOperationId jobOperationNumber operationCode workcenterId workcenterCode quantity quantityCompleted dueDate scheduledStartDate completedDate jobOperationStatus setupTime rate unitOfMeasure runTime batchCriteria partOperationType batchOperation preProcessOperation',
      ),
    );
    const sheet = (await get(server, '/quality/v1/checksheets/1')).json();
    expect(Object.keys(sheet).sort()).toEqual(
      words(
        'checksheetNumber inspectionMode operationId inspectionDateTime partId partNumber partRevision partOperationId workcenterId jobId jobOperationId spcChecksheetContainerText spcChecksheetHeatText spcChecksheetProductionText containerSerialNumbers inspectorEmployeeId note outOfSpecification',
      ),
    );
  });
});

describe('records by id', () => {
  const cases = [
    ['parts', PATHS.parts, 'id'],
    ['jobs', PATHS.jobs, 'id'],
    ['containers', PATHS.containers, 'serialNo'],
  ] as const;
  test.each(cases)('%s', async (_name, path, key) => {
    const server = await plex();
    for (const row of await rowsOf(server, path)) {
      expect((await get(server, `${path}/${row[key]}`)).json()).toEqual(row);
    }
  });

  test('boms, in upper case too', async () => {
    const server = await plex();
    const [part] = await rowsOf(server, PATHS.parts);
    const [line] = await rowsOf(server, `${PATHS.boms}?partId=${String(part?.id).toUpperCase()}`);
    expect((await get(server, `${PATHS.boms}/${String(line?.id).toUpperCase()}`)).json()).toEqual(line);
  });

  const missing = [
    `${PATHS.parts}/${UUID}`,
    `${PATHS.boms}/${UUID}`,
    `${PATHS.jobs}/${UUID}`,
    `${PATHS.jobs}/${UUID}/operations`,
    `${PATHS.control}/${UUID}`,
    `${PATHS.containers}/S999999999`,
    '/quality/v1/checksheets/99999999',
    '/production/v1/scheduling/jobs',
    PATHS.control,
    '/mdm/v1/nothing',
    '/',
  ];
  test.each(missing)('404 for %s', async (path) => {
    const reply = await get(await plex(), path);
    expect([reply.status, reply.json().code]).toEqual([404, 'RESOURCE_NOT_FOUND']);
  });
});

describe('what Plex refuses with 400', () => {
  const begin = 'beginDate=2026-03-13T00:00:00Z';
  const cases: readonly (readonly [string, string])[] = [
    ['boms without a part', PATHS.boms],
    ['a part that is no UUID', `${PATHS.boms}?partId=12`],
    ['an id that is no UUID', `${PATHS.parts}/12`],
    ['a job that is no UUID', `${PATHS.jobs}/12/operations`],
    ['a history without dates', PATHS.entries],
    ['a history without an end', `${PATHS.entries}?${begin}`],
    ['status entries without dates', PATHS.statusEntries],
    ['moves without dates', PATHS.moves],
    ['a date only', `${PATHS.entries}?${begin}&endDate=2026-03-14`],
    ['no zone', `${PATHS.entries}?${begin}&endDate=2026-03-14T00:00:00`],
    ['an offset that is encoded', `${PATHS.entries}?${begin}&endDate=2026-03-14T00:00:00%2B00:00`],
    ['an offset that is not', `${PATHS.entries}?${begin}&endDate=2026-03-14T00:00:00+00:00`],
    ['a blank for the T', `${PATHS.entries}?${begin}&endDate=2026-03-14%2000:00:00Z`],
    ['eight digits', `${PATHS.entries}?${begin}&endDate=2026-03-14T00:00:00.12345678Z`],
    ['a day that is none', `${PATHS.entries}?${begin}&endDate=2026-02-30T00:00:00Z`],
    ['a filter by date that is none', `${PATHS.jobs}?dueDateBegin=2026-03-14`],
    ['a filter by UUID that is none', `${PATHS.jobs}?partId=x`],
  ];
  test.each(cases)('%s', async (_name, path) => {
    expect(refusal(await get(await plex(), path))).toEqual([400, 'REQUEST_VALIDATION_FAILED', 'ARGUMENT_INVALID']);
  });

  test.each(['2026-03-13T00:00Z', '2026-03-13T00:00:00Z', '2026-03-13T00:00:00.000Z', '2026-03-13T00:00:00.0000000Z'])(
    'but takes %s',
    async (date) => {
      const server = await plex();
      const rows = await rowsOf(server, `${PATHS.entries}?beginDate=${date}&endDate=2026-03-14T00:00:00Z`);
      expect(rows).toHaveLength(40);
    },
  );

  test('a method that is not GET', async () => {
    const server = await plex();
    const reply = await call(`${server.url}${PATHS.parts}`, { method: 'POST', headers: keyHeader(server) });
    expect(reply.status).toBe(405);
  });
});

describe('parameters', () => {
  test.each([
    'limit=1&offset=5',
    'page=2',
    'status=Running',
    'dateFrom=2026-03-14',
    'modifiedAfter=2026-03-14T00:00:00Z',
    'typeName=x',
  ])('%s on jobs is ignored', async (query) => {
    const server = await plex();
    expect(await rowsOf(server, `${PATHS.jobs}?${query}`)).toEqual(await rowsOf(server, PATHS.jobs));
  });

  test('status filters parts', async () => {
    const server = await plex({ profile: 'demo' });
    const all = await rowsOf(server, PATHS.parts);
    const active = await rowsOf(server, `${PATHS.parts}?status=Active`);
    expect(active).toEqual(all.filter(({ status }) => status === 'Active'));
    expect(active.length).toBeGreaterThan(0);
  });

  test('a repeated key is a list, several filters must all hold, and names may be in any case', async () => {
    const server = await plex();
    const jobs = await rowsOf(server, PATHS.jobs);
    const open = await rowsOf(server, `${PATHS.jobs}?JOBSTATUSES=Running&jobStatuses=Scheduled`);
    expect(open).toEqual(jobs.filter(({ jobStatus }) => ['Running', 'Scheduled'].includes(String(jobStatus))));
    expect(open.length).toBeGreaterThan(1);
    const [first] = open;
    const one = await rowsOf(
      server,
      `${PATHS.jobs}?jobStatuses=Running&jobStatuses=Scheduled&jobNumber=${first?.jobNumber}`,
    );
    expect(one).toEqual([first]);
  });

  test('a range of completed dates gives completed jobs only', async () => {
    const server = await plex();
    const query = 'completedDateBegin=2026-02-20T00:00:00Z&completedDateEnd=2026-03-05T00:00:00Z';
    const rows = await rowsOf(server, `${PATHS.jobs}?${query}`);
    const all = await rowsOf(server, PATHS.jobs);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(
      all.filter(({ completedDate: date }) => typeof date === 'string' && date >= '2026-02-20' && date < '2026-03-05'),
    );
  });

  test('a window is [begin, end], and filters hold inside of it', async () => {
    const server = await plex();
    const all = await rowsOf(server, `${PATHS.entries}?${DAY_BEFORE}`);
    const [date, workcenter] = [all[5]?.transactionDate, all[5]?.workcenterId];
    const found = await rowsOf(server, `${PATHS.entries}?beginDate=${date}&endDate=${date}&workcenterId=${workcenter}`);
    expect(found).toEqual([all[5]]);
    expect(await rowsOf(server, `${PATHS.entries}?beginDate=2026-03-13T10:00Z&endDate=2026-03-13T09:00Z`)).toEqual([]);
    expect(await rowsOf(server, `${PATHS.entries}?beginDate=2020-01-01T00:00Z&endDate=2020-02-01T00:00Z`)).toEqual([]);
    expect(await rowsOf(server, `${PATHS.entries}?beginDate=2026-03-15T00:00Z&endDate=2026-03-16T00:00Z`)).toEqual([]);
  });
});

describe('who may ask', () => {
  const refused = [401, 'REQUEST_NOT_AUTHENTICATED', undefined];
  const key = 'X-Plex-Connect-Api-Key';

  test('a key that is missing, wrong or in the query', async () => {
    const server = await plex();
    const { api_key } = server.config;
    const url = `${server.url}${PATHS.parts}`;
    expect(refusal(await call(url))).toEqual(refused);
    expect(refusal(await call(url, { headers: { [key]: 'other' } }))).toEqual(refused);
    expect(refusal(await call(`${url}?${key}=${api_key}`))).toEqual(refused);
    expect(refusal(await get(server, `${PATHS.parts}?${key}=${api_key}`))).toEqual(refused);
    expect(refusal(await call(`${server.url}/nowhere`))).toEqual(refused);
  });

  test('the customer and the tenant must be the own ones', async () => {
    const server = await plex();
    const customer = 'X-Plex-Connect-Customer-Id';
    expect(refusal(await get(server, PATHS.parts, { [customer]: '999999' }))).toEqual(refused);
    expect((await get(server, PATHS.parts, { [customer]: String(server.config.customer_id) })).status).toBe(200);
    const tenant = 'X-Plex-Connect-Tenant-Id';
    const [{ id } = { id: '' }] = await rowsOf(server, '/mdm/v1/tenants');
    expect(refusal(await get(server, PATHS.parts, { [tenant]: UUID }))).toEqual(refused);
    expect((await get(server, PATHS.parts, { [tenant]: String(id) })).status).toBe(200);
  });

  test('a product that is not subscribed looks like a wrong key, and the tenants still answer', async () => {
    const server = await plex({ scenario: 'unsubscribed' });
    expect(refusal(await get(server, PATHS.specifications))).toEqual(refused);
    expect(refusal(await get(server, '/quality/v1/checksheets/1'))).toEqual(refused);
    expect((await get(server, '/mdm/v1/tenants')).status).toBe(200);
  });
});

describe('workcenter setups', () => {
  const post = async (server: Awaited<ReturnType<typeof plex>>, body: string) =>
    call(`${server.url}${PATHS.setups}`, { method: 'POST', headers: keyHeader(server), body });

  test('all of them, those of a code, none', async () => {
    const server = await plex();
    expect((await post(server, '{}')).rows()).toHaveLength(3);
    const [one] = (await post(server, '{"workcenterCodes":["MIX-01"]}')).rows();
    expect(one).toEqual((await get(server, `${PATHS.control}/${one?.id}`)).json());
    const none = await post(server, '{"workcenterCodes":["NONE"]}');
    expect([none.status, none.text]).toEqual([204, '']);
  });

  test.each(['{', '[]', '{"codes":[]}', '{"workcenterIds":["x"]}', '{"workcenterCodes":"MIX-01"}'])(
    '400 for %s',
    async (body) => expect((await post(await plex(), body)).status).toBe(400),
  );

  test('a workcenter that was never set up has no status', async () => {
    const server = await plex();
    const last = (await rowsOf(server, PATHS.workcenters)).at(-1);
    expect((await get(server, `${PATHS.control}/${last?.workcenterId}`)).status).toBe(404);
  });
});

test('gzip when asked, and only then', async () => {
  const server = await plex();
  const zipped = await get(server, PATHS.parts, { 'accept-encoding': 'gzip' });
  const plain = await get(server, PATHS.parts, { 'accept-encoding': 'identity' });
  expect(zipped.headers.get('content-encoding')).toBe('gzip');
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(zipped.text).toBe(plain.text);
});
