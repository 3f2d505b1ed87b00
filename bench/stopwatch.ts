/**
 * Processor time inside one process, all its threads together (so the collector counts too). Work that waits for nothing
 * is timed by this and not by the clock on the wall: it hardly depends on what else the machine does.
 */
export function stopwatch(): () => number {
  const from = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1e6;
  };
}
