/** A request that CDF refuses: nothing of it is stored. */

/** Lists beside the text that tell which items are meant. */
export interface Details {
  /** What is referred to and does not exist. */
  readonly missing?: readonly object[];
  /** What exists already. */
  readonly duplicated?: readonly object[];
  /** Fields that have to be there. */
  readonly missingFields?: readonly string[];
}

export class Refusal extends Error {
  readonly status: number;
  readonly details: Details;

  constructor(status: number, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/** 400 with a text. */
export function invalid(message: string, details: Details = {}): Refusal {
  return new Refusal(400, message, details);
}

/** Body of an error. The API documents two forms without the envelope: extraction pipelines, and missing fields. */
export function errorBody(refusal: Refusal, enveloped: boolean): object {
  const error = { code: refusal.status, message: refusal.message, ...refusal.details };
  return enveloped && refusal.details.missingFields === undefined ? { error } : error;
}
