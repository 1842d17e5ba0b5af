//! Everything that belongs to a person or to a tenant, as one archive.

pub(in crate::engine) mod archive;
mod document;

use std::any::Any;
use std::collections::{HashSet, VecDeque};
use std::io::Write;

use bson::{Bson, RawDocumentBuf};
use serde_json::{Value, json};

use self::archive::{Archive, ExportReport};
use crate::audit::AuditChange;
use crate::engine::audit;
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::engine::references::erase;
use crate::engine::references::graph::Kin;
use crate::engine::unit::{Deleted, held};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;
use crate::store::{Find, into_error};
use crate::value::IdValue;

/// How many ids one command names.
const AT_ONCE: usize = 1_000;

/// Who asks for an archive.
pub(crate) struct Export<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) context: &'a (dyn Any + Send + Sync),
    /// Whether secrets are opened; they are left out otherwise.
    pub(crate) secrets: bool,
}

impl Export<'_> {
    /// All documents of the tenant.
    pub(crate) async fn tenant(self, out: &mut (dyn Write + Send)) -> Result<ExportReport> {
        self.admit()?;
        self.caller.ports.abilities().await?;
        let models = erase::opened(self.caller, self.context)?;
        let tenant = self.caller.tenant.as_ref().map(ToString::to_string);
        self.note("tenant.export", "tenant", tenant.clone().unwrap_or_default())
            .await?;
        let schemas: Vec<_> = models.iter().map(|kin| kin.schema()).collect();
        let head = self.head(&schemas, json!({ "tenant": tenant }));
        let mut archive = Archive::begin(out, &head)?;
        for kin in &models {
            let mut all = Sift::default();
            stream(&**kin, Node::Everything, self.secrets, &mut all, &mut archive).await?;
        }
        archive.end()
    }

    /// A person's document, and all that is theirs, by `subject` fields; none if there is no such document.
    pub(crate) async fn subject(
        self,
        schema: &'static ModelSchema,
        id: IdValue,
        out: &mut (dyn Write + Send),
    ) -> Result<Option<ExportReport>> {
        self.admit()?;
        self.caller.ports.abilities().await?;
        let graph = self.caller.graph();
        let root = graph.open_model(schema, self.context)?;
        let own = held(
            &*root,
            Deleted::Included,
            named(schema.id_field, std::slice::from_ref(&id)),
        )
        .await?;
        let store = self.caller.store()?;
        if store
            .find_one(schema.collection, &own)
            .await
            .map_err(into_error)?
            .is_none()
        {
            return Ok(None);
        }
        let entity = schema.audit.map_or(schema.name, |spec| spec.entity);
        self.note(&format!("{entity}.export"), entity, id.to_string())
            .await?;
        let tenant = self.caller.tenant.as_ref().map(ToString::to_string);
        let subject = json!({ "model": schema.name, "id": id.to_string() });
        let head = self.head(
            &reached(self.caller, schema),
            json!({ "tenant": tenant, "subject": subject }),
        );
        let mut archive = Archive::begin(out, &head)?;
        let mut seen = Sift::default();
        stream(
            &*root,
            named(schema.id_field, std::slice::from_ref(&id)),
            self.secrets,
            &mut seen,
            &mut archive,
        )
        .await?;
        let mut front = VecDeque::from([(schema, vec![id])]);
        while let Some((of, ids)) = front.pop_front() {
            for bond in graph.to(of).filter(|bond| bond.at.subject) {
                let kin = graph.open(bond.from, self.context)?;
                for ids in ids.chunks(AT_ONCE) {
                    let rest = named(&bond.at.path, ids);
                    let found = stream(&*kin, rest, self.secrets, &mut seen, &mut archive).await?;
                    if !found.is_empty() {
                        front.push_back((kin.schema(), found));
                    }
                }
            }
        }
        archive.end().map(Some)
    }

    fn admit(&self) -> Result<()> {
        if self.caller.bypass.is_some() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            "an export reaches what no policy shows: it takes `dangerously_bypass_permissions`",
        ))
    }

    /// That there is an export stands in the audit log before anything of it is written.
    async fn note(&self, event: &str, entity: &str, id: String) -> Result<()> {
        let secrets = AuditChange::Plain {
            path: "secrets".to_owned(),
            before: None,
            after: Some(Box::new(Bson::from(archive::secrets(self.secrets)))),
        };
        audit::note(self.caller, event, entity, id, vec![secrets]).await
    }

    fn head(&self, schemas: &[&'static ModelSchema], of: Value) -> Value {
        archive::head(schemas, of, self.secrets, self.caller.ports.now())
    }
}

/// The models that `subject` fields lead to, from the person's own.
fn reached(caller: &Caller, schema: &'static ModelSchema) -> Vec<&'static ModelSchema> {
    let (graph, mut found) = (caller.graph(), vec![schema]);
    let schemas = graph.schemas();
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        next += 1;
        for bond in graph.to(of).filter(|bond| bond.at.subject) {
            let Some(from) = schemas.get(bond.from) else {
                continue;
            };
            if !found.iter().any(|known| std::ptr::eq(*known, *from)) {
                found.push(from);
            }
        }
    }
    found
}

fn named(path: &str, ids: &[IdValue]) -> Node {
    let ids = ids.iter().map(IdValue::to_bson).collect();
    Node::field(path.to_owned(), Test::In(ids))
}

/// Lets each document pass once.
#[derive(Default)]
struct Sift(HashSet<(&'static str, IdValue)>);

/// Writes the documents that satisfy `rest` and were not written before; the answer is their ids.
async fn stream(
    kin: &dyn Kin,
    rest: Node,
    secrets: bool,
    seen: &mut Sift,
    archive: &mut Archive<'_>,
) -> Result<Vec<IdValue>> {
    let schema = kin.schema();
    let find = Find::all(schema.collection, held(kin, Deleted::Included, rest).await?);
    let mut ids = Vec::new();
    let mut cursor = kin.caller().store()?.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        let mut batch: Vec<(IdValue, RawDocumentBuf)> = Vec::new();
        cursor.each(&mut |raw| {
            batch.push((load::id(schema, raw)?, load::owned(raw)?));
            Ok(true)
        })?;
        for (id, raw) in batch {
            if !seen.0.insert((schema.collection, id.clone())) {
                continue;
            }
            let document = document::of(kin, raw.as_bytes(), secrets).await;
            let document =
                document.map_err(|error| error.at_model(schema.name, "export").at_id(|| id.to_string()))?;
            archive.document(schema, &document)?;
            ids.push(id);
        }
    }
    Ok(ids)
}
