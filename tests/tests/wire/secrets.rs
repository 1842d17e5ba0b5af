//! What encryption adds.

use super::*;

/// "Encryption adds no command but the first use of a tenant's key."
#[tokio::test]
async fn encryption_adds_the_key_once() {
    let wire = Wire::new().await;
    let new = |token: &str| NewSealed {
        name: "a".into(),
        token: Secret::from(token),
    };
    let on_keys = |command: &SentCommand| {
        command
            .body
            .get_str(&command.name)
            .is_ok_and(|name| name == "__model_keys")
    };
    wire.log.take();
    let first = Sealed::create(&wire.ctx, new("one")).await.unwrap();
    let sent = wire.log.take();
    let named = |keys: bool| {
        let names = sent.iter().filter(move |command| on_keys(command) == keys);
        names.map(|command| command.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(named(false), ["insert"]);
    assert_eq!(named(true), ["find", "find", "createIndexes", "insert"]);
    assert_eq!(
        wire.sends(async { Sealed::create(&wire.ctx, new("two")).await.unwrap() })
            .await
            .1,
        ["insert"]
    );
    assert_eq!(wire.sends(Sealed::get(&wire.ctx, &first.id)).await.1, ["find"]);
    let (token, sent) = wire.sends(first.token.reveal(&wire.ctx)).await;
    assert_eq!(token.unwrap().expose(), "one");
    assert!(sent.is_empty(), "{sent:?}");
    let patch = || SealedPatch {
        name: Set("b".into()),
        ..Default::default()
    };
    let update = async { Sealed::update(&wire.ctx, &first.id, patch()).await.unwrap() };
    assert_eq!(wire.sends(update).await.1, ["find", "update"]);
    let update = async { Sealed::update(&wire.ctx, &first.id, patch()).await.unwrap() };
    assert_eq!(wire.sends(update).await.1, ["find"], "an unchanged update");
    let patch = SealedPatch {
        token: Set(Secret::from("new")),
        ..Default::default()
    };
    let update = async { Sealed::update(&wire.ctx, &first.id, patch).await.unwrap() };
    assert_eq!(wire.sends(update).await.1, ["find", "update"]);
    let delete = async { Sealed::delete(&wire.ctx, &first.id).await.unwrap() };
    assert_eq!(wire.sends(delete).await.1, ["find", "delete"]);
    let vault = NewVault {
        token: Secret::from("three"),
    };
    let (vault, sent) = wire
        .sends(async { Vault::create(&wire.ctx, vault).await.unwrap() })
        .await;
    assert_eq!(sent, ["insert", "insert", "commitTransaction"]);

    // A handle that has not seen the key finds it once.
    let other = Wire::open(&wire.database, &wire.rival).await;
    let ctx = other.context(
        TenantId::new("acme").unwrap(),
        Person {
            reads: true,
            writes: true,
        },
    );
    let read = Vault::fetch(&ctx, &vault.id).await.unwrap();
    let (token, sent) = wire.sends(read.token.reveal(&ctx)).await;
    assert_eq!(token.unwrap().expose(), "three");
    assert_eq!(sent, ["find"]);
    let (_, sent) = wire.sends(read.token.reveal(&ctx)).await;
    assert!(sent.is_empty(), "{sent:?}");
}

#[derive(Projection)]
#[projection(of = Badge)]
struct Level {
    level: i64,
}

/// Row `facet` of a sealed model: what is picked has to be seen whole, so that its seal is checked; what is counted has not.
#[tokio::test]
async fn a_facet_sees_sealed_documents_whole() {
    let wire = Wire::new().await;
    Badge::create(&wire.ctx, NewBadge { level: 3 }).await.unwrap();
    let picked = Badge::query(&wire.ctx).facet(|f| (f.select::<Level>(), f.count()));
    let (answers, sent) = wire.sends(picked.into_future()).await;
    let (levels, count) = answers.unwrap();
    assert_eq!((levels[0].level, count), (3, 1));
    assert_eq!(sent, ["find"]);
    let counted = Badge::query(&wire.ctx).facet(|f| (f.count(),));
    let (answers, sent) = wire.sends(counted.into_future()).await;
    assert_eq!((answers.unwrap(), sent), ((1,), vec!["aggregate".to_owned()]));
}

#[derive(Clone, Embedded)]
pub(super) struct Contact {
    #[model(blind_index(unique))]
    email: Option<Encrypted<String>>,
    note: Option<String>,
}

/// Found by a secret inside of a struct.
#[derive(Clone, Model)]
#[model(collection = "reached")]
pub(super) struct Reached {
    #[model(id)]
    id: Id<Reached>,
    #[model(tenant)]
    organization: TenantId,
    contact: Contact,
}

policy!(Reached, Superset);

/// The store is asked by tokens, and told of those alone that change.
#[tokio::test]
async fn a_nested_secret_is_asked_for_by_its_token() {
    let wire = Wire::new().await;
    let new = NewReached {
        contact: Contact {
            email: Some(Encrypted::new("canary@x.com")),
            note: None,
        },
    };
    let reached = Reached::create(&wire.ctx, new).await.unwrap();
    wire.log.take();
    let found = Reached::query(&wire.ctx)
        .filter(|r| r.contact.email.eq("canary@x.com"))
        .await
        .unwrap();
    assert_eq!(found[0].id, reached.id);
    let sent = wire.log.take();
    let filter = sent[0].body.get_document("filter").unwrap().to_string();
    assert!(
        filter.contains("_bi.contact.email") && !filter.contains("canary"),
        "{filter}"
    );
    let change = async |contact: ContactPatch| {
        let patch = ReachedPatch {
            contact: Merge(contact),
            ..Default::default()
        };
        wire.log.take();
        Reached::update(&wire.ctx, &reached.id, patch).await.unwrap();
        let sent = wire.log.take();
        let update = sent.iter().find(|command| command.name == "update").unwrap();
        let update = update.body.get_array("updates").unwrap()[0]
            .as_document()
            .unwrap();
        let update = update.get_document("u").unwrap();
        let names = |operator: &str| {
            let fields = update.get_document(operator).ok();
            fields.map(|fields| fields.keys().map(String::to_owned).collect::<Vec<_>>())
        };
        (
            names("$set").unwrap_or_default(),
            names("$unset").unwrap_or_default(),
        )
    };
    let note = ContactPatch {
        note: Set(Some("x".into())),
        ..Default::default()
    };
    assert_eq!(change(note).await.0, ["contact.note", "_rev"]);
    let email = ContactPatch {
        email: Set(Some(Secret::from("other@x.com"))),
        ..Default::default()
    };
    assert_eq!(
        change(email).await.0,
        ["contact.email", "_bi.contact.email", "_rev"]
    );
    let none = ContactPatch {
        email: Set(None),
        ..Default::default()
    };
    let none = change(none).await;
    assert_eq!(
        (none.0, none.1),
        (
            vec!["_rev".to_owned()],
            vec!["contact.email".to_owned(), "_bi.contact.email".to_owned()]
        )
    );
}
