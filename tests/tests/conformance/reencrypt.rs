//! Values under older keys: re-sealed when their document is written, or by a batch.

use std::sync::atomic::{AtomicBool, Ordering};

use bson::{Bson, Document, doc};
use model_core::crypto::Purpose;
use model_core::prelude::*;
use model_core::{Confirm, ModelExt, ReencryptReport, ResumeToken};
use tokio::task::yield_now;

use crate::harness::{Shop, change, foreign_widget, on_both_stores};
use crate::keys::rotate;
use crate::models::{Member, NewMember, User, Widget, WidgetPatch, new_widget};

/// Who writes, and as many who read.
const WRITERS: usize = 4;

fn is_full() -> bool {
    std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full")
}

fn job(shop: &Shop) -> Context<User> {
    shop.admin.dangerously_bypass_permissions("key rotation")
}

/// That many widgets whose tokens are their names.
async fn widgets(shop: &Shop, count: usize) -> Vec<Widget> {
    let mut all = Vec::new();
    for number in 0..count {
        let mut new = new_widget("prj_a", &format!("widget {number:03}"));
        new.optional.token = Some(Secret::from(format!("token {number:03}")));
        all.push(Widget::create(&shop.admin, new).await.unwrap());
    }
    all
}

fn envelope(document: &Document, field: &str) -> Vec<u8> {
    let Some(Bson::Binary(binary)) = document.get(field) else {
        panic!("{field} is not sealed: {document}")
    };
    binary.bytes.clone()
}

async fn reveal(shop: &Shop, widget: &Widget) -> String {
    let found = Widget::fetch(&shop.admin, &widget.id).await.unwrap();
    found
        .token
        .unwrap()
        .reveal(&shop.admin)
        .await
        .unwrap()
        .expose()
        .clone()
}

