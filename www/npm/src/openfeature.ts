/**
 * Slots as flags of OpenFeature's web SDK: what the client decided for this page, as the Worker answers it by OFREP (docs/api.md). Flags are
 * looked up in what is decided already; a context that changes has the page decided again.
 */
import {
  ErrorCode as FlagError,
  GeneralError,
  OpenFeatureEventEmitter,
  ProviderEvents,
  StandardResolutionReasons,
  type EvaluationContext,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
  type TrackingEventDetails,
} from "@openfeature/web-sdk";
import type { Decision, Edit, Idoine } from "../../src/types.ts";
import { slotsIn, type Slots } from "./slots.ts";

export interface IdoineProviderOptions {
  /**
   * Told of each context before the page is decided again: the place to `identify` the visitor, say. Decisions read nothing of a context by
   * themselves: they follow from the page, its visitor, and what these agreed to.
   */
  readonly onContext?: ((client: Idoine, context: EvaluationContext) => unknown) | undefined;
}

/** By our own reasons. */
const REASONS: Readonly<Record<string, string>> = {
  match: StandardResolutionReasons.TARGETING_MATCH,
  split: StandardResolutionReasons.SPLIT,
  sticky: StandardResolutionReasons.SPLIT,
  winner: StandardResolutionReasons.STATIC,
  forced: StandardResolutionReasons.STATIC,
};

/** What the edits of a slot come to, as a value: one text as such, anything else as edits; nothing where there are none. */
function valueOf(edits: readonly Edit[]): JsonValue | undefined {
  const [edit, more] = edits;
  if (!edit) return undefined;
  if (!more && ["text", "html", "redirect", "page"].includes(edit.op)) return edit.value ?? "";
  return { edits: edits.map(({ op, name, value }) => ({ op, ...(name && { name }), ...(value && { value }) })) };
}

function variantOf({ experience, variant, factor }: Decision): string {
  return experience === null || (variant === 0 && factor === undefined) ? "baseline" : [experience, factor, variant].filter((part) => part !== undefined).join(":");
}

/** The provider for `OpenFeature.setProvider`, over a client that the page has already. */
export class IdoineWebProvider implements Provider {
  readonly metadata = { name: "idoine" } as const;
  readonly runsOn = "client" as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly #client: Idoine;
  readonly #options: IdoineProviderOptions;
  readonly #slots: Slots;
  #unsubscribe: (() => void) | undefined;
  /** While the page is decided for another context the SDK tells of it by itself. */
  #isReconciling = false;

  constructor(client: Idoine, options: IdoineProviderOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.#slots = slotsIn(client);
  }

  async initialize(context: EvaluationContext = {}): Promise<void> {
    await this.#client.ready;
    await this.#options.onContext?.(this.#client, context);
    // What the Worker has written into a page is not in its state: it is asked for.
    if (this.#client.debug().mode === "edge") await this.#client.decide();
    this.#assertDecided();
    let before = this.#flags();
    this.#unsubscribe = this.#client.subscribe(() => {
      const after = this.#flags();
      const flagsChanged = [...new Set([...before.keys(), ...after.keys()])].filter((slot) => before.get(slot) !== after.get(slot));
      before = after;
      if (!this.#isReconciling && flagsChanged.length > 0) this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
    });
  }

  async onContextChange(_: EvaluationContext, context: EvaluationContext): Promise<void> {
    this.#isReconciling = true;
    try {
      await this.#options.onContext?.(this.#client, context);
      await this.#client.decide();
      this.#assertDecided();
    } finally {
      this.#isReconciling = false;
    }
  }

  async onClose(): Promise<void> {
    this.#unsubscribe?.();
  }

  resolveBooleanEvaluation(flag: string, fallback: boolean): ResolutionDetails<boolean> {
    return this.#resolve(flag, fallback, (value) => typeof value === "boolean");
  }

  resolveStringEvaluation(flag: string, fallback: string): ResolutionDetails<string> {
    return this.#resolve(flag, fallback, (value) => typeof value === "string");
  }

  resolveNumberEvaluation(flag: string, fallback: number): ResolutionDetails<number> {
    return this.#resolve(flag, fallback, (value) => typeof value === "number");
  }

  resolveObjectEvaluation<T extends JsonValue>(flag: string, fallback: T): ResolutionDetails<T> {
    return this.#resolve(flag, fallback, (value) => typeof value === "object");
  }

  track(name: string, _: EvaluationContext, details: TrackingEventDetails): void {
    void this.#client.track(name, details);
  }

  /** Each slot of the page, with all that a flag is made of. */
  #flags(): Map<string, string> {
    return new Map(this.#client.decisions().map(({ slot }) => [slot, JSON.stringify(this.#slots.of(slot))]));
  }

  #assertDecided(): void {
    const { error, decisions } = this.#client.debug();
    // What failed may have been an event.
    if (error !== undefined && decisions.length === 0) throw new GeneralError(error);
  }

  #resolve<T extends JsonValue>(flag: string, fallback: T, isOfType: (value: JsonValue) => boolean): ResolutionDetails<T> {
    const { decision, value: told, edits } = this.#slots.of(flag);
    if (!decision) {
      return { value: fallback, reason: StandardResolutionReasons.ERROR, errorCode: FlagError.FLAG_NOT_FOUND, errorMessage: `${flag} is no slot of this page` };
    }
    const { experience, reason } = decision;
    const about = {
      variant: variantOf(decision),
      flagMetadata: { reason, version: this.#client.debug().version, ...(experience !== null && { experience }) },
    };
    // JSON's null is no value of a flag.
    const value = (told ?? valueOf(edits)) as JsonValue | undefined;
    if (value === undefined) return { value: fallback, reason: REASONS[reason] ?? StandardResolutionReasons.DEFAULT, ...about };
    if (!isOfType(value)) {
      const is = Array.isArray(value) ? "a list" : typeof value;
      return { value: fallback, reason: StandardResolutionReasons.ERROR, errorCode: FlagError.TYPE_MISMATCH, errorMessage: `${flag} is ${is}`, ...about };
    }
    return { value: value as T, reason: REASONS[reason] ?? StandardResolutionReasons.DEFAULT, ...about };
  }
}
