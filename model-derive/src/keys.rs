//! Every attribute key: its name, where it may stand, how it is written, what it does. The reference in `docs/` is
//! made from this table.

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a struct with `#[derive(Model)]`.
    Model,
    /// On a struct with `#[derive(Embedded)]`.
    Struct,
    /// On an enum with `#[derive(Embedded)]`.
    Enum,
    /// On a field of a model.
    Field,
    /// On a field of an embedded struct.
    Inner,
    /// On a variant of an enum.
    Variant,
    /// On a field of a variant.
    VariantField,
}

impl Place {
    /// The kind of key that stands here, for "unknown ... key".
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Field | Self::Inner | Self::VariantField => "field",
            Self::Variant => "variant",
        }
    }

    /// For "belongs on ...".
    fn noun(self) -> &'static str {
        match self {
            Self::Model => "the model's struct",
            Self::Struct => "an embedded struct",
            Self::Enum => "an enum",
            Self::Field => "a field of a model",
            Self::Inner => "a field of an embedded struct",
            Self::Variant => "a variant of an enum",
            Self::VariantField => "a field of a variant",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) name: &'static str,
    pub(crate) places: &'static [Place],
    /// How it is written.
    pub(crate) usage: &'static str,
    /// What it does.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the reference is made from it, by a test")
    )]
    pub(crate) about: &'static str,
}

macro_rules! keys {
    ($($id:ident $name:literal $places:expr, $usage:literal, $about:literal;)*) => {
        /// Which key it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum KeyId { $($id),* }

        /// All keys.
        pub(crate) static KEYS: &[Key] =
            &[$(Key { id: KeyId::$id, name: $name, places: $places, usage: $usage, about: $about }),*];
    };
}

const CONTAINERS: &[Place] = &[Place::Model, Place::Struct, Place::Enum];
const MODEL: &[Place] = &[Place::Model];
const FIELD: &[Place] = &[Place::Field];
const OWNED: &[Place] = &[Place::Field, Place::Inner];
const FIELDS: &[Place] = &[Place::Field, Place::Inner, Place::VariantField];
const VIRTUAL: &[Place] = &[Place::Model, Place::Struct];
const NAMED: &[Place] = &[Place::Field, Place::Inner, Place::VariantField, Place::Variant];

