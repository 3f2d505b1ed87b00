import { DATA_TIME, DAY } from './dataset.ts';
import { patchFacts } from './patches.ts';
import type { Population } from './population.ts';
import { systemFacts } from './system-facts.ts';

const NEW_PATCH_DAYS = 30;

function databaseState(): Record<string, unknown> {
  return {
    last_db_update_status: 'Success',
    last_db_update_time: DATA_TIME - 3 * 3_600_000,
    next_db_update_scheduled_time: DATA_TIME + 21 * 3_600_000,
    is_auto_db_update_disabled: false,
    db_update_in_progress: false,
  };
}

function patchBlocks(population: Population): Record<string, unknown> {
  const bySeverity = [0, 0, 0, 0, 0];
  let missing = 0;
  let recent = 0;
  const patches = population.members('allpatches');
  for (const patch of patches) {
    const facts = patchFacts(population.data, patch);
    if (facts.released > DATA_TIME - NEW_PATCH_DAYS * DAY) recent += 1;
    if (!facts.missing) continue;
    missing += 1;
    bySeverity[facts.severity] = (bySeverity[facts.severity] ?? 0) + 1;
  }
  return {
    patch_summary: {
      installed_patches: patches.length - missing,
      applicable_patches: patches.length,
      new_patches: recent,
      missing_patches: missing,
      generated_time: DATA_TIME,
    },
    missing_patch_severity_summary: {
      critical_count: bySeverity[4],
      important_count: bySeverity[3],
      moderate_count: bySeverity[2],
      low_count: bySeverity[1],
      unrated_count: bySeverity[0],
      total_count: missing,
    },
  };
}

function systemBlocks(population: Population): Record<string, unknown> {
  const byHealth = [0, 0, 0, 0];
  let success = 0;
  let failure = 0;
  const systems = population.members('scandetails');
  for (const system of systems) {
    const facts = systemFacts(population.data, system);
    byHealth[facts.health] = (byHealth[facts.health] ?? 0) + 1;
    if (facts.scanStatus === 228) success += 1;
    if (facts.scanStatus === 226) failure += 1;
  }
  return {
    system_summary: {
      total_systems: systems.length,
      healthy_systems: byHealth[1],
      moderately_vulnerable_systems: byHealth[2],
      highly_vulnerable_systems: byHealth[3],
      health_unknown_systems: byHealth[0],
    },
    patch_scan_summary: {
      scanned_systems: success + failure,
      unscanned_system_count: systems.length - success - failure,
      scan_success_count: success,
      scan_failure_count: failure,
    },
  };
}

/**
 * `patch/summary`. ManageEngine counts distinct patches here, not pairs of system and patch, and
 * counts severities of missing patches only. Systems are those of `scandetails`.
 */
export function patchSummary(population: Population): Record<string, unknown> {
  return {
    ...patchBlocks(population),
    apd_summary: {
      number_of_apd_tasks: population.data.sizes.apdTasks,
      last_apd_task_name: 'Example task 01',
      last_apd_task_time: DATA_TIME - DAY,
      next_apd_task_name: 'Example task 02',
      next_apd_task_time: DATA_TIME + DAY,
    },
    ...systemBlocks(population),
    vulnerability_db_summary: databaseState(),
  };
}

/** `patch/healthpolicy`: one missing important patch is vulnerable, one critical highly vulnerable. */
export function healthPolicy(): Record<string, unknown> {
  return {
    consider_only_approved_patches: false,
    healthy_threshold: 0,
    vulnerable_threshold: 1,
    highly_vulnerable_threshold: 1,
    critical_patch_weight: 3,
  };
}

export function approvalSettings(): Record<string, unknown> {
  return { patch_approval: 'automatic' };
}

/** `patch/dbupdatestatus`: the same facts as the summary's database block. */
export function dbUpdateStatus(): Record<string, unknown> {
  return databaseState();
}

/** `som/summary`: every computer in scope, with or without an agent. */
export function somSummary(population: Population): Record<string, unknown> {
  const live = [0, 0, 0, 0];
  let installed = 0;
  const computers = population.members('computers');
  for (const system of computers) {
    const facts = systemFacts(population.data, system);
    if (facts.installation === 22) installed += 1;
    live[facts.liveStatus] = (live[facts.liveStatus] ?? 0) + 1;
  }
  return {
    total_computers: computers.length,
    managed_computers: computers.length,
    agent_installed_computers: installed,
    agent_not_installed_computers: computers.length - installed,
    live_computers: live[1],
    down_computers: live[2],
    live_status_unknown_computers: live[3],
  };
}
