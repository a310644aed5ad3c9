// Deciders that are wrong in one thing each: the oracle, told of another manifest or another visitor. What none of them is
// noticed by is not tested.

import type { Cap, Experience, Manifest, Site, Visitor } from "./manifest.ts";

type Change = (site: Site, visitor: Visitor) => { site?: Site; visitor?: Visitor };

const manifest = (change: (manifest: Manifest) => Partial<Manifest>): Change => (site) => ({ site: { ...site, manifest: { ...site.manifest, ...change(site.manifest) } } });

const experiences = (change: (experience: Experience, index: number, manifest: Manifest) => Partial<Record<keyof Experience, unknown>>): Change =>
  manifest((whole) => ({
    experiences: whole.experiences.map((experience, index) => {
      const changed = Object.entries({ ...experience, ...change(experience, index, whole) }).filter(([, value]) => value !== undefined);
      return Object.fromEntries(changed) as unknown as Experience;
    }),
  }));

const without = (...fields: (keyof Experience)[]): Change => experiences(() => Object.fromEntries(fields.map((field) => [field, undefined])));

const part = (change: (cap: Cap) => Cap): Change =>
  manifest(({ cap, groups, experiences }) => ({
    ...(cap && { cap: change(cap) }),
    groups: Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, { ...group, ...(group.cap && { cap: change(group.cap) }) }])),
    experiences: experiences.map((experience) => ({ ...experience, ...(experience.cap && { cap: change(experience.cap) }) })),
  }));

/** A visitor of whom something else is told, as override or by the profile. */
const told = (change: (path: string, value: string) => string | undefined): Change => (_, visitor) => {
  const changed = <T>(all: Record<string, T>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(all).flatMap(([path, value]): [string, T][] => {
        const now = typeof value === "string" ? change(path, value) : value;
        return now === undefined ? [] : [[path, now as T]];
      }),
    );
  return { visitor: { ...visitor, context: changed(visitor.context), profile: changed(visitor.profile) } };
};

const untold = (start: string): Change => told((path, value) => (path.startsWith(start) ? undefined : value));

/** Everything that was seen last, a millisecond later. */
const later = told((path, value) => {
  const at = /^(seen[^,]*,)?(.*,)(\d{4}-.*Z)$/.exec(value);
  return path.startsWith("seen") && at ? `${at[2]}${new Date(Date.parse(at[3]!) + 1).toISOString()}` : value;
});

export const MISTAKES: Record<string, Change> = {
  "pages do not matter": experiences(() => ({ pages: undefined })),
  "drafts run": experiences(({ status }) => ({ status: status === "draft" ? undefined : status })),
  "what is paused runs": experiences(({ status }) => ({ status: status === "paused" ? undefined : status })),
  "schedules do not matter": without("schedule"),
  "schedules have no beginning": experiences(({ schedule }) => ({ schedule: schedule?.until === undefined ? undefined : { until: schedule.until } })),
  "everyone is in every audience": without("audience"),
  "no prerequisites": without("requires"),
  "prerequisites of any variant": experiences(({ requires }) => ({ requires: requires?.map(({ variants: _, ...rest }) => rest) })),
  "prerequisites of the first factor": experiences(({ requires }) => ({ requires: requires?.map(({ factor: _, ...rest }) => rest) })),
  "no holdout of the site": manifest(() => ({ holdout: 0 })),
  "no holdouts of experiences": without("holdout"),
  "no layers": without("layer"),
  "layers by the whole": experiences(({ layer }) => ({ layer: layer && { ...layer, from: 0, to: 1 } })),
  "all traffic": without("traffic"),
  "ramps in steps": experiences(({ traffic }) => ({ traffic: typeof traffic === "object" ? { ...traffic, ramp: "steps" } : traffic })),
  "linear ramps": experiences(({ traffic }) => ({ traffic: typeof traffic === "object" ? { ...traffic, ramp: "linear" } : traffic })),
  "a zone of the site's": manifest(({ site }) => ({ site: { id: site.id } })),
  "the visitor for every unit": without("unit"),
  "the user for the visitor": experiences(({ unit }) => ({ unit: unit ?? "user" })),
  "nothing is sticky": without("sticky"),
  "everything is sticky": experiences(({ type }) => ({ sticky: type === "experiment" })),
  "no winners": without("winner"),
  "equal weights": experiences(({ weights }) => ({ weights: weights?.map(() => 1) })),
  "equal weights of factors": experiences(({ factors }) => ({
    factors: factors && Object.fromEntries(Object.entries(factors).map(([name, { slots }]) => [name, { slots }])),
  })),
  "every run": without("runs"),
  "no groups": without("groups"),
  "groups for one": manifest(({ groups }) => ({ groups: Object.fromEntries(Object.entries(groups).map(([name, { max: _, ...group }]) => [name, group])) })),
  "the last group first": experiences(({ groups }) => ({ groups: groups?.toReversed() })),
  "nothing is suppressed": without("suppresses"),
  "no caps of experiences": without("cap"),
  "no caps of groups": manifest(({ groups }) => ({ groups: Object.fromEntries(Object.entries(groups).map(([name, { cap: _, ...group }]) => [name, group])) })),
  "no cap of the site": (site) => ({ site: { ...site, manifest: (({ cap: _, ...rest }) => rest)(site.manifest) } }),
  "the cap of the site for all": without("global_cap"),
  "the cap of the site for none": experiences(() => ({ global_cap: false })),
  "sessions do not matter": part(({ session: _, ...cap }) => cap),
  "days do not matter": part(({ day: _, ...cap }) => cap),
  "weeks do not matter": part(({ week: _, ...cap }) => cap),
  "totals do not matter": part(({ total: _, ...cap }) => cap),
  "no cooldown": part(({ cooldown_minutes: _, ...cap }) => cap),
  "one more than the cap": part((cap) => Object.fromEntries(Object.entries(cap).map(([name, limit]) => [name, name === "cooldown_minutes" ? limit : limit + 1]))),
  "counts of other days": later,
  "UTC for everyone": untold("geo.timezone"),
  "sessions without a start": untold("visitor.session_start"),
  "nobody is a user": untold("visitor.user_id"),
  "nobody was assigned": untold("assignment."),
  "nobody has seen a thing": untold("seen"),
  "nothing is forced": untold("variant."),
  "priorities do not matter": without("priority"),
  "ids backwards": manifest(({ experiences }) => ({ experiences: experiences.map((one) => ({ ...one, priority: (one.priority ?? 0) * 1000 + one.id.charCodeAt(0) })) })),
  "everything is agreed to": (_, visitor) => ({ visitor: { ...visitor, context: { ...visitor.context, "consent.personalization": true, "consent.analytics": true, "consent.marketing": true } } }),
  "overrides do not outrank the profile": (_, visitor) => ({ visitor: { ...visitor, context: Object.fromEntries(Object.entries(visitor.context).filter(([path]) => !(path in visitor.profile))) } }),
};