keys! {
    Collection "collection" MODEL, "collection = \"widgets\"", "The collection. Required.";
    IdPrefix "id_prefix" MODEL, "id_prefix = \"wgt_\"", "Ids are strings that begin with this and go on sortably at random.";
    IdForm "id" MODEL, "id = object_id | uuid | string", "How ids look; `object_id` if nothing is said.";
    Global "global" MODEL, "global", "The documents belong to no tenant.";
    Version "version" MODEL, "version = 2", "The schema version that this code writes; 1 if nothing is said.";
    Audit "audit" MODEL, "audit or audit(entity = \"widget\", create = \"..\", update = \"..\", delete = \"..\", name = field, outbox)",
        "Every write leaves an audit entry; with `outbox` inside the document, until the relay moves it.";
    Key "key" MODEL, "key(project, date)", "The fields that name a document beside its id: given at create, never changed, unique together.";
    SoftDelete "soft_delete" MODEL, "soft_delete", "A delete marks the document, `purge` removes it; reads pass over what is marked.";
    AppendOnly "append_only" MODEL, "append_only", "Documents are created and read: the verbs that change or delete do not exist.";
    Singleton "singleton" MODEL, "singleton", "One document for each tenant, got or created by `singleton`.";
    Indexes "index" MODEL, "index(path, path = desc|text(2)|hashed|sphere, path.*, unique, global, sparse, hidden, name = \"..\", ttl = \"90d\", exists(field), partial(path == 1), collation(\"en\", strength = 2), language = \"..\", replaces = \"..\")",
        "An index over one or several paths; the tenant goes first by itself. May be repeated.";
    Validator "validator" MODEL, "validator or validator(level = \"strict\" | \"moderate\", action = \"error\" | \"warn\")",
        "The server itself refuses documents that the model could not read, whoever writes them.";
    Seal "seal" MODEL, "seal or seal(role, owner, unsealed_until = \"2027-03-31\")",
        "Each document has a seal over its identity, its revision, its secrets and these fields: what was changed past this library is not read. Those without one are read until the end of that day.";
    Watch "watch" MODEL, "watch", "Changes can be watched as they happen: the server keeps what was before each.";
    ShardKey "shard_key" MODEL, "shard_key(organization) or shard_key(organization, id = hashed)",
        "By what the documents are spread over the shards of a cluster: the tenant, the id, or both.";
    TimeSeries "time_series" MODEL,
        "time_series(time = at) or time_series(time = at, meta(campaign), granularity = \"seconds\" | \"minutes\" | \"hours\", expire_after = \"30d\")",
        "The documents are measurements: created and read, packed by the server by source (the tenant first) and time.";
    Capped "capped" MODEL, "capped(size = 1048576) or capped(size = 1048576, max = 1000)",
        "The collection has a fixed size in bytes: the oldest documents make room for new ones. They are created and read.";
    RenameAll "rename_all" CONTAINERS, "rename_all = \"camelCase\"", "The style of stored names.";
    Virtuals "virtuals" VIRTUAL, "virtuals(display_name: String)", "Methods whose results go into the view.";
    Defaults "defaults" &[Place::Struct], "defaults", "`Default`, which gives every field its own default, or that of its type.";
    Tag "tag" &[Place::Enum], "tag = \"kind\"", "The key that names the variant in a stored document; `type` if nothing is said, of a flat enum `__t`.";
    Flat "flat" &[Place::Enum], "flat",
        "The variant's name and its fields stand in the document around the enum, beside the other fields, as discriminators do.";
    Crate "crate" CONTAINERS, "crate = ::path", "Where `model_core` is, if it was renamed or re-exported.";
    Id "id" FIELD, "id", "The document's id: `id: Id<Widget>` is it by itself.";
    StoredAs "stored_as" FIELD, "stored_as = \"id\"",
        "The id is stored under this name, unique in its tenant (or over all, with `unique(global)`), beside an `_id` that the database makes and nobody sees.";
    Tenant "tenant" FIELD, "tenant", "The tenant that the document belongs to, stamped from the context: the only field of type `TenantId` is it by itself.";
    CreatedAt "created_at" FIELD, "created_at", "The instant of creation: `created_at: DateTime<Utc>` is it by itself.";
    UpdatedAt "updated_at" FIELD, "updated_at", "The instant of the last change: `updated_at: DateTime<Utc>` is it by itself.";
    Revision "revision" FIELD, "revision", "The revision, shown to the application: a field of type `Revision` is it by itself.";
    Readonly "readonly" OWNED, "readonly", "Set at create, never by an update.";
    Hidden "hidden" FIELDS, "hidden", "Stored, never in a view.";
    SkipUpdatedAt "skip_updated_at" OWNED, "skip_updated_at", "A change of it alone does not move `updated_at`.";
    SkipAudit "skip_audit" OWNED, "skip_audit", "A change of it alone is not audited.";
    Rename "rename" NAMED, "rename = \"stored_name\"", "The stored name, which is the key in JSON too.";
    Default "default" FIELDS, "default, default = value or default = now",
        "A create may leave the field out; `now`, in a model itself, is the instant of the create.";
    DefaultWith "default_with" FIELDS, "default_with = path::to::function", "As `default`, from a function.";
    Trim "trim" FIELDS, "trim", "White space at both ends is removed.";
    Lowercase "lowercase" FIELDS, "lowercase", "Stored and compared in lower case.";
    Uppercase "uppercase" FIELDS, "uppercase", "Stored and compared in upper case.";
    Len "len" FIELDS, "len(3..=80), len(3..) or len(..=80)", "A string's length in characters.";
    Items "items" FIELDS, "items(1..=5), items(1..) or items(..=5)", "The number of elements of an array or map.";
    Range "range" FIELDS, "range(0..=100), range(0..) or range(..=1.0)", "A number's bounds.";
    Pattern "pattern" FIELDS, "pattern = \"^[a-z]+$\"", "A regular expression that a string must match.";
    Email "email" FIELDS, "email", "A string must be an e-mail address.";
    Url "url" FIELDS, "url", "A string must be an absolute URL.";
    OneOf "one_of" FIELDS, "one_of(\"a\", \"b\")", "A string must be one of these.";
    Validate "validate" FIELDS, "validate = path::to::function",
        "A rule of your own: `fn(&T) -> Result<(), impl Into<Cow<'static, str>>>`.";
    BlindIndex "blind_index" OWNED,
        "blind_index or blind_index(unique, normalize = \"exact | email | digits\", scope = \"tenant | global\", bits = 16, allow_low_entropy)",
        "An encrypted field can be found by its value: `eq`, `in_`.";
    Pad "pad" OWNED, "pad = 64", "The length of an encrypted value is hidden in steps of that many bytes.";
    LegacyPlaintext "legacy_plaintext" OWNED, "legacy_plaintext or legacy_plaintext(until = \"2027-03-31\")",
        "An encrypted field reads plaintext that was stored before it was encrypted, until the end of that day; the next write seals it.";
    OldFormat "old_format" OWNED, "old_format(\"name\") or old_format(\"name\", until = \"2027-03-31\")",
        "An encrypted field reads what another system encrypted, by the decoder that the keyring has under the name; the next write seals it.";
    Since "since" FIELD, "since = 2",
        "The version that introduced the field: queries by it are refused while there may be older documents.";
    OnDelete "on_delete" FIELDS, "on_delete = cascade | restrict | nullify | pull",
        "What becomes of the document when one that this reference names is deleted; `pull` takes out the innermost element around it.";
    Subject "subject" FIELD, "subject",
        "The reference names the person whose data the document is: it is exported and erased with them, as `on_delete` says.";
    Pii "pii" FIELDS, "pii or pii(erased = value)",
        "Personal data: no audit entry shows it, and an erasure puts `erased`, the default, or nothing in its place.";
    Vector "vector" OWNED, "vector(similarity = cosine | dot | euclidean, stored = packed | array)",
        "How alike vectors are that `nearest` compares, `cosine` if nothing is said; and whether they are stored packed, or as arrays for other readers.";
    Index "index" FIELD, "index or index = desc", "An index over this field.";
    Unique "unique" FIELD, "unique or unique(global)", "No two documents (of one tenant; or at all) have the same value.";
    Filterable "filterable" OWNED, "filterable or filterable(eq, gte, in_, starts_with)",
        "Filters from outside may compare the field: in every way but by a prefix, or in those that are listed.";
    Sortable "sortable" OWNED, "sortable", "Sort orders from outside may name the field.";
    Ttl "ttl" FIELD, "ttl = \"90d\"", "The server deletes the document that long after this date (units s, m, h, d, w).";
}

