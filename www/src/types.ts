/** The words of the public interface. What they mean is said once, here. */

/** What a visitor may agree to. */
export type Purpose = "personalization" | "analytics" | "marketing";

/** Where the content of a slot comes from. */
export type Source = "baseline" | "personalization" | "experiment";

/** What one slot shows, and why. */
export interface Decision {
  /** Name of the slot in the manifest. */
  readonly slot: string;
  /** The experience that won the slot; `null` when none did. */
  readonly experience: string | null;
  /** Index of the variant; 0 is the baseline. */
  readonly variant: number;
  /** The factor whose level the variant is, where the experiment has factors. */
  readonly factor?: string;
  readonly source: Source;
  /** `match`, `split`, `sticky`, `winner`, `forced`, `no_unit` or `no_candidate`. */
  readonly reason: string;
}

/**
 * What an edit does to each element that its selector finds. `json`, `redirect` and `page` are about no element: a value for
 * front-end code, the address of another page, and another page in this one's place, which only the edge can show. `replace` to `last`
 * bring HTML: in place of the element, around it, or into it. `fragment` brings the HTML that the site has at a path.
 * `move` and `reorder` are done in the page alone: the element goes beside or into the first that the selector `value` finds; its children
 * come into the order of the selectors in the JSON list `value`, all others behind them.
 */
export type Op =
  | "text"
  | "html"
  | "attribute"
  | "remove_attribute"
  | "class_add"
  | "class_remove"
  | "hide"
  | "json"
  | "redirect"
  | "page"
  | "replace"
  | "before"
  | "after"
  | "first"
  | "last"
  | "remove"
  | "fragment"
  | "move"
  | "reorder";

/** One change of the page, as plain data. */
export interface Edit {
  readonly slot: string;
  /** CSS selector; empty for what is about no element, and where the page's own code shows the slot. */
  readonly selector: string;
  readonly op: Op;
  /** Name of the attribute, for the attribute operations; of a fragment its place: `content`, `replace`, `before`, `after`, `first` or `last`; of a move one of the last four. */
  readonly name?: string;
  /** Plain text, ready HTML, an attribute's value, one class name, JSON text, an address, or a selector; absent when empty. */
  readonly value?: string;
}

/** A set of decisions with the edits that carry them out. */
export interface Answer {
  /** Version of the program that decided. */
  readonly version: string;
  readonly decisions: readonly Decision[];
  readonly edits: readonly Edit[];
  /** Selectors of the slots that an experience won, be it with its baseline: there the page tells whether it was seen. */
  readonly selectors?: Readonly<Record<string, string>>;
  /** Epoch milliseconds at which time alone may change what is decided here; absent where it never does. */
  readonly until?: number;
  /** Told by the Worker in previews alone. */
  readonly receipt?: Receipt;
}

/** What a decision was made from: the same program with the same context decides the same again. */
export interface Receipt {
  /** Version of the program. */
  readonly program: string;
  /** Digest of the context, 32 hex digits. */
  readonly context: string;
  /** ISO timestamp of the decision. */
  readonly time: string;
}

/** What the edge leaves in the page, in `<script id="idoine-state">`. */
export interface State {
  readonly version: string;
  readonly decisions: readonly Decision[];
  /** Values of the data slots. */
  readonly values: Readonly<Record<string, unknown>>;
  /**
   * What the slots show that the page's own code renders (`"render": "client"`), without a selector: their elements have the attribute
   * `data-idoine-slot`. And, with one, what only the document can do: `move` and `reorder`.
   */
  readonly edits?: readonly Edit[];
  /** As in an answer. */
  readonly selectors?: Readonly<Record<string, string>>;
  /** As in an answer; 60000 where it may change each minute, so that pages of many are alike. */
  readonly until?: number;
}

/** A visitor as raw facts: what the command line, the decide API, the previews and the tests take. */
export interface Visitor {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cf?: Readonly<Record<string, string>>;
  /** ISO timestamp or milliseconds since 1970. */
  readonly now?: string | number;
  /** Context values that replace what would be derived. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** What enrichments told: field paths and their values. */
  readonly enrichments?: Readonly<Record<string, unknown>>;
  /** What is stored of the visitor: paths such as `assignment.<experience>` and their values. */
  readonly profile?: Readonly<Record<string, unknown>>;
  /**
   * Seconds that the visitor's clock is ahead of UTC, where the host is not to find them itself: `1761440400 3600, 1774746000
   * 7200`, each with the second since 1970 from which it holds.
   */
  readonly offsets?: string;
}