on_both_stores! {
    /// A value under the old key goes under the new one with the next write of its document, which audits no change of it;
    /// under the primary key its bytes stay.
    async fn a_write_reseals_what_lies_under_an_older_key(stage: Stage) {
        let shop = stage.shop().await;
        let widget = widgets(&shop, 1).await.remove(0);
        let old = envelope(&shop.stored_one("widgets").await, "token");
        let key = rotate(&shop, Purpose::Enc).await;
        let patch = |name: &str| WidgetPatch { name: Set(name.into()), ..Default::default() };
        let updated = Widget::update(&shop.admin, &widget.id, patch("Green")).await.unwrap();
        let new = envelope(&shop.stored_one("widgets").await, "token");
        assert_eq!((&new[2..18], new.len()), (key.as_bytes().as_slice(), old.len()));
        assert_eq!(updated.token.unwrap().reveal(&shop.admin).await.unwrap().expose(), "token 000");
        assert_eq!(reveal(&shop, &widget).await, "token 000");
        let log = shop.audit_log().await;
        let entry = log.last().unwrap();
        assert!(change(entry, "name").is_some() && change(entry, "token").is_none(), "{entry}");
        Widget::update(&shop.admin, &widget.id, patch("Red")).await.unwrap();
        assert_eq!(envelope(&shop.stored_one("widgets").await, "token"), new);
    }

    /// A value whose key is gone does not stand in the way of another field's change, and stays as it is.
    async fn what_does_not_open_stays_as_it_is(stage: Stage) {
        let shop = stage.shop().await;
        let widget = widgets(&shop, 1).await.remove(0);
        let old = envelope(&shop.stored_one("widgets").await, "token");
        let acme = TenantId::new("acme").unwrap();
        shop.db.keys(ActorIdentity::system("test")).shred(&acme, Confirm::CryptoShred).await.unwrap();
        let patch = WidgetPatch { enabled: Set(true), ..Default::default() };
        assert!(Widget::update(&shop.admin, &widget.id, patch).await.unwrap().enabled);
        assert_eq!(envelope(&shop.stored_one("widgets").await, "token"), old);
    }

    /// All documents of the tenant, in batches, from where a run stopped; nobody else's, and without a new revision.
    async fn a_batch_goes_on_where_it_stopped(stage: Stage) {
        let shop = stage.shop().await;
        let all = widgets(&shop, 7).await;
        let mut foreign = new_widget("prj_b", "Rival");
        foreign.optional.token = Some(Secret::from("rival"));
        let foreign = Widget::create(&shop.rival, foreign).await.unwrap();
        rotate(&shop, Purpose::Enc).await;
        let before = Widget::reencrypt(&job(&shop)).inspect().await.unwrap();
        assert_eq!((before.scanned, before.current, before.outdated, before.plaintext), (7, 0, 7, 0));
        let mut tokens: Vec<ResumeToken> = Vec::new();
        let note = |report: &ReencryptReport| tokens.extend(report.resume.clone());
        let done = Widget::reencrypt(&job(&shop)).batch(3).on_progress(note).await.unwrap();
        assert_eq!((done.scanned, done.rewritten, done.raced, done.failed.len()), (7, 7, 0, 0));
        assert_eq!(tokens.len(), 2);
        let after = Widget::reencrypt(&job(&shop)).batch(2).inspect().await.unwrap();
        assert_eq!((after.scanned, after.current, after.outdated), (7, 7, 0));
        let token = tokens[1].to_string().parse().unwrap();
        let rest = Widget::reencrypt(&job(&shop)).batch(3).resume(token).await.unwrap();
        assert_eq!((rest.scanned, rest.rewritten), (1, 0));
        for (number, widget) in all.iter().enumerate() {
            assert_eq!(reveal(&shop, widget).await, format!("token {number:03}"));
            let now = Widget::fetch(&shop.admin, &widget.id).await.unwrap();
            assert_eq!((now.revision, now.updated_at), (widget.revision, widget.updated_at));
        }
        assert_eq!(foreign.token.unwrap().reveal(&shop.rival).await.unwrap().expose(), "rival");
        let event = |entry: &Document| entry.get_str("event").unwrap().to_owned();
        let runs: Vec<_> = shop.audit_log().await.iter().map(event).filter(|event| event == "widget.reencrypt").collect();
        assert_eq!(runs.len(), 2);
        assert!("nonsense".parse::<ResumeToken>().unwrap_err().is_invalid());
    }

    /// It takes a bypass, lists what does not open, seals hashes that were stored without a keyring, and no other plaintext.
    async fn failures_are_listed(stage: Stage) {
        let shop = stage.shop().await;
        assert!(Widget::reencrypt(&shop.admin).await.unwrap_err().is_forbidden());
        assert!(Widget::reencrypt(&shop.admin).inspect().await.unwrap_err().is_forbidden());
        widgets(&shop, 1).await;
        let token = shop.stored_one("widgets").await.get("token").cloned().unwrap();
        for (id, value) in [("wgt_moved", token), ("wgt_plain", "canary".into())] {
            let mut document = foreign_widget(id);
            document.extend(doc! { "_sv": 2, "token": value });
            shop.store_raw("widgets", document).await;
        }
        rotate(&shop, Purpose::Enc).await;
        let done = Widget::reencrypt(&job(&shop)).await.unwrap();
        assert_eq!((done.scanned, done.rewritten), (3, 1));
        let mut ids: Vec<_> = done.failed.iter().map(|error| (error.id().unwrap(), error.path().unwrap())).collect();
        ids.sort_unstable();
        assert_eq!(ids, [("wgt_moved", "token"), ("wgt_plain", "token")]);
        assert!(!format!("{:?}", done.failed).contains("canary"));
        assert_eq!(Widget::reencrypt(&job(&shop)).inspect().await.unwrap().plaintext, 1);
    }

    /// A hash from before there was a keyring is sealed.
    async fn a_plain_hash_is_sealed(stage: Stage) {
        let shop = stage.shop().await;
        let password = || NewPassword::new("correct horse".to_owned()).unwrap();
        Member::create(&shop.admin, NewMember { email: "ada@example.com".into(), password: password() }).await.unwrap();
        let phc = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        let mut document = shop.stored_one("members").await;
        document.insert("_id", bson::Uuid::new());
        document.insert("email", "other@example.com");
        document.insert("password", phc);
        shop.store_raw("members", document).await;
        let before = Member::reencrypt(&job(&shop)).inspect().await.unwrap();
        assert_eq!((before.current, before.plaintext), (1, 1));
        assert_eq!(Member::reencrypt(&job(&shop)).await.unwrap().rewritten, 1);
        let after = Member::reencrypt(&job(&shop)).inspect().await.unwrap();
        assert_eq!((after.current, after.plaintext), (2, 0));
    }

    /// Writers and readers go on through two rotations and a re-encryption: no error, no update lost, and in the end no
    /// value under an old key.
    async fn rotation_under_load(stage: Stage) {
        let (count, rounds) = if is_full() { (40, 100) } else { (8, 20) };
        let shop = stage.shop().await;
        let all = widgets(&shop, count).await;
        let (shop, all) = (&shop, &all);
        let writers = all.chunks(count / WRITERS).map(|own| async move {
            for round in 0..rounds {
                for widget in own {
                    let token = format!("{} round {round}", widget.name);
                    let patch = WidgetPatch { token: Set(Some(Secret::from(token.clone()))), ..Default::default() };
                    Widget::update(&shop.admin, &widget.id, patch).await.unwrap();
                    assert_eq!(reveal(shop, widget).await, token);
                    let patch = WidgetPatch { note: Set(Some(token)), ..Default::default() };
                    Widget::update(&shop.admin, &widget.id, patch).await.unwrap();
                    yield_now().await;
                }
            }
        });
        // Whoever reads what others write finds a value that was written, whatever key it lies under.
        let done = &AtomicBool::new(false);
        let readers = (0..WRITERS).map(|reader| async move {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let widget = &all[(reads + reader) % all.len()];
                let token = reveal(shop, widget).await;
                assert!(token.starts_with(&widget.name) || widget.name.ends_with(&token["token".len()..]), "{token}");
                reads += 1;
                yield_now().await;
            }
            reads
        });
        let rotations = async {
            for _ in 0..2 {
                rotate(shop, Purpose::Enc).await;
                let done = Widget::reencrypt(&job(shop)).batch(3).await.unwrap();
                assert!(done.failed.is_empty(), "{:?}", done.failed);
            }
        };
        let work = async {
            futures_util::future::join(futures_util::future::join_all(writers), rotations).await;
            done.store(true, Ordering::Relaxed);
        };
        let (reads, ()) = futures_util::future::join(futures_util::future::join_all(readers), work).await;
        println!("{} updates and {} reads by others", count * rounds * 2, reads.iter().sum::<usize>());
        for widget in all {
            assert_eq!(reveal(shop, widget).await, format!("{} round {}", widget.name, rounds - 1));
        }
        Widget::reencrypt(&job(shop)).await.unwrap();
        let end = Widget::reencrypt(&job(shop)).inspect().await.unwrap();
        assert_eq!((end.current, end.outdated, end.plaintext, end.malformed), (count as u64, 0, 0, 0));
    }
}