/// The key called `name` that may stand at `place`.
pub(crate) fn find(name: &str, place: Place) -> Option<&'static Key> {
    at(place).find(|key| key.name == name)
}

/// The keys that may stand at `place`.
pub(crate) fn at(place: Place) -> impl Iterator<Item = &'static Key> + Clone {
    KEYS.iter().filter(move |key| key.places.contains(&place))
}

/// The row of a key.
pub(crate) fn row(id: KeyId) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.id == id)
}

/// Where a key that may not stand at `place` belongs, if there is such a key at all: the nearest place.
pub(crate) fn belongs(name: &str, place: Place) -> Option<&'static str> {
    let rows = KEYS.iter().filter(|key| key.name == name);
    let places: Vec<Place> = rows.flat_map(|key| key.places.iter().copied()).collect();
    let order: &[Place] = match place {
        Place::Model => &[Place::Field],
        Place::Enum => &[Place::Variant, Place::VariantField, Place::Struct],
        Place::Variant => &[Place::VariantField, Place::Enum],
        Place::Struct | Place::Inner | Place::VariantField | Place::Field => &[Place::Inner, Place::Field],
    };
    let first = *places.first()?;
    let nearest = order
        .iter()
        .copied()
        .find(|candidate| places.contains(candidate))
        .unwrap_or(first);
    Some(match nearest {
        // What is found by its value is one value, and never the enum.
        Place::Inner if place == Place::VariantField && name != "blind_index" => {
            "the field that holds the enum"
        }
        Place::Struct if place == Place::Enum => "a struct",
        other => other.noun(),
    })
}
