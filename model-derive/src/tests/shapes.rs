//! The declarations that the snapshots and the budget are about.

/// Name, declaration, number of fields.
pub(super) const SHAPES: &[(&str, &str, usize)] = &[
    ("widget", WIDGET, 12),
    ("global", GLOBAL, 3),
    ("indexes", INDEXES, 6),
    ("rules", RULES, 8),
    ("renamed", RENAMED, 5),
    ("least", LEAST, 1),
    ("outside", OUTSIDE, 3),
    ("limits", LIMITS, 3),
    ("member", MEMBER, 3),
    ("email", EMAIL, 1),
    ("status", STATUS, 3),
    ("shape", SHAPE, 4),
    ("flat", FLAT, 3),
    ("line", LINE, 3),
];

const WIDGET: &str = r#"
    /// A widget that belongs to one project.
    #[derive(Clone, Model)]
    #[model(collection = "widgets", id_prefix = "wgt_", version = 2, audit(entity = "widget", name = name))]
    #[model(index(project, enabled), index(created_at = desc))]
    pub struct Widget {
        #[model(id)]
        pub id: Id<Widget>,
        #[model(tenant)]
        pub organization: TenantId,
        #[model(readonly)]
        pub project: Id<Project>,
        /// What people call it.
        #[model(trim, len(3..=80))]
        pub name: String,
        pub note: Option<String>,
        #[model(default = false)]
        pub enabled: bool,
        #[model(hidden, default = 0.0)]
        pub internal_score: f64,
        pub limits: Limits,
        pub token: Encrypted<String>,
        #[model(created_at)]
        pub created_at: DateTime<Utc>,
        #[model(updated_at)]
        pub updated_at: DateTime<Utc>,
        #[model(revision)]
        pub revision: Revision,
    }
"#;

const OUTSIDE: &str = r#"
    #[derive(Clone, Model)]
    #[model(collection = "tickets", global)]
    pub struct Ticket {
        #[model(id, filterable(eq, in_))]
        pub id: Id<Ticket>,
        #[model(lowercase, filterable(eq, starts_with), sortable)]
        pub title: String,
        #[model(filterable)]
        pub due: Option<DateTime<Utc>>,
    }
"#;

const GLOBAL: &str = r#"
    #[derive(Model)]
    #[model(collection = "plans", global, id = uuid, audit)]
    pub(crate) struct PricePlan {
        #[model(id)]
        id: Id<PricePlan>,
        #[model(default_with = first_price, validate = is_price)]
        price: u32,
        #[model(default = "EUR")]
        currency: String,
    }
"#;

const INDEXES: &str = r#"
    #[derive(Model)]
    #[model(collection = "sessions", index(limits.max = desc, user, unique, name = "by_user", exists(user)))]
    #[model(index(user, expires, global))]
    pub struct Session {
        #[model(id)]
        pub id: Id<Self>,
        #[model(tenant)]
        pub tenant: TenantId,
        #[model(unique(global))]
        pub digest: String,
        #[model(index = desc)]
        pub user: Option<Id<User>>,
        #[model(ttl = "90d")]
        pub expires: DateTime<Utc>,
        pub limits: Limits,
    }
"#;

const RULES: &str = r#"
    #[derive(Model)]
    #[model(collection = "people", global)]
    pub struct Person {
        #[model(id)]
        pub id: Id<Person>,
        #[model(lowercase, email, unique)]
        pub email: String,
        #[model(url)]
        pub site: Option<String>,
        #[model(range(-1.5..=1))]
        pub score: f64,
        #[model(range(..=150))]
        pub age: u32,
        #[model(items(1..=5), len(..=20), pattern = "^[a-z]+$")]
        pub tags: Vec<String>,
        #[model(uppercase, one_of("A", "B"))]
        pub grade: String,
        #[model(skip_audit, skip_updated_at, default)]
        pub visits: u64,
    }
"#;

const RENAMED: &str = r#"
    #[derive(Model)]
    #[model(collection = "things", rename_all = "camelCase", virtuals(display_name: String), crate = crate::odm)]
    pub struct Thing {
        #[model(id, rename = "key")]
        pub id: Id<Thing>,
        #[model(tenant)]
        pub owner_org: TenantId,
        pub r#type: String,
        #[model(rename = "n")]
        pub first_name: String,
        #[model(revision)]
        pub doc_revision: Revision,
    }
"#;

const LEAST: &str = r#"
    #[derive(Model)]
    #[model(collection = "marks", global)]
    struct Mark {
        #[model(id)]
        id: Id<Mark>,
    }
"#;

const LIMITS: &str = r"
    /// How much a widget may do.
    #[derive(Clone, Embedded)]
    pub struct Limits {
        #[model(range(1..=100))]
        pub max: u32,
        #[model(default = 1)]
        pub min: u32,
        pub note: Option<String>,
    }
";

const MEMBER: &str = r#"
    #[derive(Clone, Embedded)]
    #[model(rename_all = "kebab-case")]
    pub struct Member {
        #[model(readonly)]
        pub user_id: Id<User>,
        #[model(hidden, validate = is_role)]
        pub role: String,
        pub token: Option<Encrypted<String>>,
    }
"#;

const EMAIL: &str = r"
    #[derive(Clone, Embedded)]
    pub struct Email(pub String);
";

const STATUS: &str = r#"
    #[derive(Clone, Copy, PartialEq, Eq, Embedded)]
    #[model(rename_all = "snake_case")]
    pub enum Status {
        Active,
        InReview,
        #[model(rename = "gone")]
        Deleted,
    }
"#;

const FLAT: &str = r#"
    #[derive(Clone, Embedded)]
    #[model(flat)]
    pub enum What {
        #[model(rename = "ClickEvent")]
        Click {
            url: String,
            #[model(default = 1)]
            count: i64,
        },
        Moved(Spot),
        Ping,
    }
"#;

const SHAPE: &str = r#"
    #[derive(Clone, Embedded)]
    #[model(tag = "kind", rename_all = "lowercase")]
    pub enum Shape {
        Nothing,
        /// A circle.
        Circle {
            #[model(range(0.0..))]
            radius: f64,
            #[model(hidden)]
            note: Option<String>,
        },
        Tagged(Vec<String>),
    }
"#;

const LINE: &str = r"
    /// What a list shows.
    #[derive(Projection)]
    #[projection(of = Widget)]
    pub struct WidgetLine {
        pub id: Id<Widget>,
        /// What people call it.
        pub name: String,
        pub token: Option<Encrypted<String>>,
    }
";
