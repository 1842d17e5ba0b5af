//! Contract D 16: some fields of a document, as types of their own.

use bson::doc;
use model_core::prelude::*;

use crate::harness::{START, date, foreign_widget, on_both_stores};
use crate::models::{Ctx, Limits, User, Widget, new_widget, open_policy};

/// What a list shows of a widget: a hidden field and a secret are in the struct, and not in the JSON.
#[derive(Projection)]
#[projection(of = Widget)]
struct WidgetCard {
    id: Id<Widget>,
    name: String,
    note: Option<String>,
    internal_score: f64,
    limits: Limits,
    token: Option<Encrypted<String>>,
    created_at: DateTime<Utc>,
}

/// A document with an exact scope, migrated, with names of its own in storage.
#[derive(Clone, Model)]
#[model(collection = "sheets", id = string, version = 2, rename_all = "camelCase", index(sheet_name, id))]
struct Sheet {
    #[model(id)]
    id: Id<Sheet>,
    #[model(tenant)]
    organization: TenantId,
    sheet_name: String,
    #[model(hidden, default = 0)]
    secret_rank: i64,
    token: Option<Encrypted<String>>,
    rest: Option<String>,
    #[model(revision)]
    revision: Revision,
}

impl BaseModel for Sheet {
    type Actor = User;

    const READ_SCOPE: ReadScope = ReadScope::Exact;

    open_policy!(Self, Ctx);

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        // It needs a field that no projection asks for: a part of the document would not do.
        let rest = document.get_str("rest").map(str::to_owned);
        let rest = rest.map_err(|_| Error::refused("a part of a document was migrated"))?;
        document.insert("sheetName", format!("migrated {rest}"));
        document.insert("secretRank", 9_i64);
        Ok(document)
    }
}

#[derive(Projection)]
#[projection(of = Sheet)]
struct SheetLine {
    sheet_name: String,
    secret_rank: i64,
    token: Option<Encrypted<String>>,
    revision: Revision,
}

on_both_stores! {
    /// `can_read` judges the whole document; the view shows what the model's would.
    async fn a_projection_is_judged_and_redacted_as_the_model(stage: Stage) {
        let shop = stage.shop().await;
        for (n, project) in ["prj_a", "prj_b", "prj_a"].iter().enumerate() {
            let mut new = new_widget(project, &format!("Widget {n}"));
            new.limits.secret_note = Some("hush".into());
            new.optional.internal_score = Some(4.5);
            new.optional.token = Some(Secret::from("tok_live"));
            Widget::create(&shop.admin, new).await.unwrap();
        }
        let mut old = foreign_widget("wgt_old");
        old.remove("name");
        old.insert("title", "Old name");
        old.insert("project", "prj_a");
        shop.store_raw("widgets", old).await;
        let reader = shop.acme(User::viewer("vic", &["prj_a"]));
        let query = || Widget::query(&reader).sort(|w| w.id.asc()).select::<WidgetCard>();
        let cards = query().await.unwrap();
        let mut names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Old name", "Widget 0", "Widget 2"]);
        let first = query().first().await.unwrap().unwrap();
        assert_eq!((first.id, first.created_at), (cards[0].id.clone(), cards[0].created_at));
        let page = query().page(2, None).await.unwrap();
        let rest = query().page(2, page.next.as_deref()).await.unwrap();
        assert_eq!((page.items.len(), rest.items.len(), rest.next.is_none()), (2, 1, true));
        let found = Widget::query(&reader).filter(|w| w.name.eq("Widget 0")).select::<WidgetCard>().first().await;
        let card = found.unwrap().unwrap();
        assert_eq!((card.internal_score, card.note.as_deref()), (4.5, None));
        assert_eq!(card.token.as_ref().unwrap().reveal(&reader).await.unwrap().expose(), "tok_live");
        let printed = format!("{card:?}");
        assert!(!printed.contains("4.5") && !printed.contains("hush"), "{printed}");
        let model = Widget::fetch(&reader, &card.id).await.unwrap();
        let whole = serde_json::to_value(model.into_view(&reader)).unwrap();
        let json = serde_json::to_value(card.into_view(&reader)).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["created_at", "id", "limits", "name"], "nothing hidden, nothing absent");
        for key in keys {
            assert_eq!(json[key], whole[key]);
        }
        assert!(Widget::query(&shop.rival).select::<WidgetCard>().await.unwrap().is_empty());
    }

    /// Where the scope is exact, the fields alone are sent, and an older document comes whole.
    async fn an_older_document_is_migrated_whole(stage: Stage) {
        let db = stage
            .builder()
            .keys(model_core::testing::keyring().unwrap())
            .model::<Sheet>()
            .build_lazy()
            .unwrap();
        db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let new = NewSheet {
            sheet_name: "new".into(),
            optional: NewSheetOptional { token: Some(Secret::from("tok")), ..Default::default() },
        };
        let created = Sheet::create(&ctx, new).await.unwrap();
        for n in 0..3 {
            let old = doc! { "_id": format!("old{n}"), "organization": "acme", "rest": format!("r{n}"), "at": date(START) };
            model_core::testing::store_raw(&db, "sheets", &old).await.unwrap();
        }
        let query = || Sheet::query(&ctx).sort(|s| s.sheet_name.asc());
        let lines = query().select::<SheetLine>().await.unwrap();
        let names: Vec<&str> = lines.iter().map(|line| line.sheet_name.as_str()).collect();
        assert_eq!(names, ["migrated r0", "migrated r1", "migrated r2", "new"], "in the stored order");
        assert_eq!(lines.iter().map(|line| line.secret_rank).collect::<Vec<_>>(), [9, 9, 9, 0]);
        assert_eq!(lines[3].revision, created.revision);
        assert_eq!(lines[3].token.as_ref().unwrap().reveal(&ctx).await.unwrap().expose(), "tok");
        let mut cursor = None;
        let mut paged = Vec::new();
        loop {
            let page = query().select::<SheetLine>().page(1, cursor.as_deref()).await.unwrap();
            paged.extend(page.items.into_iter().map(|line| line.sheet_name));
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(paged, names);
        let json = serde_json::to_value(query().select::<SheetLine>().first().await.unwrap().unwrap().into_view(&ctx));
        let json = json.unwrap();
        assert_eq!(json["sheetName"], "migrated r0");
        assert!(json.get("secretRank").is_none());
    }
}