/** What a server asks of `POST /_idoine/api/decide`: decisions for up to 1,000 visitors, of some slots or of all. */
export interface Visitors {
  readonly visitors: readonly Visitor[];
  readonly slots?: readonly string[];
}

/** What it is answered: a result for each visitor, in their order. */
export interface VisitorsDecided {
  /** Version of the program that decided. */
  readonly version: string;
  readonly results: readonly (VisitorDecided | Failure)[];
}

/** What was decided for a visitor. */
export interface VisitorDecided {
  readonly decisions: readonly Decision[];
  readonly edits: readonly Edit[];
  readonly receipt: Receipt;
  /** Overrides and what is stored, as far as it is nothing that the site knows. */
  readonly ignored?: readonly { readonly path: string; readonly expected: string }[];
}

/** What went wrong. */
export interface Failure {
  readonly error: {
    /** For programs. */
    readonly code: string;
    /** For people. */
    readonly message: string;
    /** Where in the request's body, as a JSON pointer. */
    readonly path?: string;
  };
}

/** What became of a purpose: what the visitor said of it, if they were asked. */
export type PurposeStatus = "granted" | "refused" | "withdrawn" | "unasked";

/** Who made a choice: the visitor with us, a consent platform, or nobody, where a site goes ahead until it is told otherwise. */
export type ChosenBy = "visitor" | "platform" | "default";

/** What the visitor has agreed to so far. */
export interface ConsentStatus {
  /** The purposes that count now: what was agreed to, less what the browser refuses for its person. */
  readonly granted: readonly Purpose[];
  /** False until the visitor was asked in the present wording and has answered. */
  readonly decided: boolean;
  readonly choice: Readonly<Record<Purpose, PurposeStatus>>;
  /** Version of the wording that the choice was made of. */
  readonly version?: number;
  /** ISO timestamp of the choice. */
  readonly at?: string;
  readonly by?: ChosenBy;
  /** What was refused or withdrawn with the site itself: no consent platform grants it. */
  readonly own: readonly Purpose[];
  /** Whether what is done is counted by day and name, without the visitor: in the mode `measurement-exempt`, unless they or their browser refuse it. */
  readonly measured: boolean;
  /** What the browser asks for: Global Privacy Control, Do Not Track. */
  readonly signals: { readonly gpc: boolean; readonly dnt: boolean };
  readonly notice?: Notice;
}

/** A text in the site's languages, by their tags. */
export type Wording = Readonly<Record<string, string>>;

/** What visitors are told before they choose: purposes, and what is asked of them and why. */
export interface Notice {
  readonly mode: "opt-in" | "opt-out" | "measurement-exempt";
  /** Version of the wording. With a new one visitors are asked again. */
  readonly version: number;
  /** Address of the privacy policy. */
  readonly policy?: string | null;
  readonly ask?: "banner" | "page" | "platform";
  readonly platforms?: readonly string[];
  readonly purposes: readonly { readonly name: Purpose; readonly title?: Wording; readonly text?: Wording; readonly keep_days?: number }[];
  readonly traits?: readonly NoticedTrait[];
  /** What pages read of what is learned of visitors, by its path. */
  readonly readings?: readonly { readonly path: string; readonly changes?: NoticedTrait["changes"] }[];
  /** Names of the traits that say what the visitor wants to see and how often. */
  readonly preferences?: { readonly topics?: string | null; readonly frequency?: string | null; readonly quiet?: string | null } | null;
}

/** A trait as visitors are told of it. */
export interface NoticedTrait {
  readonly name: string;
  readonly type: string;
  readonly values?: readonly string[];
  /** What some of the values are called. */
  readonly labels?: Readonly<Record<string, Wording>>;
  readonly title?: Wording;
  /** Why it is asked. */
  readonly why?: Wording;
  readonly purpose?: Purpose;
  readonly editable?: boolean;
  readonly personal?: boolean;
  /** The experiences that read it, with the reason that visitors are told. */
  readonly changes?: readonly { readonly experience: string; readonly because?: Wording }[];
}

