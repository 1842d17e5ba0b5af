//! The bare driver of the third generation, and what stands on it.

mod bare;
mod manor;
mod mongo_orm;
mod mongodb_ro;
mod mongodm;
mod oximod;
mod rustling;

use ::mongodb::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let uri = turns::uri();
    let client = Client::with_uri_str(&uri).await.unwrap();
    let database = client.default_database().unwrap();

    let bare = bare::Bare::new(&database);
    let manor = manor::Manor::new(&client, database.name()).await;
    let mongo_orm = mongo_orm::MongoOrm::new(&uri).await;
    let mongodb_ro = mongodb_ro::MongodbRo::new(&database);
    let mongodm = mongodm::Mongodm::new(&database);
    let oximod = oximod::Oximod::new(&uri).await;
    let rustling = rustling::Rustling::new(&client, database.name());

    let mut lines = turns::listen();
    while let Some(turn) = turns::next(&mut lines).await {
        let took = match turn.peer.as_str() {
            "bare" => turns::take(&bare, &turn).await,
            "manor" => turns::take(&manor, &turn).await,
            "mongo-orm" => turns::take(&mongo_orm, &turn).await,
            "mongodb-ro" => turns::take(&mongodb_ro, &turn).await,
            "mongodm" => turns::take(&mongodm, &turn).await,
            "oximod" => turns::take(&oximod, &turn).await,
            "oximod-by-id" => turns::take(&oximod::OximodById, &turn).await,
            "rustling-data" => turns::take(&rustling, &turn).await,
            other => panic!("who is {other}?"),
        };
        turns::answer(took);
    }
}
