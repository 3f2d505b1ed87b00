/** The endpoints of DCAPI's threats module as streams. */
import dcapiPatches from '../../schemas/dcapi/dcapi_patches.json' with { type: 'json' };
import dcapiSystems from '../../schemas/dcapi/dcapi_systems.json' with { type: 'json' };
import dcapiVulnerabilities from '../../schemas/dcapi/dcapi_vulnerabilities.json' with { type: 'json' };
import mapping from '../../schemas/dcapi/patch_system_mapping.json' with { type: 'json' };
import systemVulnerabilities from '../../schemas/dcapi/system_vulnerabilities.json' with { type: 'json' };
import { changesStream } from '../manageengine/changes.ts';
import { THREATS } from '../manageengine/families.ts';
import { explodedStream, nestedStream } from '../manageengine/nested.ts';
import { type EndpointStream, pagedStream } from '../manageengine/streams.ts';

const SYSTEM_VULNERABILITIES = {
  name: 'system_vulnerabilities',
  schema: systemVulnerabilities,
  key: ['resource_id', 'vulnerability_id'],
  optional: true,
};

/** In the order they are read. Each system comes with its patches, so one request feeds two streams. */
export const STREAMS: readonly EndpointStream[] = [
  nestedStream(
    {
      name: 'dcapi_systems',
      path: '/dcapi/threats/systemreport/patches',
      data: 'systemreport',
      schema: dcapiSystems,
      key: ['resource_id'],
      noun: 'systems',
      measuresCoverage: true,
      family: THREATS,
    },
    {
      name: 'patch_system_mapping',
      list: 'patches',
      schema: mapping,
      key: ['resource_id', 'patch_id'],
      noun: 'patches',
      count: 'patch_count',
    },
  ),
  pagedStream({
    name: 'dcapi_patches',
    path: '/dcapi/threats/patches',
    data: 'patches',
    schema: dcapiPatches,
    key: ['patch_id'],
    noun: 'rows',
    family: THREATS,
  }),
  pagedStream({
    name: 'dcapi_vulnerabilities',
    path: '/dcapi/threats/vulnerabilities',
    data: 'vulnerabilities',
    schema: dcapiVulnerabilities,
    key: ['vulnerability_id'],
    noun: 'rows',
    family: THREATS,
    optional: true,
  }),
  changesStream(
    explodedStream({
      ...SYSTEM_VULNERABILITIES,
      path: '/dcapi/threats/systemreport/vulnerabilities',
      data: 'systemreport',
      list: 'vulnerabilities',
      noun: 'systems',
      nestedNoun: 'vulnerabilities',
      family: THREATS,
    }),
    {
      ...SYSTEM_VULNERABILITIES,
      path: '/dcapi/threats/detailedinfo/vulnerabilities',
      data: 'vulnerabilities',
      changedAt: 'updatedtime',
      around: dcapiSystems,
    },
  ),
];