/** What is told of an event or a user: values of JSON by name. */
export type Properties = Readonly<Record<string, unknown>>;

/** Whose choice is recorded, and of which wording; without them the visitor's, of the present one. */
export interface ChoiceDetails {
  readonly version?: number | undefined;
  readonly by?: "visitor" | "platform" | undefined;
}

/** An identity token of the site's server, made anew; or what gets one, and nothing where nobody is logged in. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** How the preference centre is opened. */
export interface CentreOptions {
  /** What proves a user who is logged in: their data is handed over to nobody else. */
  readonly token?: TokenSource | undefined;
}

/** Reads and records what the visitor agrees to. */
export interface Consent {
  get(): Promise<ConsentStatus>;
  /**
   * Records the purposes that are granted; all others are refused.
   * What is on the page stays: slots change at the next navigation or `decide()`.
   */
  set(granted: readonly Purpose[], details?: ChoiceDetails): Promise<ConsentStatus>;
  /** Asks the Worker for something below `/_idoine/` that is the visitor's right, as `export` and `erase` are. Missing where there is no Worker, and before our elements are there. */
  ask?<T>(path: string, body?: unknown, patienceMs?: number): Promise<T>;
  /** Whether the choice is kept in this browser alone. A Worker that gets its events can be asked for `export` and `erase` then, and for nothing else. */
  readonly local?: boolean;
  /** Opens the preference centre over the page. With the loader only. */
  show?(options?: CentreOptions): Promise<void>;
  /**
   * Connects a consent platform: it is handed a function, to be called with the purposes that it was granted, now and whenever that changes.
   * With the loader only.
   */
  platform?(connect: (tell: (granted: readonly Purpose[] | undefined) => void) => unknown): Promise<void>;
}

/**
 * Where decisions are made:
 * `edge` the Worker stands in front of the site and has already written the page;
 * `api` the Worker answers at another host name and the page asks it;
 * `static` the engine decides in the page, from a program file.
 */
export type Mode = "edge" | "api" | "static";

/** What a page told, or has still to tell, of what was done in it. */
export interface ToldEvent {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly type: "page" | "track" | "identify" | "group" | "exposure";
  readonly event?: string;
  readonly properties?: Properties;
  /**
   * `waiting` to be sent, or to be sent again; `sent`, so that the Worker has kept it; `refused`, as the visitor did not agree to it;
   * `failed`, so that it is lost.
   */
  readonly status: "waiting" | "sent" | "refused" | "failed";
}

/** Which events a page tells by itself: each kind is switched on by its name (docs/capture.md). */
export type Capture =
  | "pages"
  | "visible_time"
  | "scroll"
  | "clicks"
  | "forms"
  | "search"
  | "filters"
  | "video"
  | "outbound"
  | "downloads"
  | "copy"
  | "ecommerce"
  | "data_layer"
  | "web_vitals"
  | "rage_clicks"
  | "errors";

/** When a slot counts as seen. */
export interface ExposureRule {
  /** The share of the slot, or of the window where it fills that, which has to be visible: 0 to 1, by default 0.5. */
  readonly visible?: number;
  /** For how long, in milliseconds: by default 1000. */
  readonly afterMs?: number;
}

/**
 * What `idoine types` writes of a site is merged into this (`declare module "idoine"`), so that names of slots, traits, events and goals are
 * checked. Without it any name goes.
 */
export interface Register {}

interface AnySite {
  slots: Record<string, unknown>;
  traits: Record<string, unknown>;
  events: Record<string, Properties>;
  goals: Record<string, unknown>;
}

/** The site as it is registered. */
export type Site = Register extends { site: infer S extends Record<keyof AnySite, object> } ? S : AnySite;

/** Names of the site's slots. */
export type SlotName = keyof Site["slots"] & string;

/** The value of a data slot. */
export type SlotValue<N extends string> = N extends keyof Site["slots"] ? Site["slots"][N] : unknown;

/** Names of the site's events. */
export type EventName = keyof Site["events"] & string;

