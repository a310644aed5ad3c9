//! The rows of events and of where they go, of cookies, and of what is kept beside profiles.

use super::Row;
use super::rows::{Maker, category};
use crate::consent::Purpose;
use crate::learn::rules::Matching;
use crate::manifest::{EventPlan, WebhookPlan};
use crate::text::cut_at;
use std::collections::HashSet;

/// What every site may be told, planned or not: its name, and what it is.
const ALWAYS: [(&str, [&str; 2]); 3] = [
    (
        "page",
        [
            "a page was viewed: its address, title and where the visitor came from",
            "une page a été vue : son adresse, son titre et la provenance",
        ],
    ),
    ("identify", ["who the visitor says to be, and traits", "qui le visiteur dit être, et ses attributs"]),
    (
        "exposure",
        [
            "an experience was seen: which one, which variant, in which slot",
            "une expérience a été vue : laquelle, quelle variante, à quel endroit",
        ],
    ),
];

/// The sinks that take all events, and their bindings.
const SINKS: [(&str, &str); 2] = [("queue", "EVENTS"), ("r2", "EVENTS_BUCKET")];

pub(super) fn all(maker: &Maker<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, what) in ALWAYS {
        if maker.uses.manifest.events.iter().all(|(known, _)| known.value != name) {
            rows.push(maker.event(name, maker.lang.of(what), None));
        }
    }
    for (name, plan) in &maker.uses.manifest.events {
        let always = ALWAYS.iter().find(|(known, _)| *known == name.value).map(|(_, what)| *what);
        rows.push(maker.event(
            &name.value,
            maker.lang.of(always.unwrap_or(["the visitor did this", "le visiteur a fait cela"])),
            Some(plan),
        ));
        rows.extend(maker.properties(&name.value, plan));
    }
    rows.extend(maker.cookies());
    rows.extend(maker.records());
    rows.extend(maker.sinks());
    rows.extend(maker.uses.manifest.webhooks.iter().map(|(name, webhook)| maker.webhook(&name.value, webhook)));
    rows.extend(maker.enrichments());
    rows.extend(maker.logs());
    rows
}

