/** What a resource of CDF is: its fields, its limits and its own rules. */
import type { Stored } from './collection.ts';
import type { Filters } from './filters.ts';
import type { PatchRules } from './patches.ts';
import type { Context, ResourceName } from './project.ts';
import type { Refusal } from './refusal.ts';
import type { Fields, Shape } from './shapes.ts';

/** One object of an update, before and after. */
export interface Change {
  readonly before: Stored;
  readonly after: Stored;
  readonly update: Fields;
}

export interface Kind {
  readonly name: ResourceName;
  /** Capability, for instance `assetsAcl`. */
  readonly acl: string;
  readonly shape: Shape;
  /** Absent where there is no update. */
  readonly rules?: PatchRules;
  readonly filters: Filters;
  /** Most items of a create and of an update; of all other requests it is 1000. */
  readonly most: number;
  readonly createdStatus: 200 | 201;
  /** Absent where there is no delete. */
  readonly deletedStatus?: 200 | 202;
  /** Switches of a delete, beside `items`. */
  readonly deleteFlags: readonly string[];
  /** Fields that a list can be sorted by. */
  readonly sorts?: readonly string[];
  /** Switches of byids, list and search. */
  readonly readFlags: readonly string[];
  /** Identities beside `externalId`. */
  readonly identities: readonly ('id' | 'instanceId')[];
  /** The same external id twice in one create. */
  readonly twice: (externalIds: readonly string[]) => Refusal;
  /** Beginning of the 409 for what exists already. */
  readonly existsText: string;
  /** Beginning of the 400 for what does not exist. */
  readonly unknownText: (identity: string) => string;
  /** Checks references of new objects and fills what follows from them. */
  readonly prepare?: (context: Context, drafts: readonly Stored[]) => readonly Stored[];
  /** The same for changed objects. */
  readonly amend?: (context: Context, changes: readonly Change[]) => readonly Stored[];
  /** Which objects go when these are deleted. */
  readonly withDependents?: (context: Context, objects: readonly Stored[], flags: Fields) => Iterable<number>;
  /** An object as an answer shows it. */
  readonly view: (context: Context, object: Stored, flags: Fields) => object;
}
