/** How a request proves who asks. */
/** Why a token is asked for; log lines carry it. */
export type RenewReason = 'batch_start' | 'proactive' | '401';

export interface Auth {
  /** Headers for the next attempt; may renew a token that is about to end. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Called when the server refused these credentials. Absent where there is nothing to renew. */
  renew?(): Promise<void>;
}

/**
 * A key that stands in the header as it is: ManageEngine on premises and MSP take the bare value, and answer any
 * prefix with "invalid or expired token".
 */
export function keyAuth(key: string): Auth {
  return { headers: async () => ({ authorization: key }) };
}