impl Maker<'_> {
    /// A row that says its kind, its name and what it is, and nothing else yet.
    pub(super) fn row(&self, kind: &'static str, name: &str, what: &str) -> Row {
        Row {
            kind,
            name: name.to_owned(),
            what: what.to_owned(),
            personal: false,
            sensitive: "",
            purpose: "",
            why: String::new(),
            keep: String::new(),
            places: Vec::new(),
            readers: Vec::new(),
        }
    }

    pub(super) fn of_purpose(&self, row: Row, purpose: Purpose) -> Row {
        Row { purpose: purpose.name(), why: self.why(purpose), keep: self.keep(purpose), ..row }
    }

    fn event(&self, name: &str, what: &str, plan: Option<&EventPlan>) -> Row {
        let purpose = plan.and_then(|plan| plan.purpose).unwrap_or(Purpose::Analytics);
        let mut row = self.of_purpose(self.row("event", name, what), purpose);
        row.personal = name == "identify" && self.has_personal_traits();
        row.keep = self.event_keep();
        row.places = self.event_places(name, false);
        row.readers = self.event_readers(name);
        row
    }

    fn properties(&self, event: &str, plan: &EventPlan) -> Vec<Row> {
        let purpose = plan.purpose.unwrap_or(Purpose::Analytics);
        let rows = plan.properties.iter().map(|(path, property)| {
            let what = self.lang.of(["what the event says", "ce que dit l'événement"]);
            let mut row = self.of_purpose(self.row("property", &format!("{event}: {}", path.value), what), purpose);
            row.personal = property.is_personal();
            row.sensitive = category(property.sensitive.as_ref());
            row.keep = self.event_keep();
            row.places = self.event_places(event, row.personal);
            row.readers = self.property_readers(event, &path.value, row.personal);
            row
        });
        rows.collect()
    }

    fn event_keep(&self) -> String {
        let said = [
            "two days after the last event in the profile's window; beyond it as the sinks keep it",
            "deux jours après le dernier événement dans la fenêtre du profil ; au-delà, selon les destinations",
        ];
        self.lang.of(said).to_owned()
    }

    /// Where an event goes; something personal goes to nobody who only measures.
    fn event_places(&self, name: &str, personal: bool) -> Vec<String> {
        let window = ["profile's window (Durable Object)", "fenêtre du profil (Durable Object)"];
        let mut places = vec![self.lang.of(window).to_owned()];
        let [queue, bucket] = self.lang.of([
            ["queue EVENTS, where it is bound", "bucket EVENTS_BUCKET, where it is bound"],
            ["file EVENTS, si elle est liée", "bucket EVENTS_BUCKET, s'il est lié"],
        ]);
        let streams = SINKS.into_iter().zip([queue, bucket]).filter(|((sink, _), _)| !personal || !measures(self.sink(sink)));
        places.extend(streams.map(|(_, place)| place.to_owned()));
        let webhooks = self.uses.manifest.webhooks.iter().filter(|(_, webhook)| may_have(webhook, name, personal));
        places.extend(webhooks.map(|(_, webhook)| host(&webhook.url.value).to_owned()));
        places
    }

    /// What is made of an event.
    fn event_readers(&self, event: &str) -> Vec<String> {
        let goals = self.uses.manifest.goals.iter().filter(|(_, goal)| goal.event.value == event);
        let mut readers: Vec<String> = goals.map(|(name, _)| self.reader(["goal", "objectif"], &name.value)).collect();
        readers.extend(self.learned_of(&|matching| matching.event == event, event));
        let webhooks = self.uses.manifest.webhooks.iter().filter(|(_, webhook)| wants(webhook, event));
        readers.extend(webhooks.map(|(name, _)| self.reader(["webhook", "webhook"], &name.value)));
        readers
    }

    /// What is made of a property of an event.
    fn property_readers(&self, event: &str, path: &str, personal: bool) -> Vec<String> {
        let below = path.strip_prefix("products.").unwrap_or(path);
        let value = format!("properties.{path}");
        let goals = self.uses.manifest.goals.iter().filter(|(_, goal)| {
            goal.event.value == event && [&goal.value, &goal.currency].into_iter().flatten().any(|read| *read == value)
        });
        let mut readers: Vec<String> = goals.map(|(name, _)| self.reader(["goal", "objectif"], &name.value)).collect();
        let rules = &self.uses.rules;
        let compares =
            |matching: &Matching| matching.event == event && matching.properties.iter().any(|(path, _)| path == below);
        readers.extend(self.learned_of(&compares, ""));
        let sums = rules.counters.iter().any(|one| one.matching.event == event && one.sum.as_deref() == Some(below));
        readers.extend(sums.then(|| self.lang.of(["counters", "compteurs"]).to_owned()));
        let tastes = rules.affinities.iter().filter(|one| one.property == below);
        let tastes = tastes.filter(|one| one.weights.iter().any(|(matching, _)| matching.event == event));
        readers.extend(tastes.map(|one| self.reader(["affinity", "affinité"], &one.dimension)));
        let buys = rules.rfm.as_ref().is_some_and(|rfm| rfm.event == event && rfm.value == below);
        readers.extend(buys.then(|| "rfm".to_owned()));
        let webhooks = self.uses.manifest.webhooks.iter().filter(|(_, webhook)| may_have(webhook, event, personal));
        readers.extend(webhooks.map(|(name, _)| self.reader(["webhook", "webhook"], &name.value)));
        let mut seen = HashSet::new();
        readers.retain(|reader| seen.insert(reader.clone()));
        readers
    }

    /// What is learned of an event. `name` is the event's where all of it counts, whatever its properties.
    fn learned_of(&self, is: &dyn Fn(&Matching) -> bool, name: &str) -> Vec<String> {
        let rules = &self.uses.rules;
        let any = |weights: &[(Matching, i64)]| weights.iter().any(|(matching, _)| is(matching));
        let cart = &rules.cart;
        let is_learned = [
            (rules.counters.iter().any(|one| is(&one.matching)), ["counters", "compteurs"]),
            (any(&rules.engagement.weights), ["engagement", "engagement"]),
            (rules.intent.signals.iter().any(|(_, weights)| any(weights)), ["intents", "intentions"]),
            (rules.features.iter().any(|one| is(&one.matching)), ["features", "fonctionnalités"]),
            (rules.milestones.iter().filter_map(|one| one.matching.as_ref()).any(is), ["milestones", "jalons"]),
            (rules.rfm.as_ref().is_some_and(|rfm| rfm.event == name), ["rfm", "rfm"]),
            ([&cart.added, &cart.removed, &cart.viewed, &cart.ordered].into_iter().any(|one| one == name), ["cart", "panier"]),
        ];
        let learned = is_learned.into_iter().filter(|(is, _)| *is).map(|(_, words)| self.lang.of(words).to_owned());
        let tastes = rules.affinities.iter().filter(|one| any(&one.weights));
        learned.chain(tastes.map(|one| self.reader(["affinity", "affinité"], &one.dimension))).collect()
    }

    fn cookies(&self) -> Vec<Row> {
        let browser = || vec![self.lang.of(["the visitor's browser", "le navigateur du visiteur"]).to_owned()];
        let days = self.lang.of(["395 days", "395 jours"]);
        let mut choice = self.row("cookie", "idoine_consent", self.lang.of(["what the visitor chose", "le choix du visiteur"]));
        choice.why = self
            .lang
            .of(["Strictly necessary: it keeps the choice itself", "Strictement nécessaire : il garde le choix lui-même"])
            .to_owned();
        choice.readers = self.lang.of([["Worker", "site's script"], ["Worker", "script du site"]]).map(str::to_owned).to_vec();
        let mut id = self.row(
            "cookie",
            "idoine_id",
            self.lang.of(["a random id of the browser, signed", "un identifiant aléatoire du navigateur, signé"]),
        );
        id.why =
            self.lang.of(["Any consent: knows the browser again", "Tout consentement : reconnaît le navigateur"]).to_owned();
        let what = self.lang.of(["what pages read of the profile, sealed", "ce que les pages lisent du profil, scellé"]);
        let projection = self.of_purpose(self.row("cookie", "idoine_p", what), Purpose::Personalization);
        let what = self.lang.of(["who of the site's team previews the site", "qui, de l'équipe du site, le prévisualise"]);
        let mut preview = self.row("cookie", "idoine_preview", what);
        preview.why =
            self.lang.of(["Only who opens a preview link", "Seulement qui ouvre un lien de prévisualisation"]).to_owned();
        preview.keep = self.lang.of(["until the link ends", "jusqu'à la fin du lien"]).to_owned();
        let what = self.lang.of(["events that could not be sent yet", "événements qui n'ont pas encore pu être envoyés"]);
        let mut outbox = self.row("cookie", "idoine_outbox", what);
        outbox.why = self
            .lang
            .of([
                "Any consent: what was done without a network is not lost",
                "Tout consentement : rien n'est perdu sans réseau",
            ])
            .to_owned();
        outbox.keep = self
            .lang
            .of(["until they are sent, or consent is withdrawn", "jusqu'à leur envoi, ou au retrait du consentement"])
            .to_owned();
        outbox.places = vec![self.lang.of(["the browser's local storage", "le stockage local du navigateur"]).to_owned()];
        let mut rows = vec![choice, id, projection, preview, outbox];
        for row in &mut rows {
            if row.name != "idoine_preview" && row.name != "idoine_outbox" {
                row.keep = days.to_owned();
            }
            if row.places.is_empty() {
                row.places = browser();
            }
            if row.readers.is_empty() {
                row.readers.push("Worker".to_owned());
            }
        }
        rows
    }

    /// The purpose of a sink.
    fn sink(&self, name: &str) -> Purpose {
        let sinks = self.uses.manifest.sinks.as_ref();
        let plan = sinks.and_then(|sinks| if name == "queue" { sinks.queue.as_ref() } else { sinks.r2.as_ref() });
        plan.map_or(Purpose::Analytics, |plan| plan.purpose.value)
    }

    fn sinks(&self) -> Vec<Row> {
        let keep = [
            [
                "as the queue is set (Cloudflare: 4 days unless said otherwise); what reads it is the owner's",
                "selon le réglage de la file (Cloudflare : 4 jours par défaut) ; ses lecteurs sont ceux du responsable",
            ],
            ["days; then the objects of that day are deleted", "jours ; les objets de ce jour sont alors supprimés"],
        ];
        let rows = SINKS.into_iter().zip(keep).map(|((name, binding), keep)| {
            let purpose = self.sink(name);
            let bare =
                ["events that were agreed to, without what is personal", "les événements consentis, sans ce qui est personnel"];
            let whole = ["events that were agreed to", "les événements consentis"];
            let what = self.lang.of(if measures(purpose) { bare } else { whole });
            let mut row = self.of_purpose(self.row("sink", name, what), purpose);
            row.personal = !measures(purpose) && self.has_personal();
            let days = self.days(purpose);
            row.keep = if name == "r2" { format!("{days} {}", self.lang.of(keep)) } else { self.lang.of(keep).to_owned() };
            row.places = vec![self.lang.of([format!("{binding}, where it is bound"), format!("{binding}, si lié")])];
            row
        });
        rows.collect()
    }

    fn webhook(&self, name: &str, webhook: &WebhookPlan) -> Row {
        let names =
            |list: &[crate::manifest::Spanned<String>]| list.iter().map(|one| one.value.clone()).collect::<Vec<_>>().join(", ");
        let [events, audiences] = [&webhook.events, &webhook.audiences].map(|list| names(&list.0));
        let mut said = Vec::new();
        if !events.is_empty() {
            said.push(self.lang.of([format!("events: {events}"), format!("événements : {events}")]));
        }
        if !audiences.is_empty() {
            said.push(
                self.lang.of([format!("who enters and leaves: {audiences}"), format!("entrées et sorties : {audiences}")]),
            );
        }
        let host = host(&webhook.url.value);
        let mut row =
            self.of_purpose(self.row("webhook", name, &said.join("; ")), webhook.purpose.unwrap_or(Purpose::Analytics));
        row.personal = row.purpose != Purpose::Analytics.name() && self.tells_personal(webhook);
        row.keep = self
            .lang
            .of([
                "until it is taken, 30 days as a dead letter; then as the receiver keeps it",
                "jusqu'à réception, 30 jours en lettre morte ; ensuite selon le destinataire",
            ])
            .to_owned();
        row.places = vec!["Durable Object".to_owned(), host.to_owned()];
        row.readers = vec![host.to_owned()];
        row
    }

    /// Whether an event that a webhook is told of may say something personal.
    fn tells_personal(&self, webhook: &WebhookPlan) -> bool {
        self.has_personal_properties(&|event| wants(webhook, event))
            || (wants(webhook, "identify") && self.has_personal_traits())
    }

    fn has_personal(&self) -> bool {
        self.has_personal_properties(&|_| true) || self.has_personal_traits()
    }

    fn has_personal_properties(&self, of: &dyn Fn(&str) -> bool) -> bool {
        let mut events = self.uses.manifest.events.iter().filter(|(name, _)| of(&name.value));
        events.any(|(_, plan)| plan.properties.iter().any(|(_, property)| property.is_personal()))
    }

    fn has_personal_traits(&self) -> bool {
        self.uses.manifest.traits.iter().any(|(_, declared)| declared.is_personal())
    }

    fn enrichments(&self) -> Vec<Row> {
        let rows = self.uses.manifest.enrichments.iter().map(|(name, enrichment)| {
            let what = [
                "asked for a request's place or page; nothing of a profile is told",
                "interrogé pour le lieu ou la page d'une requête ; rien d'un profil n'est dit",
            ];
            let mut row = self.row("enrichment", &name.value, self.lang.of(what));
            row.keep = self
                .lang
                .of(["the request; answers by URL, for no visitor", "la requête ; les réponses par URL, pour aucun visiteur"])
                .to_owned();
            row.places = vec![host(&enrichment.url.value).to_owned()];
            let paths: Vec<String> =
                enrichment.fields.iter().map(|(field, _)| format!("enrichment.{}.{}", name.value, field.value)).collect();
            row.readers = self.readers(&paths.iter().map(String::as_str).collect::<Vec<_>>());
            row
        });
        rows.collect()
    }

    fn logs(&self) -> Vec<Row> {
        let known: [(&str, [&str; 2]); 3] = [
            (
                "context",
                [
                    "what a request says: place, device, source, language; read while the page is made, not kept",
                    "ce que dit une requête : lieu, appareil, provenance, langue ; lu le temps de la page, non conservé",
                ],
            ),
            (
                "logs",
                [
                    "what goes wrong: no id, no address, no value of a visitor",
                    "ce qui se passe mal : ni identifiant, ni adresse, ni valeur d'un visiteur",
                ],
            ),
            (
                "counters",
                [
                    "what became of requests: no id (Analytics Engine)",
                    "ce que deviennent les requêtes : aucun identifiant (Analytics Engine)",
                ],
            ),
        ];
        let rows = known.into_iter().map(|(name, what)| {
            let mut row = self.row("log", name, self.lang.of(what));
            let (none, owner) =
                (["not kept", "non conservé"], ["as the owner's account keeps logs", "selon le compte du responsable"]);
            row.keep = self.lang.of(if name == "context" { none } else { owner }).to_owned();
            row.places = vec![
                self.lang
                    .of(if name == "context" {
                        ["memory of the Worker", "mémoire du Worker"]
                    } else {
                        ["the owner's Cloudflare account", "compte Cloudflare du responsable"]
                    })
                    .to_owned(),
            ];
            row
        });
        rows.collect()
    }
}

/// Whether a webhook is told of an event.
fn wants(webhook: &WebhookPlan, event: &str) -> bool {
    webhook.events.0.iter().any(|name| name.value == "*" || name.value == event)
}

/// Whether a webhook is told of an event, or of something personal in it.
fn may_have(webhook: &WebhookPlan, event: &str, personal: bool) -> bool {
    wants(webhook, event) && !(personal && measures(webhook.purpose.unwrap_or(Purpose::Analytics)))
}

/// Whether who has this purpose only measures.
fn measures(purpose: Purpose) -> bool {
    purpose == Purpose::Analytics
}

/// The host of a URL.
fn host(url: &str) -> &str {
    let (_, rest) = cut_at(url, "://").unwrap_or_default();
    rest.split(['/', '?']).next().unwrap_or_default()
}