/** What is told with an event. */
export type EventProperties<N extends string> = N extends keyof Site["events"] ? Site["events"][N] : Properties;

/** The site's traits. */
export type Traits = { readonly [N in keyof Site["traits"]]?: Site["traits"][N] };

/**
 * What is known of a visitor, as their own browser is told it, and as text: traits by their names, and what was learned as expressions name it
 * behind `profile.`, such as `count('Product Viewed', '7d')`.
 */
export type Profile = Readonly<Record<string, string | undefined>> & { readonly [N in keyof Site["traits"]]?: Site["traits"][N] extends string ? Site["traits"][N] : string };

/** What `debug()` tells. */
export interface Debug {
  readonly mode: Mode;
  readonly version: string;
  readonly url: string;
  readonly decisions: readonly Decision[];
  /** Edits applied by this page's script; those made at the edge are not known here. */
  readonly edits: readonly Edit[];
  /** What went wrong last, if anything did. The page is then as it was. */
  readonly error: string | undefined;
  /** The last 50 of what was told, the newest last. */
  readonly events: readonly ToldEvent[];
}

/** The client: what `createIdoine()` returns and what `window.idoine` becomes. */
export interface Idoine {
  /** Resolves once the first decisions are known and applied, or are known not to come. Never rejects. */
  readonly ready: Promise<void>;
  /** All decisions for the current page. */
  decisions(): readonly Decision[];
  /** The decision for one slot, if the slot is on this page. */
  decision(slot: SlotName): Decision | undefined;
  /** The value of a data slot, if one was decided. */
  value<N extends SlotName>(slot: N): SlotValue<N> | undefined;
  value<T>(slot: SlotName): T | undefined;
  /** Calls back with all decisions and the data slots' values whenever any of them changes. Returns a function that ends it. */
  subscribe(listener: (decisions: readonly Decision[], values: Readonly<Record<string, unknown>>) => void): () => void;
  /** Calls back whenever this slot's decision or value changes. Returns a function that ends it. */
  subscribe<N extends SlotName>(slot: N, listener: (decision: Decision | undefined, value: SlotValue<N> | undefined) => void): () => void;
  /** Decides again for the page as it is now, or for these slots of it alone, applies the result and returns the decisions. Never rejects. */
  decide(options?: { readonly slots?: readonly SlotName[] }): Promise<readonly Decision[]>;
  /**
   * Tells which element of the page's own code shows a slot, so that its exposure is counted when that one is seen. Returns a function that
   * ends it.
   */
  observe(slot: SlotName, element: Element): () => void;
  /**
   * Tells the site's own Worker that something was done: `track("Product Viewed", { product_id: "p1", category: "shoes" })`. Nothing is sent
   * before the visitor agreed to something, unless the site counts it without them. Resolves when the Worker has kept it, or it is known that it
   * has not (`debug().error`); what the network or a busy Worker did not take is sent again by itself, and counts once. Never rejects.
   */
  track<N extends EventName>(event: N, properties?: EventProperties<N>): Promise<void>;
  /** Tells that this page was viewed. Otherwise as `track`. */
  page(name?: string, properties?: Properties): Promise<void>;
  /**
   * Tells who the visitor is. What this browser is shown comes from that user's profile only with a `token` that the site's server has
   * signed for it. Otherwise as `track`.
   */
  identify(userId: string, traits?: Traits, token?: string): Promise<void>;
  /** Tells which group the visitor belongs to: their company, their team. Otherwise as `track`. */
  group(groupId: string, traits?: Properties): Promise<void>;
  /** What is known of the visitor, as far as they agreed that it is. Empty where the Worker does not answer. Never rejects. */
  profile(): Promise<Profile>;
  /** The visitor logs out: this browser is somebody new, of whom nothing is known. What is on the page stays until the next one. Never rejects. */
  reset(): Promise<void>;
  readonly consent: Consent;
  /** What is known of the page, its decisions and its events; `debug.open()` opens the debug panel over the page, where there is one (docs/debug.md). */
  readonly debug: { (): Debug; open?(): unknown };
  /** Takes back every edit that this page's script made, and stops following route changes. */
  stop(): void;
}
